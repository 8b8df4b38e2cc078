/* Learning a module, as a client sees it: summary, tutor, lessons, completion; and what nobody else sees. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { EventStream } from "../lib/sse.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const WORDS = {
	ru: { summary: /Введение[\s\S]*Проверьте себя/, question: "Приведи пример, пожалуйста", answer: /Вот пример/, name: /^Модуль: / },
	en: { summary: /Introduction[\s\S]*Check yourself/, question: "Give me an example, please", answer: /Here is an example/, name: /^Module: / },
};

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 0 });
	stack.expectExit(/SIGKILL/);
});
after(() => stack?.stop());

/* A finalized track. */
async function course(rest, more = {}) {
	const track = await rest.createTrack(more);

	await rest.welcome({ session_id: track.session_id, user_id: rest.user.id, skill_area: "Python", user_expectations: "", difficulty_level: "beginner", duration_hours: 30 });
	const final = await rest.finalize({ session_id: track.session_id, user_id: rest.user.id, skill_area: "Python", track_id: track.id });

	assert.equal(final.success, true, final.error);
	return rest.track(track.id);
}

/* The body the original page sends: a session of its own naming each time. */
const about = (rest, track, module, more = {}) => ({
	track_id: track.id, module_id: module.id, session_id: `session_${randomUUID().slice(0, 8)}`, user_id: rest.user?.id ?? "guest_x", ...more,
});
const start = (rest, track, module) => rest.ok("POST", "/api/ai/module-learning-start", about(rest, track, module));
const history = (rest, track, module, more) => rest.ok("POST", "/api/ai/module-chat-history", about(rest, track, module, more));
const complete = (rest, track, module) => rest.ok("POST", "/api/ai/module-complete", about(rest, track, module));
const lesson = (rest, more) => rest.ok("POST", "/api/ai/generate-lesson", { lesson_title: "Loops", module_context: "Python basics", content_type: "theory", ...more });

for (const [kind, sign] of [["guest", guestOf], ["user", userOf]])
	for (const language of ["ru", "en"])
		test(`a ${kind} learns a course module by module (${language})`, async () => {
			const words = WORDS[language];
			const rest = await sign(stack);
			const track = await course(rest, { language, title: "Python" });
			const [module] = track.modules;

			const begun = await start(rest, track, module);
			assert.equal(begun.success, true);
			assert.match(begun.module_summary, words.summary);
			assert.ok(begun.module_summary.includes(module.title));
			assert.ok(begun.tokens_used > 0);
			assert.equal(begun.error, null);
			assert.equal((await rest.track(track.id)).modules[0].status, "in_progress");

			const again = await rest.ok("POST", "/api/ai/module-learning-start", about(rest, track, module, { module_id: String(module.module_number) }));
			assert.deepEqual([again.module_summary, again.chat_id, again.message_id], [begun.module_summary, begun.chat_id, begun.message_id]);

			const reply = await rest.ok("POST", "/api/ai/module-chat", about(rest, track, module, { message: words.question, chat_id: begun.chat_id }));
			assert.equal(reply.success, true);
			assert.equal(reply.chat_id, begun.chat_id);
			assert.match(reply.response, words.answer);
			const without = await rest.ok("POST", "/api/ai/module-chat", about(rest, track, module, { message: words.question }));
			assert.equal(without.chat_id, begun.chat_id);

			const told = await history(rest, track, module);
			assert.deepEqual(told.history.map((m) => [m.sender, m.message_type]),
				[["ai", "summary"], ["user", "text"], ["ai", "text"], ["user", "text"], ["ai", "text"]]);
			assert.equal(told.history[0].content, begun.module_summary);
			assert.match(told.chat_info.chat_name, words.name);
			assert.equal(told.chat_info.chat_type, "module_learning");

			const made = await lesson(rest, { module_id: module.id, track_id: track.id, lesson_number: 1 });
			assert.equal(made.success, true);
			assert.match(made.content, language === "ru" ? /Упражнения/ : /Exercises/);
			const once = await lesson(rest, { module_id: module.id, lesson_number: 1 });
			assert.deepEqual([once.content, once.lesson_id], [made.content, made.lesson_id]);
			const [stored] = await rest.ok("GET", `/api/modules/${module.id}/lessons`);
			assert.deepEqual([stored.id, stored.content, stored.status, stored.lesson_number], [made.lesson_id, made.content, "not_started", 1]);
			assert.equal((await rest.ok("PUT", `/api/lessons/${stored.id}`, { status: "completed" })).status, "completed");
			assert.equal((await rest.ok("GET", `/api/lessons/${stored.id}`)).status, "completed");
			assert.ok((await rest.track(track.id)).modules[0].progress > 0);

			for (const each of track.modules) {
				const done = await complete(rest, track, each);

				assert.deepEqual([done.success, done.module_id, done.status], [true, each.id, "completed"]);
				assert.deepEqual(await complete(rest, track, each), { ...done, track_status: done.track_status });
			}
			const finished = await rest.track(track.id);
			assert.deepEqual([finished.status, finished.progress], ["completed", 100]);
			assert.ok(finished.modules.every((m) => m.status === "completed" && m.progress === 100 && m.completed_at.endsWith("Z")));
		});

test("the tutor chat that a module gets is told to every tab of its track's session, once", async () => {
	const [rest, other] = [await userOf(stack), await userOf(stack)];
	const [track, foreign] = [await course(rest, { language: "en" }), await course(other)];
	const [one, two] = [await chatOf(stack, rest, track.session_id), await chatOf(stack, rest, track.session_id)];
	const stranger = await chatOf(stack, other, foreign.session_id);
	const updates = (ws, id) => ws.frames.filter((f) => f.type === "chat_updated" && f.chat_id === id);
	const renamed = (ws, id) => ws.next((f) => f.type === "chat_updated" && f.chat_id === id && f.change === "renamed");

	/* Whatever asks first makes it: the summary, a question to the tutor, a lesson. */
	const [first, second, third] = track.modules;
	const { chat_id: summary } = await start(rest, track, first);
	const { chat_id: tutor } = await rest.ok("POST", "/api/ai/module-chat", about(rest, track, second, { message: "Give me an example, please" }));
	await lesson(rest, { module_id: third.id, track_id: track.id, lesson_number: 1 });
	const { chat_id: taught } = await history(rest, track, third);

	for (const [id, module] of [[summary, first], [tutor, second], [taught, third]]) {
		for (const ws of [one, two]) {
			const frame = await ws.next((f) => f.type === "chat_updated" && f.chat_id === id);

			assert.deepEqual([frame.change, frame.session_id, frame.chat_name, frame.chat_type, frame.status],
				["created", track.session_id, `Module: ${module.title}`, "module_learning", "active"]);
		}
		await start(rest, track, module);	/* it is there: nothing to tell */
		await rest.ok("PATCH", `/api/chat/chats/${id}`, { chat_name: "Mine" });
		for (const ws of [one, two]) {
			await renamed(ws, id);
			assert.deepEqual(updates(ws, id).map((f) => f.change), ["created", "renamed"]);
		}
	}
	const { chat_id: theirs } = await start(other, foreign, foreign.modules[0]);
	await stranger.next((f) => f.type === "chat_updated" && f.chat_id === theirs);
	assert.deepEqual([...updates(stranger, summary), ...updates(stranger, tutor), ...updates(one, theirs)], []);
});

test("a tutor chat that is taken up again from the archive is told to every tab, once", async () => {
	const rest = await userOf(stack);
	const track = await course(rest, { language: "en" });
	const [module] = track.modules;
	const { chat_id } = await start(rest, track, module);
	const tabs = [await chatOf(stack, rest, track.session_id), await chatOf(stack, rest, track.session_id)];
	const updates = (ws) => ws.frames.filter((f) => f.type === "chat_updated" && f.chat_id === chat_id).map((f) => f.change);
	const told = async (change) => {
		for (const ws of tabs)
			await until(`a tab is told ${change}`, () => updates(ws).at(-1) === change);
	};
	const expected = [];

	/* A question, the summary that is there already, twice at once, and a lesson. */
	for (const again of [
		() => rest.ok("POST", "/api/ai/module-chat", about(rest, track, module, { message: "Give me an example, please" })),
		() => start(rest, track, module),
		() => Promise.all([start(rest, track, module), start(rest, track, module)]),
		() => lesson(rest, { module_id: module.id, track_id: track.id, lesson_number: 1 }),
	]) {
		await rest.ok("PUT", `/api/chat/chats/${chat_id}/status?status=archived`);
		await told("archived");
		await again();
		await told("restored");
		for (const ws of tabs) {
			const frame = ws.frames.findLast((f) => f.type === "chat_updated");

			assert.deepEqual([frame.session_id, frame.chat_name, frame.chat_type, frame.status],
				[track.session_id, `Module: ${module.title}`, "module_learning", "active"]);
		}
		await again();	/* it is active: nothing to tell */
		expected.push("archived", "restored");
	}
	await rest.ok("PATCH", `/api/chat/chats/${chat_id}`, { chat_name: "Mine" });
	await told("renamed");
	for (const ws of tabs) {
		assert.deepEqual(updates(ws).filter((change) => change !== "created"), [...expected, "renamed"]);
		await ws.close();
	}
});

test("over the socket the tutor streams, stops and regenerates, and is there after a restart", async () => {
	const rest = await userOf(stack);
	const track = await course(rest, { language: "en" });
	const [module] = track.modules;
	const ws = await chatOf(stack, rest, track.session_id);
	const begun = await start(rest, track, module);
	const shown = await ws.next((f) => f.type === "ai_response" && f.kind === "summary");

	assert.deepEqual([shown.chat_id, shown.message, shown.message_type], [begun.chat_id, begun.module_summary, "summary"]);
	const turn = await ws.turn("Give me an exercise", { chat_id: begun.chat_id });
	assert.equal(turn.response.chat_id, begun.chat_id);
	assert.equal(turn.deltas.map((d) => d.text).join(""), turn.response.message);
	assert.match(turn.response.message, /exercise/i);

	ws.send({ type: "regenerate", message_id: begun.message_id });
	const newer = await ws.next((f) => f.type === "ai_response" && f.kind === "summary");
	assert.notEqual(newer.message_id, begun.message_id);
	const asked = await start(rest, track, module);
	assert.equal(asked.message_id, newer.message_id);

	await stack.daemons.gateway.crash();
	await stack.daemons.store.crash();
	await stack.waitReady();
	const back = await chatOf(stack, rest, track.session_id);
	const restored = await back.restore({ chat_id: begun.chat_id });
	assert.deepEqual(restored.history.map((m) => m.message_type), ["summary", "text", "text"]);
	assert.equal((await back.restore()).chat_id, track.chat_id);
	await back.close();
});

test("a summary goes on when chat is killed in the middle of it, and is one", async () => {
	const rest = await guestOf(stack);
	const track = await course(rest, { language: "ru" });
	const [module] = track.modules;
	const ws = await chatOf(stack, rest, track.session_id);

	await stack.sim.script({ token_delay: 20 });
	const asked = rest.post("/api/ai/module-learning-start", about(rest, track, module));
	const piece = await ws.next((f) => f.type === "ai_delta" && f.offset > 2);
	await stack.daemons.chat.crash();
	await asked.catch(() => null);
	const done = await until("the summary is there", async () => {
		const answer = await rest.post("/api/ai/module-learning-start", about(rest, track, module));

		return answer.status === 200 && answer.body.success && answer.body;
	}, { ms: 30000 });
	assert.equal(done.turn_id, piece.turn_id);
	assert.equal((await history(rest, track, module)).history.length, 1);
	await ws.close();
});

test("however many ask at once, there is one summary and one chat", async () => {
	const rest = await userOf(stack);
	const track = await course(rest);
	const answers = await Promise.all(Array.from({ length: 8 }, () => start(rest, track, track.modules[1])));

	assert.equal(new Set(answers.map((a) => a.message_id)).size, 1);
	assert.equal(new Set(answers.map((a) => a.chat_id)).size, 1);
	assert.equal((await history(rest, track, track.modules[1])).history.length, 1);
});

test("what is somebody else's does not exist", async () => {
	const rest = await userOf(stack);
	const track = await course(rest);
	const [module, second] = track.modules;
	const { chat_id } = await start(rest, track, module);
	const { lesson_id } = await lesson(rest, { module_id: module.id });

	for (const other of [await userOf(stack), await guestOf(stack), new Rest(stack.url)]) {
		const body = about(other, track, module, { message: "hello", chat_id });

		for (const path of ["module-learning-start", "module-chat", "module-complete", "module-chat-history"])
			assert.equal((await other.post(`/api/ai/${path}`, body)).status, 404, path);
		if (!other.token)
			continue;
		assert.equal((await other.post("/api/ai/generate-lesson", { lesson_title: "a", module_context: "", module_id: module.id })).status, 404);
		assert.equal((await other.get(`/api/modules/${module.id}/lessons`)).status, 404);
		assert.equal((await other.get(`/api/lessons/${lesson_id}`)).status, 404);
		assert.equal((await other.put(`/api/lessons/${lesson_id}`, { status: "completed" })).status, 404);
	}
	for (const [more, status] of [[{ module_id: randomUUID() }, 404], [{ module_id: "77" }, 404], [{ module_id: "what" }, 404], [{ track_id: randomUUID() }, 404]])
		for (const path of ["module-learning-start", "module-complete", "module-chat-history"])
			assert.equal((await rest.post(`/api/ai/${path}`, about(rest, track, module, more))).status, status, `${path} ${JSON.stringify(more)}`);
	assert.equal((await rest.post("/api/ai/module-chat", about(rest, track, second, { message: "hi", chat_id }))).status, 404);
	assert.equal((await rest.track(track.id)).modules[1].status, "not_started");
});

test("bad input is named and changes nothing", async () => {
	const rest = await userOf(stack);
	const track = await course(rest);
	const [module] = track.modules;
	const refuses = async (method, path, body, field) => {
		const answer = await rest.request(method, path, body);

		assert.equal(answer.status, 422, `${path} ${JSON.stringify(body)}: ${answer.text}`);
		assert.equal(answer.body.detail[0].loc.at(-1), field);
		assert.ok(answer.body.message.length > 0);
	};

	for (const field of ["track_id", "module_id", "session_id"])
		for (const path of ["module-learning-start", "module-complete", "module-chat-history"])
			for (const value of [undefined, null, 5, "", "x".repeat(201)])
				await refuses("POST", `/api/ai/${path}`, about(rest, track, module, { [field]: value }), field);
	for (const message of [undefined, "", "  ", 7, "x".repeat(32001)])
		await refuses("POST", "/api/ai/module-chat", about(rest, track, module, { message }), "message");
	const good = { lesson_title: "Loops", module_context: "" };
	for (const [field, values] of [["lesson_title", [undefined, "", "  ", "x".repeat(256)]], ["module_context", [undefined, 5]],
		["content_type", [5, "x".repeat(21)]], ["lesson_number", [0, 1001, "x", 1.5]]])
		for (const value of values)
			await refuses("POST", "/api/ai/generate-lesson", { ...good, module_id: module.id, [field]: value }, field);
	const { lesson_id } = await lesson(rest, { module_id: module.id });
	for (const status of [undefined, "", "done", 1])
		await refuses("PUT", `/api/lessons/${lesson_id}`, { status }, "status");
	for (const path of ["/api/modules/x/lessons", "/api/lessons/x"])
		assert.equal((await rest.get(path)).status, 400);
	assert.equal((await rest.ok("GET", `/api/modules/${module.id}/lessons`)).length, 1);
});

test("a track that only the page knows is taught as well, to anybody", async () => {
	for (const rest of [new Rest(stack.url), await guestOf(stack), await userOf(stack)]) {
		const track = { id: "temp_track_1" };
		const module = { id: "3" };
		const session_id = `page-${randomUUID()}`;
		const begun = await rest.ok("POST", "/api/ai/module-learning-start", about(rest, track, module, { session_id }), { "accept-language": "en" });

		assert.equal(begun.success, true);
		assert.match(begun.module_summary, /Module 3/);
		const reply = await rest.ok("POST", "/api/ai/module-chat", about(rest, track, module, { session_id, chat_id: "temp_chat_1", message: "Give me an example" }), { "accept-language": "en" });
		assert.equal(reply.chat_id, begun.chat_id);
		const told = await history(rest, track, module, { session_id });
		assert.equal(told.history.length, 3);
		const done = await rest.ok("POST", "/api/ai/module-complete", about(rest, track, module, { session_id }));
		assert.deepEqual([done.success, done.module_id, done.status], [true, "3", "completed"]);
	}
});

test("a lesson without a module is answered and not kept", async () => {
	const rest = await userOf(stack);
	const [one, two] = await Promise.all([lesson(rest), lesson(rest, { content_type: undefined })]);

	for (const made of [one, two]) {
		assert.equal(made.success, true);
		assert.match(made.content, /Loops/);
		assert.ok(made.tokens_used > 0);
		assert.equal(made.lesson_id, undefined);
		assert.equal(made.chat_id, undefined);
	}
	assert.equal((await new Rest(stack.url).post("/api/ai/generate-lesson", { lesson_title: "a", module_context: "" })).status, 403);
});

test("an outage of the model is told, and the summary can be asked for again", async () => {
	const rest = await userOf(stack);
	const track = await course(rest);
	const [module] = track.modules;

	await stack.sim.script({ status: { code: 400 } });
	const failed = await rest.post("/api/ai/module-learning-start", about(rest, track, module));
	assert.equal(failed.status, 500, failed.text);
	assert.ok(failed.body.detail.length > 0);
	assert.equal((await start(rest, track, module)).success, true);
	assert.equal((await history(rest, track, module)).history.length, 1);
});

test("why there is no reply is told in the caller's language, by every endpoint that asks the model", async () => {
	const rest = await userOf(stack);
	const track = await course(rest);
	const { session_id } = track;
	const [module] = track.modules;
	const asks = [
		["welcome-message", { session_id: `new-${randomUUID()}`, user_id: "", skill_area: "Go", user_expectations: "", difficulty_level: "beginner", duration_hours: 3 }],
		["chat-response", { session_id, message: "Hello" }],
		["finalize-course-plan", { session_id, user_id: rest.user.id, skill_area: "Go", track_id: track.id, course_plan: "one module" }],
		["generate-plan", { track_id: track.id, user_expectations: "more" }],
		["generate-lesson", { lesson_title: "Loops", module_context: "" }],
		["module-learning-start", about(rest, track, module)],
		["module-chat", about(rest, track, module, { message: "Hello" })],
	];

	await stack.sim.script({ status: { code: 401 }, times: "always" });
	try {
		for (const [language, sentence] of [["ru", "Модель отклонила запрос"], ["en", "The model refused the request"]])
			for (const [path, body] of asks) {
				const answer = await rest.post(`/api/ai/${path}`, body, { "accept-language": language });
				const hard = path === "module-learning-start";

				assert.equal(answer.status, hard ? 500 : 200, `${path}: ${answer.text}`);
				assert.equal(hard ? answer.body.detail : answer.body.error, sentence, path);
			}
	} finally {
		await stack.sim.forget("script");
	}
});

test("summary, tutor and lesson can be read as they are written, over HTTP as well", async () => {
	const rest = await userOf(stack);
	const track = await course(rest, { language: "en" });
	const [module] = track.modules;

	for (const [path, more] of [["module-learning-start", {}], ["module-chat", { message: "Give me an example" }],
		["generate-lesson", { lesson_title: "Loops", module_context: "", lesson_number: 1 }]]) {
		const stream = await EventStream.post(rest, `/api/ai/${path}`, about(rest, track, module, more));
		const final = (await stream.all()).at(-1);

		assert.equal(final.type, "ai_response", path);
		assert.equal(stream.text(), final.frame.message, path);
	}
	assert.deepEqual((await history(rest, track, module)).history.map((m) => m.message_type), ["summary", "text", "text", "lesson"]);
	assert.equal((await rest.ok("GET", `/api/modules/${module.id}/lessons`)).length, 1);
});
