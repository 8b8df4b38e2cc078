-- A page that begins with a reply made anew is followed by what stands before
-- the reply's place: `before` names a message, and the newest generation has a
-- later number than what comes behind its place.
create or replace function chat_page(p_chat uuid, p_before bigint, p_limit bigint, p_bytes bigint)
returns setof chat_messages language plpgsql stable as $$
declare
	m chat_messages;
	v_n bigint := 0;
	v_bytes bigint := 0;
	v_place bigint;
	v_before bigint := coalesce((select r.seq from chat_messages g join chat_messages r on r.id = g.root_id
		where g.chat_id = p_chat and g.seq = p_before), p_before, 9223372036854775807);
begin
	for m in select * from chat_messages
		where chat_id = p_chat and root_id is null and seq < v_before
		order by seq desc
	loop
		v_place := m.seq;
		if m.superseded then
			select * into m from chat_messages where root_id = m.id and not superseded;
		end if;
		v_n := v_n + 1;
		v_bytes := v_bytes + octet_length(m.message_content);
		if v_n > p_limit or (v_n > 1 and v_bytes > p_bytes) then
			m := null;
			m.seq := v_place;
			return next m;
			return;
		end if;
		return next m;
	end loop;
end
$$;
