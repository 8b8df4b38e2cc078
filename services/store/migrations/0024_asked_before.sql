-- What was asked under a key is kept as a digest beside the row it made: the
-- same again answers the first, whatever has become of it since; another thing
-- under the same key is refused. Rows from before have none and answer as they
-- did, and so does who sends none. The name is one that no export shows.

alter table learning_tracks add column if not exists body_hash bytea;
alter table chat_sessions add column if not exists body_hash bytea;
alter table chats add column if not exists body_hash bytea;

-- Track, session, planning chat and the waiting welcome. The same key, or the
-- same id, answers with the first track.
drop function track_create(uuid, uuid, uuid, uuid, uuid, text, text, text, text, text, bigint, text, text);
create function track_create(p_user uuid, p_track uuid, p_session uuid, p_chat uuid, p_turn uuid, p_key text,
	p_title text, p_description text, p_skill text, p_level text, p_hours bigint, p_expectations text, p_language text,
	p_hash bytea default null)
returns table (rc text, field text, message text, created boolean, track_id uuid, turn_id uuid) language plpgsql as $$
declare
	v_track uuid := p_track;
	v_turn uuid := p_turn;
	v_hash bytea;
	v_created boolean;
begin
	perform user_seen(p_user);
	insert into learning_tracks (id, user_id, title, description, skill_area, difficulty_level, estimated_duration_hours,
		status, user_expectations, language, request_key, body_hash, created_at, updated_at)
	values (p_track, p_user, p_title, p_description, p_skill, upper(p_level)::difficultylevel, p_hours,
		'PLANNING', p_expectations, p_language, p_key, p_hash, utc_now(), utc_now())
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
		select t.id, t.body_hash into v_track, v_hash from learning_tracks t
		where t.user_id = p_user and (t.request_key = p_key or t.id = p_track);
		if not found then
			return query select 'conflict', 'track_id', 'this id is taken', false, null::uuid, null::uuid;
			return;
		elsif v_hash <> p_hash then
			return query select 'cmid_conflict', 'key', 'this key was used for another track', false, null::uuid, null::uuid;
			return;
		end if;
		select w.id into v_turn from turns w join chat_sessions s on s.id = w.session_id
		where s.track_id = v_track and w.kind = 'welcome' order by w.created_at desc limit 1;
	end if;
	perform set_config('alp.track', v_track::text, true);
	return query select 'ok', '', '', v_created, v_track, v_turn;
end
$$;

drop function session_create(uuid, uuid, uuid, text);
create function session_create(p_user uuid, p_id uuid, p_track uuid, p_name text, p_hash bytea default null)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	s chat_sessions;
begin
	perform user_seen(p_user);
	if not exists (select 1 from learning_tracks where id = p_track and user_id = p_user) then
		return query select 'not_found', 'track_id', 'no such track';
		return;
	end if;
	insert into chat_sessions (id, track_id, user_id, session_name, status, body_hash, created_at, updated_at)
	values (p_id, p_track, p_user, p_name, 'active', p_hash, utc_now(), utc_now())
	on conflict do nothing;
	if found then
		return query select 'ok', '', '';
		return;
	end if;
	select * into s from chat_sessions where id = p_id;
	if s.user_id is distinct from p_user or s.track_id is distinct from p_track then
		return query select 'conflict', 'session_id', 'this id is taken';
	elsif s.body_hash <> p_hash then
		return query select 'cmid_conflict', 'session_id', 'this id was used for another session';
	else
		return query select 'ok', '', '';
	end if;
end
$$;

-- A new planning chat becomes the session's planning chat; the one before goes
-- on as a discussion. Asked for again after it was deleted it is not there.
drop function chat_create(uuid, uuid, uuid, text, uuid, text, text);
create function chat_create(p_user uuid, p_id uuid, p_session uuid, p_key text, p_new_session uuid, p_name text, p_type text,
	p_hash bytea default null)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_session uuid;
	c chats;
begin
	perform user_seen(p_user);
	v_session := session_of(p_user, p_session, p_key, p_new_session);
	perform 1 from chat_sessions where id = v_session for update;	-- two at once: one after the other
	if not found then
		return query select 'not_found', 'session_id', 'no such session';
		return;
	end if;
	select * into c from chats where id = p_id;
	if found then
		if c.user_id <> p_user or c.session_id <> v_session then
			return query select 'conflict', 'chat_id', 'this id is taken';
		elsif c.body_hash <> p_hash then
			return query select 'cmid_conflict', 'chat_id', 'this id was used for another chat';
		elsif c.status = 'deleted' then
			return query select 'not_found', 'chat_id', 'no such chat';
		else
			return query select 'ok', '', '';
		end if;
		return;
	end if;
	if p_type = 'planning' then
		update chats set chat_type = 'discussion', replaced = true
		where session_id = v_session and chat_type = 'planning' and status = 'active';
	end if;
	insert into chats (id, session_id, user_id, chat_name, chat_type, status, body_hash, created_at, updated_at)
	values (p_id, v_session, p_user, coalesce(p_name, 'Chat ' || to_char(utc_clock(), 'HH24:MI')), p_type, 'active', p_hash,
		utc_clock(), utc_clock());
	return query select 'ok', '', '';
end
$$;
