/*
 * A guest's way through the product at 127.0.0.1:8000, or with a file of an earlier
 * way, whether all of it is still there:   node dialogue.js FILE [check]
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { Rest } from "../lib/rest.js";
import { until } from "../lib/until.js";

const [file, what] = process.argv.slice(2);
const rest = new Rest("http://127.0.0.1:8000");
const messagesOf = async (chat) => (await rest.history(chat)).history.map(({ id, content }) => ({ id, content }));

if (what === "check") {
	const kept = JSON.parse(readFileSync(file, "utf8"));

	rest.token = kept.token;
	assert.deepEqual(await messagesOf(kept.chat), kept.messages);
} else {
	await rest.guest();
	const track = await rest.createTrack({ title: "Vim" });

	await until("the welcome is over", async () => (await messagesOf(track.chat_id)).length === 1, { ms: 60000 });
	await rest.ok("POST", "/api/ai/chat-response", { message: "Shorter, please", session_id: track.session_id });
	writeFileSync(file, JSON.stringify({ token: rest.token, chat: track.chat_id, messages: await messagesOf(track.chat_id) }));
}
