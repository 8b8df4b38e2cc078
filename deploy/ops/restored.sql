-- After a restore, before a daemon sees the database. Can be repeated.
--
-- What was being written when the backup was made may have gone on since, and
-- clients may hold more of it than is here. Its epoch leaps over all that they
-- can have seen, so that nothing of theirs is joined to anything of ours, and
-- nobody leads it: chat takes it over, keeps what is stored of it, and ends it.
do $$
begin
	if to_regclass('turns') is not null then
		update turns set attempt = attempt + 1000, owner = null, lease_until = null where state = 'running';
	end if;
	-- a link to set a password that was used since would be good again
	if to_regclass('password_resets') is not null then
		delete from password_resets;
	end if;
	if to_regclass('suite_instance') is not null then
		update suite_instance set id = gen_random_uuid();
	end if;
end
$$;
