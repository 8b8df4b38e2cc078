/* PostgreSQL dies, restarts, hangs or is slow under a store at work: nothing acknowledged is lost, nothing happens twice. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { Cluster, psql } from "../lib/pg.js";
import { release } from "../lib/release.js";
import { until } from "../lib/until.js";
import { begin, exchange, finish, makeGuest, startStore, turnWish, uuid } from "./store-lib.js";

const run = promisify(execFile);

let cluster;
let store;
let guest;

before(async () => {
	cluster = await Cluster.start({ fsync: true });
	store = await startStore({ cluster, env: { PG_STATEMENT_MS: "1000", PG_QUEUE_MAX: "8", BUS_TIMEOUT_MS: "8000" } });
	guest = await makeGuest(store);
});
after(() => release(store, cluster));

const backends = async () => (await cluster.sql(`select pid from pg_stat_activity where application_name = 'alp-store'`)).split("\n").filter(Boolean);

/* Talks in several sessions until stopped; resolves to what was acknowledged. */
function talk(sessions) {
	const acked = [];
	let stop = false;

	const one = async (session_id) => {
		for (let i = 0; !stop; i++) {
			const wish = turnWish({ session_id, body: `${session_id} ${i}` });
			const begun = await store.ask(guest, "turn_begin", wish);

			if (begun.rc !== "ok") {
				i--;
				continue;
			}
			acked.push({ id: wish.client_message_id, body: wish.body });
			/* A chat asks again until the reply is stored: the turn is its. */
			for (let ended = null; ended?.rc !== "ok" && !stop;)
				ended = await finish(store, begun.context.turn_id, { reply: `to ${wish.body}` });
		}
	};
	const all = Promise.all(sessions.map(one));

	return { acked, async stop() {
		stop = true;
		await all;
		return acked;
	} };
}

async function checkStored(acked) {
	const stored = await store.db(`select client_message_id as id, message_content as body from chat_messages where sender_type = 'user' and user_id = '${guest.guest}'`);
	const bodies = new Map(stored.map((m) => [m.id, m.body]));

	assert.ok(acked.length > 0);
	assert.equal(bodies.size, stored.length);
	for (const { id, body } of acked)
		assert.equal(bodies.get(id), body);
	assert.deepEqual(await store.db(`select chat_id, count(*)::int as n, max(seq)::int as last from chat_messages group by chat_id having count(*) <> max(seq)`), []);
	assert.deepEqual(await store.db("select ai_message_id from turns where ai_message_id is not null group by 1 having count(*) > 1"), []);
}

describe("a store at work", () => {
	it("outlives kill -9 of a backend", async () => {
		const load = talk(["kill-1", "kill-2"]);

		for (let i = 0; i < 3; i++) {
			const seen = load.acked.length;

			await until("work goes on", () => load.acked.length > seen + 3, { ms: 30000 });
			const [pid] = await until("the server lists its sessions", async () => { const all = await backends(); return all.length > 0 && all; });

			/* The server ends all sessions and recovers when one of its processes is killed. */
			await run("kill", ["-9", pid]);
		}
		const seen = load.acked.length;

		await until("work goes on", () => load.acked.length > seen + 3, { ms: 30000 });
		await checkStored(await load.stop());
	});

	it("outlives an administrator who ends its sessions, without a refusal", async () => {
		let refused = 0;
		const session_id = uuid().slice(0, 8);

		await exchange(store, guest, session_id, "first", "answer");
		for (let i = 0; i < 5; i++) {
			const asked = Promise.all([1, 2, 3, 4].map(() => store.ask(guest, "chat_load", { session_id })));

			await cluster.sql(`select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'alp-store'`);
			refused += (await asked).filter((a) => a.rc !== "ok").length;
		}
		assert.equal(refused, 0);
	});

	it("outlives a restart of the server", async () => {
		const load = talk(["restart-1", "restart-2"]);

		await until("work has begun", () => load.acked.length > 5);
		cluster.kill();
		await cluster.restart();
		const seen = load.acked.length;

		await until("work goes on", () => load.acked.length > seen + 5, { ms: 30000 });
		await checkStored(await load.stop());
	});

	it("has its own death survived by whoever asks again", async () => {
		const wish = turnWish({ session_id: "own-death" });
		const first = store.ask(guest, "turn_begin", wish);

		await store.daemon.crash();
		await first;
		const again = await store.must(guest, "turn_begin", wish);

		assert.equal(again.begun, true);
		assert.equal(again.context.seq, 1);
		assert.equal((await finish(store, wish.turn_id)).outcome.seq, 2);
	});

	it("tries again what met a lock, and says so when it stays", async () => {
		const first = await begin(store, guest, { session_id: "locked" });
		const chat = first.context.chat_id;
		const lock = (s) => psql(store.url, `begin; select 1 from chats where id = '${chat}' for update; select pg_sleep(${s}); commit`);

		await finish(store, first.context.turn_id);
		const short = lock(1.5);

		await until("the row is locked", async () => (await store.db("select count(*)::int as n from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"))[0].n > 0);
		const next = await begin(store, guest, { session_id: "locked" });

		assert.equal(next.rc, "ok", JSON.stringify(next));
		await short;
		const long = lock(12);

		await until("the row is locked", async () => (await store.db("select count(*)::int as n from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"))[0].n > 0);
		const refused = await finish(store, next.context.turn_id);

		assert.ok(["busy", "storage_unavailable"].includes(refused.rc), JSON.stringify(refused));
		await long;
		assert.equal((await finish(store, next.context.turn_id)).rc, "ok");
	});

	it("bounds its queue", async () => {
		const wish = { session_id: "queue" };

		await exchange(store, guest, "queue", "q", "a");
		await cluster.sql("alter system set log_min_messages = 'warning'");
		const lock = psql(store.url, "begin; lock table chat_messages in access exclusive mode; select pg_sleep(0.7); commit");

		await until("the table is locked", async () => (await cluster.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and locktype = 'relation'")) > 0);
		const answers = await Promise.all(Array.from({ length: 40 }, () => store.ask(guest, "chat_load", wish)));

		await lock;
		assert.ok(answers.some((a) => a.rc === "busy"), "nobody was refused");
		assert.ok(answers.every((a) => a.rc === "busy" || a.rc === "ok"), JSON.stringify(answers.find((a) => a.rc !== "busy" && a.rc !== "ok")));
		assert.ok(answers.filter((a) => a.rc === "ok").length >= 8);
	});

	it("says what it does in numbers", async () => {
		const metrics = await store.daemon.metrics();
		const health = await (await fetch(`${store.daemon.health}/healthz`)).json();

		assert.equal(metrics["alp_pg_connections{state=\"up\"}"], 4);
		assert.ok(metrics["alp_pg_query_seconds_count{query=\"turn_begin\"}"] > 0);
		assert.ok(metrics["alp_pg_retries_total"] > 0);
		assert.deepEqual([health.pg_connections, health.pg_up, health.pg_busy, health.pg_waiting], [4, 4, 0, 0]);
	});
});

describe("a server that hangs", () => {
	it("is noticed; work goes on when it is back", async () => {
		const pids = await backends();

		await Promise.all(pids.map((pid) => run("kill", ["-STOP", pid])));
		const answer = await store.ask(guest, "chat_load", { session_id: "queue" });

		/* The sessions were replaced: new ones answer while the old ones still hang. */
		assert.equal(answer.rc, "ok", JSON.stringify(answer));
		await Promise.all(pids.map((pid) => run("kill", ["-CONT", pid]).catch(() => {})));
	});
});
