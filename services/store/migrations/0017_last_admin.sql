-- There is always an administrator while there are accounts.

-- Every administrator is locked, in one order: of two who leave at once, or
-- disable one another, the second sees what the first has done.
create function admins_lock() returns void language sql as $$
	select from users where role = 'ADMIN' and is_active and not is_guest order by id for update
$$;

create or replace function user_remove(p_user uuid, p_hash text) returns table (rc text, field text, message text) language plpgsql as $$
begin
	if admin_is(p_user) then
		perform admins_lock();
	end if;
	perform pg_advisory_xact_lock(user_lock(p_user));
	if exists (select 1 from users where id = p_user and not is_guest and password_hash is distinct from p_hash) then
		return query select 'conflict', 'password', 'the password was changed meanwhile';
	elsif admin_is(p_user) and exists (select 1 from users where id <> p_user and not is_guest)
			and not exists (select 1 from users where id <> p_user and role = 'ADMIN' and is_active and not is_guest) then
		return query select 'conflict', 'role', 'the last administrator of others';
	else
		perform users_remove(array[p_user], '{}');
		return query select 'ok', '', '';
	end if;
end
$$;

create or replace function admin_set_active(p_admin uuid, p_user uuid, p_active boolean)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	v_was boolean;
begin
	perform admins_lock();
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
