-- Several chats. A lease belongs to a process, not to a name: the owner is
-- "name#process", so that of two processes of one name, whatever brought them
-- about, only the one that holds the lease can write. A process finds what
-- earlier ones of its name left: such a turn has its name and another process.
-- (An owner without a '#' is of a chat before this: once over one connection.)
create or replace function turn_claim(p_owner text, p_lease_ms bigint, p_own boolean, p_link text) returns setof turn_answers language plpgsql as $$
declare
	v_process constant boolean := strpos(p_owner, '#') > 0;
	v_name constant text := split_part(p_owner, '#', 1);
	t turns;
begin
	select * into t from turns
	where state = 'running' and (owner is null or coalesce(lease_until, '-infinity') < utc_clock()
		or p_own and v_process and owner <> p_owner and split_part(owner, '#', 1) = v_name
		or p_own and not v_process and owner = p_owner and claim_link is distinct from p_link)
	order by lease_until nulls first, created_at limit 1
	for update skip locked;
	if not found then
		return;
	end if;
	update turns set owner = p_owner, lease_until = lease_end(p_lease_ms), claim_link = p_link, updated_at = utc_clock()
	where id = t.id;
	insert into attempts (turn_id, attempt, user_id, owner, started_at)
	values (t.id, t.attempt, t.user_id, p_owner, utc_clock()) on conflict do nothing;
	return query select * from turn_answer(t.id, false);
end
$$;
