/*
 * Two tabs, a phone and a curl on one account: whatever way a message came in,
 * all of them see the same dialogue in the same order.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { release } from "../lib/release.js";
import { Rest, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { Ws, chatOf } from "../lib/ws.js";
import { secondGateway } from "../component/gateway-lib.js";

let stack, second;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 1 });
	second = await secondGateway(stack);
});
after(() => release(second, stack));

/* The dialogue as a device puts it together from what it was sent: texts by their place. */
function shown(history, frames) {
	const places = new Map(history.map((entry) => [entry.seq, entry.content]));

	for (const frame of frames)
		if (frame.type === "accepted" && frame.message !== undefined)
			places.set(frame.seq, frame.message);
		else if (frame.type === "ai_response")
			places.set(frame.seq, frame.message);
	return places;
}

test("two tabs, a phone and a curl on one account see the same dialogue in the same order", { timeout: 120000 }, async () => {
	const owner = await userOf(stack);
	const track = await owner.createTrack();
	const phone = await new Rest(second.url).login(owner.credentials);
	const curl = await new Rest(stack.url).login(owner.credentials);
	const sockets = {
		tab1: await chatOf(stack, owner, track.session_id),
		tab2: await chatOf(stack, owner, track.session_id),
		phone: await Ws.open(`${second.wsUrl}/ws/chat/${track.session_id}`, { token: phone.token }),
	};

	await until("the welcome is over", async () => (await sockets.tab1.restore()).message_count === 1, { ms: 30000 });
	const histories = {};

	for (const [name, ws] of Object.entries(sockets)) {
		histories[name] = (await ws.restore()).history;
		ws.said = ws.frames.length;
	}

	/* Everybody speaks, one after another and at once: who comes second waits for his turn. */
	const say = async (name, text) => {
		for (;;) {
			if (name === "curl") {
				const answer = await curl.post("/api/ai/chat-response", { session_id: track.session_id, message: text });

				if (answer.status === 200)
					return;
				assert.equal(answer.status, 409, answer.text);
			} else {
				try {
					const { turn_id } = await sockets[name].post(text);

					await sockets[name].next((f) => f.type === "ai_response" && f.turn_id === turn_id, 30000);
					return;
				} catch (err) {
					assert.match(err.message, /turn_in_progress/);
				}
			}
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	};

	await say("tab1", "from the first tab");
	await say("phone", "from the phone");
	await say("curl", "from curl");
	await Promise.all([say("tab1", "one"), say("tab2", "two"), say("phone", "three"), say("curl", "four")]);

	const { history } = await curl.history(track.chat_id);
	const truth = history.map((entry) => entry.content);

	assert.equal(truth.length, 15);
	history.forEach((entry, i) => assert.equal(entry.seq, i + 1));
	history.slice(1).forEach((entry, i) => assert.equal(entry.sender, i % 2 === 0 ? "user" : "ai"));
	for (const [name, ws] of Object.entries(sockets)) {
		await until(`${name} has seen the last reply`, () => ws.frames.some((f) => f.type === "ai_response" && f.seq === 15));
		const places = shown(histories[name], ws.frames.slice(ws.said));

		/* Its own messages it has shown before it sent them; their place came with the acknowledgement. */
		for (const frame of ws.frames.filter((f) => f.type === "accepted" && f.message === undefined))
			places.set(frame.seq, truth[frame.seq - 1]);
		assert.deepEqual([...places].sort(([a], [b]) => a - b).map(([, text]) => text), truth, name);
		const arrived = ws.frames.slice(ws.said).filter((f) => f.type === "ai_response").map((f) => f.seq);

		assert.deepEqual(arrived, [...arrived].sort((a, b) => a - b), `${name}: in the order of the dialogue`);
		assert.deepEqual((await ws.restore()).history, history, name);
		assert.equal(ws.frames.filter((f) => f.type === "accepted").length, 7, `${name}: each message once`);
	}
	assert.deepEqual((await phone.history(track.chat_id)).history, history);
	assert.deepEqual((await curl.ok("GET", `/api/chat/chats/${track.chat_id}/messages`)).map((m) => m.message_content), truth);

	/* What it has cost is what the receipts say. */
	const usage = await curl.ok("GET", `/api/chat/chats/${track.chat_id}/usage`);
	const receipts = history.filter((entry) => entry.sender === "ai");

	assert.equal(usage.messages, 15);
	assert.equal(usage.total_tokens, receipts.reduce((sum, entry) => sum + entry.tokens_used, 0));
	assert.ok(Math.abs(usage.cost.amount - receipts.reduce((sum, entry) => sum + entry.cost.amount, 0)) < 1e-9);
	assert.deepEqual(await phone.ok("GET", `/api/chat/sessions/${track.session_id}/usage`), usage);
	assert.equal((await curl.ok("GET", "/api/analytics")).planning_activity.messages, 15);
	for (const ws of Object.values(sockets))
		await ws.close();
});

test("figures are one's own", async () => {
	const [a, b] = [await userOf(stack), await userOf(stack)];
	const track = await a.createTrack();

	assert.equal((await b.ok("GET", "/api/analytics")).total.chats, 0);
	for (const path of [`/api/chat/chats/${track.chat_id}/usage`, `/api/chat/sessions/${track.session_id}/usage`]) {
		assert.equal((await a.get(path)).status, 200);
		assert.equal((await b.get(path)).status, 404);
		assert.equal((await new Rest(stack.url).get(path)).status, 403);
	}
	assert.equal((await a.get("/api/chat/chats/no-id/usage")).status, 400);
	assert.equal((await new Rest(stack.url).get("/api/analytics")).status, 403);
});
