/* Much of everything for one user, made by SQL: what lists and histories are measured with. */

import { randomUUID } from "node:crypto";

/*
 * SQL, and the ids in it, that gives an existing user n tracks of five modules,
 * each with a session and its planning chat, and `messages` messages in the
 * first of these chats.
 */
export function manyRows(user, { tracks, messages }) {
	const ids = { track: randomUUID(), session: randomUUID(), chat: randomUUID() };
	const sql = `
		create temp table made on commit drop as select n,
			case when n = 1 then '${ids.track}'::uuid else gen_random_uuid() end as track,
			case when n = 1 then '${ids.session}'::uuid else gen_random_uuid() end as session,
			case when n = 1 then '${ids.chat}'::uuid else gen_random_uuid() end as chat
			from generate_series(1, ${tracks}) n;
		insert into learning_tracks (id, user_id, title, description, skill_area, difficulty_level, status, estimated_duration_hours,
			ai_generated_plan, created_at, updated_at)
		select track, '${user}', 'Track ' || n, repeat('about it ', 20), 'area', 'BEGINNER', 'ACTIVE', 30, '{"goals": ["a", "b"]}',
			utc_now() + n * interval '1 second', utc_now() from made;
		insert into course_modules (id, track_id, user_id, module_number, title, description, learning_objectives, estimated_duration_hours,
			status, created_at, updated_at)
		select gen_random_uuid(), track, '${user}', m, 'Module ' || m, repeat('what it is about ', 10), '["one", "two", "three"]', 5,
			'not_started', utc_now(), utc_now() from made, generate_series(1, 5) m;
		insert into chat_sessions (id, track_id, user_id, session_name, status, created_at, updated_at)
		select session, track, '${user}', 'Session ' || n, 'active', utc_now() + n * interval '1 second', utc_now() from made;
		insert into chats (id, session_id, user_id, chat_name, chat_type, status, last_seq, created_at, updated_at)
		select chat, session, '${user}', 'Course Planning', 'planning', 'active', case when n = 1 then ${messages} else 0 end, utc_now(), utc_now() from made;
		insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, message_type, "timestamp")
		select gen_random_uuid(), '${ids.chat}', '${user}', n, case when n % 2 = 0 then 'ai' else 'user' end, repeat('some words ', 10), 'text',
			utc_now() + n * interval '1 millisecond' from generate_series(1, ${messages}) n;`;

	return { ...ids, sql: `begin; ${sql} commit;` };
}
