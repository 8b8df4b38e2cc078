/* INV-13: whose everything is, and what there is one of. */

import { groupBy } from "./logs.js";

const byId = (rows) => new Map(rows.map((row) => [row.id, row]));

function* chain(rows, parents, key, what) {
	for (const row of rows) {
		const parent = parents.get(row[key]);

		if (parent === undefined)
			yield { turn: row.turn_id, text: `${what} ${row.id} has no ${key.replace("_id", "")}` };
		else if (parent.user_id !== row.user_id)
			yield { turn: row.turn_id, text: `${what} ${row.id} is not its ${key.replace("_id", "")}'s owner's` };
	}
}

export function* inv13(logs) {
	const { users, sessions, chats, messages, turns, modules } = logs.db;
	const people = byId(users);

	for (const session of sessions)
		if (!people.has(session.user_id))
			yield { text: `session ${session.id} has no owner` };
	yield* chain(chats, byId(sessions), "session_id", "chat");
	yield* chain(messages, byId(chats), "chat_id", "message");
	yield* chain(turns, byId(chats), "chat_id", "turn");
	for (const [session, list] of groupBy(chats.filter((c) => c.chat_type === "planning" && c.status === "active"), (c) => c.session_id))
		if (list.length > 1)
			yield { text: `session ${session} has ${list.length} planning chats` };
	for (const [key, list] of groupBy(modules, (m) => `${m.track_id} ${m.module_number}`))
		if (list.length > 1)
			yield { text: `module ${key} is there ${list.length} times` };
}
