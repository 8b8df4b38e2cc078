-- Of the returns to a chat the newest 100 are kept: a page that comes back again
-- and again fills no table. What is older than those no figure counts.

create index restore_events_chat on restore_events (chat_id, id);

delete from restore_events e using (
	select id, row_number() over (partition by chat_id order by id desc) as n from restore_events) x
where x.id = e.id and x.n > 100;

-- As of migration 16. Those who come at the same moment may leave some more: the next one takes them away.
create or replace function chat_entered(p_user uuid, p_session uuid, p_chat uuid, p_turn uuid, p_last bigint, p_active boolean, p_restore boolean)
returns void language plpgsql as $$
declare
	c_kept constant bigint := 100;
	v_last bigint;
begin
	if p_restore and p_last > 0 then
		perform user_seen(p_user);
		insert into restore_events (user_id, session_id, chat_id, messages, running, created_at)
		values (p_user, p_session, p_chat, p_last, p_turn is not null, utc_now());
		select id into v_last from restore_events where chat_id = p_chat order by id desc offset c_kept limit 1;
		if found then
			delete from restore_events where chat_id = p_chat and id <= v_last;
		end if;
	end if;
	if p_active then
		perform session_activate(p_session, p_chat);
	end if;
end
$$;
