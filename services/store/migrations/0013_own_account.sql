-- What people do with their own accounts, and administrators with others'.

-- All sign-ins end and a new one begins. Asked again with the same ids it answers the same.
create function password_change(p_user uuid, p_old text, p_new text, p_id uuid, p_hash text) returns signed_in language plpgsql as $$
begin
	update users set password_hash = p_new, updated_at = utc_now()
	where id = p_user and not is_guest and is_active and password_hash = p_old;
	if found then
		perform user_tokens_end(p_user);
	elsif not exists (select 1 from users u join sign_ins i on i.user_id = u.id
			where u.id = p_user and u.password_hash = p_new and i.id = p_id) then
		return signed_in_not('conflict', 'current_password', 'the password was changed meanwhile');
	end if;
	return sign_in(p_user, p_id, p_hash);
end
$$;

create function user_remove(p_user uuid, p_hash text) returns table (rc text, field text, message text) language plpgsql as $$
begin
	perform pg_advisory_xact_lock(user_lock(p_user));
	if exists (select 1 from users where id = p_user and not is_guest and password_hash is distinct from p_hash) then
		return query select 'conflict', 'password', 'the password was changed meanwhile';
	else
		perform users_remove(array[p_user], '{}');
		return query select 'ok', '', '';
	end if;
end
$$;

-- Rows of a user, part by part, those behind p_after; at most 500, or about p_bytes.
-- Every table that names an owner has its part.
create function export_page(p_user uuid, p_part bigint, p_after text, p_bytes bigint)
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
		'sign_ins', 'user_id = $1'];
	c_secret constant text[] := array['password_hash', 'token_version', 'api_key_encrypted', 'body_hash', 'claim_link', 'owner', 'lease_until'];
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
		when 'restore_events' then 'lpad(r.id::text, 20, ''0'')' else 'r.id::text' end;
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

-- ---- administrators ---------------------------------------------------------

create function admin_is(p_user uuid) returns boolean language sql stable as $$
	select exists (select 1 from users where id = p_user and role = 'ADMIN' and is_active and not is_guest)
$$;

create function admin_set_active(p_admin uuid, p_user uuid, p_active boolean)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_was boolean;
begin
	if not admin_is(p_admin) then
		return query select 'forbidden', 'role', 'for administrators only';
		return;
	end if;
	select coalesce(is_active, false) into v_was from users where id = p_user and not is_guest for update;
	if not found then
		return query select 'not_found', 'user_id', 'no such user';
	elsif p_user = p_admin and not p_active then
		return query select 'conflict', 'user_id', 'nobody disables himself';
	else
		update users set is_active = p_active, updated_at = utc_now() where id = p_user and is_active is distinct from p_active;
		if v_was and not p_active then
			perform user_tokens_end(p_user);
		end if;
		return query select 'ok', '', '';
	end if;
end
$$;
