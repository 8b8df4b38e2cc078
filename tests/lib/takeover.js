/* Old databases brought to the current schema, the gentle way and by killing whoever does it at every statement. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { binary } from "./daemon.js";
import { COUNTS, FORMS, id, makeOldDatabase, snapshot } from "./old_database.js";
import { PgProxy } from "./pg-proxy.js";
import { createDatabase, psql, rows, sharedCluster } from "./pg.js";
import { within } from "./until.js";

const RUN_MS = 60000;
const BUILD = process.env.KILLS_BUILD || "debug";
const KEY = "0123456789012345678901234567890123456789";

/* alp-store with options on a database: { child, output(), ended }. */
export function startTool(url, options = ["--migrate"], env = {}) {
	const child = spawn(binary("store", BUILD), options, { cwd: "/", stdio: ["ignore", "pipe", "pipe"],
		env: { PATH: process.env.PATH, DATABASE_URL: url, BUS_KEY: KEY, ASAN_OPTIONS: "exitcode=86", ...env } });
	let output = "";

	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (data) => {
			output += data;
		});
	return { child, output: () => output, ended: once(child, "close").then(([code, signal]) => ({ code, signal, output })) };
}

/* Resolves to { code, signal, output } of a run that ends by itself. */
export const tool = (url, options, env) => within(RUN_MS, "alp-store ends", startTool(url, options, env).ended);

/* How many migrations a database has, and the last of them. */
const applied = (url) => psql(url, "select count(*), coalesce(max(version), -1) from schema_migrations")
	.then((line) => line.split("|").map(Number), () => [0, -1]);

/* ---- what must be true afterwards --------------------------------------------------- */

export async function assertTakenOver(url, name, before) {
	const after = await snapshot(url, before);

	for (const [key, sum] of Object.entries(before.sums))
		if (key !== "chats.chat_type" || FORMS[name].chats !== "original" || FORMS[name].messages !== "chat")
			assert.equal(after.sums[key], sum, `${name}: ${key}`);
	for (const [table, n] of Object.entries(COUNTS))
		assert.equal(before.ids[table].length, n, `the test's own rows of ${table}`);
	/* Nothing was added but the owner of what anonymous callers make, and the chats of sessions without one. */
	const [count] = await rows(url, `select ${Object.keys(COUNTS).map((table) => `(select count(*) from ${table})::int as ${table}`).join(", ")}`);

	assert.deepEqual(count, { ...COUNTS, users: COUNTS.users + 1 });
	await assertChats(url, name);
}

async function assertChats(url, name) {
	const form = FORMS[name];
	const chats = await rows(url, "select id, session_id, chat_name, chat_type, status, created_at, updated_at, last_seq::int from chats order by session_id, id");
	const columns = await rows(url, "select column_name as name from information_schema.columns where table_name = 'chat_messages' and column_name = 'session_id'");

	assert.equal(columns.length, form.messages === "both" ? 1 : 0);
	if (form.messages === "session") {
		assert.deepEqual(chats.map((c) => [c.session_id, c.chat_name, c.chat_type, c.status, c.last_seq]), [
			[id(40), "Main Chat", "planning", "active", 5], [id(41), "Main Chat", "planning", "active", 2],
			[id(42), "Main Chat", "planning", "active", 2], [id(43), "Main Chat", "planning", "active", 0]]);
		assert.deepEqual([chats[0].created_at, chats[0].updated_at, chats[3].created_at, chats[3].updated_at],
			["2025-01-01T10:00:00", "2025-01-02T00:00:00", "2025-03-01T00:00:00", "2025-03-02T00:00:00"]);
	} else if (form.chats === "original" && form.messages === "chat") {
		assert.deepEqual(chats.filter((c) => c.session_id === id(40)).map((c) => [c.id, c.chat_type, c.status]), [
			[id(50), "discussion", "active"], [id(51), "planning", "active"], [id(52), "planning", "closed"]]);
	}
	const places = await rows(url, `select min(seq)::int as first, max(seq)::int as last, count(distinct seq)::int as n, count(*)::int as rows
		from chat_messages group by chat_id`);

	for (const place of places)
		assert.deepEqual([place.first, place.last, place.n], [1, place.rows, place.rows]);
	assert.deepEqual((await rows(url, `select id from chat_messages where chat_id = (select chat_id from chat_messages where id = '${id(61)}') order by seq`))
		.map((m) => m.id), [64, 61, 62, 63, 65].map(id));
	assert.deepEqual(await rows(url, "select count(*)::int as n, count(distinct id)::int as ids from suite_instance"), [{ n: 1, ids: 1 }]);
}

/* ---- killed at every statement --------------------------------------------------------- */

const READ = /^select version, name, checksum from schema_migrations/;
const RECORD = /^insert into schema_migrations .* values \((\d+),/;

/*
 * How somebody dies at a statement: before the server has seen it, in the
 * middle of it, only the connection, so that the same process goes on, or the
 * server (kill -9; cluster: the test's own).
 */
const DEATHS = {
	server: { sent: async (tool, link, cluster) => {
		await cluster.kill();
		await cluster.restart();
	} },
	before: { verdict: (tool) => (tool.child.kill("SIGKILL"), "drop") },
	within: { sent: (tool) => tool.child.kill("SIGKILL") },
	link: { sent: (_, link) => link.close() },
};

/* Resolves when the process ends. It may take long, as one does whose links are cut, but not stand still for a minute. */
async function endOf(process, what, moves) {
	for (let before = moves(); ; before = moves()) {
		try {
			return await within(RUN_MS, what, process.ended);
		} catch (err) {
			if (moves() === before)
				throw err;
		}
	}
}

/*
 * Kills at every statement (step 1) or at some, until all is applied; resolves
 * to the number of deaths. A death at a commit may have committed or not: both
 * are right, and the next process, once it has the lock, sees which. from: only
 * the migrations of that version and later ones.
 */
export async function killEverywhere(url, { step = 1, first = 1, from = 0, deaths = ["before", "within"], cluster } = {}) {
	const proxy = await PgProxy.start(url);
	let k = first, n = 0, before = 0, last = -1, moves = 0, at = null, death = null, dying = null, process, end;

	proxy.onQuery = async (sql) => {
		await dying; /* a server that died is back */
		death = null;
		moves++;
		if (READ.test(sql)) {
			const [done, newest] = await applied(url);

			if (n > 0)
				k = done > before ? Math.max(1, k % step) : k + step;
			[before, last, at] = [done, newest, 0];
		} else if (at !== null) {
			if (last >= from - 1 && ++at === k)
				death = DEATHS[deaths[n++ % deaths.length]];
			last = Number(RECORD.exec(sql)?.[1] ?? last);
		}
		return death?.verdict?.(process) ?? "pass";
	};
	proxy.onSent = (link) => {
		dying = death?.sent?.(process, link, cluster) ?? dying;
		return dying;
	};
	try {
		do {
			at = null;
			process = startTool(proxy.url(url));
			end = await endOf(process, `a run to statement ${k}`, () => moves);
			await dying;
			/* What gave up while the server was away, and said so, is started again. */
		} while (end.signal === "SIGKILL" || (end.code !== 0 && /schema\.waiting [^\n]*\s*$/.test(end.output)));
		assert.equal(end.code, 0, end.output);
		return n;
	} finally {
		process?.child.kill("SIGKILL");
		await dying;
		await proxy.stop();
	}
}

/* A database of that form, its snapshot, and what to do with both; dropped afterwards. */
export async function withOldDatabase(name, { cluster, ...options }, use) {
	const database = await createDatabase(cluster ? cluster.url("postgres") : await sharedCluster());

	try {
		await makeOldDatabase(database.url, name, options);
		return await use(database.url, await snapshot(database.url));
	} finally {
		await database.drop();
	}
}
