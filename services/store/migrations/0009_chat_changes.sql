-- Chats are renamed, archived, deleted with an undo and switched between; a
-- track changes, or goes with everything below it. What that means for a
-- dialogue that runs at the same moment is decided by locks: a turn holds its
-- session's row while it begins, a deletion takes it for itself first.

alter table chats
	add column if not exists deleted_at timestamp,			-- status is 'deleted'; gone for good some days later
	add column if not exists replaced boolean not null default false;	-- another chat took its place as planning chat
create index chats_deleted on chats (deleted_at) where deleted_at is not null;

-- The chat that was last written to, restored or switched to.
alter table chat_sessions add column if not exists active_chat_id uuid;

-- Further generations of a reply share its place: they are no messages more.
create index chat_messages_regenerated on chat_messages (chat_id) where root_id is not null;

-- Chats as they are shown. What is deleted is not.
create view chat_rows as
select c.id, c.session_id, c.user_id, c.chat_name, c.chat_type, c.status, c.ai_context, c.created_at, c.updated_at, c.last_message_at,
	c.last_seq - (select count(*) from chat_messages m where m.chat_id = c.id and m.root_id is not null) as message_count
from chats c where c.status is distinct from 'deleted';

-- ---- which chat is meant ----------------------------------------------------

create function session_activate(p_session uuid, p_chat uuid) returns void language sql as $$
	update chat_sessions set active_chat_id = p_chat where id = p_session and active_chat_id is distinct from p_chat
$$;

create function turns_activate() returns trigger language plpgsql as $$
begin
	perform session_activate(new.session_id, new.chat_id);
	return null;
end
$$;
create trigger turns_activate after insert on turns for each row execute function turns_activate();

drop function chat_open(uuid, uuid, text, uuid, boolean);

-- Which chat a reader means: the given one, or the session's planning chat.
-- No row: it does not exist or is not his. A null chat: nothing has been said
-- yet. p_switch: from now on it is the session's active chat; a restore is one too.
create function chat_open(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_restore boolean, p_switch boolean)
returns table (session_id uuid, chat_id uuid, running_turn uuid) language plpgsql as $$
declare
	v_session uuid;
	v_chat uuid;
	v_turn uuid;
	v_last bigint;
	v_active boolean;
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
		select c.id, c.last_seq, true into v_chat, v_last, v_active from chats c
		where c.session_id = v_session and c.chat_type = 'planning' and c.status = 'active';
	else
		select c.session_id, c.id, c.last_seq, c.status = 'active' into v_session, v_chat, v_last, v_active from chats c
		where c.id = p_chat and c.user_id = p_user and c.status is distinct from 'deleted'
			and (v_session is null or c.session_id = v_session);
	end if;
	if not found and p_chat is not null then
		return;
	end if;
	select t.id into v_turn from turns t where t.chat_id = v_chat and t.state = 'running';
	if (p_switch or p_restore) and v_active then
		perform session_activate(v_session, v_chat);
	end if;
	if p_restore and v_last > 0 then
		perform user_seen(p_user);
		insert into restore_events (user_id, session_id, chat_id, messages, running, created_at)
		values (p_user, v_session, v_chat, v_last, v_turn is not null, utc_now());
	end if;
	perform set_config('alp.chat', coalesce(v_chat::text, ''), true);
	return query select v_session, v_chat, v_turn;
end
$$;

-- Where: the given chat, or the planning chat of the session. What is not
-- there is made when p_make says so. Only an active chat takes a message. The
-- session stays there until the turn has begun.
create or replace function turn_place(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_make boolean,
	p_new_session uuid, p_new_chat uuid)
returns turn_wish language plpgsql as $$
declare
	w turn_wish;
begin
	w.rc := 'ok';
	w.generation := 1;
	if p_chat is not null then
		select s.id, c.id, s.track_id into w.session_id, w.chat_id, w.track_id
		from chats c join chat_sessions s on s.id = c.session_id
		where c.id = p_chat and c.user_id = p_user and c.status = 'active' and (p_session is null or s.id = p_session)
			and (p_key is null or s.client_key = p_key)
		for key share of s;
		if not found then
			w.rc := 'not_found';
			w.field := 'chat_id';
			w.message := 'no such chat';
		end if;
		return w;
	end if;
	if p_session is not null then
		select s.id, s.track_id into w.session_id, w.track_id from chat_sessions s
		where s.id = p_session and s.user_id = p_user for key share;
	else
		select s.id, s.track_id into w.session_id, w.track_id from chat_sessions s
		where s.user_id = p_user and s.client_key = p_key for key share;
	end if;
	if not found and (p_session is not null or not p_make) then
		w.rc := 'not_found';
		w.field := 'session_id';
		w.message := 'no such session';
		return w;
	end if;
	if not found then
		w.session_id := session_of(p_user, null, p_key, p_new_session);
	end if;
	select c.id into w.chat_id from chats c
	where c.session_id = w.session_id and c.chat_type = 'planning' and c.status = 'active';
	if w.chat_id is null and p_make then
		insert into chats (id, session_id, user_id, chat_name, chat_type, status, created_at, updated_at)
		values (p_new_chat, w.session_id, p_user, 'Course Planning', 'planning', 'active', utc_clock(), utc_clock())
		on conflict do nothing;
		select c.id into w.chat_id from chats c
		where c.session_id = w.session_id and c.chat_type = 'planning' and c.status = 'active';
	end if;
	return w;
end
$$;

-- Regenerate: the message that is answered once more, and the reply that will be replaced.
create or replace function turn_retry(p_user uuid, p_message uuid, p_session uuid, p_key text) returns turn_wish language plpgsql as $$
declare
	w turn_wish;
	m chat_messages;
begin
	w.rc := 'not_found';
	w.field := 'message_id';
	w.message := 'no such message';
	select * into m from chat_messages where id = p_message and user_id = p_user;
	if not found then
		return w;
	end if;
	select s.id, c.id, s.track_id into w.session_id, w.chat_id, w.track_id
	from chats c join chat_sessions s on s.id = c.session_id
	where c.id = m.chat_id and c.status = 'active' and (p_session is null or s.id = p_session)
		and (p_key is null or s.client_key = p_key)
	for key share of s;
	if not found then
		return w;
	end if;
	if m.message_type = 'finalization' then
		w.rc := 'invalid';
		w.message := 'a finalization cannot be regenerated';
		return w;
	end if;
	if m.sender_type = 'user' then
		w.user_message_id := m.id;
		select a.id, a.generation + 1 into w.parent_id, w.generation
		from turns t join chat_messages a on a.id = t.ai_message_id
		where t.chat_id = m.chat_id and t.user_message_id = m.id and not a.superseded
		order by a.seq desc limit 1;
		if not found then	-- a dialogue from before turns
			select a.id, a.generation + 1 into w.parent_id, w.generation from chat_messages a
			where a.chat_id = m.chat_id and a.seq = m.seq + 1 and a.sender_type <> 'user' and a.turn_id is null
				and not a.superseded;
		end if;
	else
		if m.turn_id is not null then
			select t.user_message_id, t.kind into w.user_message_id, w.kind from turns t where t.id = m.turn_id;
		else
			select q.id into w.user_message_id from chat_messages q
			where q.chat_id = m.chat_id and q.seq < m.seq and q.sender_type = 'user' order by q.seq desc limit 1;
		end if;
		select a.id, a.generation + 1 into w.parent_id, w.generation
		from (select * from chat_messages where id = coalesce(m.root_id, m.id)
			union all select * from chat_messages where root_id = coalesce(m.root_id, m.id)) a
		where not a.superseded;
	end if;
	w.generation := coalesce(w.generation, 1);
	w.kind := case when w.user_message_id is not null then 'message' else coalesce(w.kind, 'welcome') end;
	w.rc := 'ok';
	return w;
end
$$;

-- ---- chats change -------------------------------------------------------------

-- What sockets are told of chats: a JSON array.
create function chats_told(p_chats uuid[]) returns json language sql stable as $$
	select json_agg(json_build_object('session_id', s.id, 'session_key', s.client_key, 'chat_id', c.id, 'chat_name', coalesce(c.chat_name, ''),
		'chat_type', coalesce(c.chat_type, 'planning'), 'status', coalesce(c.status, 'active')) order by c.created_at desc, c.id)
	from chats c join chat_sessions s on s.id = c.session_id where c.id = any (p_chats)
$$;

-- A new planning chat becomes the session's planning chat; the one before goes on as a discussion.
create or replace function chat_create(p_user uuid, p_id uuid, p_session uuid, p_key text, p_new_session uuid, p_name text, p_type text)
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
		update chats set chat_type = 'discussion', replaced = true
		where session_id = v_session and chat_type = 'planning' and status = 'active';
	end if;
	insert into chats (id, session_id, user_id, chat_name, chat_type, status, created_at, updated_at)
	values (p_id, v_session, p_user, coalesce(p_name, 'Chat ' || to_char(utc_clock(), 'HH24:MI')), p_type, 'active',
		utc_clock(), utc_clock());
	return query select 'ok', '', '';
end
$$;

-- After a change of status: at most one active planning chat, and one as long as there is a chat that was it.
create function session_planning(p_session uuid) returns void language sql as $$
	update chats set chat_type = 'planning', replaced = false
	where id = (select id from chats where session_id = p_session and chat_type = 'discussion' and replaced and status = 'active'
			order by created_at desc nulls last, id limit 1)
		and not exists (select 1 from chats where session_id = p_session and chat_type = 'planning' and status = 'active')
$$;

-- p_action: rename, status, delete, restore. change: what sockets are told; empty when it was so already.
create function chat_change(p_user uuid, p_chat uuid, p_action text, p_value text)
returns table (rc text, field text, message text, change text) language plpgsql as $$
declare
	c chats;
	v_status text := case p_action when 'delete' then 'deleted' when 'restore' then 'active' else p_value end;
begin
	perform user_seen(p_user);
	perform 1 from chat_sessions s where s.id = (select session_id from chats where id = p_chat and user_id = p_user) for update;
	select * into c from chats where id = p_chat and user_id = p_user for update;
	if not found or c.status = 'deleted' and p_action <> 'restore' then
		return query select 'not_found', 'chat_id', 'no such chat', '';
		return;
	end if;
	if p_action = 'rename' then
		update chats set chat_name = p_value, updated_at = utc_clock() where id = p_chat and chat_name is distinct from p_value;
		return query select 'ok', '', '', case when found then 'renamed' else '' end;
		return;
	end if;
	if c.status is not distinct from v_status then
		return query select 'ok', '', '', '';
		return;
	end if;
	if v_status = 'active' and c.chat_type = 'planning' and exists (select 1 from chats o
			where o.session_id = c.session_id and o.chat_type = 'planning' and o.status = 'active') then
		c.chat_type := 'discussion';
		c.replaced := true;
	end if;
	update chats set status = v_status, chat_type = c.chat_type, replaced = c.replaced, updated_at = utc_clock(),
		deleted_at = case when v_status = 'deleted' then utc_clock() end
	where id = p_chat;
	if v_status <> 'active' then
		update chat_sessions set active_chat_id = null where id = c.session_id and active_chat_id = p_chat;
	end if;
	perform session_planning(c.session_id);
	return query select 'ok', '', '', case v_status when 'active' then 'restored' when 'deleted' then 'deleted' else 'archived' end;
end
$$;

-- ---- tracks change, and go ------------------------------------------------------

-- What is null stays.
create function track_update(p_user uuid, p_track uuid, p_title text, p_description text, p_skill text, p_level text, p_hours bigint,
	p_expectations text, p_status text)
returns table (rc text, field text, message text) language plpgsql as $$
begin
	perform user_seen(p_user);
	update learning_tracks set title = coalesce(p_title, title), description = coalesce(p_description, description),
		skill_area = coalesce(p_skill, skill_area), difficulty_level = coalesce(upper(p_level)::difficultylevel, difficulty_level),
		estimated_duration_hours = coalesce(p_hours, estimated_duration_hours),
		user_expectations = coalesce(p_expectations, user_expectations), status = coalesce(upper(p_status)::trackstatus, status),
		updated_at = utc_now()
	where id = p_track and user_id = p_user;
	if not found then
		return query select 'not_found', 'track_id', 'no such track';
		return;
	end if;
	perform set_config('alp.track', p_track::text, true);
	return query select 'ok', '', '';
end
$$;

-- Everything that hangs on these, children first. Whoever calls has locked them, or what they belong to.
create function chats_drop(p_chats uuid[]) returns void language plpgsql as $$
begin
	delete from restore_events where chat_id = any (p_chats);
	delete from attempts using turns t where t.id = turn_id and t.chat_id = any (p_chats);
	delete from turns where chat_id = any (p_chats);
	delete from chat_messages where chat_id = any (p_chats);
	delete from chats where id = any (p_chats);
end
$$;

create function sessions_drop(p_sessions uuid[]) returns void language plpgsql as $$
begin
	perform chats_drop(array(select id from chats where session_id = any (p_sessions) order by id for update));
	delete from restore_events where session_id = any (p_sessions);
	delete from chat_sessions where id = any (p_sessions);
end
$$;

create function tracks_drop(p_tracks uuid[]) returns void language plpgsql as $$
begin
	perform sessions_drop(array(select id from chat_sessions where track_id = any (p_tracks) order by id for update));
	update turns set track_id = null where track_id = any (p_tracks);	-- a finalization in another session
	delete from homework_assignments h using lessons l, course_modules m
	where l.id = h.lesson_id and m.id = l.module_id and m.track_id = any (p_tracks);
	delete from lessons l using course_modules m where m.id = l.module_id and m.track_id = any (p_tracks);
	delete from course_modules where track_id = any (p_tracks);
	delete from learning_tracks where id = any (p_tracks);
end
$$;

-- told: its chats, for their sockets. Turns that run are locked before the
-- track, as a finalization that ends at this moment locks them.
create function track_delete(p_user uuid, p_track uuid)
returns table (rc text, field text, message text, told json) language plpgsql as $$
declare
	v_told json;
begin
	perform user_seen(p_user);
	perform 1 from turns t where t.state = 'running' and t.user_id = p_user and (t.track_id = p_track
		or t.session_id in (select s.id from chat_sessions s where s.track_id = p_track)) order by t.id for update;
	perform 1 from learning_tracks where id = p_track and user_id = p_user for update;
	if not found then
		return query select 'not_found', 'track_id', 'no such track', null::json;
		return;
	end if;
	v_told := chats_told(array(select c.id from chat_rows c join chat_sessions s on s.id = c.session_id
		where s.track_id = p_track order by c.last_message_at desc nulls last limit 100));
	perform tracks_drop(array[p_track]);
	return query select 'ok', '', '', v_told;
end
$$;

create function session_status(p_user uuid, p_session uuid, p_status text)
returns table (rc text, field text, message text) language plpgsql as $$
begin
	perform user_seen(p_user);
	update chat_sessions set status = p_status, updated_at = utc_now() where id = p_session and user_id = p_user;
	return query select case when found then 'ok' else 'not_found' end, 'session_id', 'no such session';
end
$$;

-- Deleted chats whose time for an undo is over; answers how many there were, at most p_limit.
create function chats_purge(p_days bigint, p_limit bigint) returns bigint language plpgsql as $$
declare
	v_chats uuid[] := array(select id from chats where deleted_at < utc_clock() - make_interval(days => p_days::integer)
		order by deleted_at limit p_limit for update skip locked);
begin
	perform chats_drop(v_chats);
	return cardinality(v_chats);
end
$$;
