-- A guest's settings of the model go with his work.

alter type signed_in add attribute claimed_settings text;	-- taken, left, or null: there were none

create or replace function signed_in_not(p_rc text, p_field text, p_message text) returns signed_in language sql as $$
	select row(p_rc, p_field, p_message, 0, null, 0, 0, null)::signed_in
$$;

-- They are taken as a whole: a model of the guest's own server is none of
-- another. p_key: his key as it was read, p_moved: the same, sealed for the
-- account. What the account has chosen itself stays.
create function guest_settings_claim(p_guest uuid, p_user uuid, p_key text, p_moved text) returns text language plpgsql as $$
declare
	g ai_configurations;
	r ai_configurations;
	s record;
begin
	perform pg_advisory_xact_lock(user_lock(p_guest));
	perform 1 from users where id = p_guest and is_guest and id <> '00000000-0000-0000-0000-000000000000' for update;
	if not found then
		return null;
	end if;
	select * into s from ai_settings(p_guest);
	if not found or s.model is null and s.api_key is null and s.max_tokens is null and s.temperature is null then
		return null;
	end if;
	perform 1 from users where id = p_user for update;
	if s.api_key is not null and (s.api_key is distinct from p_key or p_moved is null) or exists (select 1 from ai_settings(p_user) o
			where o.model is not null or o.api_key is not null or o.max_tokens is not null or o.temperature is not null) then
		return 'left';
	end if;
	select * into g from ai_row(p_guest);
	select * into r from ai_row(p_user);
	if r.id is null then
		r.id := gen_random_uuid();
		insert into ai_configurations (id, user_id, api_key_encrypted, created_at) values (r.id, p_user, 'default', utc_now());
	end if;
	update ai_configurations c set model_name = g.model_name, base_url = g.base_url, max_tokens = g.max_tokens,
		temperature = g.temperature, api_key_encrypted = case when s.api_key is null then 'default' else p_moved end,
		key_hint = g.key_hint, updated_at = utc_now()
	where c.id = r.id;
	return 'taken';
end
$$;

create function sign_in_claim(p_user uuid, p_id uuid, p_hash text, p_guest uuid, p_key text, p_moved text) returns signed_in
language plpgsql as $$
declare
	s signed_in := sign_in(p_user, p_id, p_hash);
begin
	if s.rc = 'ok' and p_guest is not null and p_guest <> p_user then
		s.claimed_settings := guest_settings_claim(p_guest, p_user, p_key, p_moved);
		select c.tracks, c.chats into s.claimed_tracks, s.claimed_chats from guest_claim(p_guest, p_user) c;
	end if;
	return s;
end
$$;

-- The form with four arguments stays: while an upgrade rolls, stores of the version before ask it.
