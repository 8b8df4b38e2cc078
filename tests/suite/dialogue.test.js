/* The planning dialogue from the first click to the modules, as a client sees it. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 0 });
});
after(() => stack?.stop());

/* Waits for the welcome of a new track on a fresh socket; resolves to { ws, welcome }. */
async function open(rest, track) {
	const ws = await chatOf(stack, rest, track.session_id);
	const restored = await ws.restore();
	const welcome = restored.history[0]
		? { message: restored.history[0].content, chat_id: restored.chat_id }
		: await ws.next("ai_response");

	return { ws, welcome };
}

for (const language of ["ru", "en"]) {
	test(`a guest plans a course, finalizes it and finds everything after a reload (${language})`, async () => {
		const rest = await guestOf(stack);
		const track = await rest.createTrack({ language, title: "Python" });
		const { ws, welcome } = await open(rest, track);

		assert.equal(welcome.chat_id, track.chat_id);
		assert.match(welcome.message, language === "ru" ? /[а-я]{4}/ : /[a-z]{4}/);
		assert.match(welcome.message, /Python/);

		const turn = await ws.turn(language === "ru" ? "Добавь модуль про тестирование" : "Add a module about testing");
		assert.equal(turn.accepted.chat_id, track.chat_id);
		assert.equal(turn.response.chat_id, track.chat_id);
		assert.ok(turn.deltas.length > 1, "the answer was streamed");
		assert.match(turn.response.message, language === "ru" ? /тестировани/i : /testing/i);
		assert.ok(turn.response.tokens_used > 0);
		assert.equal(turn.response.finish_reason, "stop");
		for (const part of ["gateway_in", "chat", "store", "ai_queue", "provider_first_token", "provider_total", "gateway_out", "total"])
			assert.ok(Number.isInteger(turn.response.timing[part]) && turn.response.timing[part] >= 0, part);
		assert.ok(turn.response.timing.total >= turn.response.timing.provider_total);
		assert.ok(turn.response.cost.amount > 0, "gpt-4o-mini has a price");

		const final = await rest.finalize({ session_id: track.session_id, user_id: rest.user.id, skill_area: "Python", track_id: track.id });
		assert.equal(final.success, true);
		assert.ok(final.modules_count >= 4);
		assert.equal(final.modules.reduce((sum, module) => sum + module.estimated_duration_hours, 0), 30);
		await ws.next("finalization_complete");

		const stored = await rest.track(track.id);
		assert.equal(stored.status, "active");
		assert.deepEqual(stored.modules.map((m) => m.title), final.modules.map((m) => m.title));
		assert.deepEqual(stored.modules.map((m) => m.module_number), final.modules.map((_, i) => i + 1));

		await ws.drop();
		const again = await chatOf(stack, rest, track.session_id);
		const restored = await again.restore();
		assert.equal(restored.has_existing_chat, true);
		assert.equal(restored.chat_id, track.chat_id);
		assert.equal(restored.message_count, 4);
		assert.deepEqual(restored.history.map((m) => m.sender), ["ai", "user", "ai", "ai"]);
		assert.equal(restored.history[0].content, welcome.message);
		assert.equal(restored.history[2].content, turn.response.message);
		assert.equal(restored.active_turn, null);
		assert.ok(restored.history.every((m) => m.timestamp.endsWith("Z")));
		await again.close();
	});
}

test("a registered user signs in elsewhere and finds the same dialogue", async () => {
	const rest = await userOf(stack);
	const track = await rest.createTrack();
	const { ws } = await open(rest, track);
	const { response } = await ws.turn("Fewer hours, please");

	await ws.close();
	const phone = await userOf(stack).catch(() => null);
	assert.ok(phone, "another user can register");
	await rest.login();
	const list = await rest.tracks();
	assert.deepEqual(list.map((t) => t.id), [track.id]);
	const restored = await (await chatOf(stack, rest, track.session_id)).restore();
	assert.equal(restored.history.at(-1).content, response.message);

	/* The other one sees nothing of it. */
	assert.equal((await phone.get(`/api/tracks/${track.id}`)).status, 404);
	assert.equal((await phone.get(`/api/chat/chats/${track.chat_id}/history`)).status, 404);
	const foreign = await chatOf(stack, phone, track.session_id);
	const nothing = await foreign.restore();
	assert.equal(nothing.has_existing_chat, false);
	assert.deepEqual(nothing.history, []);
	await assert.rejects(foreign.post("Let me in", { chat_id: track.chat_id }), /not_found/);
});

test("every further chat of a session is isolated by its chat_id", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const { ws } = await open(rest, track);
	const second = await rest.ok("POST", "/api/chat/chats", { session_id: track.session_id, chat_name: "Questions", chat_type: "discussion" });

	const marker = `marker-${randomUUID()}`;
	await ws.turn(`First chat ${marker}`);
	const { response } = await ws.turn("What about the second chat?", { chat_id: second.id });
	assert.equal(response.chat_id, second.id);
	const { calls } = await stack.sim.calls();
	const last = JSON.stringify(calls.at(-1).messages);
	assert.ok(!last.includes(marker), "the other chat's text never reaches the model");
	const one = await ws.restore();
	const two = await ws.restore({ chat_id: second.id });
	assert.equal(one.message_count, 3);
	assert.equal(two.message_count, 2);
	const chats = await rest.ok("GET", `/api/chat/sessions/${track.session_id}/chats`);
	assert.deepEqual(chats.map((c) => c.chat_type).sort(), ["discussion", "planning"]);
	await ws.close();
});

test("two tabs of one owner see the same frames", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const { ws: one } = await open(rest, track);
	const { ws: two } = await open(rest, track);
	const { response } = await one.turn("Slower, please");
	const seen = await two.next((f) => f.type === "ai_response" && f.turn_id === response.turn_id);

	assert.equal(seen.message, response.message);
	assert.equal(two.deltas(response.turn_id, response.epoch).map((d) => d.text).join(""), response.message);
	const accepted = two.frames.find((f) => f.type === "accepted");
	assert.equal(accepted.message, "Slower, please");
	assert.equal(one.frames.filter((f) => f.type === "accepted").length, 1, "the asking tab is told once");
	await Promise.all([one.close(), two.close()]);
});

test("sending a message again changes nothing and answers the first outcome", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const { ws } = await open(rest, track);
	const id = randomUUID();
	const first = await ws.turn("Once", { client_message_id: id });
	const again = await ws.turn("Once", { client_message_id: id });

	assert.equal(again.accepted.turn_id, first.accepted.turn_id);
	assert.equal(again.response.message, first.response.message);
	await assert.rejects(ws.post("Twice", { client_message_id: id }), /cmid_conflict/);
	assert.equal((await ws.restore()).message_count, 3);
	await ws.close();
});

test("creating a track twice with one key, also at once, makes one track with one welcome", async () => {
	const rest = await guestOf(stack);
	const key = randomUUID();
	const create = () => rest.request("POST", "/api/tracks", { title: "Go", description: "", difficulty_level: "beginner",
		estimated_duration_hours: 10, user_expectations: "" }, { "idempotency-key": key });
	const answers = await Promise.all([create(), create(), create()]);
	const ids = new Set(answers.map((a) => a.body.id));

	assert.deepEqual(answers.map((a) => a.status), [200, 200, 200]);
	assert.equal(ids.size, 1);
	const { ws } = await open(rest, answers[0].body);
	assert.equal((await create()).body.id, [...ids][0]);
	assert.equal((await rest.tracks()).length, 1);
	assert.equal((await ws.restore()).message_count, 1);
	await ws.close();
});

test("Idempotency-Key: a session, a chat and a word to the tutor are made once, at once and later", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const keyed = (path, body, key) => rest.request("POST", path, body, { "idempotency-key": key });
	const newest = await until("the track has its session", async () => (await rest.track(track.id)).session_id ?? track.session_id);

	for (const [path, body, list] of [
		["/api/chat/sessions", { track_id: track.id, session_name: "Second" }, () => rest.ok("GET", "/api/chat/sessions")],
		["/api/chat/chats", { session_id: newest, chat_name: "Aside", chat_type: "discussion" }, () => rest.ok("GET", `/api/chat/sessions/${newest}/chats`)],
	]) {
		const before = (await list()).length;
		const key = randomUUID();
		const answers = await Promise.all([1, 2, 3].map(() => keyed(path, body, key)));

		assert.deepEqual(answers.map((a) => [a.status, a.body.id]), Array(3).fill([200, answers[0].body.id]), path);
		assert.equal((await keyed(path, body, key)).body.id, answers[0].body.id);
		assert.equal((await list()).length, before + 1);
		assert.notEqual((await keyed(path, body, randomUUID())).body.id, answers[0].body.id);
	}
	const second = await rest.ok("POST", "/api/chat/sessions", { track_id: track.id, session_name: "Third" });
	const key = "any text";

	await keyed("/api/chat/chats", { session_id: newest }, key);
	const taken = await keyed("/api/chat/chats", { session_id: second.id }, key);
	assert.equal(taken.status, 422, taken.text);
	assert.match(taken.text, /Idempotency-Key/);

	const word = () => keyed("/api/ai/module-chat", { message: "Why?", user_id: "x", session_id: "tutored", module_id: "1", track_id: "local", track_title: "T", module_title: "M" }, "tutor-1");
	const [one, two] = [await word(), await word()];
	assert.equal(one.status, 200, one.text);
	assert.equal(two.body.response, one.body.response);
	const asked = await stack.db("select count(*)::int as n from chat_messages where message_content = 'Why?'");
	assert.equal(asked[0].n, 1);
});

test("Idempotency-Key: another content is refused and makes nothing, the same answers what was made, however it looks by now", async () => {
	const rest = await guestOf(stack);
	const course = { title: "Go", description: "", difficulty_level: "beginner", estimated_duration_hours: 10, user_expectations: "" };
	const keyed = (path, body, key, more) => rest.request("POST", path, body, { "idempotency-key": key, ...more });
	const first = (await keyed("/api/tracks", course, "one")).body;
	const session = { track_id: first.id, session_name: "Second" }, chat = { session_id: first.session_id };

	for (const [path, body, others, list, rename] of [
		["/api/tracks", course, [{ title: "Rust" }, { description: "x" }, { skill_area: "Go" }, { difficulty_level: "advanced" }, { estimated_duration_hours: 11 },
			{ user_expectations: "x" }, { language: "en" }], () => rest.tracks(), (id) => rest.ok("PUT", `/api/tracks/${id}`, { title: "Renamed" })],
		["/api/chat/sessions", session, [{ session_name: "Other" }], () => rest.ok("GET", "/api/chat/sessions"), null],
		["/api/chat/chats", chat, [{ chat_name: "Named" }, { chat_type: "discussion" }], () => rest.ok("GET", `/api/chat/sessions/${first.session_id}/chats`),
			(id) => rest.ok("PATCH", `/api/chat/chats/${id}`, { chat_name: "Renamed" })],
	]) {
		const made = (await keyed(path, body, "one")).body;
		const before = (await list()).length;

		for (const other of others) {
			const refused = await keyed(path, { ...body, ...other }, "one");

			assert.equal(refused.status, 422, `${path} ${JSON.stringify(other)}: ${refused.text}`);
			assert.deepEqual([refused.body.detail[0].loc.at(-1), typeof refused.body.message], ["Idempotency-Key", "string"]);
		}
		await rename?.(made.id);
		const again = await keyed(path, body, "one", { "accept-language": "en" });

		assert.deepEqual([again.status, again.body.id], [200, made.id], again.text);
		assert.equal((await list()).length, before);
	}
	const otherwise = await keyed("/api/tracks", { ...course, title: " Go ", difficulty_level: "Beginner", estimated_duration_hours: "10" }, "one");
	assert.deepEqual([otherwise.status, otherwise.body.id], [200, first.id], otherwise.text);

	/* The name that is given by the minute is no part of what was asked. */
	const made = (await keyed("/api/chat/chats", chat, "by the minute")).body;
	await stack.db(`update chats set chat_name = 'Chat 00:00', created_at = created_at - interval '5 hours' where id = '${made.id}'`);
	assert.equal((await keyed("/api/chat/chats", chat, "by the minute")).body.chat_name, "Chat 00:00");
	await rest.ok("DELETE", `/api/chat/chats/${made.id}`);
	assert.equal((await keyed("/api/chat/chats", chat, "by the minute")).status, 404);
});

test("stopping twice, at once and later, is one stop; the text stays and is accounted", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "stopped-twice");
	const accepted = await ws.post("On and on [[sim:tokens=2000]][[sim:token_delay=20]]");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 2);
	ws.send({ type: "stop", turn_id: accepted.turn_id });
	ws.send({ type: "stop", turn_id: accepted.turn_id });
	const end = await ws.next((f) => f.type === "ai_response" && f.turn_id === accepted.turn_id);
	ws.send({ type: "stop", turn_id: accepted.turn_id });
	ws.send({ type: "ping", t: 1 });
	await ws.next("pong");
	assert.deepEqual([end.state, end.finish_reason], ["cancelled", "stopped"]);
	assert.ok(!ws.frames.some((f) => f.type === "error"), "the same was asked for again: no error");
	assert.equal(ws.frames.filter((f) => f.type === "ai_response").length, 1);
	assert.ok(end.message.length > 0 && end.usage.completion_tokens > 0, JSON.stringify(end.usage));
	await until("the provider's stream is closed", async () => (await stack.sim.state()).open === 0, { ms: 2000 });
	const { history } = await ws.restore();

	assert.deepEqual(history.map((m) => m.content), [history[0].content, end.message]);
	await ws.close();
});

test("a welcome that failed is asked for again by its turn", async () => {
	const rest = await guestOf(stack);

	await stack.sim.script([{ times: 1, status: { code: 400 } }]);
	const track = await rest.createTrack();
	const ws = await chatOf(stack, rest, track.session_id);
	const [turn] = await until("the welcome has failed", async () => {
		const rows = await stack.db(`SELECT id FROM turns WHERE chat_id = '${track.chat_id}' AND state = 'failed'`);

		return rows.length > 0 && rows;
	});

	assert.equal((await ws.restore()).message_count, 0);
	ws.send({ type: "regenerate", chat_id: track.chat_id, turn_id: turn.id });
	const welcome = await ws.next("ai_response");
	assert.equal(welcome.message_type, "welcome");
	assert.equal((await ws.restore()).message_count, 1);
	await ws.close();
});

test("a second message while a reply runs is refused with its own id and can be sent afterwards", async () => {
	const slow = await startStack({ persona: "demo", tokenDelayMs: 15 });

	try {
		const rest = await guestOf(slow);
		const ws = await chatOf(slow, rest, "busy-session");
		const first = await ws.post("A long answer, please");
		const id = randomUUID();

		await assert.rejects(ws.post("And this", { client_message_id: id }), /turn_in_progress/);
		await ws.next((f) => f.type === "ai_response" && f.turn_id === first.turn_id, 60000);
		await ws.turn("And this", { client_message_id: id, ms: 60000 });
		assert.equal((await ws.restore()).message_count, 4);

		/* Stop keeps what was written. */
		const third = await ws.post("Another long one");
		await ws.next((f) => f.type === "ai_delta" && f.turn_id === third.turn_id);
		ws.send({ type: "stop", turn_id: third.turn_id });
		const stopped = await ws.next((f) => f.type === "ai_response" && f.turn_id === third.turn_id);
		assert.equal(stopped.finish_reason, "stopped");
		assert.equal(ws.deltas(third.turn_id, stopped.epoch).map((d) => d.text).join(""), stopped.message);

		/* A page opened in mid-reply shows the text so far and goes on without a gap. */
		const fourth = await ws.post("One more");
		await ws.next((f) => f.type === "ai_delta" && f.turn_id === fourth.turn_id && f.offset === 3);
		const late = await chatOf(slow, rest, "busy-session");
		const restored = await late.restore();
		assert.equal(restored.active_turn.turn_id, fourth.turn_id);
		const end = await late.next((f) => f.type === "ai_response" && f.turn_id === fourth.turn_id, 60000);
		const rest_of_it = late.frames.filter((f) => f.type === "ai_delta" && f.turn_id === fourth.turn_id);
		rest_of_it.forEach((f, i) => assert.equal(f.offset, restored.active_turn.offset + i));
		assert.equal(restored.active_turn.text + rest_of_it.map((f) => f.text).join(""), end.message);
	} finally {
		await slow.stop();
	}
});
