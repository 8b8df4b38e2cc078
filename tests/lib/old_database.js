/*
 * Databases as the original application and its scripts leave them, with odd
 * rows, and a way to tell that nothing of them was lost.
 *
 * FORMS: the starting states; each says how its tables look. Rows are the same in all of them.
 */

import { psql, rows } from "./pg.js";

export const id = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export const OLD_USER = { id: id(1), email: "Old@Example.org", password: "correct horse 1" };
export const TWIN = { id: id(2), email: "old@example.org", password: "other horse 2" };
export const COUNTS = { users: 4, ai_configurations: 2, learning_tracks: 5, course_modules: 4, lessons: 3,
	homework_assignments: 2, chat_sessions: 4, chat_messages: 9 };

const ENUMS = {
	userrole: ["STUDENT", "INSTRUCTOR", "ADMIN"], trackstatus: ["PLANNING", "ACTIVE", "COMPLETED", "PAUSED"],
	difficultylevel: ["BEGINNER", "INTERMEDIATE", "ADVANCED"], contenttype: ["THEORY", "PRACTICE", "HOMEWORK", "QUIZ"],
};

/* chats: "none", "empty", "original", "script"; messages: "session", "both", "chat"; enums: "upper", "lower", "text". */
export const FORMS = {
	"before chat_id": { chats: "none", messages: "session" },
	"before chat_id, enumerations as text": { chats: "none", messages: "session", enums: "text", json: "jsonb" },
	"before chat_id, with an empty table of chats": { chats: "empty", messages: "session" },
	"half way to chat_id": { chats: "original", messages: "both", tokens: false, chatName: "Main Chat" },
	"brought to chat_id by the script": { chats: "script", messages: "chat", json: "jsonb", chatName: "Main Chat", uuid: "uuid_generate_v4()" },
	"brought to chat_id by the container's copy": { chats: "script", messages: "chat", enums: "lower", chatName: "Migrated Chat", uuid: "gen_random_uuid()" },
	"original, without tokens_used": { chats: "original", messages: "chat", tokens: false },
	"original": { chats: "original", messages: "chat", tokens: true },
	"original, enumerations as text, documents as jsonb": { chats: "original", messages: "chat", tokens: true, enums: "text", json: "jsonb" },
};

const enumType = (form, name) => (form.enums === "text" ? "varchar(20)" : name);

function types(form) {
	if (form.enums === "text")
		return "";
	return Object.entries(ENUMS).map(([name, labels]) => `create type ${name} as enum (${
		labels.map((label) => `'${form.enums === "lower" ? label.toLowerCase() : label}'`).join(", ")});`).join("\n");
}

/* The extra columns are somebody's own: they stay. */
function tables(form) {
	const json = form.json ?? "json";

	return `
create table users (id uuid primary key, email varchar(255) not null unique, password_hash varchar(255) not null,
	first_name varchar(100) not null, last_name varchar(100) not null, role ${enumType(form, "userrole")}${form.enums === "text" ? " default 'student'" : ""},
	is_active boolean, created_at timestamp, updated_at timestamp, telephone text);
create table ai_configurations (id uuid primary key, user_id uuid not null references users (id), model_name varchar(100),
	base_url varchar(255), api_key_encrypted text not null, max_tokens integer, temperature double precision,
	created_at timestamp, updated_at timestamp);
create table learning_tracks (id uuid primary key, user_id uuid not null references users (id), title varchar(255) not null,
	description text, skill_area varchar(100), difficulty_level ${enumType(form, "difficultylevel")}, estimated_duration_hours integer,
	status ${enumType(form, "trackstatus")}, ai_generated_plan ${json}, user_expectations text, created_at timestamp, updated_at timestamp);
create table chat_sessions (id uuid primary key, track_id uuid references learning_tracks (id), user_id uuid not null references users (id),
	session_name varchar(255), status varchar(20), created_at timestamp, updated_at timestamp);
create table course_modules (id uuid primary key, track_id uuid not null references learning_tracks (id), module_number integer not null,
	title varchar(255) not null, description text, learning_objectives ${json}, estimated_duration_hours integer,
	ai_generated_content ${json}, status varchar(20), created_at timestamp, updated_at timestamp);
create table lessons (id uuid primary key, module_id uuid not null references course_modules (id), lesson_number integer not null,
	title varchar(255) not null, content_type ${enumType(form, "contenttype")}, content text, ai_generated_notes text,
	estimated_duration_minutes integer, status varchar(20), created_at timestamp, updated_at timestamp);
create table homework_assignments (id uuid primary key, lesson_id uuid not null references lessons (id), title varchar(255) not null,
	description text, instructions text, ai_generated_task ${json}, due_date timestamp, max_score integer, status varchar(20),
	created_at timestamp, updated_at timestamp);
${chatTables(form, json)}`;
}

function chatTables(form, json) {
	const script = form.chats === "script";
	const or = (value) => (script ? ` default ${value}` : "");
	const hangs = (name, column, parent) => `${column} uuid not null${script ? "" : ` references ${parent} (id)`}${
		script ? `, constraint ${name} foreign key (${column}) references ${parent} (id) on delete cascade` : ""}`;
	const chats = `create table chats (id uuid primary key${or(form.uuid)}, ${hangs("chats_session_id_fkey", "session_id", "chat_sessions")},
		chat_name varchar(255), chat_type varchar(50)${or("'planning'")}, status varchar(20)${or("'active'")}, ai_context ${json},
		created_at timestamp${or("now()")}, updated_at timestamp${or("now()")});`;
	const place = {
		session: "session_id uuid not null references chat_sessions (id)",
		both: "session_id uuid not null references chat_sessions (id), chat_id uuid references chats (id)",
		chat: hangs("chat_messages_new_chat_id_fkey", "chat_id", "chats"),
	}[form.messages];

	return `${form.chats === "none" ? "" : chats}
	create table chat_messages (id uuid${or(form.uuid)}, ${place}, sender_type varchar(10) not null, message_content text not null,
		message_type varchar(20)${or("'text'")}, ai_model_used varchar(100), ${script || form.tokens ? "tokens_used integer," : ""}
		"timestamp" timestamp${or("now()")}, stars integer,
		constraint ${script ? "chat_messages_new_pkey" : "chat_messages_pkey"} primary key (id));
	${script ? `create index idx_chats_session_id on chats (session_id); create index idx_chats_status on chats (status);
	create index idx_chats_type on chats (chat_type); create index idx_chat_messages_chat_id on chat_messages (chat_id);
	create index idx_chat_messages_timestamp on chat_messages ("timestamp");
	create index idx_chat_messages_sender_type on chat_messages (sender_type);` : ""}`;
}

/* Names of enumerations as the form writes them. */
function people(form) {
	const name = (text) => (form.enums === "lower" || form.enums === "text" ? `'${text.toLowerCase()}'` : `'${text}'`);

	return `
insert into users values ('${OLD_USER.id}', '${OLD_USER.email}', '!', 'Old', 'User', ${name("ADMIN")}, true, '2025-01-01', '2025-01-01 12:00:00.123456', '+1'),
	('${TWIN.id}', '${TWIN.email}', '!', 'Twin', '', null, null, null, null, null),
	('${id(3)}', 'guest_like@example.org', 'no hash', E'Анна\\t"\\\\', 'О''Нил 😀', ${name("INSTRUCTOR")}, false, '1999-12-31', '2038-01-19 03:14:08', ''),
	('${id(4)}', '', '', '', '', ${name("STUDENT")}, true, '2025-01-01', '2024-01-01', null);
insert into ai_configurations values ('${id(5)}', '${OLD_USER.id}', null, null, 'default', null, null, null, null),
	('${id(6)}', '${OLD_USER.id}', 'm', 'http://example.org/v1', 'sk-clear-text', -5, 99.5, '2025-01-01', null);
insert into learning_tracks values ('${id(10)}', '${OLD_USER.id}', 'Track', null, null, null, null, null, '[1, 2]', null, null, null),
	('${id(11)}', '${OLD_USER.id}', 'Other', 'd', 's', ${name("ADVANCED")}, 7, ${name("ACTIVE")}, '{"a": 1}', 'e', '2025-01-01', '2025-01-01'),
	('${id(12)}', '${TWIN.id}', '', repeat('длинно ', 40000), '', ${name("BEGINNER")}, -1, ${name("PAUSED")}, '"only a text"', '', '2025-01-01', null),
	('${id(13)}', '${id(3)}', 'n', null, null, ${name("INTERMEDIATE")}, 2147483647, ${name("COMPLETED")}, 'null', null, null, null),
	('${id(14)}', '${id(3)}', 'p', null, null, null, 0, ${name("PLANNING")}, '{"modules": [{"title": null}, 5, []], "modules": 7}', null, null, null);
insert into course_modules values ('${id(20)}', '${id(10)}', 1, 'M', null, '"text"', null, '5', null, null, null),
	('${id(21)}', '${id(10)}', 1, 'N', 'd', '["a", 2, null]', 3, '{}', 'completed', '2025-01-01', '2025-01-01'),
	('${id(22)}', '${id(12)}', -4, '', repeat('x', 300000), '{"k": ["v"]}', 0, '[]', 'in_progress', null, null),
	('${id(23)}', '${id(13)}', 9, 'L', null, null, null, null, 'strange', null, null);
insert into lessons values ('${id(30)}', '${id(20)}', 1, 'L', ${name("THEORY")}, 'text', null, 10, 'not_started', '2025-01-01', '2025-01-01'),
	('${id(31)}', '${id(22)}', 1, 'L', ${name("QUIZ")}, null, 'notes', null, null, null, null),
	('${id(32)}', '${id(22)}', 1, '', null, '', '', -1, '', null, null);
insert into homework_assignments values ('${id(35)}', '${id(30)}', 'H', null, null, null, null, null, null, null, null),
	('${id(36)}', '${id(31)}', 'H', 'd', 'i', '{"task": [1, {"b": null}]}', '2030-01-01', 5, 'done', '2025-01-01', '2025-01-01');
insert into chat_sessions values ('${id(40)}', '${id(10)}', '${OLD_USER.id}', 'S', 'active', '2025-01-01', '2025-01-01'),
	('${id(41)}', null, '${OLD_USER.id}', null, null, null, null),
	('${id(42)}', '${id(10)}', '${OLD_USER.id}', 'second of one track', 'closed', '2024-01-01', null),
	('${id(43)}', '${id(12)}', '${TWIN.id}', 'without messages', 'active', '2025-03-01', '2025-03-02');`;
}

/* id, session, chat, sender, text, type, model, tokens, time; two of one time, one without, one very long. */
const MESSAGES = [
	[61, 40, 50, "ai", "'the plan'", "'text'", "'gpt'", 450, "'2025-01-01 10:00'"],
	[63, 40, 50, "user", "'same time'", "'text'", "null", "null", "'2025-01-01 10:01'"],
	[62, 40, 50, "ai", "'also same'", "null", "null", 0, "'2025-01-01 10:01'"],
	[64, 40, 50, "user", "'never'", "null", "null", "null", "null"],
	[65, 40, 50, "ai", "repeat('очень длинный текст ', 60000)", "'finalization'", "'gpt'", -1, "'2025-01-02'"],
	[66, 41, 53, "user", "''", "''", "''", "null", "'2025-01-01 10:00'"],
	[67, 41, 53, "robot", "E'line\\n\\t\\r \\\\ '' \" \\u0001 \\uFEFF 😀'", "'odd'", "null", "null", "'1970-01-01'"],
	[68, 42, 54, "user", "'only a question'", "'text'", "null", "null", "'2024-01-01 00:00:00.000002'"],
	[69, 42, 54, "ai", "'answer'", "'text'", "null", 3, "'2024-01-01 00:00:00.000001'"],
];

/* Session 40 has two active planning chats where a session may have more than one. */
function chatRows(form) {
	if (form.chats === "none" || form.chats === "empty")
		return "";
	const name = form.chatName ?? "Course Planning";
	const many = form.messages === "chat" && form.chats === "original";

	return `insert into chats values
		('${id(50)}', '${id(40)}', '${name}', 'planning', 'active', '{"skill_area": "x"}', '2025-01-01', '2025-01-01'),
		${many ? `('${id(51)}', '${id(40)}', null, 'planning', 'active', '[]', '2025-02-01', '2025-02-01'),
		('${id(52)}', '${id(40)}', 'Old', 'planning', 'closed', 'null', null, '2025-03-01'),` : ""}
		('${id(53)}', '${id(41)}', null, null, null, '"text"', null, null),
		('${id(54)}', '${id(42)}', '${name}', 'planning', 'active', null, '2025-01-01', null);`;
}

function messageRows(form) {
	const has = { session: form.messages !== "chat", chat: form.messages !== "session", tokens: form.tokens || form.chats === "script" };
	const columns = ["id", has.session && "session_id", has.chat && "chat_id", "sender_type", "message_content", "message_type",
		"ai_model_used", has.tokens && "tokens_used", '"timestamp"', "stars"];
	const values = MESSAGES.map(([n, session, chat, sender, text, type, model, tokens, time]) => [
		`'${id(n)}'`, has.session && `'${id(session)}'`,
		has.chat && (form.messages === "both" && n % 2 ? "null" : `'${id(chat)}'`),	/* half of them */
		`'${sender}'`, text, type, model, has.tokens && `${tokens}`, time, `${n}`]);
	const list = (items) => items.filter(Boolean).join(", ");

	return `insert into chat_messages (${list(columns)}) values ${values.map((row) => `(${list(row)})`).join(",\n")};`;
}

/* Fills an empty database. hashes: { user id: password hash }. more: SQL that comes last. */
export async function makeOldDatabase(url, name, { hashes = {}, more = "" } = {}) {
	const form = FORMS[name];

	if (form.uuid?.startsWith("uuid_"))	/* what the extension gives; a test's role need not have the right to make it */
		await psql(url, "create function uuid_generate_v4() returns uuid language sql as 'select gen_random_uuid()'");
	await psql(url, [types(form), tables(form), people(form), chatRows(form), messageRows(form),
		...Object.entries(hashes).map(([user, hash]) => `update users set password_hash = '${hash}' where id = '${user}';`),
		more].join("\n"));
}

/* ---- nothing is lost --------------------------------------------------------- */

/* Where a value has another home or another spelling afterwards, and means the same. */
const MEANS = {
	"users.role": "upper(t.role::text)", "learning_tracks.status": "upper(t.status::text)",
	"learning_tracks.difficulty_level": "upper(t.difficulty_level::text)", "lessons.content_type": "upper(t.content_type::text)",
};
/* Half way to chat_id: what was null gets a value. */
const FILLED = { "chat_messages.chat_id": "case when t.stars % 2 = 0 then t.chat_id::text end" };
const MOVED = { "chat_messages.session_id": "(select c.session_id from chats c where c.id = t.chat_id)::text" };

/* Of the tables whose rows have a uuid as id. Asked of the catalogue itself: information_schema takes seconds. */
const columnsOf = (url) => rows(url, `select c.relname as table, a.attname as column from pg_attribute i
	join pg_class c on c.oid = i.attrelid join pg_attribute a on a.attrelid = c.oid
	where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and i.attname = 'id' and i.atttypid = 'uuid'::regtype
		and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum`);

const idsOf = async (url, tables) => Object.fromEntries((await rows(url, tables.map((table) =>
	`select '${table}' as table, coalesce(json_agg(id), '[]') as ids from ${table}`).join(" union all "))).map(({ table, ids }) => [table, ids]));

/*
 * { "table.column": "count md5" } of all values in the order of ids. like: an
 * earlier snapshot, whose rows and columns are looked at, and nothing newer.
 */
export async function snapshot(url, like = null) {
	const columns = like?.columns ?? await columnsOf(url);
	const now = new Set((await columnsOf(url)).map(({ table, column }) => `${table}.${column}`));
	const ids = like?.ids ?? await idsOf(url, [...new Set(columns.map((c) => c.table))]);
	const parts = [];

	for (const { table, column } of columns) {
		const key = `${table}.${column}`;
		const value = (now.has("chat_messages.session_id") ? FILLED[key] : null) ?? MEANS[key] ?? (now.has(key) ? `t."${column}"::text` : MOVED[key]);

		parts.push(`select '${key}' as key, count(*) || ' ' || coalesce(md5(string_agg(coalesce(md5(${value ?? "'gone'"}), 'null'), ' ' order by t.id)), '') as sum
			from ${table} t where t.id = any ('{${ids[table].join(",")}}')`);
	}
	const sums = await rows(url, parts.join(" union all "));

	return { columns, ids, sums: Object.fromEntries(sums.map(({ key, sum }) => [key, sum])) };
}
