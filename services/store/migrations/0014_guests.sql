-- A guest's work becomes an account's, and what guests may store.

alter table users add column if not exists guest_address varchar(64);	-- where a guest came from; goes with him
create index users_guest_address on users (guest_address) where is_guest;

-- Everything of a guest becomes the user's in one transaction: sessions keep
-- their ids, a reply that is being written is stored for the new owner. Turns
-- before chats: those who finish turns lock in this order. Settings of the
-- model stay behind: a key is sealed for its owner.
create function guest_claim(p_guest uuid, p_user uuid, out tracks bigint, out chats bigint) language plpgsql as $$
begin
	tracks := 0;
	chats := 0;
	perform pg_advisory_xact_lock(user_lock(p_guest));
	perform 1 from users u where u.id = p_guest and u.is_guest and u.id <> '00000000-0000-0000-0000-000000000000' for update;
	if not found then
		return;
	end if;
	perform 1 from turns t where t.chat_id in (select c.id from chats c where c.user_id = p_guest) order by t.id for update;
	update attempts a set user_id = p_user
	from turns t join chats c on c.id = t.chat_id where t.id = a.turn_id and c.user_id = p_guest;
	update turns t set user_id = p_user where t.chat_id in (select c.id from chats c where c.user_id = p_guest);
	update chat_messages m set user_id = p_user where m.chat_id in (select c.id from chats c where c.user_id = p_guest);
	update restore_events e set user_id = p_user
	where e.session_id in (select s.id from chat_sessions s where s.user_id = p_guest);
	update chats c set user_id = p_user where c.user_id = p_guest;
	get diagnostics chats = row_count;
	-- Names and keys that the account uses as well: what it has keeps them.
	update chat_sessions s set client_key = null where s.user_id = p_guest and exists (
		select 1 from chat_sessions o where o.user_id = p_user and o.client_key = s.client_key);
	update chat_sessions s set user_id = p_user where s.user_id = p_guest;
	update homework_assignments h set user_id = p_user
	from lessons l join course_modules m on m.id = l.module_id where l.id = h.lesson_id and m.user_id = p_guest;
	update lessons l set user_id = p_user from course_modules m where m.id = l.module_id and m.user_id = p_guest;
	update course_modules m set user_id = p_user where m.user_id = p_guest;
	update learning_tracks t set request_key = null where t.user_id = p_guest and exists (
		select 1 from learning_tracks o where o.user_id = p_user and o.request_key = t.request_key);
	update learning_tracks t set user_id = p_user where t.user_id = p_guest;
	get diagnostics tracks = row_count;
	perform users_remove(array[p_guest], '{}');
end
$$;

create function sign_in_claim(p_user uuid, p_id uuid, p_hash text, p_guest uuid) returns signed_in language plpgsql as $$
declare
	s signed_in := sign_in(p_user, p_id, p_hash);
begin
	if s.rc = 'ok' and p_guest is not null and p_guest <> p_user then
		select c.tracks, c.chats into s.claimed_tracks, s.claimed_chats from guest_claim(p_guest, p_user) c;
	end if;
	return s;
end
$$;

-- ---- quotas -------------------------------------------------------------------

-- The store's settings: tracks, chats and messages of one guest, guests from one address and in total.
create function guest_limit(p_n integer) returns bigint language sql stable as $$
	select coalesce(nullif(split_part(current_setting('alp.guest_limits', true), ',', p_n), '')::bigint, 9223372036854775807)
$$;

-- After a row of a guest. Two at the same moment may pass together.
create function guest_quota() returns trigger language plpgsql as $$
declare
	v_n bigint;
	v_limit integer;
begin
	if new.user_id = '00000000-0000-0000-0000-000000000000'
			or not exists (select 1 from users where id = new.user_id and is_guest) then
		return null;
	end if;
	if tg_table_name = 'learning_tracks' then
		v_limit := 1;
		select count(*) into v_n from learning_tracks where user_id = new.user_id;
	else
		v_limit := case tg_table_name when 'chats' then 2 else 3 end;
		select case v_limit when 2 then count(*) else sum(last_seq) end into v_n from chats where user_id = new.user_id;
	end if;
	if v_n > guest_limit(v_limit) then
		raise exception 'a guest stores no more' using errcode = 'AL001';
	end if;
	return null;
end
$$;
create trigger guest_quota after insert on learning_tracks for each row execute function guest_quota();
create trigger guest_quota after insert on chats for each row execute function guest_quota();
create trigger guest_quota after insert on chat_messages for each row when (new.sender_type = 'user')
	execute function guest_quota();

create function user_create(p_id uuid, p_guest boolean, p_email text, p_hash text, p_first text, p_last text, p_address text)
returns table (rc text, field text, message text) language plpgsql as $$
begin
	if p_guest and not exists (select 1 from users where id = p_id)
			and ((select count(*) from users where is_guest and guest_address = p_address) >= guest_limit(4)
				or (select count(*) from users where is_guest) > guest_limit(5)) then	-- nobody is one of them
		raise exception 'too many guests' using errcode = 'AL002';
	end if;
	return query select * from user_create(p_id, p_guest, p_email, p_hash, p_first, p_last);
	if p_guest then
		update users set guest_address = p_address where id = p_id and guest_address is null;
	end if;
end
$$;
