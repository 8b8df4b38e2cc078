-- What a finalization announces is what it stores: its announcement was written
-- for the modules that p_seen tells, [{"id", "begun", "title"}]. When somebody
-- has begun, added or removed one since, it is refused and written anew.
-- p_seen null: nothing depends on them. Turns are locked before tracks, as by
-- all others.
create function turn_finish(p_turn uuid, p_owner text, p_attempt bigint, p_state text, p_message uuid, p_reply text,
	p_type text, p_model text, p_finish text, p_prompt bigint, p_cached bigint, p_completion bigint, p_estimated boolean,
	p_cost bigint, p_currency text, p_gateway_in bigint, p_chat bigint, p_store bigint, p_ai_queue bigint,
	p_first_token bigint, p_provider bigint, p_total bigint, p_error_code text, p_error_message text, p_modules text,
	p_result text, p_seen text)
returns setof turn_answers language plpgsql as $$
declare
	v_track uuid;
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
	return query select * from turn_finish(p_turn, p_owner, p_attempt, p_state, p_message, p_reply, p_type, p_model, p_finish,
		p_prompt, p_cached, p_completion, p_estimated, p_cost, p_currency, p_gateway_in, p_chat, p_store, p_ai_queue,
		p_first_token, p_provider, p_total, p_error_code, p_error_message, p_modules, p_result);
end
$$;
