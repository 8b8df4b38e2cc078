-- Accounts, tracks, sessions and chats: what one request changes is one
-- function. A refusal is a row (rc, field, message); rc is a name of the bus.

-- Notes that somebody is here, at most every five minutes. First in every
-- function that adds rows: the purge of guests holds the same row.
create function user_seen(p_user uuid) returns void language plpgsql as $$
begin
	update users set last_seen_at = utc_clock()
	where id = p_user and (last_seen_at is null or last_seen_at < utc_clock() - interval '5 minutes');
end
$$;

create function user_create(p_id uuid, p_guest boolean, p_email text, p_hash text, p_first text, p_last text)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_role userrole := 'STUDENT';
begin
	if not p_guest and not exists (select 1 from users where not is_guest) then
		perform pg_advisory_xact_lock(hashtext('alp.first_user'));
		if not exists (select 1 from users where not is_guest) then
			v_role := 'ADMIN';
		end if;
	end if;
	if not p_guest and exists (select 1 from users where lower(email) = lower(p_email) and not is_guest and id <> p_id) then
		return query select 'conflict', 'email', 'this address is taken';
		return;
	end if;
	insert into users (id, email, password_hash, first_name, last_name, role, is_active, created_at, updated_at,
		is_guest, last_seen_at)
	values (p_id, p_email, coalesce(p_hash, '!'), p_first, p_last, v_role, true, utc_now(), utc_now(), p_guest, utc_now())
	on conflict do nothing;
	if found or exists (select 1 from users where id = p_id and email = p_email and is_guest = p_guest) then
		return query select 'ok', '', '';
	else
		return query select 'conflict', 'email', 'this address is taken';
	end if;
end
$$;

-- Track, session, planning chat and the waiting welcome. The same key, or the
-- same id, answers with the first track.
create function track_create(p_user uuid, p_track uuid, p_session uuid, p_chat uuid, p_turn uuid, p_key text,
	p_title text, p_description text, p_skill text, p_level text, p_hours bigint, p_expectations text, p_language text)
returns table (rc text, field text, message text, created boolean, track_id uuid, turn_id uuid) language plpgsql as $$
declare
	v_track uuid := p_track;
	v_turn uuid := p_turn;
	v_created boolean;
begin
	perform user_seen(p_user);
	insert into learning_tracks (id, user_id, title, description, skill_area, difficulty_level, estimated_duration_hours,
		status, user_expectations, language, request_key, created_at, updated_at)
	values (p_track, p_user, p_title, p_description, p_skill, upper(p_level)::difficultylevel, p_hours,
		'PLANNING', p_expectations, p_language, p_key, utc_now(), utc_now())
	on conflict do nothing;
	v_created := found;
	if v_created then
		insert into chat_sessions (id, track_id, user_id, session_name, status, created_at, updated_at)
		values (p_session, p_track, p_user, p_title, 'active', utc_now(), utc_now());
		insert into chats (id, session_id, user_id, chat_name, chat_type, status, created_at, updated_at)
		values (p_chat, p_session, p_user, 'Course Planning', 'planning', 'active', utc_now(), utc_now());
		insert into turns (id, user_id, session_id, chat_id, kind, request_key, state, created_at, updated_at)
		values (p_turn, p_user, p_session, p_chat, 'welcome', 'welcome', 'running', utc_clock(), utc_clock());
	else
		select t.id into v_track from learning_tracks t
		where t.user_id = p_user and (t.request_key = p_key or t.id = p_track);
		if not found then
			return query select 'conflict', 'track_id', 'this id is taken', false, null::uuid, null::uuid;
			return;
		end if;
		select w.id into v_turn from turns w join chat_sessions s on s.id = w.session_id
		where s.track_id = v_track and w.kind = 'welcome' order by w.created_at desc limit 1;
	end if;
	perform set_config('alp.track', v_track::text, true);
	return query select 'ok', '', '', v_created, v_track, v_turn;
end
$$;

create function session_create(p_user uuid, p_id uuid, p_track uuid, p_name text)
returns table (rc text, field text, message text) language plpgsql as $$
begin
	perform user_seen(p_user);
	if not exists (select 1 from learning_tracks where id = p_track and user_id = p_user) then
		return query select 'not_found', 'track_id', 'no such track';
		return;
	end if;
	insert into chat_sessions (id, track_id, user_id, session_name, status, created_at, updated_at)
	values (p_id, p_track, p_user, p_name, 'active', utc_now(), utc_now())
	on conflict do nothing;
	if found or exists (select 1 from chat_sessions where id = p_id and user_id = p_user and track_id = p_track) then
		return query select 'ok', '', '';
	else
		return query select 'conflict', 'session_id', 'this id is taken';
	end if;
end
$$;

-- A session of the caller by row id or by his own name for it; null when there
-- is none. p_new makes one of that name.
create function session_of(p_user uuid, p_id uuid, p_key text, p_new uuid) returns uuid language plpgsql as $$
declare
	v_id uuid;
begin
	if p_id is not null then
		select s.id into v_id from chat_sessions s where s.id = p_id and s.user_id = p_user;
		return v_id;
	end if;
	select s.id into v_id from chat_sessions s where s.user_id = p_user and s.client_key = p_key;
	if v_id is null and p_new is not null then
		insert into chat_sessions (id, user_id, session_name, client_key, status, created_at, updated_at)
		values (p_new, p_user, p_key, p_key, 'active', utc_now(), utc_now())
		on conflict do nothing;
		select s.id into v_id from chat_sessions s where s.user_id = p_user and s.client_key = p_key;
	end if;
	return v_id;
end
$$;

-- A new planning chat becomes the session's planning chat; the one before goes on as a discussion.
create function chat_create(p_user uuid, p_id uuid, p_session uuid, p_key text, p_new_session uuid, p_name text, p_type text)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_session uuid;
begin
	perform user_seen(p_user);
	v_session := session_of(p_user, p_session, p_key, p_new_session);
	perform 1 from chat_sessions where id = v_session for update;	-- two at once: one after the other
	if not found then
		return query select 'not_found', 'session_id', 'no such session';
		return;
	end if;
	if exists (select 1 from chats where id = p_id) then
		return query select case when c.user_id = p_user and c.session_id = v_session then 'ok' else 'conflict' end,
			'chat_id', 'this id is taken' from chats c where c.id = p_id;
		return;
	end if;
	if p_type = 'planning' then
		update chats set chat_type = 'discussion'
		where session_id = v_session and chat_type = 'planning' and status = 'active';
	end if;
	insert into chats (id, session_id, user_id, chat_name, chat_type, status, created_at, updated_at)
	values (p_id, v_session, p_user, coalesce(p_name, 'Chat ' || to_char(utc_clock(), 'HH24:MI')), p_type, 'active',
		utc_clock(), utc_clock());
	return query select 'ok', '', '';
end
$$;

-- Which chat a reader means: the given one, or the session's planning chat.
-- No row: it does not exist or is not his. A null chat: nothing has been said yet.
create function chat_open(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_restore boolean)
returns table (session_id uuid, chat_id uuid, running_turn uuid) language plpgsql as $$
declare
	v_session uuid;
	v_chat uuid;
	v_turn uuid;
	v_last bigint;
begin
	if p_session is not null or p_key is not null then
		v_session := session_of(p_user, p_session, p_key, null);
		if v_session is null then
			if p_session is null and p_chat is null then
				return query select null::uuid, null::uuid, null::uuid;
			end if;
			return;
		end if;
	end if;
	if p_chat is null then
		select c.id, c.last_seq into v_chat, v_last from chats c
		where c.session_id = v_session and c.chat_type = 'planning' and c.status = 'active';
	else
		select c.session_id, c.id, c.last_seq into v_session, v_chat, v_last from chats c
		where c.id = p_chat and c.user_id = p_user and (v_session is null or c.session_id = v_session);
	end if;
	if not found and p_chat is not null then
		return;
	end if;
	select t.id into v_turn from turns t where t.chat_id = v_chat and t.state = 'running';
	if p_restore and v_last > 0 then
		perform user_seen(p_user);
		insert into restore_events (user_id, session_id, chat_id, messages, running, created_at)
		values (p_user, v_session, v_chat, v_last, v_turn is not null, utc_now());
	end if;
	perform set_config('alp.chat', coalesce(v_chat::text, ''), true);
	return query select v_session, v_chat, v_turn;
end
$$;

-- The newest messages of a chat before p_before, newest first, each in the
-- place of its first generation. A row with id null: older ones are left out,
-- seq is the newest of them.
create function chat_page(p_chat uuid, p_before bigint, p_limit bigint, p_bytes bigint)
returns setof chat_messages language plpgsql stable as $$
declare
	m chat_messages;
	v_n bigint := 0;
	v_bytes bigint := 0;
	v_place bigint;
begin
	for m in select * from chat_messages
		where chat_id = p_chat and root_id is null and seq < coalesce(p_before, 9223372036854775807)
		order by seq desc
	loop
		v_place := m.seq;
		if m.superseded then
			select * into m from chat_messages where root_id = m.id and not superseded;
		end if;
		v_n := v_n + 1;
		v_bytes := v_bytes + octet_length(m.message_content);
		if v_n > p_limit or (v_n > 1 and v_bytes > p_bytes) then
			m := null;
			m.seq := v_place;
			return next m;
			return;
		end if;
		return next m;
	end loop;
end
$$;

-- Guests who were not here for p_hours, and sessions of nobody as old, with
-- everything of theirs, children first. Answers how many there were; at most
-- p_limit of each at once.
create function guests_purge(p_hours bigint, p_limit bigint) returns bigint language plpgsql as $$
declare
	c_nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	v_before timestamp := utc_clock() - make_interval(hours => p_hours::integer);
	v_users uuid[];
	v_sessions uuid[];
	v_chats uuid[];
begin
	v_users := array(select id from users where is_guest and id <> c_nobody and coalesce(last_seen_at, created_at) < v_before
		order by last_seen_at limit p_limit for update skip locked);
	v_sessions := array(select s.id from chat_sessions s
		where s.user_id = c_nobody and s.created_at < v_before and not exists (select 1 from chats c
			where c.session_id = s.id and (c.created_at >= v_before or c.last_message_at >= v_before))
		order by s.created_at limit p_limit for update skip locked)
		|| array(select id from chat_sessions where user_id = any (v_users));
	v_chats := array(select id from chats where session_id = any (v_sessions) for update);

	delete from restore_events where session_id = any (v_sessions);
	delete from attempts using turns t where t.id = turn_id and t.chat_id = any (v_chats);
	delete from turns where chat_id = any (v_chats);
	delete from chat_messages where chat_id = any (v_chats);
	delete from chats where id = any (v_chats);
	delete from chat_sessions where id = any (v_sessions);
	delete from homework_assignments h using lessons l, course_modules m
	where l.id = h.lesson_id and m.id = l.module_id and m.user_id = any (v_users);
	delete from lessons l using course_modules m where m.id = l.module_id and m.user_id = any (v_users);
	delete from course_modules where user_id = any (v_users);
	delete from learning_tracks where user_id = any (v_users);
	delete from ai_configurations where user_id = any (v_users);
	delete from users where id = any (v_users);
	return cardinality(v_users) + cardinality(v_sessions);
end
$$;
