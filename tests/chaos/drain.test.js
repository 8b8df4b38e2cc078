/* What is only being begun when chat leaves is given up by it whole: nothing leaks, nothing is half done. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "echo", workers: 1, env: { DRAIN_MS: "2000" } });
});
after(() => stack?.stop());	/* fails on a leak, and on any end but 0 */

test("chat leaves while the store does not answer a begin; the message is taken later, once", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "begun");
	const id = randomUUID();
	const { chat, store } = stack.daemons;

	await ws.turn("warm");
	store.kill("SIGSTOP");
	await chat.arm("chat_after_begin_request=delay:1");
	const from = chat.lines.length;

	ws.send({ message: "while the store stands still", client_message_id: id });
	await chat.waitEvent("fault.hit", () => true, { from });
	chat.kill("SIGTERM");
	await chat.waitLine(/-- chat pid \d+ ended: code 0/, { from, ms: 20000 });
	store.kill("SIGCONT");
	await stack.waitReady();
	const { response } = await ws.turn("while the store stands still", { client_message_id: id, ms: 30000 });

	assert.equal(response.client_message_id, id);
	assert.deepEqual(await stack.db(`select count(*)::int as n from chat_messages where client_message_id = '${id}'`), [{ n: 1 }]);
	await ws.close();
});
