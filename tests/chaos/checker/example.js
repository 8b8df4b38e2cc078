/*
 * The logs of a small run in which all is well, for the tests of the checker:
 * two users with a dialogue each, one with a second tab; a worker that dies in
 * the middle of a reply, a socket that is lost, a refused message, a stop.
 */

const WORDS = 4;
const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const say = (call, n = WORDS) => Array.from({ length: n }, (_, i) => `c${call}w${i} `);

export class Example {
	#ids = 0;
	#calls = 0;

	constructor() {
		this.t = 1000;
		this.logs = {
			seed: 7, clock: { start: 0, faultsEnd: 60000, ready: 61000, end: 92000 },
			client: [], sim: [], faults: [], processes: [{ t: 0, name: "chat", what: "start" }],
			db: { users: [], sessions: [], chats: [], messages: [], turns: [], attempts: [], modules: [] },
			outputs: [{ name: "chat.log", text: "daemon.ready" }], secrets: [{ name: "BUS_KEY", value: "canary-bus-key" }],
			resources: { before: { sessions: 8, processes: { chat: { fds: 40, threads: 20, kb: 50000 } } },
				after: { sessions: 8, processes: { chat: { fds: 41, threads: 20, kb: 52000 } } }, cores: [], reports: [] },
		};
	}

	id() {
		return uuid(++this.#ids);
	}

	log(user, tab, ev, fields = {}) {
		const event = { t: this.t += 10, user: user.name, tab, ev, ...fields };

		this.logs.client.push(event);
		return event;
	}

	user(n) {
		const user = { name: `user${n}`, place: `place${n}x0`, id: this.id(), session: this.id(), chat: this.id(), seq: 0, said: [] };

		this.logs.db.users.push({ id: user.id });
		this.logs.db.sessions.push({ id: user.session, user_id: user.id });
		this.logs.db.chats.push({ id: user.chat, session_id: user.session, user_id: user.id, chat_type: "planning", status: "active" });
		this.log(user, 0, "user", { id: user.id });
		this.open(user, 1);
		return user;
	}

	open(user, tab) {
		this.log(user, tab, "open", { place: user.place });
	}

	look(user, tab, active = null) {
		this.log(user, tab, "restore");
		this.log(user, tab, "history", { chat: user.chat, older: 0, messages: this.history(user), active });
	}

	/* Everything is mended: a last look. */
	farewell(user, tab) {
		this.log(user, tab, "silent");
		this.log(user, tab, "close", { code: 1006 });
		this.open(user, tab);
		this.look(user, tab);
		this.log(user, tab, "looked");
	}

	fault(kind, target, more = {}) {
		this.logs.faults.push({ t: this.t += 10, until: this.t + 50, kind, target, hit: true, ...more });
	}

	call(user, text, { sent = WORDS, outcome = "completed" } = {}) {
		const n = ++this.#calls;
		const messages = [{ role: "system", content: "You plan courses." },
			...[...user.said, text].map((content, i) => ({ role: i % 2 ? "assistant" : "user", content }))];

		this.logs.sim.push({ n, asked: this.t += 10, ended: this.t + 5, outcome, key: "k", messages,
			...(outcome === "completed" ? { usage: { prompt_tokens: 30, completion_tokens: sent } } : {}) });
		return n;
	}

	row(user, turn, sender, text, more = {}) {
		const row = { id: this.id(), chat_id: user.chat, user_id: user.id, turn_id: turn, seq: ++user.seq, sender_type: sender, text,
			client_message_id: null, tokens_used: null, ...more };

		this.logs.db.messages.push(row);
		user.said.push(text);
		return row;
	}

	pieces(user, tabs, turn, epoch, call, n = WORDS) {
		for (const [offset, text] of say(call, n).entries())
			for (const tab of tabs)
				this.log(user, tab, "delta", { turn, chat: user.chat, epoch, offset, text });
	}

	/* A whole turn. dies: the worker does in the middle. lost: the socket goes after accepted. stopped: by the user. */
	turn(user, { tabs = [1], dies = false, lost = false, stopped = false } = {}) {
		const [cmid, turn] = [this.id(), this.id()];
		const text = `@${user.name} @${user.place} @msg=${cmid} plan it [[sim:marked=${WORDS}]]`;
		const sent = stopped ? 2 : WORDS;

		this.log(user, 1, "send", { cmid, place: user.place, text });
		const question = this.row(user, turn, "user", text, { client_message_id: cmid });
		const ack = { cmid, turn, chat: user.chat, id: question.id, seq: question.seq };

		user.said.pop();
		this.log(user, 1, "ack", ack);
		for (const tab of tabs.slice(1))
			this.log(user, tab, "ack", { ...ack, text });
		if (lost) {
			this.log(user, 1, "close", { code: 1006 });
			this.open(user, 1);
			this.look(user, 1, { turn, epoch: 1, offset: 0, text: "" });
		}
		if (dies) {
			const first = this.call(user, text, { outcome: "client_gone" });

			this.pieces(user, tabs, turn, 1, first, 2);
			this.fault("kill", "ai-1");
			for (const tab of tabs)
				this.log(user, tab, "reset", { turn, epoch: 2 });
		}
		const epoch = dies ? 2 : 1;
		const call = this.call(user, text, { sent });

		this.pieces(user, tabs, turn, epoch, call, sent);
		if (stopped)
			this.log(user, 1, "stop", { turn });
		user.said.push(text);
		const state = stopped ? "cancelled" : "completed";
		const reply = this.row(user, turn, "assistant", say(call, sent).join(""), { tokens_used: 30 + sent });

		for (const tab of tabs)
			this.log(user, tab, "final", { turn, chat: user.chat, cmid, id: reply.id, seq: reply.seq, epoch, text: reply.text, state });
		this.logs.db.turns.push({ id: turn, user_id: user.id, chat_id: user.chat, client_message_id: cmid, state, attempt: epoch });
		if (dies)
			this.logs.db.attempts.push({ turn_id: turn, attempt: 1, user_id: user.id, prompt_tokens: null, completion_tokens: null, usage_estimated: null });
		this.logs.db.attempts.push({ turn_id: turn, attempt: epoch, user_id: user.id, prompt_tokens: 30, completion_tokens: sent, usage_estimated: false });
		return { turn, cmid };
	}

	history(user) {
		return this.logs.db.messages.filter((m) => m.chat_id === user.chat)
			.map((m) => ({ id: m.id, seq: m.seq, sender: m.sender_type, text: m.text }));
	}

	refused(user) {
		const cmid = this.id();

		this.log(user, 1, "send", { cmid, place: user.place, text: `@${user.name} @${user.place} @msg=${cmid}` });
		this.log(user, 1, "nack", { cmid, code: "turn_in_progress" });
	}
}

export function cleanRun() {
	const run = new Example();
	const [ada, bob] = [run.user(1), run.user(2)];

	run.open(ada, 2);
	run.turn(ada, { tabs: [1, 2] });
	run.turn(bob);
	run.turn(ada, { tabs: [1, 2], dies: true });
	run.refused(bob);
	run.turn(bob, { lost: true });
	run.turn(ada, { tabs: [1, 2], stopped: true });
	run.turn(ada, { tabs: [1, 2] });
	run.farewell(ada, 1);
	run.farewell(bob, 1);
	run.farewell(ada, 2);
	return run.logs;
}
