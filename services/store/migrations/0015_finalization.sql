-- Finalization changes modules by their ids and says what it changed; a plan of
-- a course may be asked for as JSON.

alter table turns drop constraint turns_kind_check;
alter table turns add constraint turns_kind_check
	check (kind in ('welcome', 'message', 'finalize', 'summary', 'lesson', 'plan'));
alter table turns add column changes json;	-- finalize: {"added","changed","kept","removed"}: ids of modules
alter table chats add column if not exists deleted_at timestamp;

-- Finalize: whose modules, and from which plan: the given one, else the newest
-- message of the model that is no announcement (a new generation counts at the
-- place of the first). With an id of the client that id is the key, so that
-- asking again answers the first whatever was said since; without one the plan
-- is: the same plan is finalized once.
drop function turn_plan(turn_wish, uuid, text, uuid, text);
create function turn_plan(w turn_wish, p_user uuid, p_user_kind text, p_track uuid, p_plan text, p_cmid uuid)
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
	w.rc := 'ok';
	if p_cmid is not null then
		w.request_key := 'asked:' || p_cmid;
		if exists (select 1 from turns where chat_id = w.chat_id and kind = 'finalize' and request_key = w.request_key) then
			return w;
		end if;
	end if;
	select m.id, m.message_content into v_id, v_text
	from chat_messages m left join chat_messages r on r.id = m.root_id
	where m.chat_id = w.chat_id and m.sender_type <> 'user' and coalesce(m.message_type, '') <> 'finalization' and not m.superseded
		and m.message_content <> ''
	order by coalesce(r.seq, m.seq) desc limit 1;
	if p_plan is not null and p_plan is distinct from v_text then
		w.plan_text := p_plan;
		w.request_key := coalesce(w.request_key, 'text:' || md5(p_plan));
	elsif v_id is not null then
		w.plan_message_id := v_id;
		w.request_key := coalesce(w.request_key, v_id::text);
	else
		w.rc := 'invalid';
		w.field := 'course_plan';
		w.message := 'there is no plan in this chat yet: talk about the course first';
	end if;
	return w;
end
$$;

create or replace function turn_begin(p_user uuid, p_user_kind text, p_turn uuid, p_kind text, p_session uuid, p_key text, p_chat uuid,
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
		w := turn_plan(w, p_user, p_user_kind, p_track, p_body, p_cmid);
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
	end if;
	if p_context is not null and w.track_id is null then
		update chats set ai_context = p_context::json where id = w.chat_id and ai_context is null;
	end if;
	return query select * from turn_answer(p_turn, true);
end
$$;


-- The course plan of a track as JSON, in a chat that no list shows: it counts
-- what was spent and keeps what was said. p_wishes is kept with the turn.
create function turn_begin_plan(p_user uuid, p_turn uuid, p_track uuid, p_cmid uuid, p_wishes text, p_hash bytea,
	p_new_session uuid, p_new_chat uuid, p_owner text, p_lease_ms bigint)
returns setof turn_answers language plpgsql as $$
declare
	w turn_wish;
begin
	perform user_seen(p_user);
	-- The row is locked: of two that find no place, one makes it.
	select t.id into w.track_id from learning_tracks t where t.id = p_track and t.user_id = p_user for update;
	if not found then
		return query select * from turn_refusal('not_found', 'track_id', 'no such track');
		return;
	end if;
	select s.id into w.session_id from chat_sessions s where s.track_id = p_track and s.user_id = p_user
	order by s.created_at desc nulls last, s.id limit 1;
	if not found then	-- a track from before sessions
		insert into chat_sessions (id, track_id, user_id, session_name, status, created_at, updated_at)
		select p_new_session, t.id, p_user, t.title, 'active', utc_clock(), utc_clock() from learning_tracks t where t.id = p_track;
		w.session_id := p_new_session;
	end if;
	select c.id into w.chat_id from chats c where c.session_id = w.session_id and c.chat_type = 'plan' limit 1;
	if not found then
		insert into chats (id, session_id, user_id, chat_name, chat_type, status, deleted_at, created_at, updated_at)
		values (p_new_chat, w.session_id, p_user, '', 'plan', 'deleted', utc_clock(), utc_clock(), utc_clock());
		w.chat_id := p_new_chat;
	end if;
	w.kind := 'plan';
	w.request_key := coalesce(p_cmid, p_turn)::text;
	insert into turns (id, user_id, session_id, chat_id, kind, request_key, client_message_id, body_hash, state, owner,
		lease_until, track_id, plan_text, created_at, updated_at)
	values (p_turn, p_user, w.session_id, w.chat_id, w.kind, w.request_key, p_cmid, p_hash, 'running', p_owner,
		lease_end(p_lease_ms), p_track, p_wishes, utc_clock(), utc_clock())
	on conflict do nothing;
	if not found then
		return query select * from turn_again(w, p_turn, p_hash, p_owner, p_lease_ms);
		if not found then	-- the one that was in the way has ended meanwhile
			return query select * from turn_refusal('turn_in_progress', 'track_id', 'a plan of this track is being written');
		end if;
		return;
	end if;
	update chats set deleted_at = utc_clock() where id = w.chat_id;	-- kept as long as it is used
	insert into attempts (turn_id, attempt, user_id, owner, started_at) values (p_turn, 1, p_user, p_owner, utc_clock());
	return query select * from turn_answer(p_turn, true);
end
$$;

-- What a finalization gave becomes the modules of its track. An element with
-- the id of a module continues it: status, progress, lessons and tutor stay.
-- The others are new. A module that nothing continues goes, unless somebody
-- has begun it: then it keeps its number, and the new ones are numbered around
-- it. Begun or not is decided here, under the lock, not when the model was asked.
create function modules_update(p_track uuid, p_user uuid, p_modules json) returns json language plpgsql as $$
declare
	v_old uuid[];		-- by position in p_modules: the module that is continued, or null
	v_ids uuid[];		-- ... and the id it has from now on
	v_removed uuid[];
	v_left uuid[];		-- begun and not continued, by their numbers
	v_before bigint[];	-- how many of p_modules come before each of those
	v_changed uuid[];
begin
	perform 1 from learning_tracks where id = p_track for update;
	perform 1 from course_modules where track_id = p_track for update;
	select array_agg(m.id order by x.n), array_agg(coalesce(m.id, gen_random_uuid()) order by x.n) into v_old, v_ids
	from (select e, n, row_number() over (partition by e ->> 'id' order by n) as nth
		from json_array_elements(p_modules) with ordinality as y (e, n)) x
	left join course_modules m on m.track_id = p_track and m.id::text = x.e ->> 'id' and x.nth = 1;

	select array_agg(m.id) into v_removed from course_modules m
	where m.track_id = p_track and m.id <> all (v_ids)
		and coalesce(m.status, 'not_started') = 'not_started' and coalesce(m.progress, 0) = 0;
	delete from homework_assignments h using lessons l where l.id = h.lesson_id and l.module_id = any (v_removed);
	delete from lessons where module_id = any (v_removed);
	delete from course_modules where id = any (v_removed);

	select array_agg(id order by nth), array_agg(before order by nth) into v_left, v_before
	from (select id, nth, least(cardinality(v_ids), max(greatest(module_number - nth, 0)) over (order by nth)) as before
		from (select m.id, m.module_number, row_number() over (order by m.module_number, m.id) as nth from course_modules m
			where m.track_id = p_track and m.id <> all (v_ids)) ranked) placed;
	update course_modules m set module_number = x.nth + v_before[x.nth]
	from unnest(v_left) with ordinality as x (id, nth)
	where m.id = x.id and m.module_number <> x.nth + v_before[x.nth];

	select array_agg(m.id order by x.n) into v_changed
	from json_array_elements(p_modules) with ordinality as x (e, n) join course_modules m on m.id = v_old[x.n]
	where (m.title, m.description, m.learning_objectives::text, m.estimated_duration_hours) is distinct from
		(btrim(x.e ->> 'title'), x.e ->> 'description', (x.e -> 'learning_objectives')::text,
		coalesce((x.e ->> 'estimated_duration_hours')::numeric::integer, 1));
	insert into course_modules (id, track_id, user_id, module_number, title, description, learning_objectives,
		estimated_duration_hours, ai_generated_content, status, created_at, updated_at)
	select v_ids[x.n], p_track, p_user, x.n + (select count(*) from unnest(v_before) b where b < x.n), btrim(x.e ->> 'title'),
		x.e ->> 'description', x.e -> 'learning_objectives', coalesce((x.e ->> 'estimated_duration_hours')::numeric::integer, 1),
		x.e, 'not_started', utc_now(), utc_now()
	from json_array_elements(p_modules) with ordinality as x (e, n)
	on conflict (id) do update set module_number = excluded.module_number, title = excluded.title,
		description = excluded.description, learning_objectives = excluded.learning_objectives,
		estimated_duration_hours = excluded.estimated_duration_hours,
		ai_generated_content = excluded.ai_generated_content, updated_at = excluded.updated_at;

	update learning_tracks set updated_at = utc_now(),
		status = case when status = 'COMPLETED' and not exists (select 1 from course_modules m
				where m.track_id = p_track and m.status is distinct from 'completed') then status else 'ACTIVE' end
	where id = p_track;
	return (select json_build_object(
		'added', coalesce(array_agg(v_ids[n] order by n) filter (where v_old[n] is null), '{}'),
		'changed', coalesce(v_changed, '{}'),
		'kept', coalesce(array_agg(v_ids[n] order by n) filter (where v_old[n] is not null and v_old[n] <> all (coalesce(v_changed, '{}'))), '{}')
			|| coalesce(v_left, '{}'),
		'removed', coalesce(v_removed, '{}')) from generate_subscripts(v_ids, 1) n);
end
$$;

-- The terminal state, and with p_reply the AI row. Repeated by the same owner
-- for the same attempt it answers what is stored.
create or replace function turn_finish(p_turn uuid, p_owner text, p_attempt bigint, p_state text, p_message uuid, p_reply text,
	p_type text, p_model text, p_finish text, p_prompt bigint, p_cached bigint, p_completion bigint, p_estimated boolean,
	p_cost bigint, p_currency text, p_gateway_in bigint, p_chat bigint, p_store bigint, p_ai_queue bigint,
	p_first_token bigint, p_provider bigint, p_total bigint, p_error_code text, p_error_message text, p_modules text,
	p_result text)
returns setof turn_answers language plpgsql as $$
declare
	t turns;
	v_message uuid := case when p_reply is not null then p_message end;
begin
	-- Half of a list of modules is no reply. A welcome or finalization that gave
	-- nothing may be begun again: it gives its key back.
	update turns set state = p_state,
		ai_message_id = case when kind <> 'finalize' or p_state = 'completed' then v_message end, lease_until = null, partial = null,
		error_code = left(p_error_code, 40), error_message = p_error_message,
		result = case when track_id is null or kind = 'plan' then p_result::json end,
		finished_at = utc_clock(), updated_at = utc_clock(),
		request_key = case when kind <> 'message' and (v_message is null or kind = 'finalize' and p_state <> 'completed') then request_key || ':' || id else request_key end
	where id = p_turn and state = 'running' and owner = p_owner and attempt = p_attempt
	returning * into t;
	if not found then
		select * into t from turns where id = p_turn;
		if not found then
			return query select * from turn_refusal('not_found', 'turn_id', 'no such turn');
		elsif t.state = 'running' or t.owner is distinct from p_owner or t.attempt <> p_attempt then
			return query select * from turn_refusal('conflict', 'attempt', 'the turn has another owner or attempt');
		else
			return query select * from turn_answer(p_turn, false);
		end if;
		return;
	end if;
	v_message := t.ai_message_id;
	update attempts set ended_at = utc_clock(), outcome = p_state, model = left(p_model, 100), prompt_tokens = p_prompt,
		cached_tokens = p_cached, completion_tokens = p_completion, usage_estimated = p_estimated, cost_nano = p_cost,
		currency = p_currency
	where turn_id = p_turn and attempt = p_attempt;
	if v_message is not null then
		with c as (update chats set last_seq = last_seq + 1,
				last_message_at = greatest(utc_clock(), last_message_at + interval '1 microsecond')
			where id = t.chat_id returning last_seq, last_message_at)
		insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, message_type, ai_model_used,
			tokens_used, "timestamp", turn_id, parent_id, root_id, generation, prompt_tokens, cached_tokens,
			completion_tokens, usage_estimated, cost_nano, currency, finish_reason, gateway_in_us, chat_us, store_us,
			ai_queue_us, provider_first_token_us, provider_total_us, total_us)
		select v_message, t.chat_id, t.user_id, c.last_seq, 'ai', p_reply,
			coalesce(p_type, case t.kind when 'welcome' then 'welcome' when 'finalize' then 'finalization' when 'plan' then 'plan' else 'text' end),
			left(p_model, 100),
			p_prompt + p_completion, c.last_message_at, p_turn, t.parent_id,
			case when t.parent_id is not null then (select coalesce(g.root_id, g.id) from chat_messages g where g.id = t.parent_id) end,
			t.generation, p_prompt, p_cached, p_completion, p_estimated, p_cost, p_currency, left(p_finish, 40), p_gateway_in,
			p_chat, p_store, p_ai_queue, p_first_token, p_provider, p_total
		from c;
	end if;
	if v_message is not null and t.parent_id is not null then
		update chat_messages set superseded = true where id = t.parent_id;
	end if;
	if p_modules is not null and t.track_id is not null then
		update turns set changes = modules_update(t.track_id, t.user_id, p_modules::json) where id = p_turn;
	elsif t.kind = 'plan' and p_result is not null then
		update learning_tracks set ai_generated_plan = p_result::json, updated_at = utc_now()
		where id = t.track_id and user_id = t.user_id;
	end if;
	return query select * from turn_answer(p_turn, false);
end
$$;

drop function modules_replace(uuid, uuid, json);
