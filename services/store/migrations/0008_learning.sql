-- Learning a module: its summary, the dialogue with its tutor, its lessons.
-- Summary and lesson are turns of the module's tutor chat, of which there is
-- one per user and module.

alter table turns drop constraint turns_kind_check;
alter table turns add constraint turns_kind_check check (kind in ('welcome', 'message', 'finalize', 'summary', 'lesson'));
alter table turns add column subject json;	-- lesson: lesson_id, number, title, content_type, context

alter table chats
	add column module_id uuid,	-- the module this chat is the tutor of
	add column if not exists deleted_at timestamp;
create unique index chats_module on chats (user_id, module_id) where module_id is not null;

-- ---- what the model is told -----------------------------------------------------

-- A column that should hold an array of strings, as one line.
create function objectives_line(p_list text) returns text language sql immutable as $$
	select string_agg(e, '; ') from json_array_elements_text(
		case when json_typeof(p_list::json) = 'array' then p_list::json else '[]' end) e
$$;

-- What a lesson is about. A further generation is about the same as the one before it.
create function turn_subject(t turns) returns json language sql stable as $$
	select coalesce(t.subject, (select o.subject from chat_messages p
		join chat_messages g on g.chat_id = p.chat_id and (g.id = coalesce(p.root_id, p.id) or g.root_id = coalesce(p.root_id, p.id))
		join turns o on o.id = g.turn_id where p.id = t.parent_id and o.subject is not null order by g.generation desc limit 1))
$$;

create or replace view turn_rows as
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
	a."timestamp", t.error_code, t.error_message, t.result, t.partial,
	c.module_id, coalesce(m.title, c.ai_context ->> 'module_title', case when c.module_id is not null then c.chat_name end) as module_title,
	m.description as module_description, objectives_line(m.learning_objectives::text) as module_objectives,
	case when t.kind = 'lesson' then turn_subject(t) ->> 'lesson_id' end as lesson_id,
	case when t.kind = 'lesson' then turn_subject(t) ->> 'number' end as lesson_number,
	case when t.kind = 'lesson' then turn_subject(t) ->> 'title' end as lesson_title,
	case when t.kind = 'lesson' then turn_subject(t) ->> 'content_type' end as content_type,
	case when t.kind = 'lesson' then turn_subject(t) ->> 'context' end as lesson_context
from turns t
join users u on u.id = t.user_id
join chat_sessions s on s.id = t.session_id
join chats c on c.id = t.chat_id
left join learning_tracks l on l.id = coalesce(t.track_id, s.track_id)
left join course_modules m on m.id = c.module_id and m.user_id = t.user_id
left join chat_messages q on q.id = t.user_message_id
left join chat_messages a on a.id = t.ai_message_id
left join chat_messages p on p.id = t.plan_message_id;

create or replace view turn_answers as
select ''::text as rc, ''::text as field, ''::text as message, false as begun, r.* from turn_rows r;

-- The dialogue before a turn's reply, newest first, within a budget of tokens
-- (a third of the characters and 4 for each message). The newest is always
-- there, and so is a module's summary, before all others. A row without a
-- role: older ones did not fit, left_out of them.
create or replace function turn_history(p_turn uuid, p_tokens bigint)
returns table (role text, content text, left_out bigint) language plpgsql stable as $$
declare
	t turns;
	m record;
	v_upto bigint := 9223372036854775807;
	v_tokens bigint := 0;
	v_first boolean := true;
	v_summary bigint;
	v_summary_text text;
begin
	select * into t from turns where id = p_turn;
	if not found or t.kind in ('summary', 'lesson') then
		return;
	elsif t.kind = 'message' then
		select seq into v_upto from chat_messages where id = t.user_message_id;
	elsif t.parent_id is not null then
		select r.seq - 1 into v_upto from chat_messages p join chat_messages r on r.id = coalesce(p.root_id, p.id)
		where p.id = t.parent_id;
	end if;
	if exists (select 1 from chats c where c.id = t.chat_id and c.module_id is not null) then
		select r.seq, coalesce(g.message_content, r.message_content) into v_summary, v_summary_text
		from turns s join chat_messages a on a.id = s.ai_message_id join chat_messages r on r.id = coalesce(a.root_id, a.id)
		left join chat_messages g on g.root_id = r.id and not g.superseded
		where s.chat_id = t.chat_id and s.kind = 'summary' order by r.seq limit 1;
		v_tokens := coalesce((char_length(v_summary_text) + 2) / 3 + 4, 0);
	end if;
	for m in select id, seq, sender_type, message_content, superseded from chat_messages
		where chat_id = t.chat_id and root_id is null and seq <= v_upto and seq is distinct from v_summary order by seq desc
	loop
		content := m.message_content;
		if m.superseded then
			select message_content into content from chat_messages where root_id = m.id and not superseded;
		end if;
		v_tokens := v_tokens + (char_length(content) + 2) / 3 + 4;
		if v_tokens > p_tokens and not v_first then
			left_out := m.seq - case when v_summary < m.seq then 1 else 0 end;
			exit;
		end if;
		v_first := false;
		role := case when m.sender_type = 'user' then 'user' else 'assistant' end;
		return next;
	end loop;
	if v_summary is not null then
		return query select 'assistant'::text, v_summary_text, null::bigint;
	end if;
	if left_out is not null then
		return query select null::text, null::text, left_out;
	end if;
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

-- ---- where: the tutor chat of a module -----------------------------------------------

-- A module of the caller by its id, or by its number within his track; null when there is none.
create function module_of(p_user uuid, p_track uuid, p_module uuid, p_number bigint) returns uuid language sql stable as $$
	select m.id from course_modules m where m.id = p_module and m.user_id = p_user and (p_track is null or m.track_id = p_track)
	union all
	(select m.id from course_modules m where p_module is null and m.track_id = p_track and m.module_number = p_number
		and m.user_id = p_user order by m.id limit 1)
$$;

-- Of a track that only the client knows: the same names are the same module. Nobody's are told apart by their session.
create function module_of_name(p_user uuid, p_session uuid, p_key text, p_track text, p_module text) returns uuid language sql immutable as $$
	select md5(concat_ws(chr(31), p_user,
		case when p_user = '00000000-0000-0000-0000-000000000000' then coalesce(p_session::text, p_key) end, p_track, p_module))::uuid
$$;

-- The newest session of a track; made when an old track has none.
create function track_session(p_user uuid, p_track uuid, p_new uuid) returns uuid language plpgsql as $$
declare
	v_id uuid;
begin
	for i in 1 .. 2 loop
		select s.id into v_id from chat_sessions s where s.track_id = p_track and s.user_id = p_user
		order by s.created_at desc nulls last, s.id limit 1 for key share;
		exit when found or i = 2;
		perform 1 from learning_tracks where id = p_track and user_id = p_user for no key update;	-- two at once: one after the other
		exit when not found;
	end loop;
	if v_id is null then
		insert into chat_sessions (id, track_id, user_id, session_name, status, created_at, updated_at)
		select p_new, t.id, p_user, t.title, 'active', utc_now(), utc_now() from learning_tracks t where t.id = p_track and t.user_id = p_user
		on conflict do nothing returning id into v_id;
	end if;
	return v_id;
end
$$;

-- The tutor chat of a module in its track's session; made when there is none.
-- p_track_name: the client's own name of a track that is not stored; its
-- module has no row, and its chat is in the client's session. p_chat: must be that chat.
create function tutor_place(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_track uuid, p_track_name text, p_module uuid,
	p_number bigint, p_module_name text, p_language text, p_new_session uuid, p_new_chat uuid)
returns turn_wish language plpgsql as $$
declare
	w turn_wish;
	c chats;
	m course_modules;
	v_module uuid := module_of(p_user, p_track, p_module, p_number);
	v_language text := p_language;
	v_context json;
	v_title text;
begin
	w.rc := 'not_found';
	w.field := 'module_id';
	w.message := 'no such module';
	w.generation := 1;
	if v_module is null and p_track_name is not null then
		v_module := module_of_name(p_user, p_session, p_key, p_track_name, p_module_name);
	end if;
	if v_module is null and p_chat is not null and p_module_name is null then
		select module_id into v_module from chats where id = p_chat and user_id = p_user;
	end if;
	if v_module is null then
		return w;
	end if;
	select * into c from chats where user_id = p_user and module_id = v_module and status is distinct from 'deleted';
	if p_chat is not null and c.id is distinct from p_chat then
		w.field := 'chat_id';
		w.message := 'no such chat';
		return w;
	end if;
	select * into m from course_modules where id = v_module and user_id = p_user;
	if c.id is null then
		if m.id is not null then
			w.session_id := track_session(p_user, m.track_id, p_new_session);
			select coalesce(t.language, v_language) into v_language from learning_tracks t where t.id = m.track_id;
			v_title := m.title;
			v_context := json_build_object('language', v_language);
		elsif p_track_name is null then
			return w;
		else
			w.session_id := session_of(p_user, p_session, p_key, p_new_session);
			v_title := p_module_name;
			select json_build_object('language', v_language, 'module_title',
				case when v_language = 'en' then 'Module ' else 'Модуль ' end || p_module_name, 'skill_area', a.ai_context ->> 'skill_area',
				'difficulty_level', a.ai_context ->> 'difficulty_level') into v_context
			from (select 1) x left join chats a on a.session_id = w.session_id and a.chat_type = 'planning' and a.status = 'active';
		end if;
		if w.session_id is null then
			w.field := 'session_id';
			w.message := 'no such session';
			return w;
		end if;
		-- The one that was deleted may be restored, but it is not the tutor any more.
		update chats set module_id = null, chat_type = 'discussion' where user_id = p_user and module_id = v_module and status = 'deleted';
		insert into chats (id, session_id, user_id, chat_name, chat_type, status, ai_context, module_id, created_at, updated_at)
		values (p_new_chat, w.session_id, p_user,
			left(case when v_language = 'en' then 'Module: ' else 'Модуль: ' end || v_title, 255), 'module_learning', 'active', v_context,
			v_module, utc_clock(), utc_clock())
		on conflict do nothing;
		select * into c from chats where user_id = p_user and module_id = v_module;
	end if;
	select s.id, s.track_id into w.session_id, w.track_id from chat_sessions s where s.id = c.session_id for key share;
	if c.status is distinct from 'active' then	-- who goes on with an archived one wants it back
		update chats set status = 'active', updated_at = utc_clock() where id = c.id;
	end if;
	update course_modules set status = 'in_progress', updated_at = utc_now()
	where id = m.id and coalesce(lower(status), 'not_started') not in ('in_progress', 'completed');
	w.chat_id := c.id;
	w.rc := 'ok';
	return w;
end
$$;

-- For a reader: as chat_open. Nothing is made.
create function tutor_open(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_track uuid, p_track_name text, p_module uuid,
	p_number bigint, p_module_name text)
returns table (session_id uuid, chat_id uuid, running_turn uuid) language plpgsql as $$
declare
	c chats;
	v_module uuid := module_of(p_user, p_track, p_module, p_number);
begin
	if v_module is null and p_track_name is not null then
		v_module := module_of_name(p_user, p_session, p_key, p_track_name, p_module_name);
	end if;
	select * into c from chats where user_id = p_user and module_id = v_module and status is distinct from 'deleted';
	if v_module is null or p_chat is not null and c.id is distinct from p_chat then
		return;
	end if;
	perform set_config('alp.chat', coalesce(c.id::text, ''), true);
	return query select c.session_id, c.id, (select t.id from turns t where t.chat_id = c.id and t.state = 'running');
end
$$;

-- ---- turns begin ------------------------------------------------------------------------

-- A message to the tutor.
create function turn_begin_tutor(p_user uuid, p_user_kind text, p_turn uuid, p_session uuid, p_key text, p_chat uuid, p_track uuid,
	p_track_name text, p_module uuid, p_number bigint, p_module_name text, p_language text, p_new_session uuid, p_new_chat uuid,
	p_cmid uuid, p_body text, p_hash bytea, p_type text, p_message uuid, p_owner text, p_lease_ms bigint)
returns setof turn_answers language plpgsql as $$
declare
	w turn_wish;
begin
	perform user_seen(p_user);
	w := tutor_place(p_user, p_session, p_key, p_chat, p_track, p_track_name, p_module, p_number, p_module_name, p_language,
		p_new_session, p_new_chat);
	if w.rc <> 'ok' then
		return query select * from turn_refusal(w.rc, w.field, w.message);
		return;
	end if;
	return query select * from turn_begin(p_user, p_user_kind, p_turn, 'message', null, null, w.chat_id, null, p_cmid, p_body,
		p_hash, p_type, p_new_session, p_new_chat, p_message, null, null, p_owner, p_lease_ms);
end
$$;

-- The turn whose reply counts now: the one, or its newest further generation.
create function turn_current(t turns) returns setof turns language sql stable as $$
	select n.* from chat_messages a
	join chat_messages g on g.chat_id = a.chat_id and (g.id = coalesce(a.root_id, a.id) or g.root_id = coalesce(a.root_id, a.id))
	join turns n on n.id = g.turn_id
	where a.id = t.ai_message_id and not g.superseded
$$;

-- A lesson that is stored, and no turn tells of it any more: one that ended.
create function turn_of_lesson(w turn_wish, p_user uuid, p_turn uuid, p_subject json, p_content text) returns void language plpgsql as $$
declare
	v_message uuid := gen_random_uuid();
begin
	insert into turns (id, user_id, session_id, chat_id, kind, request_key, state, ai_message_id, subject, created_at, updated_at, finished_at)
	values (p_turn, p_user, w.session_id, w.chat_id, 'lesson', w.request_key, 'completed', v_message, p_subject, utc_clock(), utc_clock(), utc_clock())
	on conflict do nothing;
	if found then
		with c as (update chats set last_seq = last_seq + 1,
				last_message_at = greatest(utc_clock(), last_message_at + interval '1 microsecond')
			where id = w.chat_id returning last_seq, last_message_at)
		insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, message_type, "timestamp", turn_id)
		select v_message, w.chat_id, p_user, c.last_seq, 'ai', p_content, 'lesson', c.last_message_at, p_turn from c;
	end if;
end
$$;

-- The wish of a lesson without a module: a chat that is deleted from the start, so that nothing of it is seen.
create function lesson_alone(p_user uuid, p_turn uuid, p_language text, p_new_session uuid, p_new_chat uuid) returns turn_wish language plpgsql as $$
declare
	w turn_wish;
begin
	w.rc := 'ok';
	w.kind := 'lesson';
	w.generation := 1;
	w.request_key := p_turn;
	w.session_id := session_of(p_user, null, 'alp:lessons', p_new_session);
	w.chat_id := p_new_chat;
	insert into chats (id, session_id, user_id, chat_name, chat_type, status, ai_context, deleted_at, created_at, updated_at)
	values (p_new_chat, w.session_id, p_user, '', 'lesson', 'deleted', json_build_object('language', p_language), utc_clock(), utc_clock(), utc_clock())
	on conflict do nothing;
	return w;
end
$$;

-- A summary or a lesson: once per module, and per number of the lesson. One
-- that ended in the middle gives its place to the next.
create function turn_begin_module(p_user uuid, p_turn uuid, p_kind text, p_session uuid, p_key text, p_chat uuid, p_track uuid,
	p_track_name text, p_module uuid, p_number bigint, p_module_name text, p_language text, p_new_session uuid, p_new_chat uuid,
	p_lesson uuid, p_lesson_number bigint, p_title text, p_type text, p_context text, p_owner text, p_lease_ms bigint)
returns setof turn_answers language plpgsql as $$
declare
	w turn_wish;
	t turns;
	n turns;
	l lessons;
	v_subject json;
begin
	perform user_seen(p_user);
	if p_kind = 'lesson' and p_module_name is null and p_chat is null then
		w := lesson_alone(p_user, p_turn, p_language, p_new_session, p_new_chat);
		v_subject := json_build_object('title', p_title, 'content_type', p_type, 'context', p_context);
	else
		w := tutor_place(p_user, p_session, p_key, p_chat, p_track, p_track_name, p_module, p_number, p_module_name, p_language,
			p_new_session, p_new_chat);
		w.kind := p_kind;
		w.request_key := 'summary';
	end if;
	if w.rc <> 'ok' then
		return query select * from turn_refusal(w.rc, w.field, w.message);
		return;
	end if;
	if p_kind = 'lesson' and v_subject is null then
		w.request_key := 'lesson:' || p_lesson_number;
		select x.* into l from lessons x join chats c on c.module_id = x.module_id
		where c.id = w.chat_id and x.user_id = p_user and x.lesson_number = p_lesson_number
		order by coalesce(x.content, '') = '', x.created_at, x.id limit 1;
		v_subject := json_build_object('lesson_id', coalesce(l.id, p_lesson), 'number', p_lesson_number,
			'title', left(p_title, 255), 'content_type', p_type, 'context', p_context);
	end if;
	select x.* into t from turns x where x.chat_id = w.chat_id and x.kind = w.kind and x.request_key = w.request_key;
	if found and t.state <> 'running' then
		select * into n from turn_current(t);
		if n.state = 'completed' then
			return query select * from turn_answer(n.id, false);
			return;
		end if;
		update turns set request_key = request_key || ':' || id where id = t.id and request_key = w.request_key;
		select a.id, a.generation + 1 into w.parent_id, w.generation from chat_messages a where a.id = n.ai_message_id;
		w.generation := coalesce(w.generation, 1);
	elsif l.content <> '' and t.id is null then
		perform turn_of_lesson(w, p_user, p_turn, v_subject, l.content);
	end if;
	for i in 1 .. 3 loop
		insert into turns (id, user_id, session_id, chat_id, kind, request_key, state, owner, lease_until, parent_id, generation,
			subject, created_at, updated_at)
		values (p_turn, p_user, w.session_id, w.chat_id, w.kind, w.request_key, 'running', p_owner, lease_end(p_lease_ms), w.parent_id,
			w.generation, v_subject, utc_clock(), utc_clock())
		on conflict do nothing;
		exit when found;
		return query select * from turn_again(w, p_turn, null, p_owner, p_lease_ms);
		if found then
			return;
		end if;
	end loop;
	if not exists (select 1 from turns where id = p_turn) then
		return query select * from turn_refusal('turn_in_progress', 'chat_id', 'a reply of this chat is being written');
		return;
	end if;
	insert into attempts (turn_id, attempt, user_id, owner, started_at) values (p_turn, 1, p_user, p_owner, utc_clock());
	return query select * from turn_answer(p_turn, true);
end
$$;

-- ---- lessons and progress ---------------------------------------------------------------------

-- A module's progress is the share of its lessons that are completed; only completing the module makes 100.
create function module_progress(p_module uuid) returns void language sql as $$
	update course_modules m set progress = least(99, x.completed * 100 / greatest(x.n, 1)),
		status = case when x.begun and coalesce(lower(m.status), 'not_started') = 'not_started' then 'in_progress' else m.status end,
		updated_at = utc_now()
	from (select count(*) as n, count(*) filter (where status = 'completed') as completed,
		coalesce(bool_or(status in ('in_progress', 'completed')), false) as begun from lessons where module_id = p_module) x
	where m.id = p_module and lower(m.status) is distinct from 'completed'
$$;

-- After the lesson's turn in alp.turn has ended: its text is the lesson's. A module that is gone has no lessons.
create function lesson_keep() returns uuid language plpgsql as $$
declare
	v_id uuid;
	v_module uuid;
begin
	insert into lessons (id, module_id, user_id, lesson_number, title, content_type, content, estimated_duration_minutes, status,
		created_at, updated_at)
	select (j.s ->> 'lesson_id')::uuid, m.id, t.user_id, (j.s ->> 'number')::integer, j.s ->> 'title',
		case when lower(j.s ->> 'content_type') in ('practice', 'homework', 'quiz') then upper(j.s ->> 'content_type') else 'THEORY' end::contenttype,
		a.message_content, greatest(5, char_length(a.message_content) / 500),	-- with time to think and to try
		'not_started', utc_clock(), utc_clock()
	from turns t cross join lateral (select turn_subject(t) as s) j join chats c on c.id = t.chat_id
	join course_modules m on m.id = c.module_id and m.user_id = t.user_id join chat_messages a on a.id = t.ai_message_id
	where t.id = nullif(current_setting('alp.turn', true), '')::uuid and t.kind = 'lesson' and t.state = 'completed'
		and j.s ->> 'lesson_id' is not null
	on conflict (id) do update set title = excluded.title, content_type = excluded.content_type, content = excluded.content,
		estimated_duration_minutes = excluded.estimated_duration_minutes, updated_at = excluded.updated_at
	where lessons.content is distinct from excluded.content
	returning id, module_id into v_id, v_module;
	perform module_progress(v_module);
	return v_id;
end
$$;

create function lesson_set(p_user uuid, p_lesson uuid, p_status text)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_module uuid;
begin
	perform user_seen(p_user);
	select l.module_id into v_module from lessons l where l.id = p_lesson and l.user_id = p_user;
	perform 1 from course_modules where id = v_module for no key update;	-- two at once: one after the other
	update lessons set status = p_status, updated_at = utc_now() where id = p_lesson and user_id = p_user and status is distinct from p_status;
	perform module_progress(v_module);
	return query select case when v_module is null then 'not_found' else 'ok' end, 'lesson_id', 'no such lesson';
end
$$;

-- The module is completed, and with the last one the track.
create function module_complete(p_user uuid, p_track uuid, p_module uuid, p_number bigint)
returns table (rc text, field text, message text, module_id uuid, completed_at timestamp, track_status text) language plpgsql as $$
declare
	v_module uuid := module_of(p_user, p_track, p_module, p_number);
	v_track uuid;
begin
	perform user_seen(p_user);
	select m.track_id into v_track from course_modules m where m.id = v_module;
	perform 1 from learning_tracks where id = v_track for no key update;
	update course_modules m set status = 'completed', progress = 100, completed_at = coalesce(m.completed_at, utc_now()),
		updated_at = case when lower(m.status) = 'completed' and m.completed_at is not null then m.updated_at else utc_now() end
	where m.id = v_module and m.user_id = p_user;
	if not found then
		return query select 'not_found', 'module_id', 'no such module', null::uuid, null::timestamp, null::text;
		return;
	end if;
	update learning_tracks t set status = 'COMPLETED', updated_at = utc_now()
	where t.id = v_track and t.status is distinct from 'COMPLETED'
		and not exists (select 1 from course_modules m where m.track_id = v_track and lower(m.status) is distinct from 'completed');
	return query select 'ok', '', '', m.id, m.completed_at, lower(t.status::text)
	from course_modules m join learning_tracks t on t.id = m.track_id where m.id = v_module;
end
$$;
