-- A forgotten password. No mail is sent: an administrator, or the operator,
-- makes a link and hands it over, and whoever has it sets a new password, once.

create table password_resets (
	user_id uuid primary key references users (id) on delete cascade,	-- one each: a new link ends the one before
	hash bytea not null unique,	-- of the token, which is stored nowhere
	created_at timestamp not null,
	expires_at timestamp not null,
	used_at timestamp
);

-- Everywhere: no token given out so far is good any more, nor is a link.
create or replace function user_tokens_end(p_user uuid) returns void language sql as $$
	with u as (update users set token_version = token_version + 1, updated_at = utc_now() where id = p_user
		returning id, token_version)
	insert into auth_changes (user_id, token_version, created_at) select id, token_version, utc_clock() from u;
	delete from sign_ins where user_id = p_user;
	delete from password_resets where user_id = p_user and used_at is null;
$$;

-- The user's row is locked before his link's, here and wherever links end.
-- Asked again with the same hash it answers the same.
create function password_reset_make(p_user uuid, p_hash text, p_minutes bigint)
returns table (rc text, field text, message text, good_until timestamp) language plpgsql as $$
declare
	v_now constant timestamp := utc_clock();
	v_active boolean;
begin
	select coalesce(u.is_active, false) into v_active from users u where u.id = p_user and not u.is_guest for no key update;
	if not found then
		return query select 'not_found', 'user_id', 'no such user', null::timestamp;
	elsif not v_active then
		return query select 'conflict', 'user_id', 'the account is disabled', null::timestamp;
	else
		insert into password_resets as r values (p_user, decode(p_hash, 'hex'), v_now,
			v_now + make_interval(mins => p_minutes::integer), null)
		on conflict (user_id) do update set hash = excluded.hash, created_at = excluded.created_at,
			expires_at = excluded.expires_at, used_at = null
		where r.hash <> excluded.hash;
		return query select 'ok', '', '', r.expires_at from password_resets r where r.user_id = p_user;
	end if;
end
$$;

create function admin_password_reset(p_admin uuid, p_user uuid, p_hash text, p_minutes bigint)
returns table (rc text, field text, message text, good_until timestamp) language plpgsql as $$
begin
	if admin_is(p_admin) then
		return query select * from password_reset_make(p_user, p_hash, p_minutes);
	else
		return query select 'forbidden', 'role', 'for administrators only', null::timestamp;
	end if;
end
$$;

-- The only use of a link: the new password stands, and every sign-in ends. Of
-- two at the same moment one wins; asked again with the same p_new, whose salt
-- is random, it answers the same.
create function password_reset(p_hash text, p_new text)
returns table (rc text, field text, message text, reset_user uuid, reset_version integer) language plpgsql as $$
declare
	v_hash constant bytea := decode(p_hash, 'hex');
	v_user constant uuid := (select r.user_id from password_resets r where r.hash = v_hash);
begin
	perform pg_advisory_xact_lock_shared(user_lock(v_user));
	perform from users u where u.id = v_user and u.is_active and not u.is_guest for no key update;
	if found then
		update password_resets r set used_at = utc_clock()
		where r.hash = v_hash and r.used_at is null and r.expires_at > utc_clock();
		if found then
			update users u set password_hash = p_new, updated_at = utc_now() where u.id = v_user;
			perform user_tokens_end(v_user);
		end if;
	end if;
	return query select 'ok', '', '', u.id, u.token_version from users u join password_resets r on r.user_id = u.id
		where r.hash = v_hash and r.used_at is not null and u.is_active and u.password_hash = p_new;
	if not found then
		return query select 'not_found', 'token', 'no such link, or it is good no more', null::uuid, null::integer;
	end if;
end
$$;

-- Also links that ran out, used or not.
create or replace function auth_purge(p_days bigint, p_minutes bigint, p_limit bigint) returns bigint language plpgsql as $$
declare
	v_old uuid[] := array(select id from sign_ins where used_at < utc_clock() - make_interval(days => p_days::integer)
		order by used_at limit p_limit);
begin
	delete from sign_ins where id = any (v_old);
	delete from auth_changes where id in (select id from auth_changes
		where created_at < utc_clock() - make_interval(mins => p_minutes::integer + 60) order by created_at limit 1000);
	delete from password_resets where user_id in (select user_id from password_resets
		where expires_at < utc_clock() order by user_id limit 1000);
	return cardinality(v_old);
end
$$;

-- Rows of a user, part by part, those behind p_after; at most 500, or about p_bytes.
-- Every table that names an owner has its part.
create or replace function export_page(p_user uuid, p_part bigint, p_after text, p_bytes bigint)
returns table (name text, place text, doc text) language plpgsql stable as $$
declare
	c_parts constant text[] := array[
		'users', 'id = $1',
		'ai_configurations', 'user_id = $1',
		'learning_tracks', 'user_id = $1',
		'course_modules', 'user_id = $1',
		'lessons', 'module_id in (select m.id from course_modules m where m.user_id = $1)',
		'homework_assignments', 'lesson_id in (select l.id from lessons l join course_modules m on m.id = l.module_id where m.user_id = $1)',
		'chat_sessions', 'user_id = $1',
		'chats', 'user_id = $1',
		'chat_messages', 'chat_id in (select c.id from chats c where c.user_id = $1)',
		'turns', 'chat_id in (select c.id from chats c where c.user_id = $1)',
		'attempts', 'turn_id in (select t.id from turns t join chats c on c.id = t.chat_id where c.user_id = $1)',
		'restore_events', 'session_id in (select s.id from chat_sessions s where s.user_id = $1)',
		'sign_ins', 'user_id = $1',
		'password_resets', 'user_id = $1'];
	c_secret constant text[] := array['password_hash', 'hash', 'token_version', 'api_key_encrypted', 'body_hash', 'claim_link', 'owner', 'lease_until'];
	v_table text := c_parts[p_part * 2 + 1];
	v_time text;
	v_key text;
	v_bytes bigint := 0;
begin
	if v_table is null then
		return;
	end if;
	v_time := case v_table when 'chat_messages' then '"timestamp"' when 'attempts' then 'started_at' else 'created_at' end;
	v_key := case v_table when 'attempts' then 'r.turn_id::text || lpad(r.attempt::text, 10, ''0'')'
		when 'restore_events' then 'lpad(r.id::text, 20, ''0'')' when 'password_resets' then 'r.user_id::text' else 'r.id::text' end;
	name := v_table;
	for place, doc in execute format(
		'select x.place, (to_jsonb(x.r) - $3)::text from (select r, (to_char(coalesce(r.%s, ''epoch''), ''YYYYMMDDHH24MISSUS'') || %s) collate "C" as place
			from %I r where %s) x where x.place > $2 order by x.place limit 500',
		v_time, v_key, v_table, c_parts[p_part * 2 + 2]) using p_user, coalesce(p_after, ''), c_secret
	loop
		return next;
		v_bytes := v_bytes + octet_length(doc);
		exit when v_bytes >= p_bytes;
	end loop;
	if v_bytes = 0 then
		place := null;
		doc := null;
		return next;	-- the part is there, and has no (more) rows
	end if;
end
$$;
