/*
 * From every earlier version of the schema to the present one, with people who talk
 * meanwhile: their requests wait, everything they had is there, a reply that was left
 * unfinished is finished.
 */

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { OLD_USER, id, makeOldDatabase, snapshot } from "../lib/old_database.js";
import { createDatabase, psql, rows, sharedCluster } from "../lib/pg.js";
import { release } from "../lib/release.js";
import { Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { Talker } from "../lib/talker.js";
import { until } from "../lib/until.js";

const MIGRATIONS = join(ROOT, "services/store/migrations");
const FILES = readdirSync(MIGRATIONS).sort();
const NEWEST = FILES.length - 1;
const TURNS_SINCE = 3;
const LEFT = id(90);	/* a turn whose chat died */
const LIMIT_MS = 180000;
/* What talking, sealing an old key, and "one planning chat per session" change. */
const TOUCHED = ["chats.chat_type", "chats.updated_at", "chat_sessions.updated_at", "users.updated_at", "ai_configurations.api_key_encrypted"];
const SESSIONS = [id(40), id(41)];

let stack, admin, template, checksums, talkers;
let at = -1;	/* the template's version */
let current;	/* the one that the store uses, unless it is the stack's own */
let old;	/* what was in it before anything of ours */

const base64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/* As gateway issues them. */
function tokenOf(user) {
	const now = Math.floor(Date.now() / 1000);
	const claims = { sub: user, iss: "ai-learning-platform", aud: "api", type: "access", sid: randomUUID(), ver: 1, iat: now, nbf: now, exp: now + 1800 };
	const signed = `${base64({ alg: "HS256", typ: "JWT" })}.${base64(claims)}`;

	return `${signed}.${createHmac("sha256", stack.env.SECRET_KEY).update(signed).digest("base64url")}`;
}

/* One migration more, as the store of that day did it. */
async function advance() {
	const file = FILES[++at];
	const left = at === TURNS_SINCE ? `
		insert into turns (id, user_id, session_id, chat_id, kind, request_key, state, owner, lease_until, user_message_id, created_at, updated_at)
		select '${LEFT}', '${OLD_USER.id}', c.session_id, c.id, 'message', '${LEFT}', 'running', 'gone', now() - interval '1 hour', '${id(68)}', now(), now()
		from chats c join chat_messages m on m.chat_id = c.id where m.id = '${id(68)}';
		insert into attempts (turn_id, attempt, user_id, owner, started_at) values ('${LEFT}', 1, '${OLD_USER.id}', 'gone', now());` : "";

	await psql(template.url, `begin; ${readFileSync(join(MIGRATIONS, file), "utf8")}
		; insert into schema_migrations select ${at}, '${checksums[at].name}', '${checksums[at].checksum}', now(); ${left} commit`);
}

/* A database of that version, with the rows of an old one. */
async function databaseAt(version) {
	const database = await createDatabase(admin);

	while (at < version)
		await advance();
	await psql(admin, `drop database ${database.name}; create database ${database.name} template ${template.name}`);
	return database;
}

before(async () => {
	stack = await startStack({ persona: "echo", tokenDelayMs: 1 });
	checksums = await stack.db("select version::int, name, checksum from schema_migrations order by version");
	admin = await sharedCluster();
	template = await createDatabase(admin);
	await makeOldDatabase(template.url, "original", { more: `delete from ai_configurations where id = '${id(6)}'` });	/* a server of his own */
	old = await snapshot(template.url);
	await psql(template.url, `create table schema_migrations (version bigint primary key, name text not null,
		checksum text not null, applied_at timestamp not null)`);
	const rest = new Rest(stack.url, tokenOf(OLD_USER.id));

	talkers = SESSIONS.map((session) => new Talker(stack, rest, session));
});
after(async () => {
	await release(stack, { stop: () => current?.drop() }, { stop: () => template?.drop() });
});

test("the store has all migrations of the folder", () => {
	assert.deepEqual(checksums.map(({ version, name }) => `${String(version).padStart(4, "0")}_${name}.sql`), FILES);
});

/* The store is told of the database, drained, and started again; says: what people send meanwhile. */
async function switchTo(url, says) {
	const { store } = stack.daemons;
	const before = store.starts;

	store.env.DATABASE_URL = url;
	store.kill("SIGTERM");
	await until("the old store is gone", () => !store.running || store.starts > before, { ms: 20000 });
	const said = says();

	await store.waitReady(40000);
	return said;
}

for (let version = 0; version <= NEWEST; version++) {
	test(`version ${FILES[version]}: upgraded while people talk`, { timeout: LIMIT_MS }, async () => {
		const database = await databaseAt(version);
		const asked = [];
		const previous = current;

		current = database;
		for (const talker of talkers)
			await talker.ws?.close();
		const finals = await switchTo(database.url, () => {
			asked.push(talkers[0].rest.get("/api/tracks"));
			return Promise.all(talkers.map((talker) => talker.say(`from ${version} in ${talker.session}`, randomUUID())));
		});

		await previous?.drop();
		finals.forEach((final, i) => assert.match(final.message, new RegExp(`from ${version} in ${SESSIONS[i]}`)));
		for (const { status } of await Promise.all(asked))
			assert.ok([200, 503].includes(status), `status ${status}`);
		const [{ n }] = await rows(database.url, "select max(version)::int as n from schema_migrations");

		assert.equal(n, NEWEST);
		assert.deepEqual((await rows(database.url, `select count(*)::int as n from chat_messages where message_content like 'from ${version} in %'
			and sender_type = 'user'`))[0].n, SESSIONS.length);
		if (version >= TURNS_SINCE)
			await until("the reply that was left is finished", async () =>
				(await rows(database.url, `select state from turns where id = '${LEFT}'`))[0].state === "completed", { ms: 30000 });
		const now = await snapshot(database.url, old);

		assert.deepEqual(Object.keys(old.sums).filter((key) => !TOUCHED.includes(key) && now.sums[key] !== old.sums[key]), []);
		assert.equal((await talkers[0].rest.tracks()).length, 2);
	});
}
