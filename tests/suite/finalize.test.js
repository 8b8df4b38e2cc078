/* From a plan to modules and from one finalization to the next; a course plan as JSON. Real daemons, a scripted model. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const FINALIZE = "/api/ai/finalize-course-plan";
const PLAN = "/api/ai/generate-plan";

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 0, env: { WORKER_SILENCE_MS: "1500" } });
	stack.expectExit(/SIGKILL|code=75/);
});
after(() => stack?.stop());

const module = (title, more = {}) => ({ module_number: 1, title, description: `about ${title}`, estimated_duration_hours: 5,
	learning_objectives: ["a", "b"], status: "not_started", ...more });
const answerOf = (...modules) => JSON.stringify({ modules });
const body = (rest, track, more = {}) => ({ session_id: track.session_id, user_id: rest.user.id, skill_area: "x", track_id: track.id, ...more });

/* A track whose welcome is there. */
async function courseOf(rest, fields) {
	const track = await rest.createTrack({ language: "en", ...fields });

	await until("the welcome is there", async () => (await rest.history(track.chat_id)).history.length > 0);
	return track;
}

const say = (rest, track, message) => rest.ok("POST", "/api/ai/chat-response", { message, session_id: track.session_id });

/* The model answers the finalization with this text; resolves to the HTTP answer. */
async function finalize(rest, track, text, more = {}, headers = {}) {
	const course_plan = `plan ${randomUUID()}`;

	if (text !== null)
		await stack.sim.script({ match: course_plan, text });
	return rest.ok("POST", FINALIZE, body(rest, track, { course_plan, ...more }), headers);
}

for (const [name, make] of [["a user", userOf], ["a guest", guestOf]]) {
	test(`${name} finalizes twice: modules stay who they are, and everybody hears what changed`, async () => {
		const rest = await make(stack);
		const track = await courseOf(rest);
		const ws = await chatOf(stack, rest, track.session_id);
		const first = await finalize(rest, track, answerOf(module("Syntax"), module("Tools"), module("Old")));

		assert.equal(first.success, true);
		assert.deepEqual([first.track_id, first.chat_id, first.modules_count], [track.id, track.chat_id, 3]);
		assert.ok(first.tokens_used > 0);
		assert.deepEqual(first.changes, { added: first.modules.map((m) => m.id), changed: [], kept: [], removed: [] });
		const [syntax, tools, old] = first.modules.map((m) => m.id);

		assert.equal((await ws.next("finalization_complete")).modules_created, 3);
		await stack.db(`update course_modules set status = 'completed', progress = 100 where id = '${tools}'`);
		const second = await finalize(rest, track, answerOf(module("Tests"), module("Better tools", { id: 2, estimated_duration_hours: 8 }), module("Syntax", { id: null })));

		assert.deepEqual(second.modules.map((m) => [m.module_number, m.title, m.status]),
			[[1, "Tests", "not_started"], [2, "Better tools", "completed"], [3, "Syntax", "not_started"]]);
		assert.deepEqual(second.changes, { added: [second.modules[0].id], changed: [tools], kept: [syntax], removed: [old] });
		const told = await ws.next("finalization_complete");

		assert.deepEqual(told.changes, second.changes);
		assert.deepEqual([told.track_id, told.chat_id, told.modules_created], [track.id, track.chat_id, 3]);
		for (const line of [/added: Tests/, /changed: Better tools/, /as before: Syntax/, /removed: Old/])
			assert.match(told.message, line);
		assert.equal((await rest.history(track.chat_id)).history.at(-1).content, told.message);
		assert.equal((await rest.track(track.id)).status, "active");
		await ws.close();
	});
}

/* A transaction that is open from this change until commit() is called: until then everybody sees what was before. */
async function change(sql) {
	const child = spawn("psql", ["-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-d", stack.database.url], { stdio: ["pipe", "pipe", "inherit"] });
	const ended = once(child, "exit");

	child.stdin.write(`begin; ${sql};\n\\echo changed\n`);
	await once(child.stdout, "data");
	return { async commit() {
		child.stdin.end("commit;\n");
		assert.deepEqual(await ended, [0, null]);
	} };
}

test("a module that is begun while the model writes is announced as what happens to it", async () => {
	const rest = await userOf(stack);
	const track = await courseOf(rest);
	const first = await finalize(rest, track, answerOf(module("Syntax"), module("Tools"), module("Old")));
	const [syntax, tools, old] = first.modules.map((m) => m.id);
	const begun = await change(`update course_modules set status = 'in_progress' where id = '${old}'`);
	const asked = finalize(rest, track, answerOf(module("Syntax", { id: 1 })));

	try {
		await until("the model is asked", async () => (await stack.db(`select id from turns where kind = 'finalize'
			and chat_id = '${track.chat_id}'`)).length > 1);
	} finally {
		await begun.commit();
	}
	const answer = await asked;
	const { content } = (await rest.history(track.chat_id)).history.at(-1);

	assert.deepEqual(answer.changes, { added: [], changed: [], kept: [syntax, old], removed: [tools] });
	assert.match(content, /Modules: 2/);
	assert.match(content, /as before: Syntax, Old/);
	assert.match(content, /removed: Tools\n/);
});

test("the model is told the modules there are and the schema of its answer", async () => {
	const rest = await guestOf(stack);
	const track = await courseOf(rest);

	await finalize(rest, track, answerOf(module("First \"quoted\""), module("Second")));
	const plan = `plan ${randomUUID()}`;

	await rest.ok("POST", FINALIZE, body(rest, track, { course_plan: plan }));
	const call = (await stack.sim.calls()).calls.findLast((c) => JSON.stringify(c.messages).includes(plan));

	assert.match(call.messages[0].text ?? call.messages[0].content, /\{"id":1,"title":"First \\"quoted\\""\}\n\{"id":2,"title":"Second"\}/);
});

test("begun modules are never removed", async () => {
	const rest = await userOf(stack);
	const track = await courseOf(rest);
	const { modules } = await finalize(rest, track, answerOf(module("A"), module("B")));

	await stack.db(`update course_modules set status = 'in_progress', progress = 10 where id = '${modules[1].id}'`);
	const { modules: now, changes } = await finalize(rest, track, answerOf(module("X"), module("Y")));

	assert.deepEqual(now.map((m) => [m.module_number, m.title]), [[1, "X"], [2, "B"], [3, "Y"]]);
	assert.deepEqual([changes.kept, changes.removed, now[0].id], [[modules[1].id], [], modules[0].id], "X took the place of A, which nobody had begun");
});

test("a provider that refuses the schema is asked for an object, one that refuses that for words", async () => {
	const rest = await guestOf(stack);

	for (const refusals of [1, 2]) {
		const track = await courseOf(rest);
		const course_plan = `plan ${randomUUID()}`;
		const before = (await stack.sim.calls()).calls.at(-1)?.n ?? 0;

		await stack.sim.script([{ match: course_plan, status: { code: 400, type: "invalid_request_error", message: "no such format" }, times: refusals },
			{ match: course_plan, text: answerOf(module("A")) }]);
		const answer = await rest.ok("POST", FINALIZE, body(rest, track, { course_plan }));
		const calls = (await stack.sim.calls(before)).calls.filter((c) => JSON.stringify(c.messages).includes(course_plan));

		assert.equal(answer.success, true, JSON.stringify(answer));
		assert.equal(calls.length, refusals + 1);
	}
	const track = await courseOf(rest);
	const course_plan = `plan ${randomUUID()}`;

	await stack.sim.script({ match: course_plan, status: { code: 400, type: "invalid_request_error" }, times: "always" });
	const answer = await rest.ok("POST", FINALIZE, body(rest, track, { course_plan }));

	assert.deepEqual([answer.success, answer.modules, answer.changes], [false, null, null]);
	assert.deepEqual((await rest.track(track.id)).modules, []);
	await stack.sim.forget("script");
});

test("what is no list of modules is repaired once, else nothing changes", async () => {
	const rest = await guestOf(stack);
	const track = await courseOf(rest);
	const course_plan = `plan ${randomUUID()}`;

	await stack.sim.script([{ match: course_plan, text: "here you are" }, { match: "could not be used", text: answerOf(module("Repaired")) }]);
	assert.deepEqual((await rest.ok("POST", FINALIZE, body(rest, track, { course_plan }))).modules.map((m) => m.title), ["Repaired"]);
	const other = `plan ${randomUUID()}`;
	const ws = await chatOf(stack, rest, track.session_id);

	await stack.sim.script([{ match: other, text: "no" }, { match: "could not be used", text: "no again" }]);
	const failed = await rest.ok("POST", FINALIZE, body(rest, track, { course_plan: other }));

	assert.equal(failed.success, false);
	assert.ok(failed.error);
	assert.equal((await ws.next("error")).kind, "finalize");
	assert.deepEqual((await rest.track(track.id)).modules.map((m) => m.title), ["Repaired"]);
	await ws.close();
});

test("Idempotency-Key: at once, again, and after more was said there is one effect and the first answer", async () => {
	const rest = await userOf(stack);
	const track = await courseOf(rest);
	const key = { "idempotency-key": `finalize ${randomUUID()}` };
	const ask = () => rest.ok("POST", FINALIZE, body(rest, track), key);
	const answers = await Promise.all([ask(), ask(), ask()]);

	answers.push(await ask());
	await say(rest, track, "Add a module about testing");
	answers.push(await ask());
	for (const answer of answers)
		assert.deepEqual(answer, answers[0]);
	assert.equal(answers[0].success, true);
	const history = (await rest.history(track.chat_id)).history.filter((m) => m.message_type === "finalization");

	assert.equal(history.length, 1);
	assert.equal((await rest.post(FINALIZE, body(rest, track, { course_plan: "another" }), key)).status, 422);
});

test("without a plan: a soft failure, and an error on the socket", async () => {
	const rest = await guestOf(stack);
	const session_id = `empty-${randomUUID()}`;
	const unknown = await rest.ok("POST", FINALIZE, { session_id, user_id: "x", skill_area: "x", track_id: "local" });

	assert.deepEqual([unknown.success, unknown.modules, typeof unknown.error], [false, null, "string"]);
	await stack.sim.script({ match: "lost words", status: { code: 401 } });
	await rest.ok("POST", "/api/ai/chat-response", { message: "lost words", session_id });
	const ws = await chatOf(stack, rest, session_id);
	const answer = await rest.ok("POST", FINALIZE, { session_id, user_id: "x", skill_area: "x", track_id: "local" });
	const frame = await ws.next((f) => f.type === "error" && f.kind === "finalize");	/* that of the lost words may come late */

	assert.equal(answer.success, false);
	assert.deepEqual([frame.code, frame.kind, frame.session_id], ["not_found", "finalize", session_id]);
	await ws.close();
});

test("while the first plan is being written: 409, and nothing on the socket", async () => {
	const rest = await userOf(stack);

	await stack.sim.script({ first_delay: 60000 });	/* the next call: nobody else asks */
	const track = await rest.createTrack();

	await until("the model is asked", async () => (await stack.sim.state()).rules === 0);
	const ws = await chatOf(stack, rest, track.session_id);
	const { active_turn } = await ws.restore();

	assert.equal(active_turn.kind, "welcome");
	for (const headers of [{}, { "idempotency-key": randomUUID() }])
		assert.equal((await rest.post(FINALIZE, body(rest, track), headers)).status, 409);
	ws.send({ type: "stop", turn_id: active_turn.turn_id });
	await ws.next((f) => f.turn_id === active_turn.turn_id && (f.type === "ai_response" || f.state === "stopped"));
	assert.equal((await rest.ok("POST", FINALIZE, body(rest, track))).success, false);
	assert.deepEqual([(await ws.next("error")).code, ws.frames.filter((f) => f.type === "error").length], ["not_found", 1]);
	await ws.close();
	await stack.sim.forget("script");
});

test("foreign and unknown tracks do not exist", async () => {
	const [owner, rest, guest] = await Promise.all([userOf(stack), userOf(stack), guestOf(stack)]);
	const track = await courseOf(owner);
	const own = await courseOf(rest);

	for (const client of [rest, guest, new Rest(stack.url)]) {
		client.user ??= { id: "x" };
		for (const more of [{}, { session_id: own.session_id }, { track_id: randomUUID() }, { course_plan: "mine" }]) {
			const { status, body: said } = await client.post(FINALIZE, body(client, track, more));

			assert.equal(status, 404, JSON.stringify(more));
			assert.deepEqual(Object.keys(said), ["detail"]);
		}
	}
	assert.deepEqual((await owner.track(track.id)).modules, []);
});

test("kill -9 of chat during a finalization: modules all or none, and the answer comes", async () => {
	const rest = await userOf(stack);

	for (const delay of [0, 150, 600]) {
		const track = await courseOf(rest);
		const course_plan = `plan ${randomUUID()}`;
		const key = { "idempotency-key": randomUUID() };

		await stack.sim.script(Array.from({ length: 3 }, () => ({ match: course_plan, first_delay: 400, text: answerOf(module("A"), module("B"), module("C")) })));
		const asked = rest.post(FINALIZE, body(rest, track, { course_plan }), key).catch((err) => err);
		const started = performance.now();

		await until("it is time", () => performance.now() - started >= delay);
		await stack.daemons.chat.crash("SIGKILL");
		await asked;
		const seen = new Set();
		const answer = await until("the answer comes", async () => {
			seen.add((await rest.track(track.id)).modules.length);
			const { status, body: said } = await rest.post(FINALIZE, body(rest, track, { course_plan }), key);

			return status === 200 && said.success && said;
		}, { ms: 30000 });

		assert.deepEqual(answer.modules.map((m) => m.title), ["A", "B", "C"]);
		for (const n of seen)
			assert.ok(n === 0 || n === 3, `${n} modules were seen`);
		const history = (await rest.history(track.chat_id)).history.filter((m) => m.message_type === "finalization");

		assert.equal(history.length, 1);
		await stack.sim.forget("script");
	}
});

test("a course plan is asked for, stored with the track, and answered again by its key", async () => {
	for (const rest of await Promise.all([userOf(stack), guestOf(stack)])) {
		const track = await courseOf(rest);
		const key = { "idempotency-key": randomUUID() };
		const answer = await rest.ok("POST", PLAN, { track_id: track.id, user_expectations: "to cook" }, key);

		assert.equal(answer.success, true);
		assert.deepEqual(Object.keys(answer.plan).sort(),
			["course_description", "final_project", "learning_objectives", "modules", "practical_assignments"]);
		assert.ok(answer.tokens_used > 0);
		assert.deepEqual((await rest.track(track.id)).ai_generated_plan, answer.plan);
		assert.deepEqual(await rest.ok("POST", PLAN, { track_id: track.id, user_expectations: "to cook" }, key), answer);
		assert.equal((await rest.history(track.chat_id)).history.length, 1, "the dialogue has nothing of it");
		const call = (await stack.sim.calls()).calls.findLast((c) => JSON.stringify(c.messages).includes("course_description"));

		assert.match(JSON.stringify(call.messages), /Expectations: to cook/);
	}
});

test("a plan in a fence is a plan, anything else is text and is not stored", async () => {
	const rest = await userOf(stack);
	const track = await courseOf(rest);
	const ask = async (text) => {
		const wish = `wish ${randomUUID()}`;

		await stack.sim.script({ match: wish, text });
		return rest.ok("POST", PLAN, { track_id: track.id, user_expectations: wish });
	};

	assert.deepEqual((await ask("```json\n{\"course_description\":\"x\"}\n```")).plan, { course_description: "x" });
	for (const text of ["[1,2]", "words only", "{\"a\":", "{\"a\":\"\\u0000\"}"]) {
		const answer = await ask(text);

		assert.deepEqual([answer.success, answer.plan], [true, { raw_response: text }]);
	}
	assert.deepEqual((await rest.track(track.id)).ai_generated_plan, { course_description: "x" });
	await rest.tracks();
});

test("a course plan is refused with 400, 403, 404, 422, and fails softly", async () => {
	const [owner, rest] = await Promise.all([userOf(stack), guestOf(stack)]);
	const track = await courseOf(owner);
	const status = async (client, fields) => (await client.post(PLAN, { track_id: track.id, user_expectations: "x", ...fields })).status;

	assert.equal(await status(owner, { track_id: "not-a-uuid" }), 400);
	assert.equal(await status(new Rest(stack.url)), 403);
	assert.equal(await status(rest), 404);
	assert.equal(await status(owner, { track_id: randomUUID() }), 404);
	for (const fields of [{ track_id: null }, { user_expectations: null }, { user_expectations: 1 }, { user_expectations: "x".repeat(10001) }])
		assert.equal(await status(owner, fields), 422, JSON.stringify(fields).slice(0, 80));
	await stack.sim.script({ match: "refuse this", status: { code: 401 } });
	const soft = await owner.ok("POST", PLAN, { track_id: track.id, user_expectations: "refuse this" });

	assert.deepEqual([soft.success, soft.plan, typeof soft.error], [false, null, "string"]);
});

test("what chat-response says of a course that is not stored reaches the model; user_id of the body counts for nothing", async () => {
	const [owner, rest] = await Promise.all([userOf(stack), guestOf(stack)]);
	const track = await courseOf(owner);
	const context = `pottery ${randomUUID()}`;
	const answer = await rest.ok("POST", "/api/ai/chat-response", { message: "Hello", session_id: "local-1", track_context: context, user_id: owner.user.id });
	const { calls } = await stack.sim.calls();

	assert.equal(answer.success, true);
	assert.ok(answer.chat_id && answer.model_used && answer.tokens_used > 0);
	assert.ok(JSON.stringify(calls.at(-1).messages).includes(context));
	assert.equal((await rest.post("/api/ai/chat-response", { message: "x", session_id: track.session_id, user_id: owner.user.id })).status, 404);
	assert.equal((await rest.post("/api/ai/chat-response", { message: "x", session_id: "local-1", chat_id: track.chat_id })).status, 404);
	assert.equal((await rest.post("/api/ai/chat-response", { message: "  ", session_id: "local-1" })).status, 422);
});

test("a server without a key says so: 503 of four endpoints, a soft failure of the others", async () => {
	const bare = await startStack({ sim: false, env: { DEFAULT_OPENAI_API_KEY: undefined, DEFAULT_OPENAI_BASE_URL: undefined } });

	try {
		const rest = await guestOf(bare);
		const track = await rest.createTrack();

		assert.equal((await rest.post(PLAN, { track_id: track.id, user_expectations: "x" })).status, 503);
		assert.equal((await rest.post("/api/ai/chat-response", { message: "x", session_id: "y" })).status, 503);
		assert.equal((await rest.post("/api/ai/generate-lesson", { lesson_title: "x", module_context: "" })).status, 503);
		const module = { track_id: "local", module_id: "1", session_id: "local-1", user_id: rest.user.id };

		assert.equal((await rest.post("/api/ai/module-learning-start", module)).status, 503);
		const { success, response, error } = await rest.ok("POST", "/api/ai/module-chat", { ...module, message: "x" });

		assert.deepEqual([success, response, error], [false, null, "Модель не настроена на сервере"]);
	} finally {
		await bare.stop();
	}
});
