/* Faults of clients, row by row of docs/reliability.md (FC), that no test nearer to gateway shows. */

import assert from "node:assert/strict";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Raw } from "../component/gateway-lib.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 10 });
});
after(() => stack?.stop());

const ends = (ws, turnId, ms = 40000) => ws.next((f) => (f.type === "ai_response" || f.type === "error") && f.turn_id === turnId, ms);
const joined = (ws, end) => ws.deltas(end.turn_id, end.epoch).map((f) => f.text).join("");
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/* The guest's own token, as if it had been issued to live for so many seconds. */
function shortToken(token, seconds) {
	const now = Math.floor(Date.now() / 1000);
	const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
	const signing = `${b64({ alg: "HS256", typ: "JWT" })}.${b64({ ...claims, iat: now, exp: now + seconds })}`;

	return `${signing}.${createHmac("sha256", stack.env.SECRET_KEY).update(signing).digest("base64url")}`;
}

test("FC-02: many chats stream into one socket, and every piece is of its own chat", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const ws = await chatOf(stack, rest, track.session_id);
	const chats = await Promise.all([0, 1, 2, 3].map((i) => rest.ok("POST", "/api/chat/chats", { session_id: track.session_id, chat_name: `Chat ${i}`, chat_type: "discussion" })));
	const accepted = [];

	for (const [i, chat] of chats.entries())
		accepted.push(await ws.post(`mark-${i} [[sim:marked=60]]`, { chat_id: chat.id }));
	const replies = await Promise.all(accepted.map((a) => ends(ws, a.turn_id)));

	for (const [i, end] of replies.entries()) {
		const word = /^c\d+w/.exec(end.message)[0];

		assert.equal(end.chat_id, chats[i].id);
		assert.equal(joined(ws, end), end.message);
		assert.ok(end.message.trim().split(/\s+/).every((w) => w.startsWith(word)), "one call's words only");
		assert.ok(ws.deltas(end.turn_id, 1).every((f) => f.chat_id === chats[i].id));
	}
	assert.equal(new Set(replies.map((r) => r.message)).size, 4);
	await ws.close();
});

test("FC-03: two tabs send at once: one order, the second is refused or waits, nothing is lost", async () => {
	const rest = await guestOf(stack);
	const tabs = await Promise.all([1, 2].map(() => chatOf(stack, rest, "two-tabs")));

	for (let round = 0; round < 3; round++) {
		const ids = tabs.map(() => randomUUID());
		const answers = await Promise.all(tabs.map(async (ws, i) => {
			ws.send({ message: `tab ${i} round ${round} [[sim:tokens=5]]`, client_message_id: ids[i] });
			return ws.next((f) => (f.type === "accepted" || f.type === "error") && f.client_message_id === ids[i]);
		}));
		const first = answers.findIndex((f) => f.type === "accepted");

		assert.ok(first >= 0);
		await Promise.all(tabs.map((ws) => ends(ws, answers[first].turn_id)));
		for (const [i, answer] of answers.entries())
			if (answer.type === "error") {
				assert.equal(answer.code, "turn_in_progress");
				const accepted = await tabs[i].post(`tab ${i} round ${round} [[sim:tokens=5]]`, { client_message_id: ids[i] });

				await Promise.all(tabs.map((ws) => ends(ws, accepted.turn_id)));
			}
	}
	const [one, two] = await Promise.all(tabs.map((ws) => ws.restore()));

	assert.deepEqual(one.history, two.history);
	assert.deepEqual(one.history.map((m) => m.seq), Array.from({ length: 12 }, (_, i) => i + 1));
	await Promise.all(tabs.map((ws) => ws.close()));
});

test("FC-10: a sign-in that runs out while a reply is written: the turn is stored, and a new one goes on", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, { token: shortToken(rest.token, 3) }, "expiring");
	const accepted = await ws.post("Long enough [[sim:tokens=600]]");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id);
	assert.equal((await ws.closed).code, 4401);
	const shown = ws.deltas(accepted.turn_id, 1).map((f) => f.text).join("");
	const back = await chatOf(stack, rest, "expiring");

	back.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 1, offset: 0 });
	const end = await ends(back, accepted.turn_id);

	assert.ok(end.message.startsWith(shown) && shown.length > 0, "nothing that was shown has changed");
	assert.equal((await back.restore()).history[1].content, end.message);
	await back.close();
});

/* A client's frame: masked unless told otherwise. */
function frame({ fin = true, rsv = 0, opcode = 1, payload = Buffer.alloc(0), masked = true, size }) {
	const mask = randomBytes(4);
	const length = size ?? payload.length;
	const head = length < 126 ? Buffer.from([length]) : length < 65536 ? Buffer.from([126, length >> 8, length & 255])
		: Buffer.concat([Buffer.from([127]), Buffer.from(BigInt(length).toString(16).padStart(16, "0"), "hex")]);

	head[0] |= masked ? 128 : 0;
	return Buffer.concat([Buffer.from([(fin ? 128 : 0) | rsv << 4 | opcode]), head, masked ? mask : Buffer.alloc(0),
		Buffer.from(payload.map((byte, i) => masked ? byte ^ mask[i % 4] : byte))]);
}

test("FC-09: frames that break the protocol end their socket and nobody else's", async () => {
	const rest = await guestOf(stack);
	const calm = await chatOf(stack, rest, "calm");
	const text = Buffer.from('{"type":"ping","t":1}');
	const long = Buffer.alloc(126, 0x61);
	const CASES = {
		"reserved bits": [frame({ rsv: 4, payload: text })],
		"an unknown opcode": [frame({ opcode: 3, payload: text })],
		"an unknown control opcode": [frame({ opcode: 11 })],
		"a control frame in pieces": [frame({ fin: false, opcode: 9, payload: text })],
		"a ping that is too long": [frame({ opcode: 9, payload: long })],
		"a continuation of nothing": [frame({ opcode: 0, payload: text })],
		"a second beginning": [frame({ fin: false, payload: text }), frame({ payload: text })],
		"a close frame of one byte": [frame({ opcode: 8, payload: Buffer.from([3]) })],
		"a close code that may not be sent": [frame({ opcode: 8, payload: Buffer.from([3, 0xed]) })],
		"a length beyond all": [frame({ size: Number.MAX_SAFE_INTEGER, payload: text })],
		"a proper close": [frame({ opcode: 8, payload: Buffer.from([3, 0xe8]) })],
	};

	await Promise.all(Object.entries(CASES).map(async ([name, frames]) => {
		const raw = await Raw.open(stack.ports.GATEWAY_LISTEN);

		raw.send(`GET /ws/chat/broken HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
			+ `Authorization: Bearer ${rest.token}\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
		assert.equal(await raw.status(), 101, name);
		for (const bytes of frames)
			raw.socket.write(bytes);
		await raw.untilClosed(20000).catch((err) => assert.fail(`${name}: ${err.message}`));
	}));
	const { response } = await calm.turn("Still there? [[sim:tokens=5]]");
	assert.equal(response.state ?? "completed", "completed");
	await calm.close();
});

test("FC-12: a guest who comes back with his token finds his dialogue, another guest nothing of it", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "returning");
	const { response } = await ws.turn("Remember this [[sim:tokens=5]]");

	await ws.drop();
	const back = await chatOf(stack, rest, "returning");
	assert.deepEqual((await back.restore()).history.map((m) => m.sender), ["user", "ai"]);
	const other = await guestOf(stack);
	assert.equal((await other.get(`/api/chat/chats/${response.chat_id}/history`)).status, 404);
	const stranger = await chatOf(stack, other, "returning");
	assert.equal((await stranger.restore()).history?.length ?? 0, 0);
	await Promise.all([back.close(), stranger.close()]);
});
