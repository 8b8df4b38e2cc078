/* Several ai workers share the work. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "echo", tokenDelayMs: 5, workers: 3 });
	stack.expectExit(/SIGKILL|code=0/);
});
after(() => stack?.stop());

const workersSeen = async () => (await (await fetch(`${stack.daemons.chat.health}/healthz`)).json()).workers;

async function attempts(worker) {
	const metrics = await worker.metrics();

	return Object.entries(metrics).filter(([name]) => name.startsWith("alp_ai_attempts_total")).reduce((sum, [, n]) => sum + n, 0);
}

test("work spreads over three workers", async () => {
	await until("chat sees three workers", async () => (await workersSeen()) === 3);
	const rest = await guestOf(stack);
	const sockets = await Promise.all(Array.from({ length: 12 }, (_, i) => chatOf(stack, rest, `spread-${i}`)));

	for (let round = 0; round < 4; round++)
		await Promise.all(sockets.map((ws) => ws.turn(`round ${round}`)));
	const counts = await Promise.all(stack.daemons.ai.map(attempts));
	assert.equal(counts.reduce((a, b) => a + b, 0), 48);
	assert.ok(Math.min(...counts) >= 8, `each has a fair share: ${counts}`);
	await Promise.all(sockets.map((ws) => ws.close()));
});

test("a worker killed while idle is not noticed by anyone", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "idle-kill");

	await ws.turn("before");
	for (const worker of stack.daemons.ai) {
		worker.kill("SIGKILL");
		const start = performance.now();
		const { response } = await ws.turn(`after ${worker.name}`);

		/* The second attempt: chat may meet the dead worker's slot before it hears that the connection has ended. */
		assert.ok(response.epoch <= 2, `epoch ${response.epoch}`);
		assert.ok(performance.now() - start < 1500, "nobody waited");
		await stack.waitReady();
		await until("chat sees three workers again", async () => (await workersSeen()) === 3);
	}
	assert.ok(!ws.frames.some((f) => f.type === "error" || f.type === "ai_reset" || f.state === "retrying"));
	await ws.close();
});

test("a worker that is leaving gets nothing more and costs no attempt", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "leaving");

	for (const worker of stack.daemons.ai) {
		worker.kill("SIGTERM");
		const { response } = await ws.turn(`while ${worker.name} leaves`);

		assert.equal(response.epoch, 1);
		await until(`${worker.name} is back`, async () => (await workersSeen()) === 3);
		await stack.waitReady();
	}
	assert.ok(!ws.frames.some((f) => f.type === "error" || f.type === "ai_reset"));
	await ws.close();
});

test("turns wait visibly while there is no worker, and go on when one comes", async () => {
	const lone = await startStack({ persona: "echo", tokenDelayMs: 0, workers: 0 });

	try {
		const rest = await guestOf(lone);
		const ws = await chatOf(lone, rest, "nobody-there");
		const accepted = await ws.post("Is anybody there?");

		await ws.next((f) => f.type === "ai_status" && f.state === "waiting" && f.turn_id === accepted.turn_id);
		await lone.addWorker();
		await ws.next((f) => f.type === "ai_response" && f.turn_id === accepted.turn_id);
		await ws.close();
	} finally {
		await lone.stop();
	}
});
