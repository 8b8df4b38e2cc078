/* Module learning in the store: the tutor chat, its one summary, lessons, progress, completion. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { begin, exchange, finish, makeGuest, makeTrack, makeUser, startStore, uuid } from "./store-lib.js";

let store;
let user;
let stranger;

before(async () => {
	store = await startStore();
	user = await makeUser(store);
	stranger = await makeUser(store);
});
after(() => store.stop());

const MODULES = ["Basics", "Practice"].map((title) => ({
	title, description: `All about ${title}`, estimated_duration_hours: 5, learning_objectives: [`know ${title}`, "use it"],
}));

/* A track with two modules. */
async function course(who = user, more = {}) {
	const made = await makeTrack(store, who, more);
	const { context } = await begin(store, who, { kind: "welcome", session_id: made.session_id });

	await finish(store, context.turn_id, { reply: "a plan" });
	const final = await begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id });

	await finish(store, final.context.turn_id, { reply: "done", message_type: "finalization", "blob:modules": JSON.stringify(MODULES) });
	const { track } = await store.must(who, "track_get", { track_id: made.track_id });

	return { ...made, modules: track.modules };
}

const summary = (track_id, module_id, more = {}) => ({ kind: "summary", track_id, module_id, language: "ru", ...more });
const lesson = (module_id, more = {}) => ({
	kind: "lesson", module_id, lesson_id: uuid(), lesson_number: 1, lesson_title: "Loops", content_type: "theory",
	lesson_context: "from the page", language: "ru", ...more,
});
const moduleOf = async (c, n = 0, who = user) => (await store.must(who, "track_get", { track_id: c.track_id })).track.modules[n];

async function summarized(c, n = 0, who = user) {
	const first = await begin(store, who, summary(c.track_id, c.modules[n].id));

	assert.equal(first.rc, "ok", first.message);
	assert.equal(first.begun, true);
	await finish(store, first.context.turn_id, { reply: "the summary", message_type: "summary" });
	return first.context;
}

describe("a summary", () => {
	it("is begun once, in the module's tutor chat, by id or by number", async () => {
		const c = await course();
		const first = await begin(store, user, summary(c.track_id, c.modules[0].id));
		const { context } = first;

		assert.equal(first.begun, true);
		assert.equal(context.kind, "summary");
		assert.equal(context.chat_type, "module_learning");
		assert.equal(context.session_id, c.session_id);
		assert.notEqual(context.chat_id, c.chat_id);
		assert.deepEqual([context.title, context.module_id, context.module_title, context.module_description, context.module_objectives,
			context.language, context.difficulty_level], ["Python", c.modules[0].id, "Basics", "All about Basics", "know Basics; use it", "en", "beginner"]);
		assert.equal((await moduleOf(c)).status, "in_progress");

		const second = await begin(store, user, summary(c.track_id, "1"));
		assert.equal(second.begun, false);
		assert.equal(second.context.turn_id, context.turn_id);
		assert.equal(second.outcome.state, "running");

		await finish(store, context.turn_id, { reply: "the summary", message_type: "summary" });
		const third = await begin(store, user, summary(c.track_id, c.modules[0].id));
		assert.equal(third.begun, false);
		assert.equal(third.outcome.reply, "the summary");
		assert.equal(third.outcome.message_type, "summary");
		const chats = await store.db(`select chat_name, module_id from chats where module_id = '${c.modules[0].id}'`);
		assert.deepEqual(chats.map((x) => x.chat_name), ["Module: Basics"]);
	});

	it("is one however many ask at the same moment", async () => {
		const c = await course(user, { language: "ru" });
		const answers = await Promise.all(Array.from({ length: 12 }, (_, i) =>
			begin(store, user, summary(c.track_id, c.modules[1].id, { owner: `chat-${i}` }))));

		assert.deepEqual([...new Set(answers.map((a) => a.rc))], ["ok"]);
		assert.equal(answers.filter((a) => a.begun).length, 1);
		assert.equal(new Set(answers.map((a) => a.context.turn_id)).size, 1);
		assert.deepEqual((await store.db(`select chat_name from chats where module_id = '${c.modules[1].id}'`)).map((x) => x.chat_name),
			["Модуль: Practice"]);
	});

	it("that failed may be begun again, one that was cut off gives its place to the next", async () => {
		const c = await course();
		const failed = await begin(store, user, summary(c.track_id, c.modules[0].id));

		await finish(store, failed.context.turn_id, { state: "failed", reply: "", error_code: "ai_unavailable" });
		const cut = await begin(store, user, summary(c.track_id, c.modules[0].id));
		assert.equal(cut.begun, true);
		assert.equal(cut.context.chat_id, failed.context.chat_id);
		await finish(store, cut.context.turn_id, { state: "interrupted", reply: "half", message_type: "summary" });
		const whole = await begin(store, user, summary(c.track_id, c.modules[0].id));
		assert.equal(whole.begun, true);
		await finish(store, whole.context.turn_id, { reply: "whole", message_type: "summary" });

		const { history } = await store.must(user, "chat_load", { chat_id: cut.context.chat_id });
		assert.deepEqual(history.map((m) => m.content), ["whole"]);
		assert.equal((await begin(store, user, summary(c.track_id, c.modules[0].id))).outcome.reply, "whole");
	});

	it("that was regenerated is answered in its newest generation", async () => {
		const c = await course();
		const context = await summarized(c);
		const { history: [first] } = await store.must(user, "chat_load", { chat_id: context.chat_id });
		const again = await begin(store, user, { retry_message_id: first.id, body: "" });

		assert.equal(again.rc, "ok", again.message);
		assert.equal(again.context.kind, "summary");
		await finish(store, again.context.turn_id, { reply: "better", message_type: "summary" });
		const asked = await begin(store, user, summary(c.track_id, c.modules[0].id));
		assert.equal(asked.begun, false);
		assert.equal(asked.outcome.reply, "better");
		const { history } = await store.must(user, "chat_load", { chat_id: context.chat_id });
		assert.deepEqual(history.map((m) => m.content), ["better"]);
	});

	it("of a foreign or unknown module does not exist", async () => {
		const c = await course();

		for (const [who, track, module] of [[stranger, c.track_id, c.modules[0].id], [user, c.track_id, uuid()], [user, uuid(), "1"],
			[user, c.track_id, "3"], [user, c.track_id, "not a module"], [user, c.track_id, "99999999999999999999"], [stranger, c.track_id, "1"]]) {
			const answer = await begin(store, who, summary(track, module));

			assert.deepEqual([answer.rc, answer.field], ["not_found", "module_id"], `${track} ${module}`);
		}
		assert.equal((await moduleOf(c)).status, "not_started");
		assert.equal(Number((await store.db(`select count(*) as n from chats where session_id = '${c.session_id}'`))[0].n), 1);
	});

	it("of a track that only the client knows is kept in the client's own session", async () => {
		const guest = await makeGuest(store);
		const first = await begin(store, guest, summary("temp-track", "2", { session_id: "page-1" }));

		assert.equal(first.begun, true);
		assert.equal(first.context.session_key, "page-1");
		assert.equal(first.context.module_title, "Модуль 2");
		assert.equal(first.context.language, "ru");
		await finish(store, first.context.turn_id, { reply: "text", message_type: "summary" });
		const again = await begin(store, guest, summary("temp-track", "2", { session_id: "page-2" }));
		assert.equal(again.begun, false);
		assert.equal(again.context.chat_id, first.context.chat_id);
		const other = await begin(store, guest, summary("temp-track", "3", { session_id: "page-1" }));
		assert.notEqual(other.context.chat_id, first.context.chat_id);
		const anonymous = await begin(store, null, summary("temp-track", "2", { session_id: "page-1" }));
		assert.equal(anonymous.begun, true);
		assert.notEqual(anonymous.context.chat_id, first.context.chat_id);
	});

	it("finds or makes the session of a track of the original service", async () => {
		const c = await course();

		await store.db(`update chat_sessions set track_id = null where id = '${c.session_id}'`);
		const answers = await Promise.all([0, 1].map((n) => begin(store, user, summary(c.track_id, c.modules[n].id))));
		assert.deepEqual(answers.map((a) => a.begun), [true, true]);
		assert.equal(answers[0].context.session_id, answers[1].context.session_id);
		assert.notEqual(answers[0].context.session_id, c.session_id);
		assert.equal(answers[0].context.title, "Python");
	});

	it("of a deleted tutor chat is made anew in a new one", async () => {
		const c = await course();
		const context = await summarized(c);

		await store.db(`update chats set status = 'deleted' where id = '${context.chat_id}'`);
		const again = await begin(store, user, summary(c.track_id, c.modules[0].id));
		assert.equal(again.begun, true);
		assert.notEqual(again.context.chat_id, context.chat_id);
		await store.db(`update chats set status = 'active' where id = '${context.chat_id}'`);
		assert.equal(Number((await store.db(`select count(*) as n from chats where module_id = '${c.modules[0].id}'`))[0].n), 1);
	});
});

describe("the tutor", () => {
	it("gets the summary first and the newest messages, also when the budget is small", async () => {
		const c = await course();
		const { chat_id } = await summarized(c);
		const say = async (body) => {
			const turn = await begin(store, user, { module_id: c.modules[0].id, track_id: c.track_id, body, history_tokens: 40 });

			assert.equal(turn.begun, true);
			assert.equal(turn.context.chat_id, chat_id);
			await finish(store, turn.context.turn_id, { reply: `re ${body}` });
			return turn.context;
		};
		const first = await say("What is a loop?");

		assert.deepEqual(first.history.map((m) => [m.role, m.content]), [["assistant", "the summary"], ["user", "What is a loop?"]]);
		assert.equal(first.history_left_out ?? 0, 0);
		for (let i = 0; i < 5; i++)
			await say(`question ${i} ${"x".repeat(40)}`);
		const last = await say("the end");
		assert.equal(last.history[0].content, "the summary");
		assert.equal(last.history.at(-1).content, "the end");
		assert.equal(last.history.filter((m) => m.content === "the summary").length, 1);
		assert.equal(last.history.length + last.history_left_out, 14);
	});

	it("has a chat before there is a summary, and is asked in his own chat only", async () => {
		const c = await course();
		const first = await begin(store, user, { module_id: "2", track_id: c.track_id, body: "hello" });

		assert.equal(first.begun, true);
		assert.equal(first.context.module_title, "Practice");
		assert.equal((await moduleOf(c, 1)).status, "in_progress");
		await finish(store, first.context.turn_id);
		const other = await begin(store, user, { module_id: "1", track_id: c.track_id, chat_id: first.context.chat_id, body: "hello" });
		assert.deepEqual([other.rc, other.field], ["not_found", "chat_id"]);
		const foreign = await begin(store, stranger, { module_id: "2", track_id: c.track_id, chat_id: first.context.chat_id, body: "hello" });
		assert.equal(foreign.rc, "not_found");
		const inside = await begin(store, user, { chat_id: first.context.chat_id, body: "over the socket" });
		assert.equal(inside.context.module_title, "Practice");
	});

	it("has a history for its owner only", async () => {
		const c = await course();
		const empty = await store.must(user, "chat_load", { track_id: c.track_id, module_id: "1" });

		assert.equal(empty.found, false);
		const { chat_id } = await summarized(c);
		const loaded = await store.must(user, "chat_load", { track_id: c.track_id, module_id: "1" });
		assert.deepEqual([loaded.found, loaded.chat_id, loaded.history.length, loaded.history[0].message_type], [true, chat_id, 1, "summary"]);
		assert.equal((await store.ask(stranger, "chat_load", { track_id: c.track_id, module_id: "1" })).rc, "not_found");
		assert.equal((await store.ask(user, "chat_load", { track_id: c.track_id, module_id: "1", chat_id: c.chat_id })).rc, "not_found");
		assert.equal((await store.ask(user, "chat_load", { track_id: c.track_id, module_id: uuid() })).rc, "not_found");
	});
});

describe("a tutor chat in the archive", () => {
	const archive = (chat_id) => store.must(user, "chat_change", { chat_id, action: "status", value: "archived" });
	const status = async (chat_id) => (await store.db(`select status from chats where id = '${chat_id}'`))[0].status;

	it("comes out of it with whatever goes on in it, and that is said once", async () => {
		const c = await course();
		const { chat_id } = await summarized(c);
		const about = { track_id: c.track_id, module_id: c.modules[0].id };

		for (const wish of [summary(c.track_id, c.modules[0].id), { ...about, body: "why?" }, lesson(c.modules[0].id, { track_id: c.track_id })]) {
			await archive(chat_id);
			const first = await begin(store, user, wish);

			assert.deepEqual([first.rc, first.restored, await status(chat_id)], ["ok", true, "active"], JSON.stringify(wish));
			if (first.begun)
				await finish(store, first.context.turn_id);
			assert.equal((await begin(store, user, wish)).restored ?? false, false);
			await store.db(`update turns set state = 'completed' where chat_id = '${chat_id}'`);
		}
	});

	it("stays there when what would go on in it is refused", async () => {
		const c = await course();
		const { chat_id } = await summarized(c);
		const about = { track_id: c.track_id, module_id: c.modules[0].id };
		const asked = { ...about, body: "why?", client_message_id: uuid() };
		const running = await begin(store, user, asked);
		const all = async () => [await store.db(`select * from chats where id = '${chat_id}'`),
			await store.db(`select * from course_modules where id = '${c.modules[0].id}'`), await store.db("select * from turns order by id")];
		const refused = async (wish, rc) => {
			const before = await all();
			const answer = await begin(store, user, wish);

			assert.deepEqual([answer.rc, answer.restored ?? false], [rc, false], JSON.stringify(wish));
			assert.deepEqual(await all(), before);
		};

		assert.equal(running.begun, true);
		await archive(chat_id);
		await store.db(`update course_modules set status = 'paused' where id = '${c.modules[0].id}'`);
		await refused({ ...about, body: "and why?", client_message_id: uuid() }, "turn_in_progress");
		await refused(lesson(c.modules[0].id, { track_id: c.track_id, lesson_number: 7 }), "turn_in_progress");
		await refused({ ...asked, body: "another text" }, "cmid_conflict");
		await finish(store, running.context.turn_id);
		await refused({ ...asked, body: "another text" }, "cmid_conflict");
		assert.equal(await status(chat_id), "archived");
		const next = await begin(store, user, { ...about, body: "and why?", client_message_id: uuid() });

		assert.deepEqual([next.begun, next.restored, await status(chat_id), (await moduleOf(c)).status], [true, true, "active", "in_progress"]);
	});

	it("comes out of it once for two at once, and never out of the bin", async () => {
		const c = await course();
		const { chat_id } = await summarized(c);
		const wish = summary(c.track_id, c.modules[0].id);

		await archive(chat_id);
		const both = await Promise.all([1, 2, 3, 4].map(() => begin(store, user, wish)));

		assert.deepEqual([both.map((a) => a.rc), both.filter((a) => a.restored).length], [Array(4).fill("ok"), 1]);
		await store.must(user, "chat_change", { chat_id, action: "delete" });
		const anew = await begin(store, user, wish);

		assert.notEqual(anew.context.chat_id, chat_id);
		assert.deepEqual([anew.restored ?? false, await status(chat_id)], [false, "deleted"]);
	});
});

describe("a lesson", () => {
	it("is generated once, stored, and counts for the module's progress", async () => {
		const c = await course();
		const id = c.modules[0].id;
		const first = await begin(store, user, lesson(id));

		assert.equal(first.begun, true);
		assert.deepEqual([first.context.kind, first.context.lesson_title, first.context.lesson_number, first.context.content_type,
			first.context.lesson_context, first.context.module_title], ["lesson", "Loops", 1, "theory", "from the page", "Basics"]);
		assert.deepEqual((await store.must(user, "lesson_list", { module_id: id })).lessons, []);
		await finish(store, first.context.turn_id, { reply: "the lesson", message_type: "lesson" });
		const again = await begin(store, user, lesson(id, { lesson_title: "Other" }));
		assert.equal(again.begun, false);
		assert.deepEqual([again.outcome.reply, again.context.lesson_id], ["the lesson", first.context.lesson_id]);

		const { lessons } = await store.must(user, "lesson_list", { module_id: id });
		assert.deepEqual(lessons.map((l) => [l.id, l.module_id, l.lesson_number, l.title, l.content_type, l.content, l.status]),
			[[first.context.lesson_id, id, 1, "Loops", "theory", "the lesson", "not_started"]]);
		assert.deepEqual((await store.must(user, "lesson_get", { lesson_id: lessons[0].id })).lesson, lessons[0]);

		const second = await begin(store, user, lesson(id, { lesson_number: 2, content_type: "practice" }));
		await finish(store, second.context.turn_id, { reply: "practice", message_type: "lesson" });
		const { lesson: done } = await store.must(user, "lesson_set", { lesson_id: lessons[0].id, status: "completed" });
		assert.equal(done.status, "completed");
		assert.deepEqual([(await moduleOf(c)).progress, (await moduleOf(c)).status], [50, "in_progress"]);
		await store.must(user, "lesson_set", { lesson_id: second.context.lesson_id, status: "completed" });
		assert.equal((await moduleOf(c)).progress, 99);
		await store.must(user, "module_complete", { module_id: id });
		await store.must(user, "lesson_set", { lesson_id: second.context.lesson_id, status: "in_progress" });
		assert.deepEqual([(await moduleOf(c)).progress, (await moduleOf(c)).status], [100, "completed"]);
	});

	it("is replaced when its reply is regenerated, and begun again when it was stopped", async () => {
		const c = await course();
		const id = c.modules[1].id;
		const stopped = await begin(store, user, lesson(id));

		await finish(store, stopped.context.turn_id, { state: "cancelled", reply: "half", message_type: "lesson" });
		assert.deepEqual((await store.must(user, "lesson_list", { module_id: id })).lessons, []);
		const whole = await begin(store, user, lesson(id));
		assert.equal(whole.begun, true);
		const ended = await finish(store, whole.context.turn_id, { reply: "whole", message_type: "lesson" });
		const again = await begin(store, user, { retry_message_id: ended.outcome.message_id, body: "" });
		assert.deepEqual([again.context.kind, again.context.lesson_id, again.context.lesson_title], ["lesson", whole.context.lesson_id, "Loops"]);
		await finish(store, again.context.turn_id, { reply: "better", message_type: "lesson" });
		assert.deepEqual((await store.must(user, "lesson_list", { module_id: id })).lessons.map((l) => l.content), ["better"]);
		assert.equal((await begin(store, user, lesson(id))).outcome.reply, "better");
	});

	it("of an old database is answered as it is stored", async () => {
		const c = await course();
		const id = c.modules[0].id;
		const old = uuid();

		await store.db(`insert into lessons (id, module_id, user_id, lesson_number, title, content) values
			('${old}', '${id}', '${user.user}', 1, 'Old', 'old text'), ('${uuid()}', '${id}', '${user.user}', 2, 'Empty', null)`);
		const asked = await begin(store, user, lesson(id));
		assert.deepEqual([asked.begun, asked.outcome.reply, asked.context.lesson_id], [false, "old text", old]);
		assert.equal((await begin(store, user, lesson(id))).context.turn_id, asked.context.turn_id);
		const empty = await begin(store, user, lesson(id, { lesson_number: 2 }));
		assert.equal(empty.begun, true);
		await finish(store, empty.context.turn_id, { reply: "now full", message_type: "lesson" });
		const { lessons } = await store.must(user, "lesson_list", { module_id: id });
		assert.deepEqual(lessons.map((l) => [l.lesson_number, l.content, l.content_type, l.status, l.estimated_duration_minutes]),
			[[1, "old text", "theory", "not_started", 0], [2, "now full", "theory", "not_started", 5]]);
	});

	it("without a module leaves nothing that is seen", async () => {
		const who = await makeUser(store);
		const wishes = await Promise.all([1, 2].map(() => begin(store, who, lesson(undefined, { language: "en" }))));

		for (const track_id of [uuid(), (await course()).track_id])
			assert.deepEqual((({ rc, field }) => [rc, field])(await begin(store, who, lesson(undefined, { track_id }))), ["not_found", "track_id"]);
		for (const { begun, context } of wishes) {
			assert.equal(begun, true);
			assert.deepEqual([context.lesson_id ?? "", context.lesson_context, context.language], ["", "from the page", "en"]);
			await finish(store, context.turn_id, { reply: "text", message_type: "lesson" });
		}
		assert.equal(Number((await store.db(`select count(*) as n from lessons where user_id = '${who.user}'`))[0].n), 0);
		assert.deepEqual((await store.must(who, "user_chats")).sessions, []);
		assert.deepEqual((await store.must(who, "session_list")).sessions, []);
		assert.deepEqual((await store.db(`select status from chats where user_id = '${who.user}'`)).map((c) => c.status), ["deleted", "deleted"]);
	});

	it("is refused when it is foreign, unknown or malformed, and no row appears", async () => {
		const c = await course();
		const id = c.modules[0].id;
		const made = await begin(store, user, lesson(id));

		await finish(store, made.context.turn_id, { reply: "mine", message_type: "lesson" });
		const { lesson_id } = made.context;
		assert.equal((await begin(store, stranger, lesson(id))).rc, "not_found");
		assert.equal((await begin(store, user, lesson(id, { track_id: uuid() }))).rc, "not_found");
		for (const more of [{ lesson_number: 0 }, { lesson_number: 1001 }, { lesson_title: "" }, { lesson_title: "x".repeat(256) }, { content_type: "y".repeat(21) }])
			assert.equal((await begin(store, user, lesson(id, more))).rc, "invalid", JSON.stringify(more));
		assert.equal((await store.ask(stranger, "lesson_list", { module_id: id })).rc, "not_found");
		assert.equal((await store.ask(stranger, "lesson_get", { lesson_id })).rc, "not_found");
		assert.equal((await store.ask(stranger, "lesson_set", { lesson_id, status: "completed" })).rc, "not_found");
		assert.equal((await store.ask(user, "lesson_get", { lesson_id: uuid() })).rc, "not_found");
		assert.equal((await store.ask(user, "lesson_set", { lesson_id, status: "done" })).rc, "invalid");
		assert.equal((await store.must(user, "lesson_get", { lesson_id })).lesson.status, "not_started");
		assert.equal((await store.must(user, "lesson_list", { module_id: id })).lessons.length, 1);
	});

	it("of a module that is gone meanwhile stays in the chat only", async () => {
		const c = await course();
		const made = await begin(store, user, lesson(c.modules[1].id));

		await store.db(`delete from course_modules where id = '${c.modules[1].id}'`);
		const ended = await finish(store, made.context.turn_id, { reply: "late", message_type: "lesson" });
		assert.equal(ended.rc, "ok", ended.message);
		assert.equal((await begin(store, user, { chat_id: made.context.chat_id, body: "and now?" })).context.module_title, "Module: Practice");
	});
});

describe("completing a module", () => {
	it("is done once, and the last one completes the track", async () => {
		const c = await course();
		const first = await store.must(user, "module_complete", { track_id: c.track_id, module_id: "1" });

		assert.deepEqual([first.module_id, first.track_status], [c.modules[0].id, "active"]);
		assert.match(first.completed_at, /Z$/);
		assert.deepEqual([(await moduleOf(c)).status, (await moduleOf(c)).progress, (await moduleOf(c)).completed_at],
			["completed", 100, first.completed_at]);
		const again = await store.must(user, "module_complete", { track_id: c.track_id, module_id: c.modules[0].id });
		assert.equal(again.completed_at, first.completed_at);
		await summarized(c);
		assert.equal((await moduleOf(c)).status, "completed");
		assert.equal((await store.must(user, "module_complete", { module_id: c.modules[1].id })).track_status, "completed");
		assert.equal((await store.must(user, "track_get", { track_id: c.track_id })).track.status, "completed");
	});

	it("completes the track also when the last two come at once", async () => {
		const c = await course();

		await Promise.all(["1", "2"].map((module_id) => store.must(user, "module_complete", { track_id: c.track_id, module_id })));
		const { track } = await store.must(user, "track_get", { track_id: c.track_id });
		assert.deepEqual([track.status, track.progress], ["completed", 100]);
	});

	it("of a foreign or unknown one changes nothing", async () => {
		const c = await course();

		for (const [who, body] of [[stranger, { track_id: c.track_id, module_id: "1" }], [stranger, { module_id: c.modules[0].id }],
			[user, { module_id: "1" }], [user, { track_id: c.track_id, module_id: "7" }], [user, { track_id: uuid(), module_id: c.modules[0].id }],
			[user, { track_id: c.track_id, module_id: "x" }]])
			assert.deepEqual((({ rc, field }) => [rc, field])(await store.ask(who, "module_complete", body)), ["not_found", "module_id"]);
		assert.equal((await moduleOf(c)).status, "not_started");
	});
});

it("an ordinary dialogue beside it is as before", async () => {
	const c = await course();

	await summarized(c);
	const { question } = await exchange(store, user, c.session_id, "hello", "there");
	assert.equal(question.context.chat_id, c.chat_id);
	assert.equal(question.context.module_id ?? "", "");
});
