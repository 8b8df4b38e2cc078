/* R7: a turn costs at most ATTEMPTS_MAX calls to the model, whoever dies how often. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const CALLS_MAX = 3;
const END_MS = 60000;

let stack, worker, rest;

before(async () => {
	stack = await startStack({ persona: "echo", workers: 1, env: { WORKER_SILENCE_MS: "3000" } });
	stack.expectExit(/SIGKILL/);
	[worker] = stack.daemons.ai;
	rest = await guestOf(stack);
});
after(() => stack?.stop());

/* The worker meets the fault in this life, and in each of the next ones, however short, until `live()` is called. */
async function dieAgainAndAgain(faults) {
	await worker.arm(faults);
	worker.env.FAULTS = faults;
	return { live: () => delete worker.env.FAULTS };
}

async function turnWith(session, faults, { chatToo = false } = {}) {
	const id = randomUUID();
	const ws = await chatOf(stack, rest, session);

	await stack.sim.forget();
	await stack.sim.script({ match: id, marked: 40, token_delay: 10, times: "always" });
	await worker.waitReady();
	const dying = await dieAgainAndAgain(faults);
	const accepted = await ws.post(`again ${id}`, { client_message_id: id });

	if (chatToo) {
		await until("a second call", async () => (await stack.sim.calls()).total >= 2, { ms: END_MS });
		await stack.daemons.chat.crash();
	}
	const end = await ws.next((f) => f.turn_id === accepted.turn_id && ["ai_response", "error"].includes(f.type), END_MS);

	dying.live();
	await worker.waitReady();
	await ws.close();
	return { end, calls: (await stack.sim.calls()).total, ws, turn: accepted.turn_id };
}

test("a worker that dies before the first piece, again and again", async () => {
	const { end, calls } = await turnWith("first-byte", "ai_first_byte=kill");

	assert.deepEqual([end.type, end.code], ["error", "ai_unavailable"]);
	assert.equal(calls, CALLS_MAX);
});

test("a worker that dies in the middle, again and again: what was shown last is kept", async () => {
	const { end, calls, ws, turn } = await turnWith("middle", "ai_after_delta=kill@5");

	assert.deepEqual([end.type, end.finish_reason], ["ai_response", "interrupted"]);
	assert.equal(end.epoch, CALLS_MAX);
	assert.equal(end.message, ws.deltas(turn, end.epoch).map((f) => f.text).join(""));
	assert.equal(calls, CALLS_MAX);
});

test("a chat that dies meanwhile does not begin to count anew", async () => {
	const { end, calls } = await turnWith("chat-too", "ai_after_delta=kill@5", { chatToo: true });

	assert.ok(end.type === "error" || end.finish_reason === "interrupted", JSON.stringify(end));
	assert.ok(calls <= CALLS_MAX, `${calls} calls`);
});
