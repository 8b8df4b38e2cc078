-- AI settings of a user. api_key_encrypted holds the word 'default' (the
-- server's key), a key sealed for ai (alp1....), or, from the original
-- service, a key in clear: such rows are found by the index and sealed as
-- soon as a worker has said with what.

alter table ai_configurations add column if not exists key_hint varchar(4);

create index ai_configurations_unsealed on ai_configurations (id)
	where api_key_encrypted not in ('', 'default') and api_key_encrypted not like 'alp1.%';

-- The row that counts. There should be one per user, but nothing ever enforced it.
create function ai_row(p_user uuid) returns setof ai_configurations language sql stable as $$
	select * from ai_configurations where user_id = p_user
	order by coalesce(updated_at, created_at) desc nulls last, id limit 1
$$;

-- What a user has chosen; null is the server's. The original wrote 2000 and
-- 0.7 into every row and used neither: they are no choice. A base_url counts
-- together with a key of the user's own only, so that the server's key never
-- goes to an address that a user named.
create function ai_settings(p_user uuid)
returns table (model text, base_url text, max_tokens bigint, temperature double precision, api_key text, key_hint text)
language sql stable as $$
	select nullif(r.model_name, ''),
		case when r.api_key_encrypted not in ('', 'default') then nullif(r.base_url, '') end,
		case when r.max_tokens between 1 and 1000000 and r.max_tokens <> 2000 then r.max_tokens::bigint end,
		case when r.temperature between 0 and 2 and r.temperature <> 0.7 then r.temperature end,
		case when r.api_key_encrypted not in ('', 'default') then r.api_key_encrypted end,
		r.key_hint
	from ai_row(p_user) r
$$;

create function ai_settings_set(p_user uuid, p_set_model boolean, p_model text, p_set_base boolean, p_base text,
	p_set_max boolean, p_max bigint, p_set_temperature boolean, p_temperature double precision,
	p_set_key boolean, p_key text, p_hint text)
returns table (rc text, field text, message text) language plpgsql as $$
declare
	r ai_configurations;
	v_key text;
	v_had text;	-- the address that the key kept until now goes to
	v_base text;
begin
	perform user_seen(p_user);
	perform 1 from users where id = p_user for update;	-- one change at a time
	if not found then
		return query select 'not_found', 'user_id', 'no such user';
		return;
	end if;
	select * into r from ai_row(p_user);
	v_key := case when p_set_key then coalesce(p_key, 'default') else coalesce(nullif(r.api_key_encrypted, ''), 'default') end;
	v_had := case when r.api_key_encrypted not in ('', 'default') then nullif(rtrim(r.base_url, '/'), '') end;
	v_base := case when p_set_base then p_base when v_key <> 'default' then v_had end;
	-- Whoever names another address must know the key: else a stolen session could send it anywhere.
	if v_base is not null and (v_key = 'default' or not p_set_key and v_base is distinct from v_had) then
		return query select 'invalid', 'base_url', 'an address of one''s own comes together with the key for it';
		return;
	end if;
	if r.id is null then
		r.id := gen_random_uuid();
		insert into ai_configurations (id, user_id, api_key_encrypted, created_at) values (r.id, p_user, v_key, utc_now());
	end if;
	update ai_configurations c set
		model_name = case when p_set_model then p_model else c.model_name end,
		base_url = case when p_set_base or p_set_key then v_base else c.base_url end,
		max_tokens = case when p_set_max then p_max else c.max_tokens end,
		temperature = case when p_set_temperature then p_temperature else c.temperature end,
		api_key_encrypted = v_key,
		key_hint = case when p_set_key then p_hint else c.key_hint end,
		updated_at = utc_now()
	where c.id = r.id;
	return query select 'ok', '', '';
end
$$;
