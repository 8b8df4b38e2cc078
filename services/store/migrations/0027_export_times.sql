-- The download of all one's data writes times as the API does: RFC 3339, in UTC, with microseconds.

-- As of migration 23. Columns without a zone hold UTC; their texts get the Z.
create or replace function export_page(p_user uuid, p_part bigint, p_after text, p_bytes bigint)
returns table (name text, place text, doc text) language plpgsql stable as $$
declare
	c_parts constant text[] := array[
		'users', 'id = $1',
		'ai_configurations', 'user_id = $1',
		'learning_tracks', 'user_id = $1',
		'course_modules', 'user_id = $1',
		'lessons', 'module_id in (select m.id from course_modules m where m.user_id = $1)',
		'homework_assignments', 'lesson_id in (select l.id from lessons l join course_modules m on m.id = l.module_id where m.user_id = $1)',
		'chat_sessions', 'user_id = $1',
		'chats', 'user_id = $1',
		'chat_messages', 'chat_id in (select c.id from chats c where c.user_id = $1)',
		'turns', 'chat_id in (select c.id from chats c where c.user_id = $1)',
		'attempts', 'turn_id in (select t.id from turns t join chats c on c.id = t.chat_id where c.user_id = $1)',
		'restore_events', 'session_id in (select s.id from chat_sessions s where s.user_id = $1)',
		'sign_ins', 'user_id = $1',
		'password_resets', 'user_id = $1'];
	c_secret constant text[] := array['password_hash', 'hash', 'token_version', 'api_key_encrypted', 'body_hash', 'claim_link', 'owner', 'lease_until'];
	v_table text := c_parts[p_part * 2 + 1];
	v_time text;
	v_key text;
	v_times text;
	v_bytes bigint := 0;
begin
	if v_table is null then
		return;
	end if;
	v_time := case v_table when 'chat_messages' then '"timestamp"' when 'attempts' then 'started_at' else 'created_at' end;
	v_key := case v_table when 'attempts' then 'r.turn_id::text || lpad(r.attempt::text, 10, ''0'')'
		when 'restore_events' then 'lpad(r.id::text, 20, ''0'')' when 'password_resets' then 'r.user_id::text' else 'r.id::text' end;
	select string_agg(format('%L, to_char((x.r).%I, ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')', a.attname, a.attname), ', ') into v_times
	from pg_attribute a
	where a.attrelid = v_table::regclass and a.attnum > 0 and not a.attisdropped and a.atttypid = 'timestamp'::regtype;
	name := v_table;
	for place, doc in execute format(
		'select x.place, ((to_jsonb(x.r) || jsonb_build_object(%s)) - $3)::text from (select r, (to_char(coalesce(r.%s, ''epoch''), ''YYYYMMDDHH24MISSUS'') || %s) collate "C" as place
			from %I r where %s) x where x.place > $2 order by x.place limit 500',
		v_times, v_time, v_key, v_table, c_parts[p_part * 2 + 2]) using p_user, coalesce(p_after, ''), c_secret
	loop
		return next;
		v_bytes := v_bytes + octet_length(doc);
		exit when v_bytes >= p_bytes;
	end loop;
	if v_bytes = 0 then
		place := null;
		doc := null;
		return next;	-- the part is there, and has no (more) rows
	end if;
end
$$;
