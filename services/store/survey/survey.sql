-- What --dry-run says of a database: which form it has, how many rows, and what
-- the migrations would do to them. It changes nothing; the functions go with
-- the connection. The form is known by its columns, never by names of constraints.

create function pg_temp.survey_has(p_table text, p_column text) returns boolean language sql as $$
	select exists (select 1 from pg_attribute
		where attrelid = to_regclass(p_table) and attname = p_column and attnum > 0 and not attisdropped)
$$;

create function pg_temp.survey_count(p_query text) returns bigint language plpgsql as $$
declare
	v_n bigint;
begin
	execute 'select count(*) from ' || p_query into v_n;
	return v_n;
end
$$;

create function pg_temp.survey_form() returns text language sql as $$
	select case
		when exists (select 1 from schema_migrations where version > 0)
			then 'made by this program, schema version ' || (select max(version) from schema_migrations)
		when to_regclass('chat_messages') is null and to_regclass('users') is null then 'empty'
		when to_regclass('chat_messages') is null then 'tables of users, but no messages'
		when pg_temp.survey_has('chat_messages', 'session_id') and pg_temp.survey_has('chat_messages', 'chat_id')
			then 'half way to chat_id'
		when pg_temp.survey_has('chat_messages', 'session_id') and to_regclass('chats') is null then 'before chat_id'
		when pg_temp.survey_has('chat_messages', 'session_id') then 'before chat_id, with a table of chats beside it'
		when exists (select 1 from pg_attribute where attrelid = to_regclass('chats') and attname = 'id' and atthasdef)
			then 'brought to chat_id by a script of the original application'
		when not pg_temp.survey_has('chat_messages', 'tokens_used') then 'original with chat_id, without tokens_used'
		else 'original with chat_id'
	end
$$;

create function pg_temp.survey_rows() returns text language plpgsql as $$
declare
	v_table text;
	v_rows text[];
begin
	foreach v_table in array array['users', 'ai_configurations', 'learning_tracks', 'course_modules', 'lessons',
		'homework_assignments', 'chat_sessions', 'chats', 'chat_messages']
	loop
		if to_regclass(v_table) is not null then
			v_rows := v_rows || format('%s %s', v_table, pg_temp.survey_count(quote_ident(v_table)));
		end if;
	end loop;
	return coalesce(array_to_string(v_rows, ', '), 'none');
end
$$;

-- Only what is worth a second look; the owner and the number that every row gets are not.
create function pg_temp.survey_work() returns setof text language plpgsql as $$
declare
	c_planning constant text := 'c.chat_type = ''planning'' and c.status = ''active''';
	v_n bigint;
	v_text text;
begin
	if pg_temp.survey_has('chat_messages', 'session_id') and to_regclass('chat_sessions') is not null then
		v_n := pg_temp.survey_count('chat_sessions s' || case when to_regclass('chats') is not null then
			' where not exists (select 1 from chats c where c.session_id = s.id and ' || c_planning || ')' else '' end);
		return next v_n || ' sessions get a chat named Main Chat';
		v_n := pg_temp.survey_count('chat_messages' ||
			case when pg_temp.survey_has('chat_messages', 'chat_id') then ' where chat_id is null' else '' end);
		return next v_n || ' messages move from their session into a chat';
	elsif to_regclass('chats') is not null then
		v_n := pg_temp.survey_count('(select row_number() over (partition by c.session_id) as n from chats c where '
			|| c_planning || ') x where n > 1');
		if v_n > 0 then
			return next v_n || ' planning chats become discussions, as their session has a newer one';
		end if;
	end if;
	if to_regclass('users') is not null then
		v_n := pg_temp.survey_count('(select row_number() over (partition by lower(email)) as n from users) x where n > 1');
		if v_n > 0 then
			return next v_n || ' addresses differ from another only in case; both stay';
		end if;
	end if;
	select string_agg(format('%s.%s %s', attrelid::regclass, attname, atttypid::regtype), ', ' order by attrelid::regclass::text)
		into v_text
	from pg_attribute join (values ('users', 'role'), ('learning_tracks', 'status'), ('learning_tracks', 'difficulty_level'),
		('lessons', 'content_type'), ('learning_tracks', 'ai_generated_plan'), ('chats', 'ai_context'),
		('course_modules', 'learning_objectives'), ('course_modules', 'ai_generated_content'),
		('homework_assignments', 'ai_generated_task')) v (tab, col) on attrelid = to_regclass(tab) and attname = col
	where atttypid in ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype);
	if v_text is not null then
		return next 'columns of another type are converted: ' || v_text;
	end if;
end
$$;

create function pg_temp.survey(p_first boolean) returns setof text language plpgsql as $$
begin
	if p_first then
		return next 'form: ' || pg_temp.survey_form();
	end if;
	return next case when p_first then 'rows now: ' else 'rows afterwards: ' end || pg_temp.survey_rows();
	if p_first and not exists (select 1 from schema_migrations where version > 0) then
		return query select '  ' || w from pg_temp.survey_work() w;
	end if;
end
$$;
