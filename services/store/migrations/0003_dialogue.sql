-- What a dialogue needs that survives everything: an owner on every row that
-- grows, a dense sequence per chat, turns with attempt and lease, generations,
-- usage, cost and timing of every reply.

create function utc_now() returns timestamp language sql stable as $$ select now() at time zone 'utc' $$;

-- Goes on inside a transaction: for leases, and for what got its place by waiting for a lock.
create function utc_clock() returns timestamp language sql volatile as $$ select clock_timestamp() at time zone 'utc' $$;

-- ---- accounts -----------------------------------------------------------

alter table users
	add column if not exists is_guest boolean not null default false,
	add column if not exists token_version integer not null default 0,
	add column if not exists last_seen_at timestamp;

-- Addresses are compared without case. Old data may hold two that differ only
-- in case: both stay, and sign-in takes the one written exactly.
do $$
begin
	if exists (select 1 from users group by lower(email) having count(*) > 1) then
		create index users_email_lower on users (lower(email));
	else
		create unique index users_email_lower on users (lower(email)) where not is_guest;
	end if;
end
$$;
create index users_guest_seen on users (last_seen_at) where is_guest;
create index if not exists ai_configurations_user on ai_configurations (user_id);

-- Owns what anonymous callers make.
insert into users (id, email, password_hash, first_name, last_name, role, is_active, created_at, updated_at, is_guest)
values ('00000000-0000-0000-0000-000000000000', 'nobody@guest.com', '!', '', '', 'STUDENT', true, utc_now(), utc_now(), true)
on conflict do nothing;

-- ---- tracks and modules ---------------------------------------------------

alter table learning_tracks
	add column if not exists language varchar(2),
	add column if not exists request_key varchar(255);
create unique index learning_tracks_request on learning_tracks (user_id, request_key);
create index learning_tracks_user on learning_tracks (user_id, created_at);

alter table course_modules
	add column if not exists user_id uuid,
	add column if not exists progress integer not null default 0,
	add column if not exists completed_at timestamp;
update course_modules m set user_id = t.user_id,
	progress = case when m.status = 'completed' then 100 else m.progress end
from learning_tracks t where t.id = m.track_id;
alter table course_modules alter column user_id set not null;
create index course_modules_track on course_modules (track_id, module_number);
create index course_modules_user on course_modules (user_id);

alter table lessons add column if not exists user_id uuid;
update lessons l set user_id = m.user_id from course_modules m where m.id = l.module_id;
alter table lessons alter column user_id set not null;
create index lessons_module on lessons (module_id);

alter table homework_assignments add column if not exists user_id uuid;
update homework_assignments h set user_id = l.user_id from lessons l where l.id = h.lesson_id;
alter table homework_assignments alter column user_id set not null;
create index homework_assignments_lesson on homework_assignments (lesson_id);

-- ---- sessions and chats ---------------------------------------------------

alter table chat_sessions add column if not exists client_key varchar(255);	-- the client's own name of it
create unique index chat_sessions_key on chat_sessions (user_id, client_key);
create index chat_sessions_user on chat_sessions (user_id, created_at);
create index chat_sessions_track on chat_sessions (track_id);

alter table chats
	add column if not exists user_id uuid,
	add column if not exists last_seq bigint not null default 0,
	add column if not exists last_message_at timestamp;
update chats c set user_id = s.user_id from chat_sessions s where s.id = c.session_id;
alter table chats alter column user_id set not null;

-- One active planning chat per session: the newest stays, older ones become discussions.
update chats set chat_type = 'discussion'
where id in (select id from (select id, row_number() over (partition by session_id
		order by created_at desc nulls last, id desc) as n
	from chats where chat_type = 'planning' and status = 'active') ranked where n > 1);
create unique index chats_planning on chats (session_id) where chat_type = 'planning' and status = 'active';
create index chats_session on chats (session_id, chat_type, status);
create index chats_user on chats (user_id, created_at);

-- ---- messages --------------------------------------------------------------

alter table chat_messages
	add column if not exists user_id uuid,
	add column if not exists seq bigint,
	add column if not exists turn_id uuid,
	add column if not exists client_message_id uuid,
	add column if not exists parent_id uuid,			-- the reply that this one was made instead of
	add column if not exists root_id uuid,				-- the first generation, whose place in the chat counts
	add column if not exists generation integer not null default 1,
	add column if not exists superseded boolean not null default false,	-- a newer generation exists
	add column if not exists prompt_tokens integer,
	add column if not exists cached_tokens integer,
	add column if not exists completion_tokens integer,
	add column if not exists usage_estimated boolean,
	add column if not exists cost_nano bigint,			-- 1e-9 of currency
	add column if not exists currency varchar(8),
	add column if not exists finish_reason varchar(40),
	add column if not exists gateway_in_us bigint,
	add column if not exists chat_us bigint,
	add column if not exists store_us bigint,
	add column if not exists ai_queue_us bigint,
	add column if not exists provider_first_token_us bigint,
	add column if not exists provider_total_us bigint,
	add column if not exists total_us bigint;

update chat_messages m set seq = n.seq, user_id = n.user_id
from (select m.id, c.user_id, row_number() over (partition by m.chat_id order by m."timestamp" nulls first, m.id) as seq
	from chat_messages m join chats c on c.id = m.chat_id) n
where n.id = m.id;
update chats c set last_seq = n.last_seq, last_message_at = n.last_message_at
from (select chat_id, max(seq) as last_seq, max("timestamp") as last_message_at from chat_messages group by chat_id) n
where n.chat_id = c.id;
alter table chat_messages alter column user_id set not null, alter column seq set not null;
create unique index chat_messages_seq on chat_messages (chat_id, seq);
create index chat_messages_time on chat_messages (chat_id, "timestamp");
create index chat_messages_root on chat_messages (root_id) where root_id is not null;

-- ---- turns -----------------------------------------------------------------

create table turns (
	id uuid primary key,
	user_id uuid not null,
	session_id uuid not null,
	chat_id uuid not null references chats (id),
	kind varchar(10) not null check (kind in ('welcome', 'message', 'finalize')),
	request_key varchar(80) not null,	-- asking twice with this key begins once
	client_message_id uuid,
	body_hash bytea,			-- of what was asked: the same key with another one is refused
	state varchar(12) not null check (state in ('running', 'completed', 'failed', 'cancelled', 'interrupted')),
	attempt integer not null default 1,	-- only grows: the fencing token
	owner varchar(255),			-- the chat instance that runs it
	lease_until timestamp,
	claim_link varchar(80),			-- over which connection the owner claimed it
	user_message_id uuid,
	ai_message_id uuid,
	parent_id uuid,				-- regenerate: the reply to be replaced
	generation integer not null default 1,
	track_id uuid,				-- finalize: whose modules
	plan_message_id uuid,
	plan_text text,				-- finalize: a plan given by the caller
	partial text,				-- durable part of the running attempt's reply
	result json,				-- finalize without a stored track: the modules
	error_code varchar(40),
	error_message text,
	created_at timestamp not null,
	updated_at timestamp not null,
	finished_at timestamp
);
create unique index turns_running on turns (chat_id) where state = 'running';
create unique index turns_request on turns (chat_id, kind, request_key);

-- Dialogues from before turns: their first reply was the welcome.
insert into turns (id, user_id, session_id, chat_id, kind, request_key, state, ai_message_id, created_at, updated_at, finished_at)
select gen_random_uuid(), c.user_id, c.session_id, c.id, 'welcome', 'welcome', 'completed', m.id,
	coalesce(m."timestamp", utc_now()), coalesce(m."timestamp", utc_now()), coalesce(m."timestamp", utc_now())
from chats c join lateral (select id, "timestamp" from chat_messages
	where chat_id = c.id and sender_type <> 'user' order by seq limit 1) m on true
where c.chat_type = 'planning';

-- One row per call to the model: the ledger.
create table attempts (
	turn_id uuid not null references turns (id),
	attempt integer not null,
	user_id uuid not null,
	owner varchar(255),
	started_at timestamp not null,
	ended_at timestamp,
	outcome varchar(255),			-- a terminal state, or why another attempt followed
	model varchar(100),
	prompt_tokens integer,
	cached_tokens integer,
	completion_tokens integer,
	usage_estimated boolean,
	cost_nano bigint,
	currency varchar(8),
	primary key (turn_id, attempt)
);

-- How often people come back to a dialogue.
create table restore_events (
	id bigint generated always as identity primary key,
	user_id uuid not null,
	session_id uuid not null references chat_sessions (id),
	chat_id uuid not null,
	messages bigint not null,
	running boolean not null,
	created_at timestamp not null
);
create index restore_events_session on restore_events (session_id);

-- Another id means another database: positions that clients hold are void.
create table suite_instance (
	id uuid primary key,
	created_at timestamp not null
);
insert into suite_instance values (gen_random_uuid(), utc_now());
