/* The schema: applied once, refused when it is not ours, old databases taken over without losing a row. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { ROOT, binary } from "../lib/daemon.js";
import { Cluster, createDatabase, psql, rows, sharedCluster } from "../lib/pg.js";
import { until } from "../lib/until.js";
import { begin, finish, startStore, uuid } from "./store-lib.js";

const run = promisify(execFile);
const ORIGINAL = readFileSync(join(ROOT, "services/store/migrations/0001_original.sql"), "utf8");
const VERSIONS = "select version::int, name, checksum from schema_migrations order by version";

const readiness = async (store) => (await fetch(`${store.daemon.health}/readyz`)).json();

function migrate(url, more = {}) {
	return run(binary("store"), ["--migrate"], { cwd: "/", env: { PATH: process.env.PATH, DATABASE_URL: url,
		BUS_KEY: "0123456789012345678901234567890123456789", ...more } });
}

describe("migrations", () => {
	it("run once, whoever runs them", async () => {
		const store = await startStore();
		const first = await store.db(VERSIONS);

		assert.deepEqual(first.map((m) => m.version), first.map((_, i) => i));
		await store.daemon.crash("SIGTERM");
		await migrate(store.url);
		assert.deepEqual(await store.db(VERSIONS), first);
		await store.stop();
	});

	it("of many processes at once happen one after the other", async () => {
		const database = await createDatabase(await sharedCluster());

		await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));
		const list = await rows(database.url, VERSIONS);

		assert.ok(list.length >= 7);
		await database.drop();
	});

	it("killed at any moment go on at the next start", async () => {
		const database = await createDatabase(await sharedCluster());

		for (const ms of [5, 20, 40, 60, 80, 100, 130, 160, 200]) {
			const child = execFile(binary("store"), ["--migrate"], { cwd: "/", env: { PATH: process.env.PATH, DATABASE_URL: database.url,
				BUS_KEY: "0123456789012345678901234567890123456789" } }, () => {});

			await new Promise((resolve) => setTimeout(() => resolve(child.kill("SIGKILL")), ms));
		}
		await migrate(database.url);
		assert.equal((await rows(database.url, "select count(*)::int as n from suite_instance"))[0].n, 1);
		await database.drop();
	});

	it("say why they cannot, with an exit status", async () => {
		const database = await createDatabase(await sharedCluster());

		await psql(database.url, "create table chats (id int)");
		await assert.rejects(migrate(database.url), (err) => err.code === 1 && /schema\.refused/.test(err.stdout + err.stderr));
		await database.drop();
		await assert.rejects(migrate(database.url, { DATABASE_URL: "" }), (err) => err.code === 1 && /DATABASE_URL/.test(err.stderr));
	});
});

describe("a database that is not ours to work on", () => {
	let store;

	before(async () => {
		store = await startStore();
		await store.daemon.crash("SIGTERM");
	});
	after(() => store.stop({ expected: [/schema\.refused/] }));

	for (const [what, spoil, cause] of [
		["is newer", "insert into schema_migrations values (999, 'future', 'x', now())", /newer \(version 999/],
		["was made by another build", "update schema_migrations set checksum = 'x' where version = 2", /checksum differs/],
	])
		it(`${what}: the store lives, says so and refuses work`, async () => {
			const saved = await store.db(VERSIONS);

			await store.db(spoil);
			const lines = store.daemon.lines.length;

			store.daemon.kill("SIGTERM");
			await store.daemon.waitLine(/schema\.refused/, { from: lines });
			const report = await readiness(store);

			assert.equal(report.status, "not ready");
			assert.match(report.dependencies.schema, cause);
			assert.equal((await fetch(`${store.daemon.health}/livez`)).status, 200);
			const answer = await store.ask({ user: uuid() }, "track_list");

			assert.equal(answer.rc, "unavailable");
			assert.match(answer.message, cause);

			await store.db(`delete from schema_migrations where version = 999;
				update schema_migrations set checksum = '${saved[2].checksum}' where version = 2`);
			await store.daemon.waitReady();
			assert.equal(store.daemon.lines.slice(lines).filter((line) => line.includes("schema.refused")).length, 1);
			assert.equal((await store.ask({ user: uuid() }, "track_list")).rc, "ok");
		});
});

/* What the original application writes: every value given, nothing by default. */
const ids = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const USER = ids(1);
const PEOPLE = `
insert into users values ('${USER}', 'Old@Example.org', '$2b$12$hash', 'Old', 'User', 'STUDENT', true, '2025-01-01', '2025-01-01'),
	('${ids(2)}', 'old@example.org', '$2b$12$hash', 'Twin', 'User', null, null, null, null);
insert into learning_tracks values ('${ids(10)}', '${USER}', 'Track', null, null, null, null, null, '[1,2]', null, null, null),
	('${ids(11)}', '${USER}', 'Other', 'd', 's', 'ADVANCED', 7, 'ACTIVE', '{"a":1}', 'e', '2025-01-01', '2025-01-01');
insert into course_modules values ('${ids(20)}', '${ids(10)}', 1, 'M', null, '"text"', null, '5', null, null, null),
	('${ids(21)}', '${ids(10)}', 1, 'N', 'd', '["a",2,null]', 3, '{}', 'completed', '2025-01-01', '2025-01-01');
insert into lessons values ('${ids(30)}', '${ids(20)}', 1, 'L', 'THEORY', 'text', null, 10, 'not_started', '2025-01-01', '2025-01-01');
insert into homework_assignments values ('${ids(31)}', '${ids(30)}', 'H', null, null, null, null, null, null, null, null);
insert into chat_sessions values ('${ids(40)}', '${ids(10)}', '${USER}', 'S', 'active', '2025-01-01', '2025-01-01'),
	('${ids(41)}', null, '${USER}', null, null, null, null);
`;

describe("a database of the original application", () => {
	let store;

	before(async () => {
		store = await startStore({
			prepare: (url) => psql(url, `${ORIGINAL}
				alter table chats alter column ai_context type jsonb using ai_context::text::jsonb;
				alter table users add column extra text;
				${PEOPLE}
				insert into chats values ('${ids(50)}', '${ids(40)}', 'Course Planning', 'planning', 'active', null, '2025-01-01', '2025-01-01'),
					('${ids(51)}', '${ids(40)}', null, 'planning', 'active', '[]', '2025-02-01', '2025-02-01'),
					('${ids(52)}', '${ids(40)}', 'Old', 'planning', 'closed', null, '2025-03-01', '2025-03-01'),
					('${ids(53)}', '${ids(41)}', null, null, null, '{"skill_area":"x"}', null, null);
				insert into chat_messages values
					('${ids(61)}', '${ids(50)}', 'ai', 'the plan', 'text', 'gpt', 450, '2025-01-01 10:00'),
					('${ids(63)}', '${ids(50)}', 'user', 'same time', 'text', null, null, '2025-01-01 10:01'),
					('${ids(62)}', '${ids(50)}', 'ai', 'also same', null, null, null, '2025-01-01 10:01'),
					('${ids(64)}', '${ids(50)}', 'user', 'never', null, null, null, null),
					('${ids(65)}', '${ids(53)}', 'user', 'hi', null, null, null, '2025-01-01 10:00');`),
		});
	});
	after(() => store.stop());

	it("keeps every row, with its owner", async () => {
		const counts = await store.db(`select (select count(*) from users where not is_guest)::int as users, (select count(*) from learning_tracks)::int as tracks,
			(select count(*) from course_modules where user_id = '${USER}')::int as modules, (select count(*) from lessons where user_id = '${USER}')::int as lessons,
			(select count(*) from homework_assignments where user_id = '${USER}')::int as homework, (select count(*) from chat_sessions)::int as sessions,
			(select count(*) from chats where user_id = '${USER}')::int as chats, (select count(*) from chat_messages where user_id = '${USER}')::int as messages`);

		assert.deepEqual(counts, [{ users: 2, tracks: 2, modules: 2, lessons: 1, homework: 1, sessions: 2, chats: 4, messages: 5 }]);
	});

	it("numbers messages by time and id, without a hole", async () => {
		assert.deepEqual(await store.db(`select id, seq::int from chat_messages where chat_id = '${ids(50)}' order by seq`),
			[{ id: ids(64), seq: 1 }, { id: ids(61), seq: 2 }, { id: ids(62), seq: 3 }, { id: ids(63), seq: 4 }]);
	});

	it("keeps the newest planning chat as such, the older one as a discussion", async () => {
		assert.deepEqual(await store.db("select id, chat_type from chats order by id"), [
			{ id: ids(50), chat_type: "discussion" }, { id: ids(51), chat_type: "planning" },
			{ id: ids(52), chat_type: "planning" }, { id: ids(53), chat_type: null }]);
	});

	it("is listed whatever its rows hold", async () => {
		const who = { user: USER };
		const { tracks } = await store.must(who, "track_list");
		const odd = tracks.find((t) => t.id === ids(10));

		assert.deepEqual([odd.status, odd.difficulty_level, odd.ai_generated_plan, odd.progress], ["planning", "beginner", null, 50]);
		assert.deepEqual(odd.modules.map((m) => m.learning_objectives).sort(), [["a", "2"], ["text"]]);
		assert.equal(odd.session_id, ids(40));
		assert.equal((await store.must(who, "session_list")).sessions.length, 2);
		assert.equal((await store.must(who, "user_chats")).sessions.flatMap((s) => s.chats).length, 4);
		assert.equal((await store.must(who, "chat_load", { chat_id: ids(50) })).history.length, 4);
		assert.deepEqual((await store.must(who, "chat_load", { chat_id: ids(53) })).chat_info.ai_context, { skill_area: "x" });
	});

	it("tells two addresses that differ in case apart by the exact one", async () => {
		assert.equal((await store.must(null, "user_by_email", { email: "old@example.org" })).user_id, ids(2));
		assert.equal((await store.must(null, "user_by_email", { email: "Old@Example.org" })).user_id, USER);
		assert.equal((await store.ask(null, "user_create", { user_id: uuid(), is_guest: false, email: "OLD@EXAMPLE.ORG", password_hash: "x",
			first_name: "a", last_name: "b" })).rc, "conflict");
	});

	it("goes on with its dialogues", async () => {
		const who = { user: USER };
		const next = await begin(store, who, { chat_id: ids(50), body: "go on" });

		assert.equal(next.begun, true);
		assert.equal(next.context.seq, 5);
		assert.equal((await finish(store, next.context.turn_id)).outcome.seq, 6);
		const again = await begin(store, who, { retry_message_id: ids(62), body: undefined });

		assert.deepEqual(again.context.history.map((m) => m.content), ["never"]);
	});
});

describe("a database from before chat_id", () => {
	const legacy = `${ORIGINAL}
		drop table chat_messages; drop table chats;
		create table chat_messages (id uuid primary key, session_id uuid not null references chat_sessions (id), sender_type varchar(10) not null,
			message_content text not null, message_type varchar(20), ai_model_used varchar(100), "timestamp" timestamp);
		${PEOPLE}
		insert into chat_messages values ('${ids(61)}', '${ids(40)}', 'ai', 'plan', 'text', 'gpt', '2025-01-01 10:00'),
			('${ids(62)}', '${ids(40)}', 'user', 'yes', 'text', null, '2025-01-02 10:00');`;
	const emptyChats = `create table chats (id uuid primary key, session_id uuid not null references chat_sessions (id), chat_name varchar(255),
		chat_type varchar(50), status varchar(20), ai_context json, created_at timestamp, updated_at timestamp);`;

	for (const [what, sql] of [["as it was", legacy], ["with an empty table of chats", `${legacy}${emptyChats}`]])
		it(`${what} gets one chat per session and keeps its messages`, async () => {
			const store = await startStore({ prepare: (url) => psql(url, sql) });
			const chats = await store.db("select id, session_id, chat_name, chat_type, status, created_at, last_seq::int from chats order by session_id");

			assert.deepEqual(chats.map((c) => [c.session_id, c.chat_name, c.chat_type, c.status, c.last_seq]),
				[[ids(40), "Main Chat", "planning", "active", 2], [ids(41), "Main Chat", "planning", "active", 0]]);
			assert.match(chats[0].created_at, /^2025-01-01T10:00/);
			assert.deepEqual(await store.db("select id, chat_id, seq::int, message_content as text, tokens_used from chat_messages order by seq"), [
				{ id: ids(61), chat_id: chats[0].id, seq: 1, text: "plan", tokens_used: null },
				{ id: ids(62), chat_id: chats[0].id, seq: 2, text: "yes", tokens_used: null }]);
			/* The welcome of then is the welcome. */
			const welcome = await begin(store, { user: USER }, { kind: "welcome", session_id: ids(40) });

			assert.equal(welcome.begun, false);
			assert.equal(welcome.outcome.reply, "plan");
			await store.stop();
		});

	it("with messages of no session is left as it is", async () => {
		const store = await startStore({
			ready: false,
			prepare: (url) => psql(url, `${legacy} alter table chat_messages drop constraint chat_messages_session_id_fkey;
				update chat_messages set session_id = '${ids(99)}' where id = '${ids(62)}'`),
		});

		await store.daemon.waitLine(/schema\.refused/);
		assert.match((await readiness(store)).dependencies.schema, /1 of chat_messages belong to no row of chat_sessions/);
		assert.equal((await store.db("select count(*)::int as n from chat_messages where session_id is not null"))[0].n, 2);
		await store.stop({ expected: [/schema\.refused/] });
	});
});

describe("a store whose database is away", () => {
	it("lives, is not ready, and comes to work when it arrives", async () => {
		const cluster = await Cluster.start();
		const store = await startStore({ cluster, ready: false });

		await store.daemon.waitReady();
		cluster.kill();
		await until("not ready", async () => (await fetch(`${store.daemon.health}/readyz`)).status === 503);
		store.daemon.kill("SIGKILL");
		await store.daemon.waitLine(/schema\.waiting/);
		assert.match((await readiness(store)).dependencies.schema, /./);
		await cluster.restart();
		await store.daemon.waitReady();
		await store.stop();
		await cluster.stop();
	});
});
