-- Databases that the original application or one of its scripts has made come
-- in several forms. This goes before everything else, hence its number, and
-- leaves one: enumerations as native types with upper-case names, documents as
-- json, every row with the row it hangs on. What cannot be brought there is
-- reported, all of it at once, and nothing is changed. On an empty database,
-- and on one with migrations of ours, there is nothing to do.

create function pg_temp.old_tables() returns boolean language sql as $$
	select to_regclass('users') is not null and not exists (select 1 from schema_migrations where version > 0)
$$;

-- Null: no such column.
create function pg_temp.old_type(p_table text, p_column text) returns regtype language sql as $$
	select atttypid::regtype from pg_attribute
	where attrelid = to_regclass(p_table) and attname = p_column and attnum > 0 and not attisdropped
$$;

create function pg_temp.old_count(p_query text) returns bigint language plpgsql as $$
declare
	v_n bigint;
begin
	execute 'select count(*) from ' || p_query into v_n;
	return v_n;
end
$$;

-- The columns that hold one of a few names, and the type each should have.
create function pg_temp.old_enums() returns table (tab text, col text, type text, labels text[]) language sql as $$
	values ('users', 'role', 'userrole', array['STUDENT', 'INSTRUCTOR', 'ADMIN']),
		('learning_tracks', 'status', 'trackstatus', array['PLANNING', 'ACTIVE', 'COMPLETED', 'PAUSED']),
		('learning_tracks', 'difficulty_level', 'difficultylevel', array['BEGINNER', 'INTERMEDIATE', 'ADVANCED']),
		('lessons', 'content_type', 'contenttype', array['THEORY', 'PRACTICE', 'HOMEWORK', 'QUIZ'])
$$;

-- What would be lost or left without an owner.
create function pg_temp.old_problems() returns setof text language plpgsql as $$
declare
	r record;
	v_n bigint;
	v_text text;
begin
	for r in select * from (values
		('ai_configurations', 'user_id', 'users'), ('learning_tracks', 'user_id', 'users'),
		('chat_sessions', 'user_id', 'users'), ('chat_sessions', 'track_id', 'learning_tracks'),
		('chats', 'session_id', 'chat_sessions'), ('chat_messages', 'session_id', 'chat_sessions'),
		('chat_messages', 'chat_id', 'chats'), ('course_modules', 'track_id', 'learning_tracks'),
		('lessons', 'module_id', 'course_modules'), ('homework_assignments', 'lesson_id', 'lessons')) v (child, col, parent)
	loop
		continue when pg_temp.old_type(r.child, r.col) is null or pg_temp.old_type(r.parent, 'id') is null;
		v_n := pg_temp.old_count(format('%I c where c.%I is not null and not exists (select 1 from %I p where p.id = c.%2$I)',
			r.child, r.col, r.parent));
		if v_n > 0 then
			return next format('%s of %s belong to no row of %s', v_n, r.child, r.parent);
		end if;
		continue when (r.child, r.parent) = ('chat_sessions', 'learning_tracks') or r.child = 'chat_messages';
		v_n := pg_temp.old_count(format('%I where %I is null', r.child, r.col));
		if v_n > 0 then
			return next format('%s of %s name no row of %s', v_n, r.child, r.parent);
		end if;
	end loop;
	if to_regclass('chat_messages') is not null then
		v_text := concat_ws(' and ', case when pg_temp.old_type('chat_messages', 'session_id') is not null then 'session_id is null' end,
			case when pg_temp.old_type('chat_messages', 'chat_id') is not null then 'chat_id is null' end);
		v_n := pg_temp.old_count('chat_messages where ' || v_text);
		if v_n > 0 then
			return next format('%s of chat_messages name neither a session nor a chat', v_n);
		end if;
	end if;
	for r in select * from pg_temp.old_enums() loop
		continue when pg_temp.old_type(r.tab, r.col) is null;
		execute format('select string_agg(distinct quote_literal(%I::text), '', '') from %I where upper(%1$I::text) <> all ($1)',
			r.col, r.tab) into v_text using r.labels;
		if v_text is not null then
			return next format('%s.%s holds %s, which is none of %s', r.tab, r.col, v_text, array_to_string(r.labels, ', '));
		end if;
	end loop;
end
$$;

do $$
declare
	v_problems text;
begin
	if pg_temp.old_tables() then
		select string_agg(p, '; ') into v_problems from pg_temp.old_problems() p;
		if v_problems is not null then
			raise exception '%; nothing was changed', v_problems;
		end if;
	end if;
end
$$;

-- Enumerations: the labels first, then columns of another type.
do $$
declare
	r record;
	v_label text;
begin
	if not pg_temp.old_tables() then
		return;
	end if;
	for r in select * from pg_temp.old_enums() loop
		if to_regtype(r.type) is null then
			execute format('create type %I as enum (%s)', r.type, (select string_agg(quote_literal(l), ', ') from unnest(r.labels) l));
		end if;
		for v_label in select enumlabel from pg_enum where enumtypid = to_regtype(r.type) and enumlabel <> upper(enumlabel) loop
			execute format('alter type %I rename value %L to %L', r.type, v_label, upper(v_label));
		end loop;
		if pg_temp.old_type(r.tab, r.col) <> to_regtype(r.type) then
			execute format('alter table %I alter column %I drop default, alter column %2$I type %I using upper(%2$I::text)::%3$I',
				r.tab, r.col, r.type);
		end if;
	end loop;
end
$$;

-- Documents.
do $$
declare
	r record;
begin
	if not pg_temp.old_tables() then
		return;
	end if;
	for r in select * from (values ('learning_tracks', 'ai_generated_plan'), ('chats', 'ai_context'),
		('course_modules', 'learning_objectives'), ('course_modules', 'ai_generated_content'),
		('homework_assignments', 'ai_generated_task')) v (tab, col)
	loop
		if pg_temp.old_type(r.tab, r.col) = 'jsonb'::regtype then
			execute format('alter table %I alter column %I drop default, alter column %2$I type json using %2$I::text::json',
				r.tab, r.col);
		end if;
	end loop;
end
$$;

-- Half way: somebody has added chat_id, and not every message has one.
do $$
begin
	if not pg_temp.old_tables() or pg_temp.old_type('chat_messages', 'session_id') is null
		or pg_temp.old_type('chat_messages', 'chat_id') is null then
		return;
	end if;
	insert into chats (id, session_id, chat_name, chat_type, status, created_at, updated_at)
	select gen_random_uuid(), s.id, 'Main Chat', 'planning', 'active',
		coalesce(min(m."timestamp"), s.created_at, now() at time zone 'utc'),
		coalesce(max(m."timestamp"), s.updated_at, s.created_at, now() at time zone 'utc')
	from chat_sessions s left join chat_messages m on m.session_id = s.id
	where not exists (select 1 from chats c
		where c.session_id = s.id and c.chat_type = 'planning' and c.status = 'active')
	group by s.id;
	update chat_messages m set chat_id = (select c.id from chats c
		where c.session_id = m.session_id and c.chat_type = 'planning' and c.status = 'active'
		order by c.created_at desc nulls last, c.id desc limit 1)
	where m.chat_id is null;
	alter table chat_messages alter column chat_id set not null;
end
$$;
