-- A plan that is still being written is waited for; an archived tutor chat that
-- comes back is told.

-- ---- a plan that is being written ------------------------------------------------

-- Finalize: whose modules, and from which plan: the given one, else the newest
-- message of the model that is no announcement (a new generation counts at the
-- place of the first). With an id of the client that id is the key, so that
-- asking again answers the first whatever was said since; without one the plan
-- is: the same plan is finalized once. Where a reply is still being written there
-- is no plan yet, and that is another thing than none.
create or replace function turn_plan(w turn_wish, p_user uuid, p_user_kind text, p_track uuid, p_plan text, p_cmid uuid)
returns turn_wish language plpgsql as $$
declare
	v_id uuid;
	v_text text;
	v_written boolean;
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
	-- Before the plan is looked for: what ends between the two has left it there.
	v_written := exists (select 1 from turns where chat_id = w.chat_id and state = 'running');
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
	elsif v_written then
		w.rc := 'turn_in_progress';
		w.field := 'chat_id';
		w.message := 'a reply of this chat is being written';
	else
		w.rc := 'invalid';
		w.field := 'course_plan';
		w.message := 'there is no plan in this chat yet: talk about the course first';
	end if;
	return w;
end
$$;

-- ---- an archived tutor chat comes back ---------------------------------------------

-- Which one did is in alp.restored, for the statements that follow.
create or replace function tutor_place(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_track uuid, p_track_name text, p_module uuid,
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
		update chats set status = 'active', updated_at = utc_clock()
		where id = c.id and status is distinct from 'active' and status is distinct from 'deleted';
		if found then	-- of two at once: the one that did it
			perform set_config('alp.restored', c.id::text, true);
		end if;
	end if;
	update course_modules set status = 'in_progress', updated_at = utc_now()
	where id = m.id and coalesce(lower(status), 'not_started') not in ('in_progress', 'completed');
	w.chat_id := c.id;
	w.rc := 'ok';
	return w;
end
$$;
