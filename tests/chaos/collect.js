/* The dump of the database as the checker reads it. */

import { rows } from "../lib/pg.js";

const QUERIES = {
	users: "select id, is_guest from users",
	sessions: "select id, user_id, client_key from chat_sessions",
	chats: "select id, session_id, user_id, chat_type, status, last_seq from chats",
	messages: `select id, chat_id, user_id, turn_id, seq, sender_type, client_message_id, tokens_used, finish_reason,
		message_content as text from chat_messages order by chat_id, seq`,
	turns: "select id, user_id, session_id, chat_id, kind, client_message_id, state, attempt, owner, error_code, finished_at from turns",
	attempts: `select turn_id, attempt, user_id, outcome, prompt_tokens, completion_tokens, usage_estimated, cost_nano from attempts
		order by turn_id, attempt`,
	modules: "select id, track_id, module_number from course_modules",
};

export async function dump(url) {
	const db = {};

	for (const [table, query] of Object.entries(QUERIES))
		db[table] = await rows(url, query);
	return db;
}
