/*
 * Backup and restore: a database that is copied while people talk is lost, its copy
 * goes into a new cluster, and everybody goes on from what is there.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { Cluster, createDatabase, psql, rows } from "../lib/pg.js";
import { userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const dir = mkdtempSync(join(tmpdir(), "alp-backup-"));
const file = join(dir, "alp.dump");
const TEXTS = { users: "email", learning_tracks: "title", course_modules: "title", chat_messages: "id || message_content || seq" };
const CHANGING = ["turns", "attempts", "suite_instance", "chat_sessions", "chats", "restore_events"];	/* go on, or are touched */

let first, second, stack, database;
let talker, slow, ended, begun;

/* A script of deploy/ops: { code, out }. */
function ops(script, args, url) {
	return new Promise((resolve) => {
		execFile(join(ROOT, "deploy/ops", script), args, { cwd: "/", env: { PATH: process.env.PATH, DATABASE_URL: url } },
			(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, out: stdout + stderr }));
	});
}

/* The rows of every table. */
async function counts(url) {
	const found = await rows(url, `select relname as name, (xpath('/row/n/text()',
		query_to_xml(format('select count(*) as n from %I', relname), false, true, '')))[1]::text::int as n
		from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`);

	return Object.fromEntries(found.map(({ name, n }) => [name, n]));
}

const without = (all, names) => Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));

const texts = async (url) => Object.fromEntries(await Promise.all(Object.entries(TEXTS).map(async ([table, column]) =>
	[table, await psql(url, `select md5(string_agg(md5(${column}), '' order by id)) from ${table}`)])));

const historyOf = async (rest, track) => (await rest.history(track.chat_id)).history.map(({ id, content }) => ({ id, content }));

async function learner() {
	const rest = await userOf(stack);
	const track = await rest.createTrack({ language: "en" });
	const ws = await chatOf(stack, rest, track.session_id);

	await ws.restore();
	await until("the welcome is over", async () => (await historyOf(rest, track)).length === 1, { ms: 30000 });
	return { rest, track, ws };
}

before(async () => {
	[first, second] = await Promise.all([Cluster.start(), Cluster.start()]);
	stack = await startStack({ pg: first, tokenDelayMs: 20 });
	database = await createDatabase(second.url("postgres"));
});
after(async () => {
	try {
		stack?.sim.kill("SIGCONT");
		if (!first.proc.running)
			stack.database = database;	/* the first one can not be dropped any more */
		await stack?.stop();
	} finally {
		await Promise.allSettled([first?.stop(), second?.stop()]);
		rmSync(dir, { recursive: true, force: true });
	}
});

test("a backup is made while a reply is written; it is whole, and its owner's alone", { timeout: 120000 }, async () => {
	talker = await learner();
	slow = await learner();
	ended = await talker.ws.turn("короткий ответ 😀", { ms: 30000 });
	begun = await slow.ws.post(Array.from({ length: 200 }, (_, i) => `word${i}`).join(" "));
	await slow.ws.next((f) => f.type === "ai_delta" && f.turn_id === begun.turn_id, 20000);
	stack.sim.kill("SIGSTOP");	/* the reply stays where it is */
	await until("a part of the reply is stored", async () =>
		(await stack.db(`select partial from turns where id = '${begun.turn_id}'`))[0].partial, { ms: 20000 });
	const [before, said] = [await counts(stack.database.url), await texts(stack.database.url)];
	const made = await ops("backup.sh", [file], stack.database.url);

	stack.sim.kill("SIGCONT");
	assert.equal(made.code, 0, made.out);
	assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.equal((await ops("backup.sh", [file], stack.database.url)).code, 1, "an old backup is not overwritten");
	slow.before = { counts: before, texts: said };
});

test("a backup that does not come about leaves no file, and no password in its words", async () => {
	const none = join(dir, "none.dump");
	const { code, out } = await ops("backup.sh", [none], "postgresql://nobody:canary%21@127.0.0.1:1/none");

	assert.equal(code, 1);
	assert.doesNotMatch(out, /canary/);
	assert.throws(() => statSync(none), { code: "ENOENT" });
	assert.throws(() => statSync(`${none}.part`), { code: "ENOENT" });
	assert.match((await ops("backup.sh", [none], undefined)).out, /DATABASE_URL is not set/);
});

test("a restore is refused into a database that has something, and of a file that is no backup", async () => {
	const spoilt = join(dir, "spoilt.dump");

	writeFileSync(spoilt, "PGDMP and nothing more");
	assert.equal((await ops("restore.sh", [spoilt], database.url)).code, 1);
	const refused = await ops("restore.sh", [file], stack.database.url);

	assert.equal(refused.code, 1);
	assert.match(refused.out, /not empty/);
	assert.deepEqual(await counts(database.url), {}, "nothing was begun");
});

test("the cluster is lost, a new one has the backup: every count and text is there", { timeout: 120000 }, async () => {
	slow.lost = await talker.ws.post("said after the backup");
	await talker.ws.next((f) => f.type === "ai_response" && f.turn_id === slow.lost.turn_id, 30000);
	first.kill();
	const done = await ops("restore.sh", [file], database.url);

	assert.equal(done.code, 0, done.out);
	assert.deepEqual(without(await counts(database.url), CHANGING), without(slow.before.counts, CHANGING));
	assert.deepEqual(await texts(database.url), slow.before.texts);
	assert.equal((await ops("restore.sh", [file], database.url)).code, 1, "a second time it is not empty");
});

test("the suite goes on with it: who was signed in still is, and sees what is there", { timeout: 120000 }, async () => {
	stack.expectError(/./);	/* the database was killed under it */
	stack.database = database;
	for (const daemon of stack.all)
		daemon.env.DATABASE_URL = database.url;
	await Promise.all(stack.all.map((daemon) => daemon.crash("SIGTERM", 40000)));
	await stack.waitReady();
	assert.ok((await talker.ws.closed).code >= 1001, "the old sockets are over");
	assert.deepEqual((await historyOf(talker.rest, talker.track)).map(({ content }) => content).slice(-2),
		["короткий ответ 😀", ended.response.message]);
	talker.ws = await chatOf(stack, talker.rest, talker.track.session_id);
	const restored = await talker.ws.restore();

	assert.ok(!JSON.stringify(restored).includes("said after the backup"));
	const again = await talker.ws.turn("said after the backup", { client_message_id: slow.lost.client_message_id, ms: 30000 });

	assert.notEqual(again.accepted.turn_id, slow.lost.turn_id);
});

test("the reply that was being written has another epoch, ends, and joins nothing that was shown", { timeout: 120000 }, async () => {
	const shown = slow.ws.deltas(begun.turn_id, begun.epoch ?? 1).length;

	slow.ws = await chatOf(stack, slow.rest, slow.track.session_id);
	slow.ws.send({ type: "resume", chat_id: slow.track.chat_id, turn_id: begun.turn_id, epoch: 1, offset: shown });
	const end = await slow.ws.next((f) => ["ai_response", "error"].includes(f.type) && f.turn_id === begun.turn_id, 30000);

	assert.equal(slow.ws.frames.filter((f) => f.type === "ai_delta" && f.turn_id === begun.turn_id && f.epoch < 1000).length, 0);
	const [turn] = await rows(database.url, `select state, attempt from turns where id = '${begun.turn_id}'`);

	assert.equal(turn.attempt > 1000, true);
	assert.ok(["interrupted", "failed"].includes(turn.state), turn.state);
	if (end.type === "ai_response")
		assert.deepEqual([end.epoch > 1000, end.finish_reason], [true, "interrupted"]);
	const message = end.message_id ?? begun.message_id;

	slow.ws.send({ type: "regenerate", message_id: message, client_message_id: randomUUID() });
	const whole = await slow.ws.next((f) => f.type === "ai_response" && f.turn_id !== begun.turn_id, 40000);

	assert.match(whole.message, /word199/);
});
