-- Which chat holds the planning of a session is the client's choice.

-- A chat that was the planning chat until another took its place takes it
-- again: welcome, messages and finalization without a chat go there. The one
-- that had it goes on as a discussion. Any other chat is nobody's place.
create function session_choose(p_session uuid, p_chat uuid) returns void language plpgsql as $$
begin
	if not exists (select 1 from chats where id = p_chat and chat_type = 'discussion' and replaced) then
		return;
	end if;
	perform 1 from chat_sessions where id = p_session for update;	-- as who makes, archives or deletes one
	if not exists (select 1 from chats where id = p_chat and chat_type = 'discussion' and replaced and status = 'active') then
		return;
	end if;
	update chats set chat_type = 'discussion', replaced = true
	where session_id = p_session and chat_type = 'planning' and status = 'active';
	update chats set chat_type = 'planning', replaced = false where id = p_chat;
end
$$;

-- He has switched to it: from now on it is the session's active chat, and its
-- planning chat when it may be. What is not active is only read.
create function chat_switched(p_session uuid, p_chat uuid, p_active boolean) returns void language plpgsql as $$
begin
	if p_active then
		perform session_choose(p_session, p_chat);
		perform session_activate(p_session, p_chat);
	end if;
end
$$;

-- A chat as this transaction has left it: a statement that changes it as well would read it as it was before.
create function chat_now(p_chat uuid) returns setof chat_rows language plpgsql volatile rows 1 as $$
begin
	return query select * from chat_rows where id = p_chat;
end
$$;
