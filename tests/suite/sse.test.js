/* The events of a turn over HTTP: what a socket would be told, with Accept: text/event-stream. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { EventStream } from "../lib/sse.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const RESPONSE = "/api/ai/chat-response";
const WELCOME = "/api/ai/welcome-message";
const PLAN = { user_id: "x", skill_area: "Python", user_expectations: "tools", difficulty_level: "beginner", duration_hours: 20 };

let stack;

before(async () => {
	stack = await startStack({ persona: "echo", tokenDelayMs: 2, env: { WORKER_SILENCE_MS: "1500" } });
	stack.expectExit(/SIGKILL|code=75/);
});
after(() => stack?.stop());

const say = (rest, body, headers) => EventStream.post(rest, RESPONSE, body, headers);
const words = (n) => Array.from({ length: n }, (_, i) => `word${i}`).join(" ");
const historyOf = async (rest, chatId) => (await rest.history(chatId)).history;

async function whole(stream, text) {
	const events = await stream.all();
	const final = events.at(-1);

	assert.equal(stream.status, 200);
	assert.match(stream.type, /^text\/event-stream/);
	assert.equal(events[0].type, "accepted");
	assert.equal(final.type, "ai_response");
	assert.equal(final.frame.message, text);
	assert.equal(stream.text(), text);
	assert.equal(final.id, `${final.frame.epoch}.${stream.of("ai_delta").length}`);
	events.forEach((event) => assert.equal(event.type, event.frame.type));
	return { accepted: events[0].frame, final: final.frame };
}

for (const [name, make] of [["a user", userOf], ["a guest", guestOf], ["nobody", async () => new Rest(stack.url)]]) {
	test(`${name} reads a reply as it is written`, async () => {
		const rest = await make(stack);
		const text = words(40);
		const stream = await say(rest, { message: text, session_id: `sse-${randomUUID()}`, user_id: randomUUID() });
		const { accepted, final } = await whole(stream, text);

		assert.ok(stream.of("ai_delta").length > 3, "it came in pieces");
		assert.equal(accepted.turn_id, final.turn_id);
		assert.equal(accepted.chat_id, final.chat_id);
		assert.ok(final.timing.total > 0 && final.model_used && final.tokens_used > 0);
		if (rest.token)
			assert.deepEqual((await historyOf(rest, final.chat_id)).map((m) => m.content), [text, text]);
	});
}

test("a socket of the session and the stream are told the same", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "both");
	const text = words(60);
	const stream = await say(rest, { message: text, session_id: "both" });
	const { final } = await whole(stream, text);
	const seen = await ws.next("ai_response");

	assert.equal(seen.message_id, final.message_id);
	assert.deepEqual(ws.deltas(final.turn_id, final.epoch).map((f) => f.text), stream.of("ai_delta").map((e) => e.frame.text));
	await ws.close();
});

const begun = (turns) => until("the turns run", async () =>
	(await stack.db(`select 1 from turns where state = 'running' and client_message_id in (${turns.map((id) => `'${id}'`)})`)).length === turns.length);

test("a reply that is stopped before it began ends with its status, and is no success without the header", async () => {
	const rest = await guestOf(stack);
	const [streamed, waited] = [randomUUID(), randomUUID()];
	const post = (id) => ({ message: "later [[sim:first_delay=60000]]", session_id: `stopped-${id}`, client_message_id: id });
	const stream = await say(rest, post(streamed));
	const answer = rest.post(RESPONSE, post(waited), { "accept-language": "en" });

	await begun([streamed, waited]);
	for (const id of [streamed, waited]) {
		const ws = await chatOf(stack, rest, `stopped-${id}`);
		const { active_turn } = await ws.restore();

		ws.send({ type: "stop", turn_id: active_turn.turn_id });
		const end = await ws.next((f) => f.turn_id === active_turn.turn_id && (f.type === "ai_response" || f.state === "stopped"));
		assert.equal(end.type, "ai_status");
		await ws.close();
	}
	const events = await stream.all();

	assert.deepEqual([events.at(-1).type, events.at(-1).frame.state], ["ai_status", "stopped"]);
	assert.ok(!events.some((event) => ["ai_response", "error"].includes(event.type)));
	const { status, body } = await answer;

	assert.deepEqual([status, body.success, body.response, body.message_id, body.error],
		[200, false, null, null, "The reply was stopped before it began"]);
});

test("without the header the answer is one JSON object", async () => {
	const rest = await guestOf(stack);
	const { status, body, headers } = await rest.post(RESPONSE, { message: "plain", session_id: "plain" });

	assert.equal(status, 200);
	assert.match(headers.get("content-type"), /^application\/json/);
	assert.deepEqual([body.success, body.response, body.error], [true, "plain", null]);
	assert.ok(body.chat_id && body.model_used && body.tokens_used > 0);
});

test("a welcome is streamed once; asked again it is answered with the first", async () => {
	const rest = await guestOf(stack);
	const body = { ...PLAN, session_id: "welcome" };
	const first = await EventStream.post(rest, WELCOME, body);
	const events = await first.all();
	const again = await EventStream.post(rest, WELCOME, body);
	const [accepted, ...others] = await again.all();

	assert.equal(events.at(-1).type, "ai_response");
	assert.equal(first.text(), events.at(-1).frame.message);
	assert.equal(accepted.type, "accepted");
	assert.deepEqual(others.map((e) => [e.type, e.frame.message_id]), [["ai_response", events.at(-1).frame.message_id]]);
	assert.equal((await historyOf(rest, events.at(-1).frame.chat_id)).length, 1);
});

test("who lost the stream goes on behind the last piece he had", async () => {
	const rest = await guestOf(stack);
	const text = words(300);
	const body = { message: text, session_id: "resume", client_message_id: randomUUID() };
	const first = await say(rest, body);

	for (let i = 0; i < 5; i++)
		await first.next("ai_delta");
	await first.drop();
	const had = first.of("ai_delta");
	const second = await say(rest, body, { "last-event-id": had.at(-1).id });
	const events = await second.all();

	assert.equal(second.of("ai_reset").length, 0);
	assert.equal(had.map((e) => e.frame.text).join("") + second.text({ from: had.length }), text);
	assert.equal(events.at(-1).frame.message, text);
	assert.equal((await historyOf(rest, events.at(-1).frame.chat_id)).length, 2, "one question, one answer");
});

test("a gateway that is killed is asked again with Idempotency-Key and Last-Event-ID", async () => {
	const rest = await guestOf(stack);
	const text = words(600);
	const body = { message: text, session_id: "killed-gateway" };
	const key = { "idempotency-key": `k-${randomUUID()}` };
	const first = await say(rest, body, key);

	for (let i = 0; i < 3; i++)
		await first.next("ai_delta");
	await stack.daemons.gateway.crash("SIGKILL");
	await first.ended;
	const had = first.of("ai_delta");
	const second = await until("the gateway answers", () => say(rest, body, { ...key, "last-event-id": had.at(-1).id }));
	const events = await second.all();

	assert.equal(had.map((e) => e.frame.text).join("") + second.text({ from: had.length }), text);
	assert.equal(events.at(-1).frame.message, text);
});

test("a client that goes away ends nothing", async () => {
	const rest = await guestOf(stack);
	const stream = await say(rest, { message: words(200), session_id: "gone" });
	const { frame } = await stream.next("accepted");

	await stream.next("ai_delta");
	await stream.drop();
	const history = await until("the reply is stored", async () => {
		const entries = await historyOf(rest, frame.chat_id);

		return entries.length === 2 && entries;
	});
	assert.equal(history[1].content, words(200));
});

test("a worker that dies in the middle is told by ai_reset, and all comes again", async () => {
	const rest = await guestOf(stack);
	const text = words(400);
	const stream = await say(rest, { message: text, session_id: "reset" });

	await stream.next("ai_delta");
	await stack.daemons.ai[0].crash("SIGKILL");
	const events = await stream.all();

	assert.ok(stream.of("ai_reset").length >= 1);
	assert.equal(events.at(-1).type, "ai_response");
	assert.equal(stream.text(), text);
});

test("silence is filled with comments", async () => {
	await stack.sim.script({ match: "slow start", first_delay: 16500 });
	const rest = await guestOf(stack);
	const stream = await say(rest, { message: "slow start", session_id: "silence" });

	await whole(stream, "slow start");
	assert.ok(stream.comments >= 1);
});

test("a reply that fails ends with an error event", async () => {
	await stack.sim.script({ match: "refuse me", status: { code: 401 } });
	const rest = await guestOf(stack);
	const stream = await say(rest, { message: "refuse me", session_id: "fails" });
	const events = await stream.all();

	assert.deepEqual([events[0].type, events.at(-1).type, events.at(-1).frame.code], ["accepted", "error", "ai_refused"]);
});

test("what is refused is refused as without the header", async () => {
	const [owner, rest] = await Promise.all([userOf(stack), userOf(stack)]);
	const track = await owner.createTrack();
	const foreign = await say(rest, { message: "let me in", session_id: track.session_id });
	const unknown = await say(rest, { message: "let me in", session_id: randomUUID() });
	const blank = await say(rest, { message: " \n", session_id: "x" });
	const missing = await say(rest, { message: "x" });
	const long = await say(rest, { message: "x".repeat(32001), session_id: "x" });

	assert.equal(foreign.status, 404);
	assert.deepEqual(foreign.body, unknown.body);
	assert.equal((await EventStream.post(rest, WELCOME, { ...PLAN, session_id: track.session_id })).status, 404);
	assert.deepEqual([blank.status, blank.body.detail[0].loc], [422, ["body", "message"]]);
	assert.deepEqual([missing.status, missing.body.detail[0].loc], [422, ["body", "session_id"]]);
	assert.deepEqual([long.status, long.body.detail[0].loc], [422, ["body", "message"]]);
	for (const id of ["1", "x.y", "-1.-1", "9".repeat(60)])
		assert.equal((await (await say(rest, { message: "odd position", session_id: `odd-${id.length}` }, { "last-event-id": id })).all())
			.at(-1).type, "ai_response");
});

test("a second message while a reply runs is refused, the same id joins it", async () => {
	const rest = await guestOf(stack);
	const body = { message: words(300), session_id: "running", client_message_id: randomUUID() };
	const first = await say(rest, body);

	await first.next("ai_delta");
	const other = await say(rest, { message: "another", session_id: "running" });
	const joined = await say(rest, body);

	assert.equal(other.status, 409);
	await Promise.all([whole(first, body.message), whole(joined, body.message)]);
});

test("HTTP/1.0 gets the same without chunks, and the connection's end", async () => {
	const socket = connect(stack.ports.GATEWAY_LISTEN, "127.0.0.1");
	const body = JSON.stringify({ message: words(10), session_id: "old" });
	let text = "";

	socket.on("data", (data) => {
		text += data;
	});
	socket.write(`POST ${RESPONSE} HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n`
		+ `Content-Length: ${body.length}\r\n\r\n${body}`);
	await once(socket, "close");
	assert.match(text, /^HTTP\/1\.[01] 200 /);
	assert.doesNotMatch(text, /transfer-encoding/i);
	assert.match(text, /\r\n\r\nevent: accepted\n/);
	assert.match(text, /event: ai_response\nid: 1\.\d+\ndata: \{.*\}\n\n$/);
});

test("a gateway that ends breaks the stream off at once, and its successor goes on", async () => {
	const rest = await guestOf(stack);
	const text = words(900);
	const body = { message: text, session_id: "drain", client_message_id: randomUUID() };
	const first = await say(rest, body);

	await first.next("ai_delta");
	stack.daemons.gateway.kill("SIGTERM");
	await first.all(4000);
	assert.equal(first.of("ai_response").length, 0);
	await stack.waitReady();
	const second = await until("the gateway answers", () => say(rest, body, { "last-event-id": first.of("ai_delta").at(-1).id }));

	await second.all();
	assert.equal(first.text() + second.text({ from: first.of("ai_delta").length }), text);
});

test("events are sent to who likes them at least as much as JSON", async () => {
	const rest = await guestOf(stack);
	const type = async (accept) => (await rest.post(RESPONSE, { message: "hi", session_id: `accept-${randomUUID()}` }, { accept })).headers.get("content-type");

	for (const yes of ["Text/Event-Stream", "application/json, text/event-stream", "text/event-stream, application/json;q=0.5"])
		assert.match(await type(yes), /^text\/event-stream/, yes);
	for (const no of ["application/json, text/event-stream;q=0", "text/event-stream;q=0.5, application/json", "*/*"])
		assert.equal(await type(no), "application/json", no);
});

/* 422 that names one header, or one field of the body. */
function assertNamed(answer, loc, type) {
	const body = answer.body ?? JSON.parse(answer.text);

	assert.equal(answer.status, 422, JSON.stringify(body));
	assert.deepEqual([body.detail.map((entry) => [entry.type, entry.loc]), typeof body.message], [[[type, loc]], "string"]);
	assert.ok(body.message.includes(loc[1]), body.message);
}

test("a key that was used for something else is named, as a stream and without", async () => {
	const rest = await guestOf(stack);
	const key = `k-${randomUUID()}`;
	const field = { client_message_id: randomUUID() }, header = { "idempotency-key": key };
	const say = { message: "one", session_id: "keys" };

	await rest.ok("POST", RESPONSE, { ...say, ...field });
	await rest.ok("POST", RESPONSE, say, header);
	for (const post of [(...args) => rest.post(RESPONSE, ...args), (...args) => EventStream.post(rest, RESPONSE, ...args)]) {
		assertNamed(await post({ ...say, message: "two", ...field }), ["body", "client_message_id"], "value_error");
		assertNamed(await post({ ...say, message: "two" }, header), ["header", "Idempotency-Key"], "value_error");
		assertNamed(await post({ ...say, message: "two", ...field }, header), ["body", "client_message_id"], "value_error");
	}
	const { body } = await rest.post(RESPONSE, { ...say, message: "two" }, { ...header, accept: "application/problem+json" });

	assert.deepEqual([body.status, body.errors[0].loc], [422, ["header", "Idempotency-Key"]]);
	assert.equal((await rest.ok("POST", RESPONSE, say, header)).success, true, "the same asked again answers the same");
});

test("a key or a position that is too long is refused, and nothing is made of it", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const say = { message: "one", session_id: "long-keys" };
	const long = (name, length) => ({ [name]: "k".repeat(length) });

	assertNamed(await rest.post(RESPONSE, say, long("idempotency-key", 256)), ["header", "Idempotency-Key"], "string_too_long");
	assertNamed(await rest.post(RESPONSE, say, long("last-event-id", 65)), ["header", "Last-Event-ID"], "string_too_long");
	assertNamed(await rest.post("/api/chat/chats", { session_id: track.session_id }, long("idempotency-key", 300)), ["header", "Idempotency-Key"], "string_too_long");
	assertNamed(await rest.post("/api/tracks", { title: "t", description: "", difficulty_level: "beginner", estimated_duration_hours: 1, user_expectations: "" },
		long("idempotency-key", 300)), ["header", "Idempotency-Key"], "string_too_long");
	const refused = await rest.post("/api/tracks", { title: "t", description: "", difficulty_level: "beginner", estimated_duration_hours: 1, user_expectations: "" },
		long("idempotency-key", 129));
	assert.deepEqual([refused.status, refused.body.field], [400, "Idempotency-Key"], refused.text);
	assert.equal((await rest.tracks()).length, 1);
	const [first, again] = [await rest.ok("POST", RESPONSE, say, long("idempotency-key", 255)), await rest.ok("POST", RESPONSE, say, long("idempotency-key", 255))];
	assert.equal(first.message_id, again.message_id, "the longest is a key like any other");
	assert.equal((await historyOf(rest, first.chat_id)).length, 2);
});
