/* Turns in the store: idempotency, one running turn per chat, fencing, dense sequences, histories. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { begin, exchange, finish, makeGuest, makeTrack, makeUser, startStore, turnWish, uuid } from "./store-lib.js";

let store;
let user;

before(async () => {
	store = await startStore();
	user = await makeUser(store);
});
after(() => store.stop());

/* A session whose welcome is done. */
async function talk() {
	const made = await makeTrack(store, user);
	const welcome = await begin(store, user, { kind: "welcome", session_id: made.session_id });

	assert.equal(welcome.begun, true);
	await finish(store, welcome.context.turn_id, { reply: "a plan" });
	return { ...made, welcome };
}

describe("a welcome", () => {
	it("waits with its track and is begun once", async () => {
		const made = await makeTrack(store, user);
		const first = await begin(store, user, { kind: "welcome", session_id: made.session_id });
		const other = await begin(store, user, { kind: "welcome", session_id: made.session_id, owner: "chat-2" });

		assert.equal(first.begun, true);
		assert.equal(first.context.turn_id, made.turn_id);
		assert.equal(first.context.attempt, 1);
		assert.deepEqual([first.context.title, first.context.skill_area, first.context.difficulty_level, first.context.hours,
			first.context.expectations, first.context.language], ["Python", "Programming", "beginner", 40, "to write tools", "en"]);
		assert.equal(first.context.user_kind, "user");
		assert.equal(other.begun, false);
		assert.equal(other.context.turn_id, made.turn_id);
		assert.equal(other.outcome.state, "running");

		await finish(store, made.turn_id, { reply: "hello" });
		const again = await begin(store, user, { kind: "welcome", session_id: made.session_id });

		assert.equal(again.begun, false);
		assert.equal(again.outcome.reply, "hello");
		assert.equal(again.outcome.message_type, "welcome");
	});

	it("that failed may be begun again", async () => {
		const made = await makeTrack(store, user);

		await begin(store, user, { kind: "welcome", session_id: made.session_id });
		await finish(store, made.turn_id, { state: "failed", reply: "", error_code: "ai_unavailable", error_message: "no" });
		const again = await begin(store, user, { kind: "welcome", session_id: made.session_id });

		assert.equal(again.begun, true);
		assert.notEqual(again.context.turn_id, made.turn_id);
	});

	it("of a session of one's own naming keeps what was told of the course", async () => {
		const guest = await makeGuest(store);
		const first = await begin(store, guest, { kind: "welcome", session_id: "my-session", skill_area: "Лепка",
			difficulty_level: "beginner", hours: 12, expectations: "чашка", language: "ru" });

		assert.equal(first.begun, true);
		assert.equal(first.context.user_kind, "guest");
		assert.equal(first.context.session_key, "my-session");
		await finish(store, first.context.turn_id);
		const next = await begin(store, guest, { session_id: "my-session" });

		assert.equal(next.context.chat_id, first.context.chat_id);
		assert.deepEqual([next.context.skill_area, next.context.hours, next.context.expectations, next.context.language],
			["Лепка", 12, "чашка", "ru"]);
	});
});

describe("a message", () => {
	it("sent again answers with the first outcome", async () => {
		const { session_id } = await talk();
		const client_message_id = uuid();
		const first = await begin(store, user, { session_id, client_message_id, body: "one" });
		const running = await begin(store, user, { session_id, client_message_id, body: "one" });

		assert.equal(first.begun, true);
		assert.equal(first.context.seq, 2);
		assert.equal(running.begun, false);
		assert.equal(running.context.turn_id, first.context.turn_id);
		assert.equal(running.context.user_message_id, first.context.user_message_id);
		assert.equal(running.outcome.state, "running");

		const stored = await finish(store, first.context.turn_id, { reply: "done" });
		const ended = await begin(store, user, { session_id, client_message_id, body: "one" });

		assert.equal(ended.begun, false);
		assert.deepEqual(ended.outcome, stored.outcome);
		assert.equal((await store.db(`select count(*)::int as n from chat_messages where client_message_id = '${client_message_id}'`))[0].n, 1);
	});

	it("whose answer was lost begins for the same asker", async () => {
		const { session_id } = await talk();
		const wish = turnWish({ session_id });

		assert.equal((await store.must(user, "turn_begin", wish)).begun, true);
		const again = await store.must(user, "turn_begin", wish);

		assert.equal(again.begun, true);
		assert.equal(again.context.seq, 2);
	});

	it("with a used id and another text is refused", async () => {
		const { session_id } = await talk();
		const client_message_id = uuid();

		await begin(store, user, { session_id, client_message_id, body: "one" });
		const answer = await begin(store, user, { session_id, client_message_id, body: "two" });

		assert.equal(answer.rc, "cmid_conflict");
		assert.equal(answer.field, "client_message_id");
	});

	it("waits for the reply before it", async () => {
		const { session_id } = await talk();

		await begin(store, user, { session_id });
		assert.equal((await begin(store, user, { session_id })).rc, "turn_in_progress");
	});

	it("of two at once begins exactly one", async () => {
		const { session_id, chat_id } = await talk();
		const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => begin(store, user, { session_id, body: `m${i}` })));
		const begun = answers.filter((a) => a.begun);

		assert.equal(begun.length, 1);
		assert.ok(answers.filter((a) => !a.begun).every((a) => a.rc === "turn_in_progress"), JSON.stringify(answers));
		assert.deepEqual(await store.db(`select last_seq::int from chats where id = '${chat_id}'`), [{ last_seq: 2 }]);
	});

	it("sent at once from everywhere with one id is stored once", async () => {
		const { session_id } = await talk();
		const client_message_id = uuid();
		const answers = await Promise.all(Array.from({ length: 6 }, () => begin(store, user, { session_id, client_message_id })));

		assert.equal(answers.filter((a) => a.begun).length, 1);
		assert.equal(new Set(answers.map((a) => a.context.turn_id)).size, 1);
	});

	it("makes the session and the chat it names, for nobody too, once", async () => {
		const session_id = `test-${uuid()}`;
		const answers = await Promise.all([1, 2, 3].map(() => begin(store, null, { session_id })));
		const first = answers.find((a) => a.begun);

		assert.equal(answers.filter((a) => a.begun).length, 1);
		assert.equal(first.context.user_kind, "nobody");
		assert.equal((await store.db(`select count(*)::int as n from chats c join chat_sessions s on s.id = c.session_id
			where s.client_key = '${session_id}'`))[0].n, 1);
	});

	it("does not make a session out of an unknown UUID", async () => {
		const answer = await begin(store, user, { session_id: uuid() });

		assert.equal(answer.rc, "not_found");
		assert.equal(answer.field, "session_id");
	});

	it("with a text that PostgreSQL refuses is refused with a word", async () => {
		const { session_id } = await talk();

		assert.equal((await begin(store, user, { session_id, message_type: "x".repeat(21) })).rc, "invalid");
		assert.equal((await begin(store, user, { session_id: "s".repeat(256) })).field, "session_id");
		assert.equal((await begin(store, user, { session_id, body: "" })).field, "body");
		assert.equal((await begin(store, user, { kind: "sing", session_id })).field, "kind");
		assert.equal((await begin(store, user, {})).field, "session_id");
	});
});

describe("sequences", () => {
	it("are dense, and times rise with them", async () => {
		const { session_id, chat_id } = await talk();

		for (let i = 0; i < 4; i++)
			await exchange(store, user, session_id, `q${i}`, `a${i}`);
		const list = await store.db(`select seq::int, sender_type, "timestamp" as at from chat_messages where chat_id = '${chat_id}' order by seq`);

		assert.deepEqual(list.map((m) => m.seq), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
		assert.deepEqual(list.map((m) => m.sender_type).join(), "ai,user,ai,user,ai,user,ai,user,ai");
		assert.ok(list.every((m, i) => i === 0 || m.at > list[i - 1].at));
	});
});

describe("a finish", () => {
	it("stores reply, usage, cost and timing with the terminal state, once", async () => {
		const { session_id } = await talk();
		const { context } = await begin(store, user, { session_id });
		const first = await finish(store, context.turn_id, { reply: "готово ✓" });
		const again = await finish(store, context.turn_id, { reply: "something else" });

		assert.equal(first.outcome.state, "completed");
		assert.equal(first.outcome.reply, "готово ✓");
		assert.equal(first.outcome.seq, 3);
		assert.match(first.outcome.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
		assert.deepEqual(again, first);
		const [row] = await store.db(`select * from chat_messages where id = '${first.outcome.message_id}'`);

		assert.deepEqual([row.tokens_used, row.prompt_tokens, row.cached_tokens, row.completion_tokens, row.cost_nano, row.currency,
			row.finish_reason, row.total_us, row.turn_id], [18, 11, 2, 7, 5000, "USD", "stop", 21, context.turn_id]);
		assert.deepEqual(await store.db(`select attempt, outcome, prompt_tokens, model from attempts where turn_id = '${context.turn_id}'`),
			[{ attempt: 1, outcome: "completed", prompt_tokens: 11, model: "sim" }]);
	});

	it("of a stale attempt or another owner is fenced off", async () => {
		const { session_id } = await talk();
		const { context } = await begin(store, user, { session_id });
		const turn_id = context.turn_id;

		assert.equal((await finish(store, turn_id, { owner: "chat-2" })).rc, "conflict");
		await store.must(null, "turn_attempt", { turn_id, owner: "chat-1", attempt: 2, lease_ms: 10000, reason: "worker lost",
			usage: { prompt_tokens: 3, completion_tokens: 1 } });
		assert.equal((await finish(store, turn_id, { attempt: 1 })).rc, "conflict");
		assert.equal((await finish(store, turn_id, { attempt: 2 })).rc, "ok");
		assert.equal((await finish(store, turn_id, { attempt: 2, owner: "chat-2" })).rc, "conflict");
		assert.equal((await finish(store, uuid())).rc, "not_found");
		assert.deepEqual(await store.db(`select attempt, outcome, prompt_tokens from attempts where turn_id = '${turn_id}' order by 1`),
			[{ attempt: 1, outcome: "worker lost", prompt_tokens: 3 }, { attempt: 2, outcome: "completed", prompt_tokens: 11 }]);
	});

	it("that failed leaves no reply and lets the chat go on", async () => {
		const { session_id } = await talk();
		const { context } = await begin(store, user, { session_id });
		const ended = await finish(store, context.turn_id, { state: "failed", reply: "half", error_code: "ai_unavailable", error_message: "later" });

		assert.equal(ended.outcome.state, "failed");
		assert.equal(ended.outcome.error_code, "ai_unavailable");
		assert.equal(ended.outcome.message_id, undefined);
		assert.equal((await begin(store, user, { session_id })).context.seq, 3);
	});

	it("that was interrupted or stopped keeps the piece there is", async () => {
		const { session_id } = await talk();

		for (const state of ["interrupted", "cancelled"]) {
			const { context } = await begin(store, user, { session_id });
			const ended = await finish(store, context.turn_id, { state, reply: "a piece" });

			assert.equal(ended.outcome.state, state);
			assert.equal(ended.outcome.reply, "a piece");
		}
		const { context } = await begin(store, user, { session_id });

		assert.equal((await finish(store, context.turn_id, { state: "cancelled", reply: "" })).outcome.message_id, undefined);
	});

	it("with a text that holds U+0000, an unknown state or absurd counts is refused", async () => {
		const { session_id } = await talk();
		const { context } = await begin(store, user, { session_id });

		assert.equal((await finish(store, context.turn_id, { state: "happy" })).field, "state");
		assert.equal((await finish(store, context.turn_id, { usage: { prompt_tokens: -1 } })).field, "usage");
		assert.equal((await finish(store, context.turn_id, { usage: { prompt_tokens: 2 ** 40 } })).field, "usage");
		assert.equal((await finish(store, context.turn_id)).rc, "ok");
	});
});

describe("an attempt", () => {
	it("is made once, by the owner, one after the other", async () => {
		const { session_id } = await talk();
		const { context: { turn_id } } = await begin(store, user, { session_id });
		const attempt = (n, owner = "chat-1") => store.ask(null, "turn_attempt", { turn_id, owner, attempt: n, lease_ms: 10000 })
			.then((a) => a.rc);

		assert.equal(await attempt(3), "conflict");
		assert.equal(await attempt(2, "chat-2"), "conflict");
		assert.equal(await attempt(2), "ok");
		assert.equal(await attempt(2), "ok");
		assert.equal(await attempt(1), "conflict");
		assert.equal(await attempt(3), "ok");
		await finish(store, turn_id, { attempt: 3 });
		assert.equal(await attempt(4), "conflict");
	});

	it("has partial text that survives, and is dropped by the next one", async () => {
		const { session_id } = await talk();
		const { context: { turn_id } } = await begin(store, user, { session_id });
		const progress = (attempt, text) => store.ask(null, "turn_progress",
			{ turn_id, owner: "chat-1", attempt, lease_ms: 10000, has_partial: text !== undefined, ...(text && { "blob:partial": text }) })
			.then((a) => a.rc);
		const partial = async () => (await store.db(`select partial from turns where id = '${turn_id}'`))[0].partial;

		assert.equal(await progress(1, "часть"), "ok");
		assert.equal(await progress(1), "ok");
		assert.equal(await partial(), "часть");
		assert.equal(await progress(2, "x"), "conflict");
		await store.must(null, "turn_attempt", { turn_id, owner: "chat-1", attempt: 2, lease_ms: 10000 });
		assert.equal(await partial(), null);
		assert.equal(await progress(1, "late"), "conflict");
		assert.equal(await progress(2, "new"), "ok");
		await finish(store, turn_id, { attempt: 2 });
		assert.equal(await partial(), null);
		assert.equal(await progress(2, "zombie"), "conflict");
	});
});

describe("a claim", () => {
	const claim = (owner, more = {}) => store.must(null, "turn_claim", { owner, lease_ms: 10000, history_tokens: 6000, ...more });
	const expire = (turn_id) => store.db(`update turns set lease_until = utc_clock() - interval '1 second' where id = '${turn_id}'`);
	const onlyRunning = () => store.db("update turns set state = 'failed' where state = 'running'");

	it("takes a turn over when its lease has run out, with its history and partial text", async () => {
		const { session_id } = await talk();

		await onlyRunning();
		const { context } = await begin(store, user, { session_id, body: "question" });
		const { turn_id } = context;

		await store.must(null, "turn_progress", { turn_id, owner: "chat-1", attempt: 1, lease_ms: 10000, has_partial: true, "blob:partial": "so far" });
		assert.equal((await claim("chat-2")).found, false);
		await expire(turn_id);
		const taken = await claim("chat-2");

		assert.equal(taken.found, true);
		assert.equal(taken.partial, "so far");
		assert.equal(taken.context.turn_id, turn_id);
		assert.equal(taken.context.user_kind, "user");
		assert.deepEqual(taken.context.history.map((m) => m.content), ["a plan", "question"]);
		assert.equal((await claim("chat-3")).found, false);
		assert.equal((await finish(store, turn_id)).rc, "conflict");
		assert.equal((await finish(store, turn_id, { owner: "chat-2" })).rc, "ok");
	});

	it("gives one turn to one of many", async () => {
		const { session_id } = await talk();

		await onlyRunning();
		const { context } = await begin(store, user, { session_id });

		await expire(context.turn_id);
		const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => claim(`chat-${i}`)));

		assert.equal(answers.filter((a) => a.found).length, 1);
	});

	it("finds an instance's own turns after its return, and then an end", async () => {
		await onlyRunning();
		const turns = [];

		for (let i = 0; i < 3; i++) {
			const { session_id } = await talk();

			turns.push((await begin(store, user, { session_id })).context.turn_id);
		}
		assert.equal((await claim("chat-1")).found, false);
		const found = [];

		for (let next = await claim("chat-1", { own_too: true }); next.found; next = await claim("chat-1", { own_too: true }))
			found.push(next.context.turn_id);
		assert.deepEqual(found.sort(), turns.sort());

		await store.reconnect();
		assert.equal((await claim("chat-2", { own_too: true })).found, false);
		assert.equal((await claim("chat-1", { own_too: true })).found, true);
	});
});

describe("a history for the model", () => {
	it("keeps the newest within its budget and says how many are missing", async () => {
		const { session_id } = await talk();

		for (let i = 0; i < 5; i++)
			await exchange(store, user, session_id, `question ${i}`, `answer ${i}`);
		const all = await begin(store, user, { session_id, body: "last" });

		assert.deepEqual(all.context.history.map((m) => m.content), ["a plan", "question 0", "answer 0", "question 1", "answer 1",
			"question 2", "answer 2", "question 3", "answer 3", "question 4", "answer 4", "last"]);
		assert.deepEqual(all.context.history.slice(-2).map((m) => m.role), ["assistant", "user"]);
		assert.equal(all.context.history_left_out, undefined);
		await finish(store, all.context.turn_id);

		const few = await begin(store, user, { session_id, body: "last", history_tokens: 22 });

		/* 4 + 2, 4 + 3 ("an answer"), 4 + 2: 19; one more does not fit. */
		assert.deepEqual(few.context.history.map((m) => m.content), ["last", "an answer", "last"]);
		assert.equal(few.context.history_left_out, 11);
		await finish(store, few.context.turn_id);

		const none = await begin(store, user, { session_id, body: "a long one", history_tokens: 0 });

		assert.deepEqual(none.context.history.map((m) => m.content), ["a long one"]);
	});

	it("passes every character on", async () => {
		const { session_id } = await talk();
		const nasty = "\"\\ \u0001\u001f\u007f\n\t\r\u2028 😀 <script> ${x} 'a''b'";
		const { context } = await begin(store, user, { session_id, body: nasty });

		assert.equal(context.history.at(-1).content, nasty);
		assert.equal((await finish(store, context.turn_id, { reply: nasty })).outcome.reply, nasty);
	});
});

describe("a regeneration", () => {
	it("answers the same message again and takes the place of the earlier reply", async () => {
		const { session_id, chat_id } = await talk();
		const one = await exchange(store, user, session_id, "q1", "first");

		await exchange(store, user, session_id, "q2", "second");
		const again = await begin(store, user, { session_id, retry_message_id: one.answer.outcome.message_id, body: undefined });

		assert.equal(again.begun, true);
		assert.equal(again.context.user_message_id, one.question.context.user_message_id);
		assert.deepEqual(again.context.history.map((m) => m.content), ["a plan", "q1"]);
		const ended = await finish(store, again.context.turn_id, { reply: "better" });
		const [row] = await store.db(`select parent_id, generation from chat_messages where id = '${ended.outcome.message_id}'`);

		assert.deepEqual(row, { parent_id: one.answer.outcome.message_id, generation: 2 });
		const next = await begin(store, user, { session_id, body: "q3" });

		assert.deepEqual(next.context.history.map((m) => m.content), ["a plan", "q1", "better", "q2", "second", "q3"]);
		await finish(store, next.context.turn_id);
		const third = await begin(store, user, { retry_message_id: one.answer.outcome.message_id, body: undefined });

		await finish(store, third.context.turn_id, { reply: "best" });
		const load = await store.must(user, "chat_load", { chat_id });

		assert.deepEqual(load.history.map((m) => m.content), ["a plan", "q1", "best", "q2", "second", "q3", "an answer"]);
		assert.equal(load.history[2].generation, 3);
		const paged = [];

		for (let before = undefined; paged.length < load.history.length; before = paged[0].seq) {
			const { history: [message] } = await store.must(user, "chat_load", { chat_id, limit: 1, before });

			assert.ok(!paged.some(({ id }) => id === message?.id), "each page goes on where the one before ended");
			paged.unshift(message);
		}
		assert.deepEqual(paged.map((m) => m.content), load.history.map((m) => m.content));
		assert.deepEqual((await store.must(user, "chat_load", { chat_id, limit: 1, before: paged[0].seq })).history ?? [], []);
	});

	it("of a message that got no reply is a first reply", async () => {
		const { session_id } = await talk();
		const { context } = await begin(store, user, { session_id, body: "q" });

		await finish(store, context.turn_id, { state: "failed", reply: "" });
		const again = await begin(store, user, { session_id, retry_message_id: context.user_message_id, body: undefined });

		assert.equal(again.begun, true);
		const ended = await finish(store, again.context.turn_id, { reply: "now" });

		assert.deepEqual(await store.db(`select parent_id, generation from chat_messages where id = '${ended.outcome.message_id}'`),
			[{ parent_id: null, generation: 1 }]);
	});

	it("of the welcome is a welcome", async () => {
		const { session_id, welcome } = await talk();
		const [first] = await store.db(`select ai_message_id as id from turns where id = '${welcome.context.turn_id}'`);
		const again = await begin(store, user, { session_id, retry_message_id: first.id, body: undefined });

		assert.equal(again.begun, true);
		assert.equal(again.context.kind, "welcome");
		assert.equal(again.context.history ?? "", "");
		await finish(store, again.context.turn_id, { reply: "another plan" });
		assert.equal((await begin(store, user, { session_id })).context.history[0].content, "another plan");
	});
});

describe("a finalization", () => {
	const modules = (...titles) => JSON.stringify(titles.map((title, i) => ({
		title, description: `about ${title}`, estimated_duration_hours: 4 + i, learning_objectives: ["a", "b"],
	})));
	const finalize = (made, more = {}) => begin(store, user, { kind: "finalize", session_id: made.session_id, track_id: made.track_id, ...more });
	const complete = (turn_id, json, reply = "modules are ready") => finish(store, turn_id, { reply, message_type: "finalization", "blob:modules": json });

	it("turns the newest plan into the track's modules", async () => {
		const made = await talk();
		const wish = await finalize(made);

		assert.equal(wish.begun, true);
		assert.equal(wish.context.plan, "a plan");
		const done = await complete(wish.context.turn_id, modules("Syntax", "Tools"));

		assert.equal(done.track_id, made.track_id);
		assert.deepEqual(done.outcome.modules.map((m) => [m.module_number, m.title, m.estimated_duration_hours, m.status]),
			[[1, "Syntax", 4, "not_started"], [2, "Tools", 5, "not_started"]]);
		const { track } = await store.must(user, "track_get", { track_id: made.track_id });

		assert.equal(track.status, "active");
		assert.deepEqual(track.modules, done.outcome.modules);

		const again = await finalize(made);

		assert.equal(again.begun, false);
		assert.equal(again.context.turn_id, wish.context.turn_id);
		assert.equal(again.outcome.reply, "modules are ready");
		assert.deepEqual(again.outcome.modules, done.outcome.modules);
	});

	it("takes the plan, not the announcement, and keeps modules that stay", async () => {
		const made = await talk();
		const first = await finalize(made);
		const before = await complete(first.context.turn_id, modules("Syntax", "Tools", "Old"));
		const kept = before.outcome.modules[1].id;

		await store.db(`update course_modules set status = 'completed', progress = 100 where id = '${kept}'`);
		await exchange(store, user, made.session_id, "change it", "a new plan");
		const second = await finalize(made);

		assert.equal(second.begun, true);
		assert.equal(second.context.plan, "a new plan");
		assert.ok(second.context.history.some((m) => m.content === "modules are ready"));
		const list = JSON.parse(modules("Начало", " tools ", "End"));

		list[1].id = kept;
		const after = await complete(second.context.turn_id, JSON.stringify(list));

		assert.deepEqual(after.outcome.modules.map((m) => [m.module_number, m.title, m.status]),
			[[1, "Начало", "not_started"], [2, "tools", "completed"], [3, "End", "not_started"]]);
		assert.equal(after.outcome.modules[1].id, kept);
		const { track } = await store.must(user, "track_get", { track_id: made.track_id });

		assert.equal(track.progress, 33);
	});

	it("of a given plan uses that plan", async () => {
		const made = await talk();
		const wish = await finalize(made, { body: "my own plan" });

		assert.equal(wish.context.plan, "my own plan");
		await complete(wish.context.turn_id, modules("A"));
		assert.equal((await finalize(made, { body: "my own plan" })).begun, false);
		assert.equal((await finalize(made)).begun, true);
	});

	it("while the first plan is being written waits for it, as for any reply of the chat", async () => {
		const made = await makeTrack(store, user);
		const refusal = async (more) => {
			const { rc, field } = await finalize(made, more);

			return [rc, field];
		};

		for (const running of [false, true]) {	/* the welcome waits for somebody to run it, then somebody does */
			if (running)
				await begin(store, user, { kind: "welcome", session_id: made.session_id });
			for (const more of [{}, { client_message_id: uuid() }, { body: "my own plan" }])
				assert.deepEqual(await refusal(more), ["turn_in_progress", "chat_id"], JSON.stringify({ running, more }));
		}
		await finish(store, made.turn_id, { reply: "the plan" });
		assert.equal((await finalize(made)).context.plan, "the plan");
	});

	it("without a plan is refused in plain words", async () => {
		const made = await makeTrack(store, user);

		await begin(store, user, { kind: "welcome", session_id: made.session_id });
		await finish(store, made.turn_id, { state: "failed", reply: "" });
		const answer = await finalize(made);

		assert.deepEqual([answer.rc, answer.field], ["invalid", "course_plan"]);
		assert.match(answer.message, /no plan/);
	});

	it("that failed or was stopped leaves nothing and may be repeated", async () => {
		const made = await talk();

		for (const state of ["failed", "cancelled"]) {
			const wish = await finalize(made);

			assert.equal(wish.begun, true);
			assert.equal((await finish(store, wish.context.turn_id, { state, reply: "[{\"ti", message_type: "finalization" })).outcome.message_id, undefined);
		}
		assert.equal((await finalize(made)).begun, true);
	});

	it("with modules that do not fit changes nothing", async () => {
		const made = await talk();
		const { context } = await finalize(made);

		for (const bad of ["[]", "{}", "[{}]", "[{\"title\":\"a\",\"learning_objectives\":[1]}]", "nonsense"])
			assert.equal((await complete(context.turn_id, bad)).field, "modules");
		assert.deepEqual((await store.must(user, "track_get", { track_id: made.track_id })).track.modules, []);
		assert.equal((await complete(context.turn_id, modules("A"))).rc, "ok");
	});

	it("of a course that is not stored is for guests, and keeps its modules in the outcome", async () => {
		const guest = await makeGuest(store);
		const welcome = await begin(store, guest, { kind: "welcome", session_id: "tmp", skill_area: "x" });

		await finish(store, welcome.context.turn_id);
		const wish = await begin(store, guest, { kind: "finalize", session_id: "tmp", track_id: "local-track" });

		assert.equal(wish.begun, true);
		const done = await complete(wish.context.turn_id, modules("A", "B"));

		assert.equal(done.track_id, undefined);
		assert.deepEqual(done.outcome.modules.map((m) => m.title), ["A", "B"]);
		const again = await begin(store, guest, { kind: "finalize", session_id: "tmp", track_id: "local-track" });

		assert.deepEqual(again.outcome.modules, done.outcome.modules);
		const made = await talk();

		assert.equal((await finalize(made, { track_id: "local-track" })).field, "track_id");
	});
});

describe("a turn of somebody else", () => {
	it("does not exist", async () => {
		const made = await talk();
		const { answer } = await exchange(store, user, made.session_id, "mine", "yours");
		const { context } = await begin(store, user, { session_id: made.session_id });

		for (const stranger of [await makeUser(store), await makeGuest(store), null]) {
			const asked = await Promise.all([
				begin(store, stranger, { session_id: made.session_id }),
				begin(store, stranger, { chat_id: made.chat_id }),
				begin(store, stranger, { session_id: "mine", chat_id: made.chat_id }),
				begin(store, stranger, { kind: "welcome", session_id: made.session_id }),
				begin(store, stranger, { kind: "finalize", session_id: made.session_id, track_id: made.track_id }),
				begin(store, stranger, { retry_message_id: answer.outcome.message_id, body: undefined }),
				store.ask(stranger, "turn_load", { turn_id: context.turn_id }),
				store.ask(stranger, "chat_load", { chat_id: made.chat_id }),
				store.ask(stranger, "chat_load", { session_id: made.session_id, restore: true }),
				store.ask(stranger, "session_chats", { session_id: made.session_id }),
				store.ask(stranger, "chat_create", { chat_id: uuid(), session_id: made.session_id, chat_type: "planning" }),
				store.ask(stranger, "track_get", { track_id: made.track_id }),
				store.ask(stranger, "session_create", { session_id: uuid(), track_id: made.track_id, session_name: "x" }),
			]);

			assert.deepEqual(asked.map((a) => a.rc), asked.map(() => "not_found"));
		}
		/* One's own session and somebody's track or chat. */
		const other = await makeUser(store);
		const own = await makeTrack(store, other);

		assert.equal((await begin(store, other, { kind: "finalize", session_id: own.session_id, track_id: made.track_id })).rc, "not_found");
		assert.equal((await begin(store, other, { session_id: own.session_id, chat_id: made.chat_id })).rc, "not_found");
	});

	it("can be read by its owner", async () => {
		const { session_id } = await talk();
		const { question, answer } = await exchange(store, user, session_id, "q", "a");
		const load = await store.must(user, "turn_load", { turn_id: question.context.turn_id });

		assert.deepEqual(load.outcome, answer.outcome);
		assert.equal(load.context.kind, "message");
	});
});
