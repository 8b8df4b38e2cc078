/*
 * A private PostgreSQL for tests: reached over a unix socket only, gone with
 * this process. Root's cluster runs as the user postgres, as the server demands.
 */

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Proc } from "./proc.js";
import { until } from "./until.js";

const run = promisify(execFile);
const BASE = "/usr/lib/postgresql";
const SOCKET_PATH_MAX = 107;
const PORT = 5432;	/* only a part of the socket's name */
const SUPERUSER = "postgres";
const ROLE = "alp";

function binaries() {
	const version = readdirSync(BASE).sort((a, b) => Number(b) - Number(a))[0];

	return join(BASE, version, "bin");
}

/* As whom the server runs: { name, uid, gid }, or null for ourselves. */
function serverUser() {
	if (process.getuid() !== 0)
		return null;
	const [name, , uid, gid] = execFileSync("getent", ["passwd", "postgres"], { encoding: "utf8" }).split(":");

	return { name, uid: Number(uid), gid: Number(gid) };
}

const asUser = (user) => user === null ? []
	: ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--"];

function makeDir() {
	const fits = (dir) => join(dir, "alp-pg-XXXXXX/socket/.s.PGSQL.5432").length <= SOCKET_PATH_MAX;

	return mkdtempSync(join(fits(tmpdir()) ? tmpdir() : "/tmp", "alp-pg-"));
}

/* By default a signal ends the process without its exit handlers, which remove the cluster. */
function endOnSignals() {
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
		if (process.listenerCount(signal) === 0)
			process.once(signal, () => process.exit(1));
}

function initdb(cluster) {
	const [program, ...args] = [...asUser(cluster.user), join(cluster.bin, "initdb"), "-D", cluster.data, "-U", SUPERUSER,
		"-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"];

	execFileSync(program, args, { cwd: "/", stdio: ["ignore", "ignore", "inherit"] });
}

/* A copy of the other cluster that follows it. */
function basebackup(cluster, other) {
	const [program, ...args] = [...asUser(cluster.user), join(cluster.bin, "pg_basebackup"), "-D", cluster.data, "-h", other.socket,
		"-p", String(PORT), "-U", SUPERUSER, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"];

	execFileSync(program, args, { cwd: "/", stdio: ["ignore", "ignore", "inherit"] });
}

export class Cluster {
	/* fsync: for tests that count on what a killed machine would keep. */
	static async start({ fsync = false } = {}) {
		const cluster = await Cluster.#make(initdb, fsync);

		await cluster.sql(`create role ${ROLE} login createdb`);
		return cluster;
	}

	/* A server that follows this one, and has what it has committed before the committer hears of it. */
	async standby() {
		const standby = await Cluster.#make((cluster) => basebackup(cluster, this), false);

		await this.sql("alter system set synchronous_standby_names = '*'");
		await this.sql("select pg_reload_conf()");
		await until("the standby follows", async () => (await this.sql("select sync_state from pg_stat_replication")) === "sync");
		return standby;
	}

	/* The standby becomes a server of its own. */
	promote() {
		return this.sql("select pg_promote()");
	}

	static async #make(fill, fsync) {
		const cluster = new Cluster();

		cluster.bin = binaries();
		cluster.user = serverUser();
		cluster.dir = makeDir();
		cluster.data = join(cluster.dir, "data");
		cluster.socket = join(cluster.dir, "socket");
		mkdirSync(cluster.socket);
		for (const dir of cluster.user ? [cluster.dir, cluster.socket] : [])
			chownSync(dir, cluster.user.uid, cluster.user.gid);
		fill(cluster);
		cluster.proc = cluster.#server(fsync);
		endOnSignals();
		process.once("exit", cluster.#onExit);
		await cluster.proc.start();
		await cluster.proc.waitReady();
		return cluster;
	}

	#server(fsync) {
		const off = fsync ? [] : ["-c", "fsync=off", "-c", "full_page_writes=off"];

		return new Proc({
			name: "postgres", background: true, cwd: "/", env: { PATH: process.env.PATH, LANG: "C.UTF-8" },
			log: join(tmpdir(), `${this.dir.split("/").at(-1)}.log`),
			command: [...asUser(this.user), "setpriv", "--pdeathsig", "QUIT", "--",
				join(this.bin, "postgres"), "-D", this.data, "-k", this.socket, "-p", String(PORT),
				"-c", "listen_addresses=", "-c", "max_connections=200", ...off],
			ready: (ms) => until("PostgreSQL answers",
				() => run("pg_isready", ["-q", "-h", this.socket, "-p", String(PORT), "-U", SUPERUSER, "-d", "postgres"])
					.then(() => true), { ms }),
		});
	}

	url(database, role = ROLE) {
		return `postgresql:///${database}?host=${encodeURIComponent(this.socket)}&port=${PORT}&user=${role}`;
	}

	sql(text) {
		return psql(this.url("postgres", SUPERUSER), text);
	}

	/* kill -9 of the server, all sessions die with it. */
	kill() {
		this.proc.kill("SIGKILL");
		return until("PostgreSQL is gone", () => !this.proc.running);
	}

	/* After kill(): the old sessions may still hold the data for a moment. */
	restart() {
		return until("PostgreSQL is back", async () => {
			if (!this.proc.running)
				await this.proc.start();
			await this.proc.waitReady(1000);
			return true;
		}, { ms: 60000 });
	}

	async stop() {
		if (this.proc.running) {
			this.proc.kill("SIGQUIT");
			await until("PostgreSQL ends", () => !this.proc.running, { ms: 30000 });
		}
		process.off("exit", this.#onExit);
		this.#remove();
	}

	#remove() {
		rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
		rmSync(this.proc.file.path, { force: true });
	}

	/* A test that was cut short leaves nothing behind either. */
	#onExit = () => {
		this.proc.kill("SIGQUIT");
		this.#remove();
	};
}

/*
 * "force" ends every session of the database, and refuses who may not end one: a worker of autovacuum only obeys a
 * superuser there. Without force the server ends such workers by itself (CountOtherDBBackends, procarray.c).
 */
const dropDatabase = (adminUrl, name) => until(`database ${name} is dropped`,
	() => psql(adminUrl, `drop database if exists ${name} with (force)`)
		.catch(() => psql(adminUrl, `drop database if exists ${name}`)).then(() => true), { ms: 30000 });

/* A fresh database on the cluster at adminUrl: { url, drop() }. */
export async function createDatabase(adminUrl) {
	const name = `t_${randomBytes(8).toString("hex")}`;

	await psql(adminUrl, `create database ${name}`);
	return {
		name,
		url: adminUrl.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${name}`),
		drop: () => dropDatabase(adminUrl, name),
	};
}

/* Runs statements and resolves to psql's unaligned output; rejects with the server's message. */
export async function psql(url, text) {
	const child = run("psql", ["-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-d", url],
		{ maxBuffer: 64 << 20, env: { ...process.env, PGOPTIONS: "-c client_min_messages=warning -c jit=off" } });

	child.child.stdin.end(text);
	try {
		return (await child).stdout.trimEnd();
	} catch (err) {
		throw new Error(`psql: ${(err.stderr || err.message).trim()}\n  in: ${text.slice(0, 300)}`);
	}
}

/* The rows of one query as objects, with numbers and nulls as such. */
export async function rows(url, query) {
	const json = await psql(url, `select coalesce(json_agg(t), '[]') from (${query.replace(/;\s*$/, "")}) t`);

	return JSON.parse(json);
}

let own = null;

/*
 * The URL of this test run's cluster, with the right to make databases: the one
 * in ALP_TEST_PG, or one started for this process and ended with it.
 */
export async function sharedCluster() {
	if (process.env.ALP_TEST_PG)
		return process.env.ALP_TEST_PG;
	own ??= Cluster.start();
	const cluster = await own;

	return cluster.url("postgres");
}
