/* Tracks and chats change and go: who may, what stays, and what old rows of odd shape do to it (nothing). */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../lib/until.js";
import { begin, exchange, finish, makeGuest, makeTrack, makeUser, startStore, uuid } from "./store-lib.js";

let store;

before(async () => {
	store = await startStore();
});
after(() => store.stop());

const change = (who, chat_id, action, value) => store.ask(who, "chat_change", { chat_id, action, ...(value === undefined ? {} : { value }) });
const chats = async (who, session_id) => (await store.must(who, "session_chats", { session_id })).chats.map((c) => [c.id, c.chat_type, c.status]);
const refusal = ({ rc, field }) => [rc, field];

/* A track whose welcome is over. */
async function welcomed(who) {
	const made = await makeTrack(store, who);

	await begin(store, who, { kind: "welcome", session_id: made.session_id });
	await finish(store, made.turn_id, { reply: "welcome" });
	return made;
}

async function secondChat(who, session_id, more = {}) {
	return (await store.must(who, "chat_create", { chat_id: uuid(), session_id, chat_type: "planning", ...more })).chat.id;
}

describe("a chat", () => {
	it("is renamed, and sockets are told of it once", async () => {
		const who = await makeGuest(store);
		const { chat_id, session_id } = await makeTrack(store, who);
		const renamed = await change(who, chat_id, "rename", "Мой чат");

		assert.equal(renamed.chat.chat_name, "Мой чат");
		assert.equal(renamed.change, "renamed");
		assert.deepEqual(renamed.told, [{ session_id, session_key: null, chat_id, chat_name: "Мой чат", chat_type: "planning", status: "active" }]);
		assert.equal((await change(who, chat_id, "rename", "Мой чат")).change ?? "", "");
	});

	it("that is archived takes no message and is read on; restored it does again", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id } = await welcomed(who);
		const { question } = await exchange(store, who, session_id, "q", "a");

		assert.equal((await change(who, chat_id, "status", "archived")).change, "archived");
		assert.deepEqual(refusal(await begin(store, who, { session_id, chat_id })), ["not_found", "chat_id"]);
		assert.deepEqual(refusal(await begin(store, who, { session_id, retry_message_id: question.context.user_message_id })), ["not_found", "message_id"]);
		assert.equal((await store.must(who, "chat_load", { session_id })).found, false);
		assert.equal((await store.must(who, "chat_load", { chat_id })).message_count, 3);
		assert.equal((await change(who, chat_id, "status", "active")).change, "restored");
		assert.equal((await begin(store, who, { session_id })).context.chat_id, chat_id);
	});

	it("that is deleted is nowhere, and comes back with everything", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id } = await welcomed(who);

		await exchange(store, who, session_id, "q", "a");
		const deleted = await change(who, chat_id, "delete");

		assert.deepEqual([deleted.change, deleted.chat ?? "", deleted.told[0].status], ["deleted", "", "deleted"]);
		assert.deepEqual(await chats(who, session_id), []);
		assert.deepEqual((await store.must(who, "user_chats")).sessions, []);
		assert.equal((await store.ask(who, "chat_load", { chat_id })).rc, "not_found");
		assert.equal((await store.must(who, "chat_load", { session_id })).found, false);
		assert.equal((await store.must(who, "track_list")).tracks[0].chat_id, null);
		for (const [action, value] of [["rename", "x"], ["status", "active"], ["delete"]])
			assert.deepEqual(refusal(await change(who, chat_id, action, value)), ["not_found", "chat_id"]);
		assert.equal((await change(who, chat_id, "restore")).change, "restored");
		assert.equal((await change(who, chat_id, "restore")).change ?? "", "");
		assert.deepEqual((await store.must(who, "chat_load", { session_id })).history.map((m) => m.content), ["welcome", "q", "a"]);
	});

	it("gives its place as planning chat back when the one that took it goes", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id } = await makeTrack(store, who);
		const second = await secondChat(who, session_id);

		assert.deepEqual(await chats(who, session_id), [[second, "planning", "active"], [chat_id, "discussion", "active"]]);
		await change(who, second, "delete");
		assert.deepEqual(await chats(who, session_id), [[chat_id, "planning", "active"]]);
		await change(who, second, "restore");
		assert.deepEqual(await chats(who, session_id), [[second, "discussion", "active"], [chat_id, "planning", "active"]]);
		await Promise.all([change(who, chat_id, "status", "archived"), change(who, second, "status", "archived")]);
		await Promise.all([change(who, chat_id, "status", "active"), change(who, second, "status", "active")]);
		assert.equal((await chats(who, session_id)).filter(([, type]) => type === "planning").length, 1);
	});

	it("is the caller's own, and what does not fit is refused by name", async () => {
		const [a, b] = [await makeUser(store), await makeGuest(store)];
		const { chat_id, session_id } = await makeTrack(store, a);

		for (const [action, value] of [["rename", "x"], ["status", "archived"], ["delete"], ["restore"]]) {
			assert.deepEqual(refusal(await change(b, chat_id, action, value)), ["not_found", "chat_id"]);
			assert.deepEqual(refusal(await change(a, uuid(), action, value)), ["not_found", "chat_id"]);
		}
		assert.deepEqual(refusal(await change(a, chat_id, "rename", "я".repeat(256))), ["invalid", "chat_name"]);
		assert.deepEqual(refusal(await change(a, chat_id, "status", "s".repeat(21))), ["invalid", "status"]);
		assert.deepEqual(refusal(await change(a, chat_id, "dance")), ["invalid", "action"]);
		assert.deepEqual(refusal(await store.ask(b, "session_status", { session_id, status: "x" })), ["not_found", "session_id"]);
		assert.deepEqual(refusal(await store.ask(a, "session_status", { session_id, status: "s".repeat(21) })), ["invalid", "status"]);
		await store.must(a, "session_status", { session_id, status: "paused" });
		assert.equal((await store.must(a, "session_list")).sessions[0].status, "paused");
		assert.deepEqual(await chats(a, session_id), [[chat_id, "planning", "active"]]);
	});

	it("is gone for good when the time for an undo is over", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id } = await welcomed(who);
		const fresh = await secondChat(who, session_id);

		await exchange(store, who, session_id, "q", "a");
		await store.must(who, "chat_load", { chat_id, restore: true });
		await change(who, chat_id, "delete");
		await change(who, fresh, "delete");
		await store.db(`update chats set deleted_at = utc_clock() - interval '31 days' where id = '${chat_id}'`);
		await store.reconnect();
		await store.daemon.crash("SIGTERM");
		await until("the chat is purged", async () => (await store.db(`select 1 from chats where id = '${chat_id}'`)).length === 0);
		for (const table of ["chat_messages", "turns", "restore_events"])
			assert.deepEqual(await store.db(`select 1 from ${table} where chat_id = '${chat_id}'`), [], table);
		assert.equal((await change(who, chat_id, "restore")).rc, "not_found");
		assert.equal((await change(who, fresh, "restore")).change, "restored");
	});

	it("counts a reply that was made again once", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id } = await welcomed(who);
		const { question } = await exchange(store, who, session_id, "q", "a");
		const again = await begin(store, who, { session_id, retry_message_id: question.context.user_message_id });

		await finish(store, again.context.turn_id, { reply: "b" });
		const [session] = (await store.must(who, "user_chats")).sessions;

		assert.equal(session.chats[0].message_count, 3);
		assert.equal((await store.must(who, "chat_load", { chat_id })).message_count, 3);
	});
});

describe("the active chat of a session", () => {
	const active = async (who, session_id) => (await store.must(who, "session_active", { session_id })).chat_id;

	it("is the one last written to, restored or switched to, and is kept", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id } = await makeTrack(store, who);
		const second = await secondChat(who, session_id);

		assert.equal(await active(who, session_id), chat_id);
		await store.must(who, "chat_load", { session_id, chat_id: second });
		assert.equal(await active(who, session_id), chat_id, "reading is no switch");
		await store.must(who, "chat_load", { session_id, chat_id: second, activate: true });
		assert.equal(await active(who, session_id), second);
		await store.must(who, "chat_load", { session_id, chat_id, restore: true });
		assert.equal(await active(who, session_id), chat_id);
		await exchange(store, who, session_id, "q", "a");
		assert.equal(await active(who, session_id), second);
		await change(who, second, "delete");
		assert.equal(await active(who, session_id), undefined);
		await change(who, chat_id, "status", "archived");
		assert.deepEqual(refusal(await store.ask(who, "chat_load", { session_id, chat_id, activate: true })), ["not_found", "chat_id"]);
		assert.equal((await store.must(who, "chat_load", { session_id, chat_id })).chat_info.status, "archived", "an archived chat is read");
		assert.equal(await active(who, session_id), undefined);
	});

	it("that was the planning chat is it again: messages, restores, welcome and finalization without a chat go there", async () => {
		const who = await makeUser(store);
		const { chat_id, session_id, track_id } = await welcomed(who);
		const second = await secondChat(who, session_id);
		const choose = async (id) => (await store.must(who, "chat_load", { session_id, chat_id: id, activate: true })).chat_info;
		const planning = async () => (await chats(who, session_id)).filter(([, type]) => type === "planning").map(([id]) => id);
		const meant = async () => {
			const seen = [(await store.must(who, "chat_load", { session_id })).chat_id, (await store.must(who, "track_get", { track_id })).track.chat_id,
				(await store.must(who, "chat_load", { session_id, restore: true })).chat_id];

			for (const wish of [{}, { kind: "welcome" }, { kind: "finalize", track_id, body: uuid() }]) {
				const { begun, context } = await begin(store, who, { session_id, ...wish });

				await (begun && finish(store, context.turn_id, { state: "cancelled", reply: "" }));
				seen.push(context.chat_id);
			}
			return new Set(seen);
		};

		assert.deepEqual(await meant(), new Set([second]));
		for (const id of [chat_id, second, chat_id, chat_id]) {
			assert.deepEqual((({ chat_id: shown, chat_type, status }) => [shown, chat_type, status])(await choose(id)), [id, "planning", "active"]);
			assert.deepEqual([await meant(), await planning()], [new Set([id]), [id]]);
		}
		const written = await begin(store, who, { session_id, chat_id: second });	/* named: that one, and the choice stays */
		await finish(store, written.context.turn_id);
		await store.must(who, "chat_load", { session_id, chat_id: second, restore: true });
		assert.deepEqual([written.context.chat_id, await meant()], [second, new Set([chat_id])]);

		const third = await secondChat(who, session_id);	/* a new one is a choice as well */
		assert.deepEqual(await meant(), new Set([third]));
		await choose(chat_id);
		await change(who, chat_id, "delete");
		assert.deepEqual(await meant(), new Set([third]), "the newest of the others");
		await Promise.all([choose(second), choose(third), choose(second), choose(third)]);
		assert.equal((await planning()).length, 1);
	});

	it("is the planning chat only when it has been it: no other, none in the archive, none of another's", async () => {
		const [who, stranger] = [await makeUser(store), await makeUser(store)];
		const { chat_id, session_id } = await welcomed(who);
		const [aside, second] = [await secondChat(who, session_id, { chat_type: "discussion" }), await secondChat(who, session_id)];
		const load = (by, id) => store.ask(by, "chat_load", { session_id, chat_id: id, activate: true });

		assert.equal((await load(who, aside)).chat_info.chat_type, "discussion");
		assert.deepEqual([await active(who, session_id), (await begin(store, who, { session_id })).context.chat_id], [aside, second]);
		assert.deepEqual(refusal(await load(stranger, chat_id)), ["not_found", "chat_id"]);
		await change(who, chat_id, "status", "archived");
		assert.deepEqual(refusal(await load(who, chat_id)), ["not_found", "chat_id"]);
		assert.equal((await store.must(who, "chat_load", { session_id })).chat_id, second);
		assert.deepEqual((await chats(who, session_id)).map(([id, type]) => [id, type]),
			[[second, "planning"], [aside, "discussion"], [chat_id, "discussion"]]);
	});

	it("of another's session is not there; of a name not used yet there is none", async () => {
		const { session_id } = await makeTrack(store, await makeUser(store));
		const who = await makeGuest(store);

		assert.deepEqual(refusal(await store.ask(who, "session_active", { session_id })), ["not_found", "session_id"]);
		assert.equal(await active(who, "my-name"), undefined);
		const { question } = await exchange(store, who, "my-name", "q", "a");

		assert.equal(await active(who, "my-name"), question.context.chat_id);
	});
});

describe("a track", () => {
	const update = (who, track_id, more) => store.ask(who, "track_update", { track_id, ...more });

	it("changes what is given, and nothing else", async () => {
		const who = await makeGuest(store);
		const { track_id, track } = await makeTrack(store, who);
		const { updated_at, ...same } = (await store.must(who, "track_update", { track_id })).track;

		assert.deepEqual({ ...same, updated_at: track.updated_at }, track);
		const changed = (await store.must(who, "track_update", { track_id, title: "Go", no_description: true, difficulty_level: "advanced", hours: 7, status: "paused" })).track;

		assert.deepEqual([changed.title, changed.description, changed.skill_area, changed.difficulty_level, changed.estimated_duration_hours,
			changed.user_expectations, changed.status], ["Go", "", "Programming", "advanced", 7, "to write tools", "paused"]);
		assert.ok(changed.updated_at >= updated_at);
	});

	it("refuses what does not fit, and strangers", async () => {
		const [a, b] = [await makeUser(store), await makeUser(store)];
		const { track_id } = await makeTrack(store, a);

		for (const [more, field] of [[{ title: "я".repeat(256) }, "title"], [{ skill_area: "x".repeat(101) }, "skill_area"],
			[{ difficulty_level: "wizard" }, "difficulty_level"], [{ status: "done" }, "status"], [{ hours: -1 }, "estimated_duration_hours"]])
			assert.deepEqual(refusal(await update(a, track_id, more)), ["invalid", field]);
		for (const who of [b, null, await makeGuest(store)]) {
			assert.deepEqual(refusal(await update(who, track_id, { title: "mine" })), ["not_found", "track_id"]);
			assert.deepEqual(refusal(await store.ask(who, "track_delete", { track_id })), ["not_found", "track_id"]);
		}
		assert.equal((await store.must(a, "track_get", { track_id })).track.title, "Python");
	});

	it("goes with everything below it, and with nothing else", async () => {
		const who = await makeUser(store);
		const [gone, stays] = [await welcomed(who), await welcomed(who)];

		for (const made of [gone, stays]) {
			const wish = await begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id });

			await finish(store, wish.context.turn_id, { "blob:modules": JSON.stringify([{ title: "M" }]) });
			await store.must(who, "chat_load", { chat_id: made.chat_id, restore: true });
			await store.db(`insert into lessons (id, module_id, user_id, lesson_number, title)
				select gen_random_uuid(), id, user_id, 1, 'L' from course_modules where track_id = '${made.track_id}';
				insert into homework_assignments (id, lesson_id, user_id, title)
				select gen_random_uuid(), l.id, l.user_id, 'H' from lessons l join course_modules m on m.id = l.module_id where m.track_id = '${made.track_id}';`);
		}
		const count = async () => {
			const tables = ["learning_tracks", "course_modules", "lessons", "homework_assignments", "chat_sessions", "chats", "chat_messages",
				"turns", "attempts", "restore_events"];
			const [row] = await store.db(`select ${tables.map((t) => `(select count(*)::int from ${t} where user_id = '${who.user}') as ${t}`).join(", ")}`);

			return row;
		};
		const before = await count();
		const { told } = await store.must(who, "track_delete", { track_id: gone.track_id });
		const after = await count();

		assert.deepEqual(told.map((t) => t.chat_id), [gone.chat_id]);
		for (const [table, n] of Object.entries(before))
			assert.equal(after[table] * 2, n, table);
		assert.deepEqual((await store.must(who, "track_list")).tracks.map((t) => t.id), [stays.track_id]);
		assert.equal((await store.ask(who, "track_delete", { track_id: gone.track_id })).rc, "not_found");
	});

	it("that goes while a reply is written is not brought back by its end", async () => {
		const who = await makeUser(store);
		const made = await welcomed(who);
		const running = await begin(store, who, { session_id: made.session_id });
		const elsewhere = await makeTrack(store, who);

		await store.must(who, "track_delete", { track_id: made.track_id });
		assert.equal((await finish(store, running.context.turn_id)).rc, "not_found");
		assert.equal((await store.ask(null, "turn_progress", { turn_id: running.context.turn_id, owner: "chat-1", attempt: 1, lease_ms: 1000 })).rc, "not_found");
		assert.equal((await store.ask(null, "turn_attempt", { turn_id: running.context.turn_id, owner: "chat-1", attempt: 2, lease_ms: 1000 })).rc, "not_found");
		assert.deepEqual(await store.db(`select 1 from chats where id = '${made.chat_id}'`), []);
		assert.equal((await begin(store, who, { session_id: made.session_id })).rc, "not_found");
		assert.equal((await store.must(who, "track_list")).tracks[0].id, elsewhere.track_id);
	});

	it("that goes at the very moment in which turns begin and end leaves nothing behind", async () => {
		const who = await makeUser(store);

		for (let i = 0; i < 8; i++) {
			const made = await welcomed(who);
			const running = await begin(store, who, { session_id: made.session_id });
			const answers = await Promise.all([
				finish(store, running.context.turn_id),
				store.ask(who, "track_delete", { track_id: made.track_id }),
				begin(store, who, { session_id: made.session_id }),
				store.ask(who, "chat_create", { chat_id: uuid(), session_id: made.session_id, chat_type: "planning" }),
				change(who, made.chat_id, "rename", "x"),
			]);

			assert.equal(answers[1].rc, "ok");
			for (const { rc } of answers)
				assert.ok(["ok", "not_found", "turn_in_progress"].includes(rc), rc);
			for (const table of ["chats", "turns"])
				assert.deepEqual(await store.db(`select 1 from ${table} where session_id = '${made.session_id}'`), [], table);
		}
	});

	it("has the progress of its modules", async () => {
		const who = await makeUser(store);
		const made = await welcomed(who);
		const wish = await begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id });

		await finish(store, wish.context.turn_id, { "blob:modules": JSON.stringify([{ title: "A" }, { title: "B" }, { title: "C" }, { title: "D" }]) });
		await store.db(`update course_modules set status = 'completed' where track_id = '${made.track_id}' and title = 'A';
			update course_modules set status = 'in_progress', progress = 50 where track_id = '${made.track_id}' and title = 'B'`);
		const { track } = await store.must(who, "track_get", { track_id: made.track_id });

		assert.deepEqual(track.modules.map((m) => m.progress), [100, 50, 0, 0]);
		assert.equal(track.progress, 37);
	});
});

describe("old rows of odd shape", () => {
	it("break no list and no object", async () => {
		const who = await makeUser(store);
		const made = await welcomed(who);
		const wish = await begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id });

		await finish(store, wish.context.turn_id, { "blob:modules": JSON.stringify([{ title: "A" }, { title: "B" }]) });
		await exchange(store, who, made.session_id, "q", "a");
		await store.db(`update chats set chat_name = null, chat_type = null, status = null, created_at = null, updated_at = null, last_message_at = null
			where id = '${made.chat_id}';
			update chat_sessions set session_name = null, status = null, created_at = null, updated_at = null, track_id = null where id = '${made.session_id}';
			update chat_messages set message_type = null, "timestamp" = null where chat_id = '${made.chat_id}';`);
		for (const [plan, objectives, content] of [["[1, 2]", "\"one\"", "null"], ["\"text\"", "{\"a\": 1}", "[]"], ["5", "[1, null, {\"a\": 2}, \"x\"]", "true"],
			["null", "null", "{\"k\":\"\\\\u0000\"}"]]) {
			await store.db(`update learning_tracks set ai_generated_plan = '${plan}', status = null, difficulty_level = null, skill_area = null, description = null,
				estimated_duration_hours = null, user_expectations = null, created_at = null, updated_at = null where id = '${made.track_id}';
				update course_modules set learning_objectives = '${objectives}', ai_generated_content = '${content.replaceAll("\\\\", "\\")}', status = 'Strange', description = null,
				progress = 700, estimated_duration_hours = null, created_at = null, updated_at = 'infinity' where track_id = '${made.track_id}'`);
			const [track] = (await store.must(who, "track_list")).tracks;

			assert.deepEqual((await store.must(who, "track_get", { track_id: made.track_id })).track, track);
			assert.deepEqual([track.status, track.difficulty_level, track.skill_area, track.description, track.estimated_duration_hours,
				track.ai_generated_plan, track.created_at], ["planning", "beginner", "", "", 0, null, null]);
			for (const module of track.modules) {
				assert.ok(module.learning_objectives.every((o) => typeof o === "string"));
				assert.deepEqual([module.status, module.progress, module.updated_at], ["not_started", 100, null]);
			}
		}
		const [session] = (await store.must(who, "user_chats")).sessions;

		assert.deepEqual([session.session_name, session.track_id, session.session_created_at], ["", "", null]);
		assert.deepEqual([session.chats[0].chat_name, session.chats[0].chat_type, session.chats[0].status], ["", "planning", "active"]);
		assert.equal((await store.must(who, "session_list")).sessions[0].status, "active");
		assert.equal((await store.must(who, "session_chats", { session_id: made.session_id })).chats.length, 1);
		assert.deepEqual((await store.must(who, "chat_load", { chat_id: made.chat_id })).history.map((m) => m.message_type), ["text", "text", "text", "text"]);
		await store.must(who, "track_update", { track_id: made.track_id, title: "still here" });
		await store.must(who, "track_delete", { track_id: made.track_id });
	});
});

describe("lists", () => {
	it("come in pages that join, whatever the times", async () => {
		const who = await makeUser(store);
		const tracks = [];

		for (let i = 0; i < 7; i++)
			tracks.push(await makeTrack(store, who));
		await store.db(`update learning_tracks set created_at = null where id in ('${tracks[0].track_id}', '${tracks[3].track_id}');
			update learning_tracks set created_at = '2026-01-01' where id in ('${tracks[1].track_id}', '${tracks[2].track_id}');
			update chat_sessions set track_id = '${tracks[0].track_id}' where user_id = '${who.user}';`);
		for (let i = 0; i < 4; i++)
			await secondChat(who, tracks[0].session_id);
		for (const [name, key, id, more] of [["track_list", "tracks", "id"], ["session_list", "sessions", "id"], ["user_chats", "sessions", "session_id"],
			["session_chats", "chats", "id", { session_id: tracks[0].session_id }]]) {
			const all = (await store.must(who, name, more))[key].map((x) => x[id]);
			const seen = [];

			for (let after; ;) {
				const page = (await store.must(who, name, { ...more, limit: 2, after }))[key].map((x) => x[id]);

				seen.push(...page);
				if (page.length < 2)
					break;
				after = page.at(-1);
			}
			assert.deepEqual(seen, all, name);
			assert.ok(all.length >= 5);
		}
	});
});
