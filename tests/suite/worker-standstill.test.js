/* FP-06: the only worker stands still, too short for chat to give it up. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { chatOf } from "../lib/ws.js";

const STOOD_MS = 2500;	/* a worker takes more than 2 s for having stood still */
const PEOPLE = 3;

let stack;

before(async () => {
	stack = await startStack({ persona: "echo", env: { WORKER_SILENCE_MS: "20000" } });
});
after(() => stack?.stop());

test("FP-06: work that comes while the only worker stands still costs one attempt, not the turn", async () => {
	const rest = await guestOf(stack);
	const sockets = await Promise.all(Array.from({ length: PEOPLE }, (_, i) => chatOf(stack, rest, `asleep-${i}`)));
	const [worker] = stack.daemons.ai;

	for (const ws of sockets)
		await ws.turn("awake");
	worker.kill("SIGSTOP");
	const accepted = await Promise.all(sockets.map((ws) => ws.post("Are you there?")));

	await sleep(STOOD_MS);
	worker.kill("SIGCONT");
	for (const [i, ws] of sockets.entries()) {
		const end = await ws.next((f) => f.type === "ai_response" && f.turn_id === accepted[i].turn_id, 30000);

		assert.equal(ws.deltas(end.turn_id, end.epoch).map((f) => f.text).join(""), end.message);
	}
	assert.deepEqual(await stack.db(`select distinct attempt from turns where id in (${accepted.map((a) => `'${a.turn_id}'`)})`), [{ attempt: 2 }]);
	await Promise.all(sockets.map((ws) => ws.close()));
});
