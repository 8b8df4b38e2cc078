/* Accounts, tracks, sessions, chats and histories, and what becomes of guests. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../lib/until.js";
import { NOBODY, begin, exchange, finish, makeGuest, makeTrack, makeUser, startStore, uuid } from "./store-lib.js";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let store;

before(async () => {
	store = await startStore();
});
after(() => store.stop());

describe("accounts", () => {
	const account = (user_id, email, more = {}) => ({
		user_id, is_guest: false, email, password_hash: "hash", first_name: "Анна", last_name: "O'Neil", ...more,
	});

	it("the first is the administrator's, also when two come at once", async () => {
		const made = await Promise.all([1, 2, 3, 4].map((i) => store.must(null, "user_create", account(uuid(), `first${i}@example.org`))));

		assert.deepEqual(made.map((m) => m.user.role).sort(), ["admin", "student", "student", "student"]);
	});

	it("are shown as REST shows them, without the hash", async () => {
		const user_id = uuid();
		const { user } = await store.must(null, "user_create", account(user_id, "Mixed.Case@example.org"));

		assert.match(user.created_at, ISO);
		assert.deepEqual(user, { id: user_id, email: "Mixed.Case@example.org", first_name: "Анна", last_name: "O'Neil",
			role: "student", is_active: true, created_at: user.created_at, is_guest: false });
		assert.deepEqual((await store.must({ user: user_id }, "user_get")).user, user);
	});

	it("have one address each, whatever its case, and are made once", async () => {
		const first = account(uuid(), "one@example.org");

		await store.must(null, "user_create", first);
		await store.must(null, "user_create", first);
		for (const email of ["one@example.org", "ONE@Example.org"]) {
			const answer = await store.ask(null, "user_create", account(uuid(), email));

			assert.deepEqual([answer.rc, answer.field], ["conflict", "email"]);
		}
		const at_once = await Promise.all([1, 2, 3].map(() => store.ask(null, "user_create", account(uuid(), "race@example.org"))));

		assert.deepEqual(at_once.map((a) => a.rc).sort(), ["conflict", "conflict", "ok"]);
		const found = await store.must(null, "user_by_email", { email: "oNe@example.org" });

		assert.deepEqual([found.user_id, found.password_hash, found.is_active], [first.user_id, "hash", true]);
		assert.equal((await store.ask(null, "user_by_email", { email: "nobody@guest.com" })).rc, "not_found");
	});

	it("refuse what does not fit, naming it", async () => {
		for (const [more, field] of [[{ email: "" }, "email"], [{ email: `${"x".repeat(250)}@a.org` }, "email"], [{ password_hash: "" }, "password_hash"],
			[{ first_name: "я".repeat(101) }, "first_name"], [{ last_name: "x".repeat(101) }, "last_name"]]) {
			const answer = await store.ask(null, "user_create", { ...account(uuid(), "fits@example.org"), ...more });

			assert.deepEqual([answer.rc, answer.field], ["invalid", field]);
		}
		await store.must(null, "user_create", account(uuid(), "fits@example.org", { first_name: "я".repeat(100) }));
	});

	it("change their hash only while the old one stands", async () => {
		const who = await makeUser(store);
		const set = (old_hash, new_hash) => store.ask(who, "user_set_password", { old_hash, new_hash }).then((a) => a.rc);

		assert.equal(await set("hash", "new"), "ok");
		assert.equal(await set("hash", "new"), "ok");	/* its answer was lost, it is asked again */
		assert.equal(await set("hash", "other"), "conflict");
		assert.equal(await set("new", "other"), "ok");
	});

	it("of guests have public names made of their ids", async () => {
		const { guest } = await makeGuest(store);
		const hex = guest.replaceAll("-", "");
		const { user } = await store.must({ guest }, "user_get");

		assert.deepEqual(user, { id: `guest_${hex}`, email: `guest_${hex.slice(0, 8)}@guest.com`, first_name: "Гость",
			last_name: "Пользователь", role: "student", is_guest: true });
		assert.equal((await store.db(`select email from users where id = '${guest}'`))[0].email, `guest_${hex}@guest.com`);
		assert.equal((await store.ask(null, "user_get")).rc, "not_found");
		assert.equal((await store.ask({ user: uuid() }, "user_get")).rc, "unauthorized");
	});

	it("note when they were here, at most every five minutes", async () => {
		const who = await makeUser(store);
		const seen = async () => (await store.db(`select last_seen_at from users where id = '${who.user}'`))[0].last_seen_at;
		const first = await seen();

		await store.must(who, "user_get");
		assert.equal(await seen(), first);
		await store.db(`update users set last_seen_at = last_seen_at - interval '6 minutes' where id = '${who.user}'`);
		await store.must(who, "user_get");
		assert.ok(await seen() > first);
	});
});

describe("tracks", () => {
	it("come with session, planning chat and the waiting welcome", async () => {
		const who = await makeUser(store);
		const made = await makeTrack(store, who, { key: "k" });

		assert.equal(made.created, true);
		assert.match(made.track.created_at, ISO);
		assert.deepEqual(made.track, { id: made.track_id, title: "Python", description: "basics", skill_area: "Programming",
			difficulty_level: "beginner", estimated_duration_hours: 40, status: "planning", user_expectations: "to write tools",
			ai_generated_plan: null, language: "en", modules: [], progress: 0, session_id: made.session_id, chat_id: made.chat_id,
			created_at: made.track.created_at, updated_at: made.track.updated_at });
		assert.deepEqual(await store.db(`select kind, state, owner from turns where id = '${made.turn_id}'`),
			[{ kind: "welcome", state: "running", owner: null }]);
	});

	it("are made once for one key, also at once", async () => {
		const who = await makeUser(store);
		const made = await Promise.all([1, 2, 3, 4].map(() => makeTrack(store, who, { key: "same" })));

		assert.equal(made.filter((m) => m.created).length, 1);
		for (const field of ["session_id", "chat_id", "turn_id"])
			assert.equal(new Set(made.map((m) => m[field])).size, 1);
		assert.equal((await store.must(who, "track_list")).tracks.length, 1);
		assert.equal((await makeTrack(store, await makeUser(store), { key: "same" })).created, true);
	});

	it("of one key are what was asked for first: the same again whatever became of it, another is refused", async () => {
		const who = await makeUser(store);
		const [body_hash, other] = ["1".repeat(64), "2".repeat(64)];
		const first = await makeTrack(store, who, { key: "asked", body_hash });
		const again = (more) => store.ask(who, "track_create", { track_id: uuid(), session_id: uuid(), chat_id: uuid(), turn_id: uuid(), key: "asked",
			title: "Python", difficulty_level: "beginner", hours: 40, language: "en", ...more });

		await store.must(who, "track_update", { track_id: first.track_id, title: "Renamed" });
		assert.deepEqual([(await again({ body_hash })).track.id, (await again({})).track.title], [first.track_id, "Renamed"]);
		await store.must(who, "session_create", { session_id: uuid(), track_id: first.track_id, session_name: "without a planning chat" });
		assert.deepEqual([(await again({ body_hash })).rc, (await again({ body_hash })).created ?? false], ["ok", false]);
		const refused = await again({ title: "Go", body_hash: other });

		assert.deepEqual([refused.rc, refused.field], ["cmid_conflict", "key"]);
		assert.equal((await store.must(who, "track_list")).tracks.length, 1);
		await store.db(`update learning_tracks set body_hash = null where id = '${first.track_id}'`);
		assert.equal((await again({ body_hash: other })).track.id, first.track_id, "a row from before answers as it did");
		for (const wrong of ["1".repeat(63), "g".repeat(64)])
			assert.deepEqual([(await again({ body_hash: wrong })).rc, (await again({ body_hash: wrong })).field], ["invalid", "body_hash"]);
	});

	it("are the caller's own", async () => {
		const [a, b] = [await makeUser(store), await makeGuest(store)];
		const mine = await makeTrack(store, a);
		const theirs = await makeTrack(store, b);

		assert.deepEqual((await store.must(a, "track_list")).tracks.map((t) => t.id), [mine.track_id]);
		assert.deepEqual((await store.must(b, "track_list")).tracks.map((t) => t.id), [theirs.track_id]);
		assert.equal((await store.ask(a, "track_get", { track_id: theirs.track_id })).rc, "not_found");
		assert.deepEqual((await store.must(a, "track_get", { track_id: mine.track_id })).track, mine.track);
	});

	it("of an account that is gone are refused", async () => {
		const answer = await store.ask({ guest: uuid() }, "track_create", { track_id: uuid(), session_id: uuid(), chat_id: uuid(), turn_id: uuid(),
			title: "t", difficulty_level: "beginner", hours: 1, language: "en" });

		assert.equal(answer.rc, "unauthorized");
	});

	it("refuse what does not fit, naming it", async () => {
		const who = await makeUser(store);

		for (const [more, field] of [[{ title: "я".repeat(256) }, "title"], [{ skill_area: "x".repeat(101) }, "skill_area"],
			[{ difficulty_level: "wizard" }, "difficulty_level"], [{ hours: -1 }, "estimated_duration_hours"],
			[{ hours: 1e9 }, "estimated_duration_hours"]]) {
			const answer = await store.ask(who, "track_create", { track_id: uuid(), session_id: uuid(), chat_id: uuid(), turn_id: uuid(),
				title: "t", difficulty_level: "beginner", hours: 1, language: "en", ...more });

			assert.deepEqual([answer.rc, answer.field], ["invalid", field]);
		}
	});
});

describe("sessions and chats", () => {
	it("are made once, listed newest first, and show what is in them", async () => {
		const who = await makeUser(store);
		const made = await makeTrack(store, who);
		const session_id = uuid();
		const body = { session_id, track_id: made.track_id, session_name: "second" };
		const { session } = await store.must(who, "session_create", body);

		assert.deepEqual((await store.must(who, "session_create", body)).session, session);
		assert.deepEqual([session.id, session.track_id, session.session_name, session.status], [session_id, made.track_id, "second", "active"]);
		assert.deepEqual((await store.must(who, "session_list")).sessions.map((s) => s.id), [session_id, made.session_id]);

		await begin(store, who, { kind: "welcome", session_id: made.session_id });
		await finish(store, made.turn_id);
		const chat_id = uuid();
		const { chat } = await store.must(who, "chat_create", { chat_id, session_id, chat_type: "discussion" });

		assert.match(chat.chat_name, /^Chat \d\d:\d\d$/);
		assert.deepEqual(chat, (await store.must(who, "chat_create", { chat_id, session_id, chat_type: "discussion" })).chat);
		const list = (await store.must(who, "user_chats")).sessions;

		assert.deepEqual(list.map((s) => [s.session_id, s.track_title, s.track_id, s.chats.map((c) => c.chat_id)]),
			[[session_id, "Python", made.track_id, [chat_id]], [made.session_id, "Python", made.track_id, [made.chat_id]]]);
		assert.equal(list[1].chats[0].message_count, 1);
		assert.match(list[1].chats[0].last_message_at, ISO);
		assert.deepEqual((await store.must(who, "session_chats", { session_id })).chats, [chat]);
	});

	it("of one id are what was asked for first: the same again answers it, another is refused, a deleted one is gone", async () => {
		const who = await makeUser(store);
		const made = await makeTrack(store, who);
		const [body_hash, other] = ["1".repeat(64), "2".repeat(64)];
		const [session_id, chat_id] = [uuid(), uuid()];
		const session = (hash) => store.ask(who, "session_create", { session_id, track_id: made.track_id, session_name: "named", ...hash });
		const chat = (hash) => store.ask(who, "chat_create", { chat_id, session_id, chat_type: "discussion", ...hash });

		for (const [create, table, id, field, shown] of [[session, "chat_sessions", session_id, "session_id", "session"], [chat, "chats", chat_id, "chat_id", "chat"]]) {
			const first = await create({ body_hash });

			assert.equal(first.rc, "ok", first.message);
			assert.deepEqual((await create({ body_hash }))[shown], first[shown]);
			assert.deepEqual((await create({}))[shown], first[shown]);
			const refused = await create({ body_hash: other });

			assert.deepEqual([refused.rc, refused.field], ["cmid_conflict", field]);
			await store.db(`update ${table} set body_hash = null where id = '${id}'`);
			assert.deepEqual((await create({ body_hash: other }))[shown], first[shown], "a row from before answers as it did");
			assert.deepEqual([(await create({ body_hash: "x" })).rc, (await create({ body_hash: "x" })).field], ["invalid", "body_hash"]);
		}
		await store.must(who, "chat_change", { chat_id, action: "rename", value: "Renamed" });
		assert.equal((await chat({ body_hash })).chat.chat_name, "Renamed");
		await store.must(who, "chat_change", { chat_id, action: "delete" });
		assert.deepEqual([(await chat({})).rc, (await chat({})).field], ["not_found", "chat_id"]);
	});

	it("a new planning chat takes the place of the one before", async () => {
		const who = await makeUser(store);
		const made = await makeTrack(store, who);
		const chat_id = uuid();

		await store.must(who, "chat_create", { chat_id, session_id: made.session_id, chat_type: "planning", chat_name: "Новый чат" });
		assert.deepEqual((await store.must(who, "session_chats", { session_id: made.session_id })).chats.map((c) => [c.id, c.chat_type]),
			[[chat_id, "planning"], [made.chat_id, "discussion"]]);
		assert.equal((await begin(store, who, { session_id: made.session_id })).context.chat_id, chat_id);
		const at_once = await Promise.all([1, 2, 3, 4].map(() => store.ask(who, "chat_create",
			{ chat_id: uuid(), session_id: made.session_id, chat_type: "planning" })));

		assert.deepEqual(at_once.map((a) => a.rc), ["ok", "ok", "ok", "ok"]);
	});

	it("a name of the client's own means his session only", async () => {
		const [a, b] = [await makeGuest(store), await makeGuest(store)];

		await exchange(store, a, "same-name", "of a", "to a");
		await exchange(store, b, "same-name", "of b", "to b");
		assert.deepEqual((await store.must(a, "chat_load", { session_id: "same-name", restore: true })).history.map((m) => m.content), ["of a", "to a"]);
		assert.deepEqual((await store.must(b, "chat_load", { session_id: "same-name", restore: true })).history.map((m) => m.content), ["of b", "to b"]);
		assert.deepEqual((await store.must(null, "chat_load", { session_id: "same-name" })).found, false);
		assert.deepEqual((await store.must(a, "session_chats", { session_id: "never-heard-of" })).chats, []);
		const { chat } = await store.must(a, "chat_create", { chat_id: uuid(), session_id: "new-name", chat_type: "planning" });

		assert.equal((await begin(store, a, { session_id: "new-name" })).context.chat_id, chat.id);
		assert.equal((await store.ask(await makeUser(store), "chat_create", { chat_id: uuid(), session_id: "new-name", chat_type: "planning" })).rc, "not_found");
	});

	it("nobody has no lists", async () => {
		assert.deepEqual((await store.must(null, "session_list")).sessions, []);
		assert.deepEqual((await store.must(null, "user_chats")).sessions, []);
		assert.deepEqual((await store.must(null, "track_list")).tracks, []);
	});
});

describe("a history", () => {
	it("has the entries of the contract, oldest first, with what was measured", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id, turn_id } = await makeTrack(store, who);

		await begin(store, who, { kind: "welcome", session_id });
		await finish(store, turn_id, { reply: "welcome" });
		const { question, answer } = await exchange(store, who, session_id, "вопрос", "ответ");
		const load = await store.must(who, "chat_load", { session_id });
		const [welcome, asked, told] = load.history;

		assert.equal(load.found, true);
		assert.deepEqual([load.chat_id, load.session_id, load.message_count], [chat_id, session_id, 3]);
		assert.deepEqual([load.chat_info.chat_id, load.chat_info.chat_name, load.chat_info.chat_type, load.chat_info.status, load.chat_info.ai_context],
			[chat_id, "Course Planning", "planning", "active", null]);
		assert.equal(welcome.message_type, "welcome");
		assert.match(asked.timestamp, ISO);
		assert.deepEqual(asked, { id: question.context.user_message_id, chat_id, sender: "user", content: "вопрос", message_type: "text",
			timestamp: asked.timestamp, ai_model_used: null, tokens_used: null, seq: 2, turn_id: question.context.turn_id,
			client_message_id: question.context.client_message_id });
		assert.deepEqual(told, { id: answer.outcome.message_id, chat_id, sender: "ai", content: "ответ", message_type: "text",
			timestamp: told.timestamp, ai_model_used: "sim", tokens_used: 18, seq: 3, turn_id: question.context.turn_id, finish_reason: "stop",
			generation: 1, usage: { prompt_tokens: 11, cached_tokens: 2, completion_tokens: 7, estimated: false },
			cost: { amount: 0.000005, currency: "USD" },
			timing: { gateway_in: 1, chat: 2, store: 3, ai_queue: 4, provider_first_token: 5, provider_total: 6, total: 21 } });
		assert.deepEqual(load.messages.map((m) => [m.sender_type, m.message_content]), [["ai", "welcome"], ["user", "вопрос"], ["ai", "ответ"]]);
		/* The seed's check: one dialogue, one chat_id. */
		assert.deepEqual(await store.db(`select distinct chat_id from chat_messages m join chats c on c.id = m.chat_id where c.session_id = '${session_id}'`),
			[{ chat_id }]);
	});

	it("names the running turn, and a return is recorded", async () => {
		const who = await makeUser(store);
		const { session_id, chat_id, turn_id } = await makeTrack(store, who);

		assert.equal((await store.must(who, "chat_load", { session_id, restore: true })).running_turn, turn_id);
		await begin(store, who, { kind: "welcome", session_id });
		await finish(store, turn_id);
		const load = await store.must(who, "chat_load", { chat_id, restore: true });

		assert.equal(load.running_turn, undefined);
		assert.equal(load.messages ?? "", "");
		assert.deepEqual(await store.db(`select messages::int, running from restore_events where chat_id = '${chat_id}'`), [{ messages: 1, running: false }]);
	});

	it("comes in pages that join without a gap", async () => {
		const guest = await makeGuest(store);
		let chat_id;

		for (let i = 0; i < 4; i++)
			chat_id = (await exchange(store, guest, "long", `q${i}`, `a${i}`)).question.context.chat_id;
		const seen = [];
		let page = await store.must(guest, "chat_load", { chat_id, limit: 3 });

		for (;;) {
			seen.unshift(...page.history.map((m) => m.content));
			if (!page.older)
				break;
			page = await store.must(guest, "chat_load", { chat_id, limit: 3, before: page.older + 1 });
		}
		assert.deepEqual(seen, ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3"]);
	});

	it("larger than one answer says what is missing", async () => {
		const guest = await makeGuest(store);
		let chat_id;

		for (let i = 0; i < 3; i++)
			chat_id = (await exchange(store, guest, "huge", `q${i}`, "x".repeat(1 << 20))).question.context.chat_id;
		const load = await store.must(guest, "chat_load", { chat_id });

		assert.deepEqual([load.history.map((m) => m.seq), load.older], [[4, 5, 6].slice(1), 4]);
	});

	it("of a session without one, or of a chat with a strange name, is not there", async () => {
		const who = await makeUser(store);
		const made = await makeTrack(store, who);
		const session_id = uuid();

		await store.must(who, "session_create", { session_id, track_id: made.track_id, session_name: "empty" });
		assert.equal((await store.must(who, "chat_load", { session_id })).found, false);
		assert.equal((await store.must(who, "chat_load", { session_id: made.session_id, chat_id: "chat_12345" })).chat_id, made.chat_id);
		assert.equal((await store.ask(who, "chat_load", { chat_id: "chat_12345" })).rc, "not_found");
		assert.equal((await store.ask(who, "chat_load", { session_id: uuid() })).rc, "not_found");
		assert.equal((await store.ask(who, "chat_load", { session_id, chat_id: made.chat_id })).rc, "not_found");
		assert.equal((await store.ask(who, "chat_load", {})).field, "session_id");
	});
});

describe("guests", () => {
	it("are removed with everything of theirs when they stayed away, and nobody else", async () => {
		const [old, fresh, user] = [await makeGuest(store), await makeGuest(store), await makeUser(store)];

		for (const who of [old, fresh, user]) {
			const made = await makeTrack(store, who);

			await begin(store, who, { kind: "welcome", session_id: made.session_id });
			await finish(store, made.turn_id);
			const wish = await begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id });

			await finish(store, wish.context.turn_id, { "blob:modules": JSON.stringify([{ title: "M" }]) });
			await store.must(who, "chat_load", { chat_id: made.chat_id, restore: true });
		}
		await exchange(store, null, "stale", "old", "old");
		await exchange(store, null, "active", "new", "new");
		await store.db(`update users set last_seen_at = utc_clock() - interval '25 hours' where id in ('${old.guest}', '${user.user}', '${NOBODY}');
			update chat_sessions set created_at = utc_clock() - interval '25 hours' where user_id = '${NOBODY}';
			update chats set created_at = utc_clock() - interval '25 hours', last_message_at = utc_clock() - interval '25 hours'
			where session_id = (select id from chat_sessions where client_key = 'stale' and user_id = '${NOBODY}');`);
		await store.reconnect();
		await store.daemon.crash("SIGTERM");
		await until("the guest is gone", async () => (await store.db(`select 1 from users where id = '${old.guest}'`)).length === 0);

		for (const table of ["learning_tracks", "course_modules", "chat_sessions", "chats", "chat_messages", "turns", "attempts", "restore_events"]) {
			const [n] = await store.db(`select count(*) filter (where user_id = '${old.guest}')::int as old, count(*) filter (where user_id = '${fresh.guest}')::int as fresh,
				count(*) filter (where user_id = '${user.user}')::int as of_user from ${table}`);

			assert.equal(n.old, 0, table);
			assert.ok(n.fresh > 0 && n.of_user > 0, table);
		}
		assert.deepEqual((await store.db(`select client_key from chat_sessions where user_id = '${NOBODY}' and client_key in ('stale', 'active')`)),
			[{ client_key: "active" }]);
		assert.equal((await store.db(`select count(*)::int as n from users where id = '${NOBODY}'`))[0].n, 1);
	});
});
