-- Sign-ins and their end. A sign-in is what refresh tokens belong to; access
-- tokens name it and the user's token_version. Gateways keep in memory what
-- has ended before its tokens did: they read it from auth_changes.

create table sign_ins (
	id uuid primary key,
	user_id uuid not null references users (id),
	created_at timestamp not null,
	used_at timestamp not null
);
create index sign_ins_user on sign_ins (user_id, used_at);
create index sign_ins_used on sign_ins (used_at);

-- Every refresh token of a sign-in, by its hash: one that was exchanged and
-- comes again was copied.
create table refresh_tokens (
	hash bytea primary key,
	sign_in_id uuid not null references sign_ins (id) on delete cascade,
	created_at timestamp not null,
	used_at timestamp	-- exchanged for the next one
);
create index refresh_tokens_sign_in on refresh_tokens (sign_in_id);

-- Kept as long as an access token lives. xid orders by commit: what is below
-- the oldest running transaction is complete.
create table auth_changes (
	id bigint generated always as identity primary key,
	xid bigint not null default pg_current_xact_id()::text::bigint,
	user_id uuid not null,
	sign_in_id uuid,		-- null: all sign-ins of the user
	token_version integer,		-- ... whose tokens have a lower version
	created_at timestamp not null
);
create index auth_changes_xid on auth_changes (xid, id);
create index auth_changes_created on auth_changes (created_at);

create function user_lock(p_user uuid) returns bigint language sql immutable as $$ select hashtextextended(p_user::text, 7) $$;

-- Notes that somebody is here, at most every five minutes. First in every
-- function that adds rows: it keeps the account from being removed or claimed
-- meanwhile, and refuses one that is gone or disabled.
create or replace function user_seen(p_user uuid) returns void language plpgsql as $$
begin
	if p_user = '00000000-0000-0000-0000-000000000000' then
		return;
	end if;
	perform pg_advisory_xact_lock_shared(user_lock(p_user));
	update users set last_seen_at = utc_clock()
	where id = p_user and is_active and (last_seen_at is null or last_seen_at < utc_clock() - interval '5 minutes');
	if not found and not exists (select 1 from users where id = p_user and is_active) then
		raise exception 'the account is gone or disabled' using errcode = '28000';
	end if;
end
$$;

create function sign_ins_end(p_ids uuid[]) returns void language sql as $$
	insert into auth_changes (user_id, sign_in_id, created_at)
	select user_id, id, utc_clock() from sign_ins where id = any (p_ids);
	delete from sign_ins where id = any (p_ids);
$$;

-- Everywhere: no token given out so far is good any more.
create function user_tokens_end(p_user uuid) returns void language sql as $$
	with u as (update users set token_version = token_version + 1, updated_at = utc_now() where id = p_user
		returning id, token_version)
	insert into auth_changes (user_id, token_version, created_at) select id, token_version, utc_clock() from u;
	delete from sign_ins where user_id = p_user;
$$;

-- Accounts, and sessions of nobody, with everything of theirs, children first.
-- The caller holds user_lock of each account. Turns before chats: those who
-- finish turns lock in this order.
create function users_remove(p_users uuid[], p_sessions uuid[]) returns void language plpgsql as $$
declare
	v_sessions uuid[] := p_sessions || array(select id from chat_sessions where user_id = any (p_users));
	v_chats uuid[] := array(select id from chats where session_id = any (v_sessions));
begin
	perform 1 from turns where chat_id = any (v_chats) order by id for update;
	perform 1 from chats where id = any (v_chats) order by id for update;
	delete from restore_events where session_id = any (v_sessions);
	delete from attempts using turns t where t.id = turn_id and t.chat_id = any (v_chats);
	delete from turns where chat_id = any (v_chats);
	delete from chat_messages where chat_id = any (v_chats);
	delete from chats where id = any (v_chats);
	delete from chat_sessions where id = any (v_sessions);
	delete from homework_assignments h using lessons l, course_modules m
	where l.id = h.lesson_id and m.id = l.module_id and m.user_id = any (p_users);
	delete from lessons l using course_modules m where m.id = l.module_id and m.user_id = any (p_users);
	delete from course_modules where user_id = any (p_users);
	delete from learning_tracks where user_id = any (p_users);
	delete from ai_configurations where user_id = any (p_users);
	delete from sign_ins where user_id = any (p_users);
	insert into auth_changes (user_id, token_version, created_at)
	select id, 2147483647, utc_clock() from users where id = any (p_users);
	delete from users where id = any (p_users);
end
$$;

-- Guests who were not here for p_hours, and sessions of nobody as old. Answers
-- how many there were; at most p_limit of each at once.
create or replace function guests_purge(p_hours bigint, p_limit bigint) returns bigint language plpgsql as $$
declare
	c_nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	v_before timestamp := utc_clock() - make_interval(hours => p_hours::integer);
	v_users uuid[];
	v_sessions uuid[];
begin
	v_users := array(select g.id from (select id from users
			where is_guest and id <> c_nobody and coalesce(last_seen_at, created_at) < v_before
			order by last_seen_at limit p_limit for update skip locked) g
		where pg_try_advisory_xact_lock(user_lock(g.id)));
	v_sessions := array(select s.id from chat_sessions s
		where s.user_id = c_nobody and s.created_at < v_before and not exists (select 1 from chats c
			where c.session_id = s.id and (c.created_at >= v_before or c.last_message_at >= v_before))
		order by s.created_at limit p_limit for update skip locked);
	perform users_remove(v_users, v_sessions);
	return cardinality(v_users) + cardinality(v_sessions);
end
$$;

-- Sign-ins whose refresh token ran out, and changes that no living access token needs.
create function auth_purge(p_days bigint, p_minutes bigint, p_limit bigint) returns bigint language plpgsql as $$
declare
	v_old uuid[] := array(select id from sign_ins where used_at < utc_clock() - make_interval(days => p_days::integer)
		order by used_at limit p_limit);
begin
	delete from sign_ins where id = any (v_old);
	delete from auth_changes where id in (select id from auth_changes
		where created_at < utc_clock() - make_interval(mins => p_minutes::integer + 60) order by created_at limit 1000);
	return cardinality(v_old);
end
$$;

-- ---- signing in and out ----------------------------------------------------

create type signed_in as (
	rc text,
	field text,
	message text,
	token_version integer,
	sign_in_id uuid,
	claimed_tracks bigint,
	claimed_chats bigint
);

create function signed_in_not(p_rc text, p_field text, p_message text) returns signed_in language sql as $$
	select row(p_rc, p_field, p_message, 0, null, 0, 0)::signed_in
$$;

-- A new sign-in and its first refresh token. The user goes into alp.user, for
-- the statement that reads him. A user has at most 50: the ones not used for longest end.
create function sign_in(p_user uuid, p_id uuid, p_hash text) returns signed_in language plpgsql as $$
declare
	s signed_in;
	v_active boolean;
begin
	perform pg_advisory_xact_lock_shared(user_lock(p_user));
	select coalesce(is_active, false), token_version into v_active, s.token_version from users where id = p_user;
	if not found then
		return signed_in_not('unauthorized', 'user_id', 'no such account');
	elsif not v_active then
		return signed_in_not('forbidden', 'is_active', 'the account is disabled');
	end if;
	insert into sign_ins values (p_id, p_user, utc_clock(), utc_clock()) on conflict do nothing;
	insert into refresh_tokens values (decode(p_hash, 'hex'), p_id, utc_clock(), null) on conflict do nothing;
	update users set last_seen_at = utc_clock() where id = p_user;
	perform sign_ins_end(array(select id from sign_ins where user_id = p_user and id <> p_id
		order by used_at desc, id offset 49));
	perform set_config('alp.user', p_user::text, true);
	s.rc := 'ok';
	s.sign_in_id := p_id;
	s.claimed_tracks := 0;
	s.claimed_chats := 0;
	return s;
end
$$;

-- One refresh token for the next. Asked again with the same next one (the
-- answer was lost) it answers the same; with another one the sign-in ends.
create function sign_in_refresh(p_old text, p_new text, p_days bigint) returns signed_in language plpgsql as $$
declare
	s signed_in;
	r refresh_tokens;
	v_user uuid;
	v_active boolean;
begin
	select * into r from refresh_tokens where hash = decode(p_old, 'hex') for update;
	if not found then
		return signed_in_not('unauthorized', 'refresh_token', 'no such token');
	elsif r.used_at is not null and not exists (select 1 from refresh_tokens n
			where n.hash = decode(p_new, 'hex') and n.sign_in_id = r.sign_in_id and n.used_at is null) then
		perform sign_ins_end(array[r.sign_in_id]);
		return signed_in_not('unauthorized', 'reuse', 'the token was used before: its sign-in ends');
	elsif r.created_at < utc_clock() - make_interval(days => p_days::integer) then
		perform sign_ins_end(array[r.sign_in_id]);
		return signed_in_not('unauthorized', 'refresh_token', 'the token has expired');
	end if;
	select u.id, coalesce(u.is_active, false), u.token_version into v_user, v_active, s.token_version
	from sign_ins i join users u on u.id = i.user_id where i.id = r.sign_in_id;
	if not found or not v_active then
		return signed_in_not('unauthorized', 'is_active', 'the account is gone or disabled');
	end if;
	update refresh_tokens set used_at = utc_clock() where hash = r.hash and used_at is null;
	insert into refresh_tokens values (decode(p_new, 'hex'), r.sign_in_id, utc_clock(), null) on conflict do nothing;
	update sign_ins set used_at = utc_clock() where id = r.sign_in_id;
	update users set last_seen_at = utc_clock() where id = v_user;
	perform set_config('alp.user', v_user::text, true);
	s.rc := 'ok';
	s.sign_in_id := r.sign_in_id;
	s.claimed_tracks := 0;
	s.claimed_chats := 0;
	return s;
end
$$;

-- This sign-in, or all of them. A guest has nothing to come back with: he is removed.
create function sign_out(p_user uuid, p_id uuid, p_everywhere boolean) returns table (removed boolean) language plpgsql as $$
begin
	removed := false;
	if exists (select 1 from users where id = p_user and is_guest and id <> '00000000-0000-0000-0000-000000000000') then
		perform pg_advisory_xact_lock(user_lock(p_user));
		perform users_remove(array[p_user], '{}');
		removed := true;
	elsif p_everywhere then
		perform user_tokens_end(p_user);
	else
		perform sign_ins_end(array(select id from sign_ins where id = p_id and user_id = p_user));
	end if;
	return next;
end
$$;

-- What has ended since a cursor, and the next cursor. A cursor of another
-- database begins anew.
create function auth_changes_since(p_cursor bigint, p_life_s bigint, p_limit bigint)
returns table (next_cursor bigint, xid bigint, user_id uuid, sign_in_id uuid, token_version integer) language sql stable as $$
	with s as (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as low,
		pg_snapshot_xmax(pg_current_snapshot())::text::bigint as high)
	select s.low, c.xid, c.user_id, c.sign_in_id, c.token_version
	from s left join lateral (select * from auth_changes a
		where a.xid >= case when p_cursor > s.high then 0 else p_cursor end
			and a.created_at > utc_clock() - p_life_s * interval '1 second'
		order by a.xid, a.id limit p_limit) c on true
$$;
