/* Old databases: taken over in every form without the loss of a value, also when whoever does it is killed. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { FORMS, id, snapshot } from "../lib/old_database.js";
import { Cluster, psql, rows } from "../lib/pg.js";
import { assertTakenOver, killEverywhere, tool, withOldDatabase } from "../lib/takeover.js";

/* make migrate-kills: every statement of every form; FROM=23: of the migrations from that one on. */
const { MIGRATE_KILLS: KILLS } = process.env;
const ALL = Boolean(KILLS);
const from = ALL && KILLS !== "all" ? Number(KILLS) : 0;
const MIGRATIONS = readdirSync(join(ROOT, "services/store/migrations")).filter((file) => parseInt(file, 10) >= from).length;
/* Each has its begin, its record and its commit, and at least one statement. */
const EVERY = 4 * MIGRATIONS;
const NAMES = Object.keys(FORMS);

assert.ok(MIGRATIONS > 0, `no migration from ${KILLS} on`);
const tables = (url) => psql(url, "select string_agg(relname || ':' || relkind::text, ',' order by relname) from pg_class where relnamespace = 'public'::regnamespace");

async function migrate(url) {
	const end = await tool(url);

	assert.equal(end.code, 0, end.output);
	return end.output;
}

describe("an old database", () => {
	for (const name of NAMES)
		it(`${name}: every value is there afterwards`, () => withOldDatabase(name, {}, async (url, before) => {
			await migrate(url);
			await assertTakenOver(url, name, before);
			assert.match(await migrate(url), /applied=0/);
			await assertTakenOver(url, name, before);
		}));

	for (const [i, name] of NAMES.entries())
		it(`${name}: survives deaths at statements`, (t) => withOldDatabase(name, {}, async (url, before) => {
			const n = await killEverywhere(url, ALL ? { from, deaths: ["before"] } : { step: 41, first: 1 + 4 * i });

			assert.ok(n >= (ALL ? EVERY : 2), `${n} deaths`);
			t.diagnostic(`${n} deaths`);
			await assertTakenOver(url, name, before);
		}));

	for (const name of ALL ? NAMES : [])
		it(`${name}: survives deaths in the middle of statements`, (t) => withOldDatabase(name, {}, async (url, before) => {
			const n = await killEverywhere(url, { from, deaths: ["within"] });

			assert.ok(n >= EVERY, `${n} deaths`);
			t.diagnostic(`${n} deaths`);
			await assertTakenOver(url, name, before);
		}));

	it("survives links that are cut while the process goes on", () => withOldDatabase(NAMES[0], {}, async (url, before) => {
		assert.ok(await killEverywhere(url, { from, step: ALL ? 1 : 29, deaths: ["link"] }) > 2);
		await assertTakenOver(url, NAMES[0], before);
	}));

	it("survives deaths of the database server", async () => {
		const cluster = await Cluster.start({ fsync: true });

		try {
			await withOldDatabase(NAMES[0], { cluster }, async (url, before) => {
				assert.ok(await killEverywhere(url, { from, step: ALL ? 9 : 70, deaths: ["server"], cluster }) > 0);
				await assertTakenOver(url, NAMES[0], before);
			});
		} finally {
			await cluster.stop();
		}
	});

	it("is migrated by one of two who start at once, the other waits", () => withOldDatabase(NAMES[0], {}, async (url, before) => {
		const ends = await Promise.all([tool(url), tool(url)]);
		const counts = ends.map((end) => Number(/applied=(\d+)/.exec(end.output)[1])).sort((a, b) => a - b);

		assert.deepEqual(ends.map((end) => end.code), [0, 0]);
		assert.equal(counts[0], 0);
		assert.ok(counts[1] >= 7);
		await assertTakenOver(url, NAMES[0], before);
	}));
});

describe("--dry-run", () => {
	for (const [name, said] of [
		["before chat_id", ["form: before chat_id\n", "4 sessions get a chat named Main Chat", "9 messages move from", "rows now: users 4,", "rows afterwards: users 5,", "chats 4, chat_messages 9"]],
		["before chat_id, with an empty table of chats", ["form: before chat_id, with a table of chats beside it\n", "4 sessions get", "9 messages move"]],
		["half way to chat_id", ["form: half way to chat_id\n", "2 sessions get a chat", "5 messages move"]],
		["brought to chat_id by the script", ["form: brought to chat_id by a script", "columns of another type are converted: chats.ai_context jsonb"]],
		["original, without tokens_used", ["form: original with chat_id, without tokens_used\n"]],
		["original", ["form: original with chat_id\n", "1 planning chats become discussions", "1 addresses differ from another only in case"]],
		["original, enumerations as text, documents as jsonb", ["learning_tracks.status character varying", "users.role character varying"]],
	])
		it(`${name}: says what would happen and does nothing`, () => withOldDatabase(name, {}, async (url, before) => {
			const was = await tables(url);
			const end = await tool(url, ["--migrate", "--dry-run"]);

			assert.equal(end.code, 0, end.output);
			for (const text of said)
				assert.ok(end.output.includes(text), `${text} in\n${end.output}`);
			assert.match(end.output, /would apply 0000_old_forms\n[^]*would apply 0006_turn_ends\n/);
			assert.equal(await tables(url), was);
			assert.deepEqual((await snapshot(url)).sums, before.sums);
		}));

	it("of a database that is current", () => withOldDatabase("original", {}, async (url) => {
		await migrate(url);
		assert.match((await tool(url, ["--dry-run"])).output, /form: made by this program, schema version \d+\nrows now: [^\n]*\nnothing to do: the schema is current/);
	}));

	it("of an empty database", () => withOldDatabase("original", {}, async (url) => {
		await psql(url, "drop schema public cascade; create schema public");
		const end = await tool(url, ["--dry-run"]);

		assert.equal(end.code, 0);
		assert.match(end.output, /form: empty\nrows now: none\nwould apply/);
		assert.equal(await tables(url), "");
	}));
});

describe("what cannot be taken over is reported and left as it is", () => {
	const legacy = "before chat_id";
	const cut = (table, column) => `alter table ${table} drop constraint ${table}_${column}_fkey;`;

	for (const [what, name, more, says] of [
		["messages of no session", legacy, `${cut("chat_messages", "session_id")} update chat_messages set session_id = '${id(99)}' where id < '${id(63)}'`,
			[/2 of chat_messages belong to no row of chat_sessions/]],
		["messages of no chat", "original", `${cut("chat_messages", "chat_id")} update chat_messages set chat_id = '${id(99)}' where id = '${id(61)}'`,
			[/1 of chat_messages belong to no row of chats/]],
		["messages of nothing at all", "half way to chat_id", `alter table chat_messages alter session_id drop not null;
			update chat_messages set session_id = null, chat_id = null where id = '${id(61)}'`, [/1 of chat_messages name neither a session nor a chat/]],
		["many at once", "original", `${cut("chats", "session_id")} ${cut("course_modules", "track_id")} ${cut("lessons", "module_id")} ${cut("homework_assignments", "lesson_id")}
			update chats set session_id = '${id(99)}'; update course_modules set track_id = '${id(99)}';
			update lessons set module_id = '${id(99)}'; update homework_assignments set lesson_id = '${id(99)}'`,
			[/5 of chats belong/, /4 of course_modules belong/, /3 of lessons belong/, /2 of homework_assignments belong/]],
		["names that no enumeration has", "original, enumerations as text, documents as jsonb", "update users set role = 'emperor' where role is not null",
			[/users\.role holds 'emperor', which is none of STUDENT, INSTRUCTOR, ADMIN/]],
	])
		it(what, () => withOldDatabase(name, { more }, async (url, before) => {
			const was = await tables(url);
			const dry = await tool(url, ["--dry-run"]);
			const end = await tool(url);

			assert.equal(dry.code, 1);
			assert.equal(end.code, 1);
			for (const pattern of says) {
				assert.match(dry.output, pattern);
				assert.match(end.output, pattern);
			}
			assert.match(dry.output, /^problem: migration 0000_old_forms, statement \d+: ERROR:.*nothing was changed$/m);
			assert.match(end.output, /schema\.refused/);
			assert.equal(await tables(url), `${was},schema_migrations:r,schema_migrations_pkey:i`.split(",").sort().join(","));
			assert.equal((await rows(url, "select count(*)::int as n from schema_migrations"))[0].n, 0);
			assert.deepEqual((await snapshot(url, before)).sums, before.sums);
		}));

	it("a schema newer than the program", () => withOldDatabase("original", {}, async (url) => {
		await migrate(url);
		await psql(url, "insert into schema_migrations values (999, 'future', 'x', now())");
		for (const options of [["--migrate"], ["--dry-run"]]) {
			const end = await tool(url, options);

			assert.equal(end.code, 1);
			assert.match(end.output, /newer \(version 999, future\) than this program/);
		}
	}));
});
