/* What was acknowledged survives the death of any daemon, and sending it again changes nothing. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "echo", tokenDelayMs: 0, workers: 2, env: { WORKER_SILENCE_MS: "1500" } });
	stack.expectExit(/SIGKILL/);
});
after(() => stack?.stop());

const daemonOf = (name) => (name === "ai" ? stack.daemons.ai[0] : stack.daemons[name]);

for (const name of ["gateway", "chat", "ai", "store"]) {
	test(`every message survives kill -9 of ${name} between turns`, async () => {
		const rest = await guestOf(stack);
		const session = `kill-${name}`;
		let ws = await chatOf(stack, rest, session);
		const sent = [];

		for (let i = 0; i < 3; i++) {
			const id = randomUUID();
			const { accepted, response } = await ws.turn(`message ${i} ${id}`, { client_message_id: id });

			sent.push({ id, turn: accepted.turn_id, reply: response.message });
			await daemonOf(name).crash();
			await stack.waitReady();
			if (name === "gateway")
				ws = await chatOf(stack, rest, session);
		}
		for (const [i, { id, turn, reply }] of sent.entries()) {
			const accepted = await ws.post(`message ${i} ${id}`, { client_message_id: id });
			const response = await ws.next((f) => f.type === "ai_response" && f.turn_id === turn);

			assert.equal(accepted.turn_id, turn);
			assert.equal(response.message, reply);
		}
		const restored = await ws.restore();
		assert.deepEqual(restored.history.map((m) => m.sender), Array(3).fill(["user", "ai"]).flat());
		assert.deepEqual(restored.history.filter((m) => m.sender === "ai").map((m) => m.content), sent.map((s) => s.reply));
		assert.deepEqual(restored.history.map((m) => m.seq), [1, 2, 3, 4, 5, 6]);
		await ws.close();
	});
}

test("accepted is said only after the commit", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "acks");

	await ws.turn("warm");
	stack.daemons.store.kill("SIGSTOP");
	const id = randomUUID();
	ws.send({ message: "while the store stands still", client_message_id: id });
	await new Promise((resolve) => setTimeout(resolve, 700));
	assert.equal(ws.frames.filter((f) => f.client_message_id === id).length, 0);
	stack.daemons.store.kill("SIGCONT");
	await ws.next((f) => f.type === "accepted" && f.client_message_id === id);
	const rows = await stack.db(`SELECT count(*)::int AS n FROM chat_messages WHERE client_message_id = '${id}'`);
	assert.equal(Number(rows[0].n), 1);
	await ws.next((f) => f.type === "ai_response" && f.client_message_id === id);
	await ws.close();
});

for (const name of ["chat", "store", "ai"]) {
	test(`a reply goes on when ${name} is killed in the middle of it`, async () => {
		const slow = await startStack({ persona: "demo", tokenDelayMs: 8, workers: 2, env: { WORKER_SILENCE_MS: "1500" } });

		slow.expectExit(/SIGKILL/);
		try {
			const rest = await guestOf(slow);
			const ws = await chatOf(slow, rest, "mid-stream");
			const accepted = await ws.post("A long answer, please");

			await ws.next((f) => f.type === "ai_delta" && f.offset >= 3);
			const victims = name === "ai" ? slow.daemons.ai : [slow.daemons[name]];
			const busy = name === "ai"
				? await until("a worker is busy", async () => {
					for (const d of victims)
						if ((await (await fetch(`${d.health}/healthz`)).json()).busy > 0)
							return d;
					return null;
				})
				: victims[0];
			busy.kill("SIGKILL");
			const end = await ws.next((f) => f.type === "ai_response" && f.turn_id === accepted.turn_id, 60000);
			const text = ws.deltas(accepted.turn_id, end.epoch).map((f) => f.text).join("");

			assert.equal(text, end.message);
			assert.equal(end.finish_reason, "stop");
			if (name === "ai")
				assert.ok(ws.frames.some((f) => f.type === "ai_reset" && f.turn_id === accepted.turn_id), "a new attempt is announced");
			else
				assert.equal(end.epoch, 1, "what was shown has not changed");
			const restored = await ws.restore();
			assert.equal(restored.message_count, 2);
			assert.equal(restored.history[1].content, end.message);
			await ws.close();
		} finally {
			await slow.stop();
		}
	});
}
