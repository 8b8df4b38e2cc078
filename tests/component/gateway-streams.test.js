/* Readers of a streamed reply that stop reading: what waits for them is bounded, and nobody else notices. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Receiver } from "ws";
import { release } from "../lib/release.js";
import { guestOf } from "../lib/rest.js";
import { EventStream } from "../lib/sse.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";
import { Narrow, secondGateway } from "./gateway-lib.js";

const QUEUE_MAX = 8192;
/* Some 4000 pieces, 600 KB of frames, to a socket; half of its queue is for them, the other is more than a rest and an end need. */
const MANY_WORDS = Array.from({ length: 2000 }, (_, i) => `word${i}`).join(" ");
const ROOMY_MAX = 131072;
const PATH = "/api/ai/chat-response";
/* Some 1000 pieces: 250 KB of events, twice what kernel and queue hold. */
const WORDS = Array.from({ length: 500 }, (_, i) => `word${i}`).join(" ");
const STALL = 900;	/* pieces */
const FAR = 700;
const readers = [];
let stack, gateway, roomy;

before(async () => {
	stack = await startStack({ env: { AI_JOIN_MS: "0", AI_STALL_MS: "300000" } });
	gateway = await secondGateway(stack, { WS_QUEUE_MAX: String(QUEUE_MAX) });
	roomy = await secondGateway(stack, { WS_QUEUE_MAX: String(ROOMY_MAX) });
});
after(() => release(...readers, gateway, roomy, stack));

/* A POST that wants events, from a reader that stops after so many bytes. */
function streamTo(rest, body, bytes) {
	const reader = new Narrow(gateway.port, bytes);
	const json = JSON.stringify(body);

	readers.push(reader);
	reader.send(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${rest.token}\r\nAccept: text/event-stream\r\n`
		+ `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
	return reader;
}

/* What a reader has got: the whole events, and whether the chunks were closed. */
function read(reader) {
	let [, rest] = reader.received.split(/\r\n\r\n(.*)/s);
	let text = "";

	for (let at; (at = rest.indexOf("\r\n")) > 0;) {
		const size = parseInt(rest.slice(0, at), 16);
		const chunk = Buffer.from(rest.slice(at + 2)).subarray(0, size);

		if (size === 0)
			return { events: eventsOf(text), whole: true };
		text += chunk.toString();
		rest = rest.slice(at + 2 + chunk.toString().length + 2);
	}
	return { events: eventsOf(text), whole: false };
}

const eventsOf = (text) => text.split("\n\n").slice(0, -1).filter((block) => !block.startsWith(":")).map((block) => {
	const field = (name) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];

	return { type: field("event"), id: field("id"), frame: JSON.parse(field("data")) };
});

/* The joined pieces, which must be without a gap. */
function joined(events) {
	const pieces = events.filter((event) => event.type === "ai_delta");

	pieces.forEach(({ id, frame }, i) => assert.deepEqual([frame.offset, id], [i, `${frame.epoch}.${i}`]));
	return pieces.map((event) => event.frame.text).join("");
}

const script = (rule) => stack.sim.script([rule]);

test("a stream that is not read is cut when its end does not fit, and the rest is had by asking again", async () => {
	const rest = await guestOf(gateway);
	const session = `session-${randomUUID()}`;
	const body = { message: "a long one", session_id: session, client_message_id: randomUUID() };
	const [calm, before] = [await chatOf(stack, rest, session), gateway.daemon.lines.length];

	await script({ match: body.message, text: WORDS });
	const reader = streamTo(rest, body, 400);
	const accepted = await calm.next("accepted");
	const end = await calm.next("ai_response", 90000);
	const cut = await gateway.daemon.waitEvent("stream.slow", () => true, { from: before });

	assert.equal(end.turn_id, accepted.turn_id);
	assert.ok(end.message === WORDS, "a socket beside it has all");
	assert.ok(Number(cut.bytes) <= QUEUE_MAX, `${cut.bytes} bytes waited`);
	await reader.stopped();
	reader.readOn();
	await reader.ended;
	const { events, whole } = read(reader);
	const got = joined(events);

	assert.equal(whole, false, "the cut shows as one");
	assert.ok(events.every((event) => event.type !== "ai_response"));
	assert.ok(got.length < WORDS.length && WORDS.startsWith(got));
	const again = await EventStream.post(rest, PATH, body, { "last-event-id": events.at(-1).id ?? "" });
	const final = (await again.all()).at(-1);

	assert.deepEqual([final.type, final.frame.message_id, final.frame.message === WORDS], ["ai_response", end.message_id, true]);
	await calm.close();
});

test("a stream whose reader comes back in time has missed nothing", async () => {
	const rest = await guestOf(gateway);
	const session = `session-${randomUUID()}`;
	const body = { message: "a pause", session_id: session, client_message_id: randomUUID() };
	const calm = await chatOf(stack, rest, session);

	await script({ match: body.message, text: WORDS, stall: { after_chunks: STALL } });
	const reader = streamTo(rest, body, 400);
	const { turn_id: turn } = await calm.next("accepted");
	await reader.stopped();
	await until("the model is far beyond what the reader has", () => calm.deltas(turn, 1).length > FAR, { ms: 60000 });
	assert.equal(Buffer.byteLength(reader.received), reader.limit);
	reader.readOn();
	await until("it has read what was written meanwhile", () => read(reader).events.filter((e) => e.type === "ai_delta").length === STALL, { ms: 60000 });
	calm.send({ type: "stop", turn_id: turn });
	const end = await calm.next("ai_response");

	await until("the stream ends", () => read(reader).whole);
	const { events } = read(reader);

	assert.deepEqual([events.at(-1).type, events.at(-1).frame.finish_reason], ["ai_response", "stopped"]);
	assert.ok(events.at(-1).frame.message === end.message && joined(events) === end.message, "the same text, whole and in pieces");
	await calm.close();
});

/* The other end of a socket by hand, from a reader that stops after so many bytes. */
function socketTo(rest, session, bytes) {
	const reader = new Narrow(roomy.port, bytes);

	readers.push(reader);
	reader.send(`GET /ws/chat/${session} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${rest.token}\r\nConnection: Upgrade\r\n`
		+ "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n");
	return reader;
}

/* The frames such a reader has got. */
function framesOf(reader) {
	const frames = [], receiver = new Receiver({ binaryType: "nodebuffer", isServer: false, extensions: {} });

	receiver.on("message", (data) => frames.push(JSON.parse(data.toString())));
	receiver.write(reader.bytes.subarray(reader.bytes.indexOf("\r\n\r\n") + 4));
	return frames;
}

test("a socket whose reader comes back after the end has missed nothing: what had no room comes as one piece before it", async () => {
	const rest = await guestOf(gateway);
	const session = `session-${randomUUID()}`;
	const message = "the end comes first";
	const calm = await chatOf(stack, rest, session);

	await script({ match: message, text: MANY_WORDS });
	const reader = socketTo(rest, session, 4096);
	await until("it is open", () => reader.received.startsWith("HTTP/1.1 101"));
	await calm.post(message);
	const end = await calm.next("ai_response", 90000);

	await reader.stopped();
	reader.readOn();
	await until("it has the end", () => framesOf(reader).some((frame) => frame.type === "ai_response"), { ms: 60000 });
	const frames = framesOf(reader).filter((frame) => frame.turn_id === end.turn_id);
	const pieces = frames.filter((frame) => frame.type === "ai_delta");

	assert.equal(frames.at(-1).type, "ai_response");
	pieces.forEach((piece, i) => assert.equal(piece.offset, i));
	assert.ok(pieces.length < calm.deltas(end.turn_id, 1).length, "not all had room");
	assert.equal(pieces.map((piece) => piece.text).join(""), end.message);
	await calm.close();
});
