/* All versions of a reply that was generated more than once, read from its chat's history. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 0 });
});
after(() => stack?.stop());

test("a regenerated reply is one message of the dialogue and two versions", { timeout: 60000 }, async () => {
	const owner = await userOf(stack);
	const other = await userOf(stack);
	const track = await owner.createTrack();
	const ws = await chatOf(stack, owner, track.session_id);
	const path = `/api/chat/chats/${track.chat_id}/history`;
	const history = async (query = "") => (await owner.ok("GET", path + query)).history;

	await until("the welcome is there", async () => (await history()).length === 1, { ms: 30000 });
	const [first] = await history();
	assert.deepEqual(await history(`?versions_of=${first.id}`), [first]);

	ws.send({ type: "regenerate", message_id: first.id });
	const second = await until("the second version is there", async () => {
		const [newest] = await history();
		return newest.id !== first.id && newest;
	}, { ms: 30000 });
	assert.equal((await history()).length, 1);
	for (const id of [first.id, second.id]) {
		const versions = await history(`?versions_of=${id}`);
		assert.deepEqual(versions.map((entry) => [entry.id, entry.generation]), [[first.id, 1], [second.id, 2]]);
		assert.deepEqual(versions[0].content, first.content);
	}

	assert.deepEqual(await history(`?versions_of=${randomUUID()}`), []);
	assert.equal((await other.get(`${path}?versions_of=${first.id}`)).status, 404);
	const malformed = await owner.get(`${path}?versions_of=first`);
	assert.equal(malformed.status, 422);
	assert.deepEqual(malformed.body.detail[0].loc, ["query", "versions_of"]);
	ws.close?.();
});
