-- Databases from before chat_id: messages hung on the session. Every session
-- gets one chat, every message moves to it and keeps its id, text and time.
-- Nothing is dropped before it has been verified.

create function pg_temp.has_column(p_table text, p_column text) returns boolean language sql as $$
	select exists (select 1 from pg_attribute
		where attrelid = p_table::regclass and attname = p_column and not attisdropped)
$$;

do $$
declare
	v_before bigint;
	v_lost bigint;
begin
	if not pg_temp.has_column('chat_messages', 'session_id') then
		return;
	end if;
	if pg_temp.has_column('chat_messages', 'chat_id') then
		alter table chat_messages alter column session_id drop not null;
		return;
	end if;

	select count(*) into v_before from chat_messages;
	select count(*) into v_lost from chat_messages m
	where not exists (select 1 from chat_sessions s where s.id = m.session_id);
	if v_lost > 0 then
		raise exception '% messages belong to no session; nothing was changed', v_lost;
	end if;

	insert into chats (id, session_id, chat_name, chat_type, status, created_at, updated_at)
	select gen_random_uuid(), s.id, 'Main Chat', 'planning', 'active',
		coalesce(min(m."timestamp"), s.created_at, now() at time zone 'utc'),
		coalesce(max(m."timestamp"), s.updated_at, s.created_at, now() at time zone 'utc')
	from chat_sessions s left join chat_messages m on m.session_id = s.id
	where not exists (select 1 from chats c
		where c.session_id = s.id and c.chat_type = 'planning' and c.status = 'active')
	group by s.id;

	alter table chat_messages add column chat_id uuid references chats (id);
	update chat_messages m set chat_id = (select c.id from chats c
		where c.session_id = m.session_id and c.chat_type = 'planning' and c.status = 'active'
		order by c.created_at desc nulls last, c.id desc limit 1);
	alter table chat_messages alter column chat_id set not null;

	select v_before - count(*) into v_lost
	from chat_messages m join chats c on c.id = m.chat_id and c.session_id = m.session_id;
	if v_lost <> 0 then
		raise exception '% messages did not arrive in a chat; nothing was changed', v_lost;
	end if;
	alter table chat_messages drop column session_id;
end
$$;

alter table chat_messages add column if not exists tokens_used integer;
