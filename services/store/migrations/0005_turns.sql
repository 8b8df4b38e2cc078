-- Turns begin. One function, one commit: ownership, idempotency, the user's
-- row, the turn with its lease, and everything that asking the model needs.

-- A turn with its surroundings. The column names are those of the catalogue's
-- turn_context and outcome.
create view turn_rows as
select t.id as turn_id, t.kind, t.user_id,
	case when t.user_id = '00000000-0000-0000-0000-000000000000' then 'nobody' when u.is_guest then 'guest' else 'user' end
		as user_kind,
	t.session_id, s.client_key as session_key, t.chat_id, c.chat_type, t.attempt, t.client_message_id, t.user_message_id,
	q.seq as user_seq,
	coalesce(l.language, c.ai_context ->> 'language') as language,
	l.id as track_id, l.title, l.description,
	coalesce(l.skill_area, c.ai_context ->> 'skill_area') as skill_area,
	coalesce(lower(l.difficulty_level::text), c.ai_context ->> 'difficulty_level') as difficulty_level,
	coalesce(l.estimated_duration_hours::text, c.ai_context ->> 'hours') as hours,
	coalesce(l.user_expectations, c.ai_context ->> 'expectations') as expectations,
	coalesce(t.plan_text, p.message_content) as plan,
	t.state, a.id as message_id, a.seq, a.message_content as reply, a.message_type, a.ai_model_used as model,
	a.finish_reason, a.prompt_tokens, a.cached_tokens, a.completion_tokens, a.usage_estimated, a.cost_nano, a.currency,
	a.gateway_in_us, a.chat_us, a.store_us, a.ai_queue_us, a.provider_first_token_us, a.provider_total_us, a.total_us,
	a."timestamp", t.error_code, t.error_message, t.result, t.partial
from turns t
join users u on u.id = t.user_id
join chat_sessions s on s.id = t.session_id
join chats c on c.id = t.chat_id
left join learning_tracks l on l.id = coalesce(t.track_id, s.track_id)
left join chat_messages q on q.id = t.user_message_id
left join chat_messages a on a.id = t.ai_message_id
left join chat_messages p on p.id = t.plan_message_id;

-- What the functions on turns answer.
create view turn_answers as
select ''::text as rc, ''::text as field, ''::text as message, false as begun, r.* from turn_rows r;

create function turn_refusal(p_rc text, p_field text, p_message text) returns setof turn_answers language sql as $$
	select p_rc, p_field, p_message, false, (null::turn_rows).*
$$;

-- The turn goes into alp.turn, for the statements that follow in the same transaction.
create function turn_answer(p_turn uuid, p_begun boolean) returns setof turn_answers language plpgsql as $$
begin
	perform set_config('alp.turn', p_turn::text, true);
	return query select 'ok'::text, ''::text, ''::text, p_begun, r.* from turn_rows r where r.turn_id = p_turn;
end
$$;

create function lease_end(p_lease_ms bigint) returns timestamp language sql volatile as $$
	select utc_clock() + p_lease_ms * interval '1 millisecond'
$$;

-- What is to begin, or why not.
create type turn_wish as (
	rc text,
	field text,
	message text,
	session_id uuid,
	chat_id uuid,
	track_id uuid,
	kind text,
	request_key text,
	user_message_id uuid,
	parent_id uuid,
	generation integer,
	plan_message_id uuid,
	plan_text text
);

-- Where: the given chat, or the planning chat of the session. What is not there is made when p_make says so.
create function turn_place(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_make boolean,
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
		where c.id = p_chat and c.user_id = p_user and (p_session is null or s.id = p_session)
			and (p_key is null or s.client_key = p_key);
		if not found then
			w.rc := 'not_found';
			w.field := 'chat_id';
			w.message := 'no such chat';
		end if;
		return w;
	end if;
	if p_session is not null then
		select s.id, c.id, s.track_id into w.session_id, w.chat_id, w.track_id
		from chat_sessions s left join chats c on c.session_id = s.id and c.chat_type = 'planning' and c.status = 'active'
		where s.id = p_session and s.user_id = p_user;
	else
		select s.id, c.id, s.track_id into w.session_id, w.chat_id, w.track_id
		from chat_sessions s left join chats c on c.session_id = s.id and c.chat_type = 'planning' and c.status = 'active'
		where s.user_id = p_user and s.client_key = p_key;
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

-- Finalize: whose modules, and from which plan. The plan is the key: the same plan is finalized once.
create function turn_plan(w turn_wish, p_user uuid, p_user_kind text, p_track uuid, p_plan text)
returns turn_wish language plpgsql as $$
declare
	v_id uuid;
	v_text text;
begin
	w.rc := 'not_found';
	w.field := 'track_id';
	w.message := 'no such track';
	if p_track is not null and not exists (select 1 from learning_tracks where id = p_track and user_id = p_user) then
		return w;
	elsif p_track is not null and w.track_id <> p_track then
		w.rc := 'invalid';
		w.message := 'the session belongs to another track';
		return w;
	elsif coalesce(p_track, w.track_id) is null and p_user_kind = 'user' then
		return w;
	end if;
	w.track_id := coalesce(p_track, w.track_id);
	select id, message_content into v_id, v_text from chat_messages
	where chat_id = w.chat_id and sender_type <> 'user' and coalesce(message_type, '') <> 'finalization' and not superseded
	order by seq desc limit 1;
	w.rc := 'ok';
	if p_plan is not null and p_plan is distinct from v_text then
		w.plan_text := p_plan;
		w.request_key := 'text:' || md5(p_plan);
	elsif v_id is not null then
		w.plan_message_id := v_id;
		w.request_key := v_id::text;
	else
		w.rc := 'invalid';
		w.field := 'course_plan';
		w.message := 'there is no plan in this chat yet: talk about the course first';
	end if;
	return w;
end
$$;

-- Regenerate: the message that is answered once more, and the reply that will be replaced.
create function turn_retry(p_user uuid, p_message uuid, p_session uuid, p_key text) returns turn_wish language plpgsql as $$
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
	where c.id = m.chat_id and (p_session is null or s.id = p_session) and (p_key is null or s.client_key = p_key);
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
			select t.user_message_id into w.user_message_id from turns t where t.id = m.turn_id;
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
	w.kind := case when w.user_message_id is null then 'welcome' else 'message' end;
	w.rc := 'ok';
	return w;
end
$$;

-- The turn could not be added: what is there instead? No row: look again.
create function turn_again(w turn_wish, p_turn uuid, p_hash bytea, p_owner text, p_lease_ms bigint)
returns setof turn_answers language plpgsql as $$
declare
	t turns;
	v_begun boolean := false;
begin
	select * into t from turns where chat_id = w.chat_id and kind = w.kind and request_key = w.request_key;
	if found and t.body_hash is distinct from p_hash then
		return query select * from turn_refusal('cmid_conflict', 'client_message_id',
			'this message id was used for another text');
	elsif found then
		-- The same request once more (its answer was lost), or a welcome that waits for somebody to run it.
		if t.state = 'running' and (t.id = p_turn and t.owner = p_owner or t.kind = 'welcome'
			and (t.owner is null or t.owner = p_owner or coalesce(t.lease_until, '-infinity') < utc_clock())) then
			update turns set owner = p_owner, lease_until = lease_end(p_lease_ms), updated_at = utc_clock()
			where id = t.id and state = 'running' and owner is not distinct from t.owner;
			v_begun := found;
		end if;
		if v_begun then
			insert into attempts (turn_id, attempt, user_id, owner, started_at)
			values (t.id, t.attempt, t.user_id, p_owner, utc_clock()) on conflict do nothing;
		end if;
		return query select * from turn_answer(t.id, v_begun);
	elsif exists (select 1 from turns where id = p_turn) then
		return query select * from turn_refusal('conflict', 'turn_id', 'this id is taken');
	elsif exists (select 1 from turns where chat_id = w.chat_id and state = 'running') then
		return query select * from turn_refusal('turn_in_progress', 'chat_id', 'a reply of this chat is being written');
	end if;
end
$$;

create function turn_begin(p_user uuid, p_user_kind text, p_turn uuid, p_kind text, p_session uuid, p_key text, p_chat uuid,
	p_track uuid, p_cmid uuid, p_body text, p_hash bytea, p_type text, p_new_session uuid, p_new_chat uuid, p_message uuid,
	p_context text, p_retry uuid, p_owner text, p_lease_ms bigint)
returns setof turn_answers language plpgsql as $$
declare
	w turn_wish;
begin
	perform user_seen(p_user);
	if p_retry is not null then
		w := turn_retry(p_user, p_retry, p_session, p_key);
	else
		w := turn_place(p_user, p_session, p_key, p_chat, p_kind <> 'finalize' or p_body is not null, p_new_session, p_new_chat);
		w.kind := p_kind;
	end if;
	if w.rc = 'ok' and p_kind = 'finalize' then
		w := turn_plan(w, p_user, p_user_kind, p_track, p_body);
	elsif p_kind = 'message' then
		w.request_key := coalesce(p_cmid, p_turn)::text;
		w.user_message_id := case when p_retry is null then p_message else w.user_message_id end;
	elsif p_kind = 'welcome' then
		w.request_key := 'welcome';
	end if;
	if w.rc <> 'ok' then
		return query select * from turn_refusal(w.rc, w.field, w.message);
		return;
	end if;
	for i in 1 .. 3 loop
		-- Waits for whoever is adding one with the same key, or another running one, at this moment.
		insert into turns (id, user_id, session_id, chat_id, kind, request_key, client_message_id, body_hash, state, owner,
			lease_until, user_message_id, parent_id, generation, track_id, plan_message_id, plan_text, created_at, updated_at)
		values (p_turn, p_user, w.session_id, w.chat_id, w.kind, w.request_key, p_cmid, p_hash, 'running', p_owner,
			lease_end(p_lease_ms), w.user_message_id, w.parent_id, w.generation,
			case when p_kind = 'finalize' then w.track_id end, w.plan_message_id, w.plan_text, utc_clock(), utc_clock())
		on conflict do nothing;
		exit when found;
		return query select * from turn_again(w, p_turn, p_hash, p_owner, p_lease_ms);
		if found then
			return;
		end if;
	end loop;
	if not exists (select 1 from turns where id = p_turn) then
		return query select * from turn_refusal('turn_in_progress', 'chat_id', 'a reply of this chat is being written');
		return;
	end if;
	insert into attempts (turn_id, attempt, user_id, owner, started_at) values (p_turn, 1, p_user, p_owner, utc_clock());
	if p_kind = 'message' and p_retry is null then
		with c as (update chats set last_seq = last_seq + 1,
				last_message_at = greatest(utc_clock(), last_message_at + interval '1 microsecond')
			where id = w.chat_id returning last_seq, last_message_at)
		insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, message_type, "timestamp",
			turn_id, client_message_id)
		select p_message, w.chat_id, p_user, c.last_seq, 'user', p_body, p_type, c.last_message_at, p_turn, p_cmid from c;
	elsif p_kind = 'welcome' and p_context is not null and w.track_id is null then
		update chats set ai_context = p_context::json where id = w.chat_id and ai_context is null;
	end if;
	return query select * from turn_answer(p_turn, true);
end
$$;

-- The dialogue before a turn's reply, newest first, within a budget of tokens
-- (a third of the characters and 4 for each message). The newest is always
-- there. A row without a role: older ones did not fit, left_out of them.
create function turn_history(p_turn uuid, p_tokens bigint)
returns table (role text, content text, left_out bigint) language plpgsql stable as $$
declare
	t turns;
	m record;
	v_upto bigint := 9223372036854775807;
	v_tokens bigint := 0;
	v_first boolean := true;
begin
	select * into t from turns where id = p_turn;
	if not found then
		return;
	elsif t.kind = 'message' then
		select seq into v_upto from chat_messages where id = t.user_message_id;
	elsif t.parent_id is not null then
		select r.seq - 1 into v_upto from chat_messages p join chat_messages r on r.id = coalesce(p.root_id, p.id)
		where p.id = t.parent_id;
	end if;
	for m in select id, seq, sender_type, message_content, superseded from chat_messages
		where chat_id = t.chat_id and root_id is null and seq <= v_upto order by seq desc
	loop
		content := m.message_content;
		if m.superseded then
			select message_content into content from chat_messages where root_id = m.id and not superseded;
		end if;
		v_tokens := v_tokens + (char_length(content) + 2) / 3 + 4;
		if v_tokens > p_tokens and not v_first then
			role := null;
			content := null;
			left_out := m.seq;
			return next;
			return;
		end if;
		v_first := false;
		role := case when m.sender_type = 'user' then 'user' else 'assistant' end;
		return next;
	end loop;
end
$$;
