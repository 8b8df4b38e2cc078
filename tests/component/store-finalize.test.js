/* Finalizations and course plans in the store: modules by stable id, what changed, and one effect however often it is asked. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { begin, exchange, finish, makeGuest, makeTrack, makeUser, startStore, uuid } from "./store-lib.js";

let store;
let user;

before(async () => {
	store = await startStore();
	user = await makeUser(store);
});
after(() => store.stop());

async function talk(who = user) {
	const made = await makeTrack(store, who);

	await begin(store, who, { kind: "welcome", session_id: made.session_id });
	await finish(store, made.turn_id, { reply: "a plan" });
	return made;
}

const module = (title, id, more = {}) => ({ title, description: `about ${title}`, estimated_duration_hours: 4,
	learning_objectives: ["a", "b"], ...(id ? { id } : {}), ...more });
const finalize = (made, more = {}, who = user) => begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id, ...more });
const complete = (turn, ...list) => finish(store, turn.context.turn_id, { reply: "announced", message_type: "finalization",
	"blob:modules": JSON.stringify(list) });
const shown = (outcome) => outcome.modules.map((m) => [m.module_number, m.title, m.status]);

/* A whole finalization of a fresh plan; resolves to the outcome. */
async function round(made, ...list) {
	await exchange(store, user, made.session_id, "change it", `plan ${uuid()}`);
	const turn = await finalize(made);

	assert.equal(turn.begun, true);
	return (await complete(turn, ...list)).outcome;
}

const ids = (outcome) => outcome.modules.map((m) => m.id);
const begun = (id, status = "in_progress", progress = 40) => store.db(`update course_modules set status = '${status}', progress = ${progress} where id = '${id}'`);

describe("modules", () => {
	it("of a first finalization are all new, and the next one is told of them", async () => {
		const made = await talk();
		const first = await round(made, module("A"), module("B"));

		assert.deepEqual(first.changes, { added: ids(first), changed: [], kept: [], removed: [] });
		await exchange(store, user, made.session_id, "more", "another plan");
		const next = await finalize(made);

		assert.deepEqual(next.context.modules.map((m) => [m.id, m.title]), first.modules.map((m) => [m.id, m.title]));
		await store.reconnect();
		const { found, context } = await store.must(null, "turn_claim", { owner: "chat-1", lease_ms: 1000, history_tokens: 6000, own_too: true });

		assert.equal(found, true);
		assert.deepEqual([context.turn_id, context.modules.length], [next.context.turn_id, 2]);
	});

	it("are changed by their ids: what stays keeps id, status, progress and lessons", async () => {
		const made = await talk();
		const [a, b, c] = ids(await round(made, module("A"), module("B"), module("C")));

		await begun(a, "completed", 100);
		await store.db(`insert into lessons (id, module_id, user_id, lesson_number, title) values
			('${uuid()}', '${b}', '${user.user}', 1, 'stays'), ('${uuid()}', '${c}', '${user.user}', 1, 'goes')`);
		const outcome = await round(made, module("B", b), module("New"), module("A again", a, { estimated_duration_hours: 9 }));

		assert.deepEqual(shown(outcome), [[1, "B", "not_started"], [2, "New", "not_started"], [3, "A again", "completed"]]);
		assert.deepEqual(outcome.changes, { added: [outcome.modules[1].id], changed: [a], kept: [b], removed: [c] });
		assert.deepEqual(await store.db(`select title from lessons where user_id = '${user.user}'`), [{ title: "stays" }]);
		assert.equal(outcome.modules[2].progress, 100);
	});

	it("that somebody has begun are never removed, and keep their place", async () => {
		const made = await talk();
		const old = ids(await round(made, ...["A", "B", "C", "D"].map((title) => module(title))));

		await begun(old[0], "in_progress", 0);
		await begun(old[2], "not_started", 10);
		const outcome = await round(made, module("X"), module("Y"));

		assert.deepEqual(shown(outcome).map(([n, title]) => [n, title]), [[1, "A"], [2, "X"], [3, "C"], [4, "Y"]]);
		assert.deepEqual(outcome.changes, { added: [outcome.modules[1].id, outcome.modules[3].id], changed: [],
			kept: [old[0], old[2]], removed: [old[1], old[3]] });
		const shorter = await round(made, module("Z"));

		assert.deepEqual(shown(shorter).map(([n, title]) => [n, title]), [[1, "A"], [2, "Z"], [3, "C"]]);
	});

	it("that are others than those the announcement speaks of are refused, until it does", async () => {
		const made = await talk();
		const [one, two] = ids(await round(made, module("One"), module("Two")));

		await exchange(store, user, made.session_id, "other", "another plan");
		const turn_id = (await finalize(made)).context.turn_id;
		const seen = (first, second) => JSON.stringify([{ id: one, title: "One", begun: first }, { id: two, title: "Two", begun: second }]);
		const finishes = (text) => store.ask(null, "turn_finish", { turn_id, owner: "chat-1", attempt: 1, seen: text,
			outcome: { state: "completed", "blob:reply": "announced", message_type: "finalization", "blob:modules": JSON.stringify([module("Three")]) } });

		await begun(two);
		for (const text of [seen(false, false), "[]", seen(true, true), seen(false, true).replace("One", "Other")]) {
			const refused = await finishes(text);

			assert.deepEqual([refused.rc, refused.field], ["conflict", "modules"], text);
		}
		assert.equal((await store.db(`select state from turns where id = '${turn_id}'`))[0].state, "running");
		const done = await finishes(seen(false, true));
		assert.equal(done.rc, "ok");
		assert.deepEqual(shown(done.outcome), [[1, "Three", "not_started"], [2, "Two", "in_progress"]]);
		assert.equal((await finishes(seen(false, true))).rc, "ok", "asked again it answers the same");
	});

	it("begun while the model was writing are kept as well", async () => {
		const made = await talk();
		const [a] = ids(await round(made, module("A")));

		await exchange(store, user, made.session_id, "other", "another plan");
		const turn = await finalize(made);

		assert.equal(turn.context.modules[0].status, "not_started");
		await begun(a);
		const { outcome } = await complete(turn, module("X"));

		assert.deepEqual(shown(outcome), [[1, "A", "in_progress"], [2, "X", "not_started"]]);
	});

	it("of another track, unknown and twice named ids are new ones", async () => {
		const [made, other] = [await talk(), await talk()];
		const [foreign] = ids(await round(other, module("Mine")));
		const [a] = ids(await round(made, module("A")));
		const outcome = await round(made, module("A", a), module("Twice", a), module("Foreign", foreign), module("Unknown", uuid()), module("Odd", "1"));

		assert.equal(new Set(ids(outcome)).size, 5);
		assert.deepEqual([outcome.changes.kept, outcome.changes.added.length], [[a], 4]);
		assert.equal((await store.must(user, "track_get", { track_id: other.track_id })).track.modules[0].title, "Mine");
	});

	it("make a completed track active again, unless nothing is left to do", async () => {
		const made = await talk();
		const [a] = ids(await round(made, module("A")));
		const status = async () => (await store.must(user, "track_get", { track_id: made.track_id })).track.status;

		await begun(a, "completed", 100);
		await store.db(`update learning_tracks set status = 'COMPLETED' where id = '${made.track_id}'`);
		await round(made, module("A, again", a));
		assert.equal(await status(), "completed");
		await round(made, module("A", a), module("B"));
		assert.equal(await status(), "active");
	});

	it("of odd old rows do not stop it", async () => {
		const made = await talk();

		for (const n of [1, 1, 9])
			await store.db(`insert into course_modules (id, track_id, user_id, module_number, title, learning_objectives, status)
				values ('${uuid()}', '${made.track_id}', '${user.user}', ${n}, 'old', '{"a": [1]}', 'in_progress')`);
		const outcome = await round(made, module("X"), module("Y"));

		assert.deepEqual(outcome.modules.map((m) => m.module_number), [1, 2, 3, 4, 5]);
		assert.equal(outcome.changes.kept.length, 3);
	});
});

describe("asking twice", () => {
	it("with an id answers the first, whatever was said since", async () => {
		const made = await talk();
		const client_message_id = uuid();
		const first = await finalize(made, { client_message_id });
		const running = await finalize(made, { client_message_id });

		assert.deepEqual([first.begun, running.begun, running.context.turn_id], [true, false, first.context.turn_id]);
		const { outcome } = await complete(first, module("A"));

		await exchange(store, user, made.session_id, "change", "a later plan");
		const again = await finalize(made, { client_message_id });

		assert.equal(again.begun, false);
		assert.deepEqual([again.outcome.message_id, again.outcome.changes], [outcome.message_id, outcome.changes]);
		assert.equal((await finalize(made, { client_message_id, body: "another" })).rc, "cmid_conflict");
		assert.equal((await finalize(made, { client_message_id: uuid() })).begun, true);
	});

	it("at once begins once", async () => {
		const made = await talk();
		const client_message_id = uuid();
		const answers = await Promise.all(Array.from({ length: 6 }, () => finalize(made, { client_message_id })));

		assert.equal(answers.filter((a) => a.begun).length, 1);
		assert.equal(new Set(answers.map((a) => a.context.turn_id)).size, 1);
		assert.equal((await finalize(made, { client_message_id: uuid() })).rc, "turn_in_progress");
	});

	it("to finish, after the answer was lost, changes nothing more", async () => {
		const made = await talk();
		const turn = await finalize(made);
		const first = await complete(turn, module("A"), module("B"));
		const again = await complete(turn, module("A"), module("B"));

		assert.deepEqual(again.outcome, first.outcome);
		assert.equal((await store.db(`select count(*)::int as n from course_modules where track_id = '${made.track_id}'`))[0].n, 2);
	});
});

describe("the plan", () => {
	it("is the newest message at its place, a further generation counts where the first stood", async () => {
		const made = await talk();
		const { question } = await exchange(store, user, made.session_id, "one", "first answer");

		await exchange(store, user, made.session_id, "two", "second answer");
		const again = await begin(store, user, { session_id: made.session_id, body: undefined,
			retry_message_id: question.context.user_message_id });

		await finish(store, again.context.turn_id, { reply: "first answer, anew" });
		assert.equal((await finalize(made)).context.plan, "second answer");
	});

	it("of somebody else's track or session does not exist", async () => {
		const made = await talk();
		const [other, guest] = [await makeUser(store), await makeGuest(store)];
		const own = await talk(other);

		for (const [who, more] of [[other, {}], [guest, {}], [null, {}], [other, { session_id: own.session_id }], [other, { track_id: own.track_id }],
			[other, { body: "my plan" }], [other, { session_id: own.session_id, track_id: uuid() }]])
			assert.equal((await finalize(made, more, who)).rc, "not_found", JSON.stringify(more));
	});
});

describe("a course plan", () => {
	const wish = (made, more = {}) => ({ turn_id: uuid(), track_id: made.track_id, client_message_id: uuid(), wishes: "to cook",
		new_session_id: uuid(), new_chat_id: uuid(), owner: "chat-1", lease_ms: 10000, ...more });
	const plan = (made, more, who = user) => store.ask(who, "turn_begin_plan", wish(made, more));
	const end = (turn, more) => finish(store, turn.context.turn_id, { message_type: "plan", ...more });
	const stored = async (made) => (await store.must(user, "track_get", { track_id: made.track_id })).track.ai_generated_plan;

	it("is kept with its track, and a text that is none is only answered", async () => {
		const made = await talk();
		const first = await plan(made);

		assert.deepEqual([first.begun, first.context.kind, first.context.plan, first.context.skill_area], [true, "plan", "to cook", "Programming"]);
		const { outcome } = await end(first, { reply: "```{}```", "blob:course_plan": "{\"modules\":[]}" });

		assert.deepEqual([outcome.course_plan, outcome.modules, outcome.usage.prompt_tokens], [{ modules: [] }, undefined, 11]);
		assert.deepEqual(await stored(made), { modules: [] });
		const second = await plan(made);
		const text = await end(second, { reply: "just words" });

		assert.deepEqual([second.context.chat_id, text.outcome.reply, text.outcome.course_plan], [first.context.chat_id, "just words", undefined]);
		assert.deepEqual(await stored(made), { modules: [] });
	});

	it("asked for twice is made once; another meanwhile is refused", async () => {
		const made = await talk();
		const client_message_id = uuid();
		const answers = await Promise.all(Array.from({ length: 5 }, () => plan(made, { client_message_id })));
		const [first] = answers.filter((a) => a.begun);

		assert.equal(answers.filter((a) => a.begun).length, 1);
		assert.equal((await plan(made)).rc, "turn_in_progress");
		assert.equal((await plan(made, { client_message_id, wishes: "to sew" })).rc, "cmid_conflict");
		await end(first, { reply: "x", "blob:course_plan": "{\"a\":1}" });
		const again = await plan(made, { client_message_id });

		assert.deepEqual([again.begun, again.outcome.course_plan, again.outcome.usage.completion_tokens], [false, { a: 1 }, 7]);
	});

	it("does not stand in the way of the dialogue, nor among its messages", async () => {
		const made = await talk();

		assert.equal((await plan(made)).begun, true);
		await exchange(store, user, made.session_id, "hello", "hello to you");
		assert.equal((await finalize(made)).context.plan, "hello to you");
	});

	it("of an old track without a session makes one", async () => {
		const track_id = uuid();

		await store.db(`insert into learning_tracks (id, user_id, title) values ('${track_id}', '${user.user}', 'Old')`);
		assert.equal((await plan({ track_id })).begun, true);
	});

	it("is its owner's", async () => {
		const guest = await makeGuest(store);
		const made = await makeTrack(store, guest);

		for (const who of [user, await makeGuest(store), null])
			assert.deepEqual([(await plan(made, {}, who)).rc, (await plan({ track_id: uuid() }, {}, who)).rc], ["not_found", "not_found"]);
		assert.equal((await plan(made, {}, guest)).begun, true);
	});
});
