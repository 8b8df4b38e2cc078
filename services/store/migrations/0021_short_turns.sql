-- What begins or ends a turn answers a verdict; the turn itself is read by the
-- statement behind it, in the same transaction, and only what is asked for of
-- it. A function in SQL that is not inlined is planned on each call: those on
-- the way of every turn are in plpgsql, which keeps plans, or are not called
-- for nothing.

create type turn_verdicts as (rc text, field text, message text, begun boolean);

-- Every function that answered whole turns. Their bodies name no type.
do $$
declare
	f record;
begin
	for f in select p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as body
		from pg_proc p where p.prorettype = 'turn_answers'::regtype and p.proname not in ('turn_refusal', 'turn_answer')
	loop
		execute 'drop function ' || f.name;
		execute replace(f.body, 'RETURNS SETOF turn_answers', 'RETURNS SETOF turn_verdicts');
	end loop;
end
$$;
drop function turn_answer(uuid, boolean);
drop function turn_refusal(text, text, text);
drop view turn_answers;

create function turn_refusal(p_rc text, p_field text, p_message text) returns setof turn_verdicts language plpgsql as $$
begin
	return query select p_rc, p_field, p_message, false;
end
$$;

-- The turn goes into alp.turn, for the statements that follow in the same transaction.
create function turn_answer(p_turn uuid, p_begun boolean) returns setof turn_verdicts language plpgsql as $$
declare
	v_turn constant text := set_config('alp.turn', p_turn::text, true);
begin
	return query select 'ok', '', '', p_begun;
end
$$;

create or replace function objectives_line(p_list text) returns text language sql immutable strict as $$
	select string_agg(e, '; ') from json_array_elements_text(
		case when json_typeof(p_list::json) = 'array' then p_list::json else '[]' end) e
$$;

create or replace function session_activate(p_session uuid, p_chat uuid) returns void language plpgsql as $$
begin
	update chat_sessions set active_chat_id = p_chat where id = p_session and active_chat_id is distinct from p_chat;
end
$$;

create or replace function turns_activate() returns trigger language plpgsql as $$
begin
	update chat_sessions set active_chat_id = new.chat_id
	where id = new.session_id and active_chat_id is distinct from new.chat_id;
	return null;
end
$$;

-- Mostly there is nothing to write.
create or replace function user_seen(p_user uuid) returns void language plpgsql as $$
declare
	v_active boolean;
	v_seen timestamp;
begin
	if p_user = '00000000-0000-0000-0000-000000000000' then
		return;
	end if;
	perform pg_advisory_xact_lock_shared(user_lock(p_user));
	select is_active, last_seen_at into v_active, v_seen from users where id = p_user;
	if v_active is not true then
		raise exception 'the account is gone or disabled' using errcode = '28000';
	elsif v_seen is null or v_seen < utc_clock() - interval '5 minutes' then
		update users set last_seen_at = utc_clock() where id = p_user and is_active;
		if not found then
			raise exception 'the account is gone or disabled' using errcode = '28000';
		end if;
	end if;
end
$$;

create or replace function turn_begin(p_user uuid, p_user_kind text, p_turn uuid, p_kind text, p_session uuid, p_key text, p_chat uuid,
	p_track uuid, p_cmid uuid, p_body text, p_hash bytea, p_type text, p_new_session uuid, p_new_chat uuid, p_message uuid,
	p_context text, p_retry uuid, p_owner text, p_lease_ms bigint)
returns setof turn_verdicts language plpgsql as $$
declare
	w turn_wish;
	v_added boolean;
	v_seq bigint;
	v_at timestamp;
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
		v_added := found;
		exit when v_added;
		return query select * from turn_again(w, p_turn, p_hash, p_owner, p_lease_ms);
		if found then
			return;
		end if;
	end loop;
	if not v_added then
		return query select * from turn_refusal('turn_in_progress', 'chat_id', 'a reply of this chat is being written');
		return;
	end if;
	insert into attempts (turn_id, attempt, user_id, owner, started_at) values (p_turn, 1, p_user, p_owner, utc_clock());
	if p_kind = 'message' and p_retry is null then
		update chats set last_seq = last_seq + 1,
			last_message_at = greatest(utc_clock(), last_message_at + interval '1 microsecond')
		where id = w.chat_id returning last_seq, last_message_at into v_seq, v_at;
		insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, message_type, "timestamp",
			turn_id, client_message_id)
		values (p_message, w.chat_id, p_user, v_seq, 'user', p_body, p_type, v_at, p_turn, p_cmid);
	end if;
	if p_context is not null and w.track_id is null then
		update chats set ai_context = p_context::json where id = w.chat_id and ai_context is null;
	end if;
	return query select * from turn_answer(p_turn, true);
end
$$;

-- The terminal state, and with p_reply the AI row. Repeated by the same owner
-- for the same attempt it answers what is stored. What a finalization announces
-- is what it stores: its announcement was written for the modules that p_seen
-- tells, [{"id", "begun", "title"}]. When somebody has begun, added or removed
-- one since, it is refused and written anew. p_seen null: nothing depends on
-- them. Turns are locked before tracks, as by all others.
drop function turn_finish(uuid, text, bigint, text, uuid, text, text, text, text, bigint, bigint, bigint, boolean, bigint, text,
	bigint, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text, text);
create or replace function turn_finish(p_turn uuid, p_owner text, p_attempt bigint, p_state text, p_message uuid, p_reply text,
	p_type text, p_model text, p_finish text, p_prompt bigint, p_cached bigint, p_completion bigint, p_estimated boolean,
	p_cost bigint, p_currency text, p_gateway_in bigint, p_chat bigint, p_store bigint, p_ai_queue bigint,
	p_first_token bigint, p_provider bigint, p_total bigint, p_error_code text, p_error_message text, p_modules text,
	p_result text, p_seen text)
returns setof turn_verdicts language plpgsql as $$
declare
	t turns;
	v_message uuid := case when p_reply is not null then p_message end;
	v_track uuid;
	v_root uuid;
	v_seq bigint;
	v_at timestamp;
begin
	if p_seen is not null and p_modules is not null then
		select track_id into v_track from turns
		where id = p_turn and state = 'running' and owner = p_owner and attempt = p_attempt for update;
		perform 1 from learning_tracks where id = v_track for update;
		perform 1 from course_modules where track_id = v_track order by id for update;
		if v_track is not null and exists (
			(select m.id::text, coalesce(m.title, ''), coalesce(m.status, 'not_started') <> 'not_started' or coalesce(m.progress, 0) > 0
				from course_modules m where m.track_id = v_track
			except select e ->> 'id', e ->> 'title', (e ->> 'begun')::boolean from json_array_elements(p_seen::json) e)
			union all
			(select e ->> 'id', e ->> 'title', (e ->> 'begun')::boolean from json_array_elements(p_seen::json) e
			except select m.id::text, coalesce(m.title, ''), coalesce(m.status, 'not_started') <> 'not_started' or coalesce(m.progress, 0) > 0
				from course_modules m where m.track_id = v_track)) then
			return query select * from turn_refusal('conflict', 'modules', 'the modules have changed meanwhile');
			return;
		end if;
	end if;
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
		if t.parent_id is not null then
			select coalesce(g.root_id, g.id) into v_root from chat_messages g where g.id = t.parent_id;
		end if;
		update chats set last_seq = last_seq + 1,
			last_message_at = greatest(utc_clock(), last_message_at + interval '1 microsecond')
		where id = t.chat_id returning last_seq, last_message_at into v_seq, v_at;
		insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, message_type, ai_model_used,
			tokens_used, "timestamp", turn_id, parent_id, root_id, generation, prompt_tokens, cached_tokens,
			completion_tokens, usage_estimated, cost_nano, currency, finish_reason, gateway_in_us, chat_us, store_us,
			ai_queue_us, provider_first_token_us, provider_total_us, total_us)
		values (v_message, t.chat_id, t.user_id, v_seq, 'ai', p_reply,
			coalesce(p_type, case t.kind when 'welcome' then 'welcome' when 'finalize' then 'finalization' when 'plan' then 'plan' else 'text' end),
			left(p_model, 100), p_prompt + p_completion, v_at, p_turn, t.parent_id, v_root,
			t.generation, p_prompt, p_cached, p_completion, p_estimated, p_cost, p_currency, left(p_finish, 40), p_gateway_in,
			p_chat, p_store, p_ai_queue, p_first_token, p_provider, p_total);
		if t.parent_id is not null then
			update chat_messages set superseded = true where id = t.parent_id;
		end if;
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
