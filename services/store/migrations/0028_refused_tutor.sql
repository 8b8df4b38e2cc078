-- A question to a tutor, a summary or a lesson that is refused changes nothing:
-- a chat in the archive stays there, a module is as it was.

-- On the way to a refusal the place is found, and with it made, or taken out of
-- the archive. What was done until then is undone; the verdict is not.
alter function turn_begin_tutor rename to turn_begin_tutor_try;
alter function turn_begin_module rename to turn_begin_module_try;

create function turn_begin_tutor(p_user uuid, p_user_kind text, p_turn uuid, p_session uuid, p_key text, p_chat uuid, p_track uuid,
	p_track_name text, p_module uuid, p_number bigint, p_module_name text, p_language text, p_new_session uuid, p_new_chat uuid,
	p_cmid uuid, p_body text, p_hash bytea, p_type text, p_message uuid, p_owner text, p_lease_ms bigint)
returns setof turn_verdicts language plpgsql as $$
declare
	v turn_verdicts;
begin
	begin
		select * into v from turn_begin_tutor_try(p_user, p_user_kind, p_turn, p_session, p_key, p_chat, p_track, p_track_name, p_module,
			p_number, p_module_name, p_language, p_new_session, p_new_chat, p_cmid, p_body, p_hash, p_type, p_message, p_owner, p_lease_ms);
		if v.rc <> 'ok' then
			raise exception 'refused' using errcode = 'AL003';
		end if;
	exception when sqlstate 'AL003' then
		null;	-- v tells why
	end;
	return next v;
end
$$;

create function turn_begin_module(p_user uuid, p_turn uuid, p_kind text, p_session uuid, p_key text, p_chat uuid, p_track uuid,
	p_track_name text, p_module uuid, p_number bigint, p_module_name text, p_language text, p_new_session uuid, p_new_chat uuid,
	p_lesson uuid, p_lesson_number bigint, p_title text, p_type text, p_context text, p_owner text, p_lease_ms bigint)
returns setof turn_verdicts language plpgsql as $$
declare
	v turn_verdicts;
begin
	begin
		select * into v from turn_begin_module_try(p_user, p_turn, p_kind, p_session, p_key, p_chat, p_track, p_track_name, p_module,
			p_number, p_module_name, p_language, p_new_session, p_new_chat, p_lesson, p_lesson_number, p_title, p_type, p_context, p_owner,
			p_lease_ms);
		if v.rc <> 'ok' then
			raise exception 'refused' using errcode = 'AL003';
		end if;
	exception when sqlstate 'AL003' then
		null;	-- v tells why
	end;
	return next v;
end
$$;
