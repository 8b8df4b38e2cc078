-- A reader's chat and its page come from one statement, and so from one
-- snapshot: a reply that has just ended is in the page, or its turn still
-- runs. So what finds the chat is stable, and what is noted of the reader is a
-- function of its own.

drop function chat_open(uuid, uuid, text, uuid, boolean, boolean);
drop function tutor_open(uuid, uuid, text, uuid, uuid, text, uuid, bigint, text);

-- Which chat a reader means: the given one, or the session's planning chat.
-- No row: it does not exist or is not his. A null chat: nothing has been said yet.
create function chat_meant(p_user uuid, p_session uuid, p_key text, p_chat uuid)
returns table (session_id uuid, chat_id uuid, running_turn uuid, last_seq bigint, is_active boolean)
language plpgsql stable rows 1 as $$
declare
	v_named constant boolean := p_session is not null or p_key is not null;
	v_session uuid;
begin
	if v_named then
		v_session := session_of(p_user, p_session, p_key, null);
	end if;
	if v_named and v_session is null then
		if p_session is null and p_chat is null then	-- his own name for a session that is not there yet
			return query select null::uuid, null::uuid, null::uuid, null::bigint, null::boolean;
		end if;
	elsif p_chat is null then
		return query select v_session, c.id, t.id, c.last_seq, c.id is not null
		from (select 1) x left join chats c on c.session_id = v_session and c.chat_type = 'planning' and c.status = 'active'
		left join turns t on t.chat_id = c.id and t.state = 'running';
	else
		return query select c.session_id, c.id, t.id, c.last_seq, c.status = 'active'
		from chats c left join turns t on t.chat_id = c.id and t.state = 'running'
		where c.id = p_chat and c.user_id = p_user and c.status is distinct from 'deleted'
			and (v_session is null or c.session_id = v_session);
	end if;
end
$$;

-- He has come to it: from now on it is the session's active chat. p_restore: he came back, which is recorded.
create function chat_entered(p_user uuid, p_session uuid, p_chat uuid, p_turn uuid, p_last bigint, p_active boolean, p_restore boolean)
returns void language plpgsql as $$
begin
	if p_restore and p_last > 0 then
		perform user_seen(p_user);
		insert into restore_events (user_id, session_id, chat_id, messages, running, created_at)
		values (p_user, p_session, p_chat, p_last, p_turn is not null, utc_now());
	end if;
	if p_active then
		perform session_activate(p_session, p_chat);
	end if;
end
$$;

-- As chat_meant: the tutor chat of a module.
create function tutor_meant(p_user uuid, p_session uuid, p_key text, p_chat uuid, p_track uuid, p_track_name text, p_module uuid,
	p_number bigint, p_module_name text)
returns table (session_id uuid, chat_id uuid, running_turn uuid) language plpgsql stable rows 1 as $$
declare
	v_module uuid := module_of(p_user, p_track, p_module, p_number);
begin
	if v_module is null and p_track_name is not null then
		v_module := module_of_name(p_user, p_session, p_key, p_track_name, p_module_name);
	end if;
	return query select c.session_id, c.id, t.id
	from (select 1) x left join chats c on c.user_id = p_user and c.module_id = v_module and c.status is distinct from 'deleted'
	left join turns t on t.chat_id = c.id and t.state = 'running'
	where v_module is not null and (p_chat is null or c.id = p_chat);
end
$$;
