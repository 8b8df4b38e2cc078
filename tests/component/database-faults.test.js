/* Faults of PostgreSQL, row by row of docs/reliability.md (FD), that need a server of the test's own or a link that can be cut. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Cluster, psql } from "../lib/pg.js";
import { release } from "../lib/release.js";
import { until } from "../lib/until.js";
import { begin, exchange, finish, makeGuest, startStore, turnWish } from "./store-lib.js";


const READY_MS = 60000;

let cluster;

before(async () => {
	cluster = await Cluster.start();
});
after(() => cluster?.stop());

async function started(options) {
	const store = await startStore({ cluster, ready: false, ...options });

	await store.daemon.waitReady(READY_MS);
	return store;
}

/* Passes everything on until armed; then cuts the link in front of the next words of the store, or of their answer. */
class Scissors {
	constructor(target) {
		this.dir = mkdtempSync(join("/tmp", "alp-cut-"));
		this.cuts = 0;
		this.links = new Set();
		this.server = createServer((client) => {
			const server = connect(target);
			const close = () => {
				client.destroy();
				server.destroy();
			};
			const cut = (when) => {
				if (this.armed !== when)
					return false;
				this.armed = null;
				this.cuts++;
				close();
				return true;
			};

			this.links.add(close);
			client.on("data", (data) => {
				if (data.includes("BEGIN_MARK") && !cut("before"))
					this.armed = this.armed === "after" ? "answer" : this.armed;
				if (!server.destroyed)
					server.write(data);
			});
			server.on("data", (data) => cut("answer") || client.write(data));
			for (const socket of [client, server])
				socket.on("error", close).on("close", close);
		});
		this.server.listen(join(this.dir, ".s.PGSQL.5432"));
	}

	url(url) {
		return url.replace(/host=[^&]*/, `host=${encodeURIComponent(this.dir)}`);
	}

	stop() {
		for (const close of this.links)
			close();
		this.server.close();
		rmSync(this.dir, { recursive: true, force: true });
	}
}

describe("FD-03: a connection that is cut", () => {
	let scissors, store, guest;

	before(async () => {
		scissors = new Scissors(join(cluster.socket, ".s.PGSQL.5432"));
		store = await started({ through: (url) => scissors.url(url) });
		guest = await makeGuest(store);
	});
	after(() => release(store, scissors));

	for (const [when, what] of [["before", "before the server has seen the transaction"], ["after", "after the commit, before its answer"]]) {
		it(`${what}: there is one row`, async () => {
			for (let i = 0; i < 3; i++) {
				const wish = turnWish({ session_id: `${when}-${i}`, body: `BEGIN_MARK ${i}` });
				const { cuts } = scissors;

				scissors.armed = when;
				await store.ask(guest, "turn_begin", wish);
				const again = await store.must(guest, "turn_begin", wish);

				assert.equal(scissors.cuts, cuts + 1);
				assert.equal(again.context.seq, 1);
				assert.equal((await finish(store, wish.turn_id)).outcome.seq, 2);
				assert.equal((await store.db(`select count(*)::int as n from chat_messages where client_message_id = '${wish.client_message_id}'`))[0].n, 1);
			}
		});
	}
});

describe("FD-05: a server without connections to spare", () => {
	it("is waited for within bounds; what was finished is not done again", async () => {
		const store = await started({ env: { BUS_TIMEOUT_MS: "5000" } });
		const guest = await makeGuest(store);
		const end = () => cluster.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'alp-store'");

		try {
			const { question } = await exchange(store, guest, "spare", "before", "answer");

			await cluster.sql("alter role alp connection limit 1");
			await end();
			const one = await Promise.all(Array.from({ length: 6 }, () => store.ask(guest, "chat_load", { session_id: "spare" })));
			assert.ok(one.every((a) => ["ok", "busy", "storage_unavailable"].includes(a.rc)), JSON.stringify(one));
			await until("one connection serves", async () => (await store.ask(guest, "chat_load", { session_id: "spare" })).rc === "ok", { ms: 20000 });
			await cluster.sql("alter role alp connection limit 0");
			await end();
			const refused = await begin(store, guest, { session_id: "spare" });
			assert.ok(["busy", "storage_unavailable", "unavailable", "unknown"].includes(refused.rc), JSON.stringify(refused));
			await cluster.sql("alter role alp connection limit -1");
			await until("it works again", async () => (await store.ask(guest, "chat_load", { session_id: "spare" })).rc === "ok", { ms: 20000 });
			const again = await finish(store, question.context.turn_id, { reply: "another answer" });
			assert.equal(again.outcome.reply, "answer");
		} finally {
			await cluster.sql("alter role alp connection limit -1");
			await store.stop();
		}
	});
});

describe("FD-06: a disk that is full", { skip: process.getuid() !== 0 && "mounting a small disk needs root" }, () => {
	it("refuses writes, serves reads, and goes on when there is room", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "alp-disk-"));

		try {
			execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", dir], { stdio: "pipe" });
		} catch (err) {
			rmSync(dir, { recursive: true });
			t.skip(`no disk can be mounted here: ${err.stderr}`);
			return;
		}
		let store;
		try {
			chownSync(dir, cluster.user.uid, cluster.user.gid);
			await cluster.sql(`create tablespace small location '${dir}'`);
			await cluster.sql("grant create on tablespace small to alp");
			store = await started({ prepare: async (url) => {
				const name = new URL(url.replace("///", "//x/")).pathname.slice(1);

				await cluster.sql(`alter database ${name} set tablespace small`);
			} });
			const guest = await makeGuest(store);

			await exchange(store, guest, "full", "question", "answer");
			assert.throws(() => writeFileSync(join(dir, "junk"), Buffer.alloc(64 << 20)), /ENOSPC/);
			const refused = await until("a write finds no room", async () => {
				const answer = await begin(store, guest, { session_id: `full-${Math.random()}`, body: "x".repeat(30000) });

				return answer.rc !== "ok" && answer;
			}, { ms: 20000 });
			assert.equal(refused.rc, "storage_unavailable");
			assert.match(refused.message, /disk is full/);
			assert.equal((await store.must(guest, "chat_load", { session_id: "full" })).message_count, 2);
			rmSync(join(dir, "junk"));
			const next = await until("there is room again", async () => {
				const answer = await begin(store, guest, { session_id: "full" });

				return answer.rc === "ok" && answer;
			}, { ms: 20000 });
			assert.equal(next.context.seq, 3);
		} finally {
			await store?.stop();
			await cluster.sql("drop tablespace if exists small");
			execFileSync("umount", [dir]);
			rmSync(dir, { recursive: true });
		}
	});
});

describe("FD-12: a database that was restored to an earlier point", () => {
	it("is what counts: nothing of later is remembered, and work goes on from there", async () => {
		const store = await started();

		try {
			const guest = await makeGuest(store);
			const name = new URL(store.url.replace("///", "//x/")).pathname.slice(1);

			await exchange(store, guest, "back", "first", "answer");
			const dump = execFileSync(join(cluster.bin, "pg_dump"), ["-d", store.url], { maxBuffer: 64 << 20, encoding: "utf8" });
			const lost = turnWish({ session_id: "back", body: "later" });
			const begun = await store.must(guest, "turn_begin", lost);
			await finish(store, begun.context.turn_id);
			await cluster.sql(`create database ${name}_then owner alp`);
			await psql(store.url.replace(name, `${name}_then`), dump);
			await cluster.sql(`alter database ${name} allow_connections false`);
			await until("nobody is connected", async () => {
				await cluster.sql(`select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '${name}'`);
				await cluster.sql(`alter database ${name} rename to ${name}_gone`);
				return true;
			});
			await cluster.sql(`alter database ${name}_then rename to ${name}`);
			const loaded = await until("the store is back", async () => {
				const answer = await store.ask(guest, "chat_load", { session_id: "back" });

				return answer.rc === "ok" && answer;
			}, { ms: 20000 });
			assert.equal(loaded.message_count, 2);
			const again = await store.must(guest, "turn_begin", { ...lost });
			assert.deepEqual([again.begun, again.context.seq], [true, 3], "it is asked for again, and is new");
			assert.equal((await finish(store, lost.turn_id)).outcome.seq, 4);
			await cluster.sql(`drop database ${name}_gone`);
		} finally {
			await store.stop();
		}
	});
});
