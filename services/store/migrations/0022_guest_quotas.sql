-- Sessions of a guest are bounded too, and so is what the model writes for him
-- without a message of his own: other versions of a reply, summaries, lessons.

-- After a row of a guest. Two at the same moment may pass together.
create or replace function guest_quota() returns trigger language plpgsql as $$
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
	elsif tg_table_name = 'chats' then
		v_limit := 2;
		select count(*) into v_n from chats where user_id = new.user_id;
	elsif tg_table_name = 'chat_sessions' then
		v_limit := 6;
		select count(*) into v_n from chat_sessions where user_id = new.user_id;
	else	-- a turn, which adds at least one message
		v_limit := 3;
		select sum(last_seq) + 1 into v_n from chats where user_id = new.user_id;
	end if;
	if v_n > guest_limit(v_limit) then
		raise exception 'a guest stores no more' using errcode = 'AL001';
	end if;
	return null;
end
$$;
drop trigger guest_quota on chat_messages;
create trigger guest_quota after insert on turns for each row when (new.state = 'running') execute function guest_quota();
create trigger guest_quota after insert on chat_sessions for each row execute function guest_quota();
