-- The nine tables as the original application makes them: no defaults, no
-- ON DELETE actions, times in UTC without a zone. A database that has them
-- already is taken as it is.

do $$
begin
	if to_regtype('userrole') is null then
		create type userrole as enum ('STUDENT', 'INSTRUCTOR', 'ADMIN');
	end if;
	if to_regtype('trackstatus') is null then
		create type trackstatus as enum ('PLANNING', 'ACTIVE', 'COMPLETED', 'PAUSED');
	end if;
	if to_regtype('difficultylevel') is null then
		create type difficultylevel as enum ('BEGINNER', 'INTERMEDIATE', 'ADVANCED');
	end if;
	if to_regtype('contenttype') is null then
		create type contenttype as enum ('THEORY', 'PRACTICE', 'HOMEWORK', 'QUIZ');
	end if;
end
$$;

create table if not exists users (
	id uuid primary key,
	email varchar(255) not null unique,
	password_hash varchar(255) not null,
	first_name varchar(100) not null,
	last_name varchar(100) not null,
	role userrole,
	is_active boolean,
	created_at timestamp,
	updated_at timestamp
);

create table if not exists ai_configurations (
	id uuid primary key,
	user_id uuid not null references users (id),
	model_name varchar(100),
	base_url varchar(255),
	api_key_encrypted text not null,
	max_tokens integer,
	temperature double precision,
	created_at timestamp,
	updated_at timestamp
);

create table if not exists learning_tracks (
	id uuid primary key,
	user_id uuid not null references users (id),
	title varchar(255) not null,
	description text,
	skill_area varchar(100),
	difficulty_level difficultylevel,
	estimated_duration_hours integer,
	status trackstatus,
	ai_generated_plan json,
	user_expectations text,
	created_at timestamp,
	updated_at timestamp
);

create table if not exists chat_sessions (
	id uuid primary key,
	track_id uuid references learning_tracks (id),
	user_id uuid not null references users (id),
	session_name varchar(255),
	status varchar(20),
	created_at timestamp,
	updated_at timestamp
);

create table if not exists chats (
	id uuid primary key,
	session_id uuid not null references chat_sessions (id),
	chat_name varchar(255),
	chat_type varchar(50),
	status varchar(20),
	ai_context json,
	created_at timestamp,
	updated_at timestamp
);

create table if not exists chat_messages (
	id uuid primary key,
	chat_id uuid not null references chats (id),
	sender_type varchar(10) not null,
	message_content text not null,
	message_type varchar(20),
	ai_model_used varchar(100),
	tokens_used integer,
	"timestamp" timestamp
);

create table if not exists course_modules (
	id uuid primary key,
	track_id uuid not null references learning_tracks (id),
	module_number integer not null,
	title varchar(255) not null,
	description text,
	learning_objectives json,
	estimated_duration_hours integer,
	ai_generated_content json,
	status varchar(20),
	created_at timestamp,
	updated_at timestamp
);

create table if not exists lessons (
	id uuid primary key,
	module_id uuid not null references course_modules (id),
	lesson_number integer not null,
	title varchar(255) not null,
	content_type contenttype,
	content text,
	ai_generated_notes text,
	estimated_duration_minutes integer,
	status varchar(20),
	created_at timestamp,
	updated_at timestamp
);

create table if not exists homework_assignments (
	id uuid primary key,
	lesson_id uuid not null references lessons (id),
	title varchar(255) not null,
	description text,
	instructions text,
	ai_generated_task json,
	due_date timestamp,
	max_score integer,
	status varchar(20),
	created_at timestamp,
	updated_at timestamp
);
