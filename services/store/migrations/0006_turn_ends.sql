-- Turns are claimed, fenced and finished. Who may write is decided in the
-- WHERE of the statement that writes: (owner, attempt) of a running turn.

-- Takes over one running turn that nobody holds (any more); with p_own also
-- one of this owner, but each only once over one connection: an instance that
-- came back finds all of its turns and then an end.
create function turn_claim(p_owner text, p_lease_ms bigint, p_own boolean, p_link text) returns setof turn_answers language plpgsql as $$
declare
	t turns;
begin
	select * into t from turns
	where state = 'running' and (owner is null or coalesce(lease_until, '-infinity') < utc_clock()
		or p_own and owner = p_owner and claim_link is distinct from p_link)
	order by lease_until nulls first, created_at limit 1
	for update skip locked;
	if not found then
		return;
	end if;
	update turns set owner = p_owner, lease_until = lease_end(p_lease_ms), claim_link = p_link, updated_at = utc_clock()
	where id = t.id;
	insert into attempts (turn_id, attempt, user_id, owner, started_at)
	values (t.id, t.attempt, t.user_id, p_owner, utc_clock()) on conflict do nothing;
	return query select * from turn_answer(t.id, false);
end
$$;

-- Fences the attempt before off; its usage goes into the ledger.
create function turn_attempt(p_turn uuid, p_owner text, p_attempt bigint, p_lease_ms bigint, p_reason text,
	p_prompt bigint, p_cached bigint, p_completion bigint, p_estimated boolean, p_cost bigint, p_currency text)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_user uuid;
begin
	update turns set attempt = p_attempt, lease_until = lease_end(p_lease_ms), partial = null, updated_at = utc_clock()
	where id = p_turn and state = 'running' and owner = p_owner and attempt = p_attempt - 1
	returning user_id into v_user;
	if found then
		update attempts set ended_at = utc_clock(), outcome = left(p_reason, 255), prompt_tokens = p_prompt,
			cached_tokens = p_cached, completion_tokens = p_completion, usage_estimated = p_estimated,
			cost_nano = p_cost, currency = p_currency
		where turn_id = p_turn and attempt = p_attempt - 1;
		insert into attempts (turn_id, attempt, user_id, owner, started_at)
		values (p_turn, p_attempt, v_user, p_owner, utc_clock());
		return query select 'ok', '', '';
		return;
	end if;
	update turns set lease_until = lease_end(p_lease_ms)
	where id = p_turn and state = 'running' and owner = p_owner and attempt = p_attempt;
	if found then
		return query select 'ok', '', '';
	elsif exists (select 1 from turns where id = p_turn) then
		return query select 'conflict', 'attempt', 'the turn has another owner or attempt, or has ended';
	else
		return query select 'not_found', 'turn_id', 'no such turn';
	end if;
end
$$;

-- The modules of a finalized plan replace those of the track. A module whose
-- title stays keeps its id, status and progress.
create function modules_replace(p_track uuid, p_user uuid, p_modules json) returns void language plpgsql as $$
declare
	v_kept uuid[];	-- by position in p_modules: the module that stays, or null
begin
	perform 1 from learning_tracks where id = p_track for update;
	select array_agg(old.id order by new.n) into v_kept
	from (select n, lower(btrim(e ->> 'title')) as name,
			row_number() over (partition by lower(btrim(e ->> 'title')) order by n) as nth
		from json_array_elements(p_modules) with ordinality as x (e, n)) new
	left join (select id, lower(btrim(title)) as name,
			row_number() over (partition by lower(btrim(title)) order by module_number, id) as nth
		from course_modules where track_id = p_track) old using (name, nth);

	delete from homework_assignments h using lessons l, course_modules m
	where l.id = h.lesson_id and m.id = l.module_id and m.track_id = p_track and m.id <> all (array_remove(v_kept, null));
	delete from lessons l using course_modules m
	where m.id = l.module_id and m.track_id = p_track and m.id <> all (array_remove(v_kept, null));
	delete from course_modules where track_id = p_track and id <> all (array_remove(v_kept, null));

	insert into course_modules (id, track_id, user_id, module_number, title, description, learning_objectives,
		estimated_duration_hours, ai_generated_content, status, created_at, updated_at)
	select coalesce(v_kept[n], gen_random_uuid()), p_track, p_user, n, btrim(e ->> 'title'), e ->> 'description',
		e -> 'learning_objectives', coalesce((e ->> 'estimated_duration_hours')::numeric::integer, 1), e, 'not_started', utc_now(), utc_now()
	from json_array_elements(p_modules) with ordinality as x (e, n)
	on conflict (id) do update set module_number = excluded.module_number, title = excluded.title,
		description = excluded.description, learning_objectives = excluded.learning_objectives,
		estimated_duration_hours = excluded.estimated_duration_hours,
		ai_generated_content = excluded.ai_generated_content, updated_at = excluded.updated_at;
	update learning_tracks set status = 'ACTIVE', updated_at = utc_now() where id = p_track;
end
$$;

-- The terminal state, and with p_reply the AI row. Repeated by the same owner
-- for the same attempt it answers what is stored.
create function turn_finish(p_turn uuid, p_owner text, p_attempt bigint, p_state text, p_message uuid, p_reply text,
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
		result = case when track_id is null then p_result::json end,
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
			coalesce(p_type, case t.kind when 'welcome' then 'welcome' when 'finalize' then 'finalization' else 'text' end),
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
		perform modules_replace(t.track_id, t.user_id, p_modules::json);
	end if;
	return query select * from turn_answer(p_turn, false);
end
$$;
