-- A summary or a lesson: once per module, and per number of the lesson. One
-- that ended in the middle gives its place to the next. A lesson without a
-- module may still name a track: it must be the caller's.
create or replace function turn_begin_module(p_user uuid, p_turn uuid, p_kind text, p_session uuid, p_key text, p_chat uuid, p_track uuid,
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
	if p_kind = 'lesson' and p_module_name is null and p_chat is null and p_track is not null
		and not exists (select 1 from learning_tracks where id = p_track and user_id = p_user) then
		w.rc := 'not_found';
		w.field := 'track_id';
		w.message := 'no such track';
	elsif p_kind = 'lesson' and p_module_name is null and p_chat is null then
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
