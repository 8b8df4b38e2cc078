/* "Testing the single chat_id", the five steps of the original documentation, as written there: no token, ids of its own. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { Ws } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 0 });
});
after(() => stack?.stop());

test("the five steps give one chat_id for the whole dialogue", async () => {
	const rest = new Rest(stack.url);

	/* 1. welcome message */
	const welcome = await rest.welcome({ session_id: "test-session", user_id: "user-123", skill_area: "Python",
		user_expectations: "Хочу освоить основы", difficulty_level: "beginner", duration_hours: 30 });
	assert.equal(welcome.success, true);
	assert.ok(welcome.message.length > 100);
	assert.ok(welcome.tokens_used > 0);

	/* 2., 3. come back, connect, restore */
	const ws = await Ws.open(`${stack.wsUrl}/ws/chat/test-session`);
	ws.send({ type: "restore_chat", user_id: "user-123" });
	const restored = await ws.next("chat_restored");
	assert.equal(restored.chat_id, welcome.chat_id);
	assert.equal(restored.message_count, 1);
	assert.equal(restored.history[0].content, welcome.message);

	/* 4. go on in the same chat */
	ws.send({ message: "Добавь модуль про тестирование", user_id: "user-123", chat_id: welcome.chat_id });
	const answer = await ws.next("ai_response");
	assert.equal(answer.chat_id, welcome.chat_id);
	assert.match(answer.message, /тестировани/i);

	/* 5. the database has one chat_id */
	const rows = await stack.db(`SELECT chat_id, sender_type, message_content FROM chat_messages
		WHERE chat_id = '${welcome.chat_id}' ORDER BY timestamp`);
	assert.deepEqual(rows.map((row) => row.sender_type), ["ai", "user", "ai"]);
	const all = await stack.db("SELECT count(DISTINCT chat_id)::int AS n, count(*)::int AS messages FROM chat_messages");
	assert.deepEqual([Number(all[0].n), Number(all[0].messages)], [1, 3]);

	/* Asking for the welcome again gives the first one. */
	const again = await rest.welcome({ session_id: "test-session", user_id: "user-123", skill_area: "Python",
		user_expectations: "Хочу освоить основы", difficulty_level: "beginner", duration_hours: 30 });
	assert.equal(again.message, welcome.message);
	assert.equal(again.chat_id, welcome.chat_id);
	await ws.close();
});
