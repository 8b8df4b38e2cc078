/*
 * What make up, status, stop-all and their like promise, tried in a copy of the
 * checkout whose daemons are stand-ins: supervision, the private database, the
 * settings. The daemons themselves have tests of their own.
 */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { psql } from "../lib/pg.js";
import { claimPorts } from "../lib/ports.js";
import { until, within } from "../lib/until.js";

const ADDRESSES = ["GATEWAY_LISTEN", "GATEWAY_HEALTH", "CHAT_HEALTH", "STORE_HEALTH", "SIM_LISTEN", "BUS_CHAT", "BUS_STORE",
	"BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT", "AI_HEALTH"];
const PROMISED = ["help", "setup-env", "full-setup", "status", "dev", "frontend-dev", "dev-all", "stop-all", "db-up", "db-down",
	"migrate-chat-id", "migrate", "migrate-dry-run", "create-tables", "clean", "install", "frontend-install", "frontend-build", "db-reset",
	"db-reset-force", "logs", "test", "up", "check"];
const SEED_ENV = (databasePort) => `# Основные настройки
SECRET_KEY=your-secret-key-here
DEBUG=true

# База данных
DATABASE_URL=postgresql://user:password@localhost:${databasePort}/ai_learning_platform

# 🤖 OpenAI API (ОБЯЗАТЕЛЬНО!)
DEFAULT_OPENAI_API_KEY=sk-your-real-openai-api-key-here
DEFAULT_OPENAI_MODEL=gpt-4o-mini
DEFAULT_OPENAI_BASE_URL=https://api.openai.com/v1

# JWT
ACCESS_TOKEN_EXPIRE_MINUTES=30
ALGORITHM=HS256

# CORS
CORS_ORIGINS=["http://localhost:3000"]
`;

/* A checkout of its own, with its own addresses. */
class Checkout {
	static async make() {
		const checkout = new Checkout();

		checkout.dir = mkdtempSync(join(tmpdir(), "alp-make-"));
		chmodSync(checkout.dir, 0o755);	/* root's database server runs as another user */
		for (const path of ["Makefile", "deploy", "services/common/settings.def", "tests/fakes", "tests/lib/standin.js", "tests/package.json"])
			cpSync(join(ROOT, path), join(checkout.dir, path), { recursive: true });
		for (const name of ["store", "chat", "ai", "gateway"])
			checkout.#program(name);
		checkout.claim = await claimPorts(ADDRESSES.length + 4);
		checkout.env = Object.fromEntries(ADDRESSES.map((name, i) => [name, `127.0.0.1:${checkout.claim.ports[i]}`]));
		checkout.databasePort = checkout.claim.ports.at(-1);
		return checkout;
	}

	#program(name) {
		const dir = join(this.dir, "build/release/services", name);

		mkdirSync(dir, { recursive: true });
		writeFileSync(join(dir, `alp-${name}`),
			`#!/bin/sh\nexec ${process.execPath} ${join(this.dir, "tests/lib/standin.js")} ${name} "$@"\n`, { mode: 0o755 });
	}

	environment(more = {}) {
		return { PATH: process.env.PATH, HOME: process.env.HOME, LANG: "C.UTF-8", ...this.env, ...more };
	}

	/* Runs a script of deploy/dev: { code, out }. */
	run(script, args = [], env = {}) {
		return new Promise((resolve) => {
			execFile(join(this.dir, "deploy/dev", script), args, { cwd: "/", env: this.environment(env), timeout: 120000 },
				(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, out: stdout + stderr })).stdin.end();
		});
	}

	async ok(script, ...rest) {
		const { code, out } = await this.run(script, ...rest);

		assert.equal(code, 0, out);
		return out;
	}

	pid(service) {
		return Number(readFileSync(join(this.dir, "var/service", service, "supervise/pid"), "utf8"));
	}

	setting(name) {
		return readFileSync(join(this.dir, "var/env", name), "utf8").trimEnd();
	}

	/* Processes whose command line names this checkout; those that ended and wait for their parent do not count. */
	processes() {
		return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
			try {
				const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");

				return command.includes(this.dir) ? [`${pid} ${command}`] : [];
			} catch {
				return [];	/* it has just ended */
			}
		});
	}

	async remove() {
		await this.run("stack.sh", ["stop"]);
		rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
		await this.claim.release();
	}
}

let checkout;

before(async () => {
	checkout = await Checkout.make();
});

after(() => checkout.remove());

const rowsOf = (out) => Object.fromEntries([...out.matchAll(/^(\S+) +(\S+) +(\S+) +(.*?)(?: {2}(.*))?$/gm)].map(([, name, pid, , state, detail]) =>
	[name, { pid: Number(pid), state, detail }]));

test("make help has a line for every target", () => {
	const text = readFileSync(join(ROOT, "Makefile"), "utf8");
	const targets = [...text.matchAll(/^\.PHONY: (.*)$/gm)].flatMap(([, names]) => names.split(" "));

	for (const target of [...PROMISED, ...targets])
		assert.match(text, new RegExp(`^${target}:.*## \\S`, "m"));
});

test("env.example is what the catalogue of settings says", async () => {
	const printed = await new Promise((resolve, reject) => execFile(process.execPath, [join(ROOT, "deploy/dev/env-example.mjs")],
		(err, stdout) => err ? reject(err) : resolve(stdout)));

	assert.equal(readFileSync(join(ROOT, "deploy/env.example"), "utf8"), printed);
});

test("status says so when nothing runs", async () => {
	const { code, out } = await checkout.run("stack.sh", ["status"]);

	assert.equal(code, 1);
	assert.match(out, /gateway +- +- +down/);
	assert.match(out, /does not run/);
});

test("up starts everything on a fresh clone, and says that a demo answers", async () => {
	const out = await checkout.ok("stack.sh", ["up"]);

	assert.match(out, /made \.env/);
	assert.match(out, /DEMO: the bundled simulator/);
	const env = readFileSync(join(checkout.dir, ".env"), "utf8");

	assert.match(env, /^SECRET_KEY=[0-9a-f]{64}$/m);
	assert.match(env, /^BUS_KEY=[0-9a-f]{64}$/m);
	assert.match(env, /^DATA_KEY=[0-9a-f]{64}$/m);
	assert.match(env, /^POSTGRES_PASSWORD=[0-9a-f]{64}$/m);
	assert.equal(statSync(join(checkout.dir, ".env")).mode & 0o777, 0o600);
	const state = rowsOf(await checkout.ok("stack.sh", ["status"]));

	for (const name of ["pg", "model-sim", "store", "chat", "ai-1", "gateway"])
		assert.equal(state[name]?.state, "ready", name);
	assert.match(state.chat.detail, /^stand-in {2}store: not there {2}a warning {2}.*turns_waiting=0/);
});

test("each daemon is given the database, the simulator and its own health address", async () => {
	const { env } = await (await fetch(`http://${checkout.env.AI_HEALTH}/`)).json();

	assert.equal(env.DEFAULT_OPENAI_BASE_URL, `http://${checkout.env.SIM_LISTEN}/v1`);
	assert.equal(env.DEFAULT_OPENAI_API_KEY, "demo");
	assert.equal(env.DEMO_MODEL, "true");
	assert.equal(env.AI_HEALTH, checkout.env.AI_HEALTH);
	assert.equal(await psql(env.DATABASE_URL, "show fsync; show listen_addresses"), "on");
});

test("a daemon that dies is started again without a hand", async () => {
	const before = checkout.pid("chat");

	process.kill(before, "SIGKILL");
	await until("chat is back", async () => checkout.pid("chat") !== before
		&& (await fetch(`http://${checkout.env.CHAT_HEALTH}/readyz`)).ok, { ms: 5000 });
});

test("AI_WORKERS changes a running stack and touches nobody else", async () => {
	const others = () => ["store", "chat", "ai-1", "gateway", "pg"].map((name) => checkout.pid(name));
	const before = others();

	await checkout.ok("stack.sh", ["up"], { AI_WORKERS: "3" });
	assert.equal(rowsOf(await checkout.ok("stack.sh", ["status"]))["ai-3"].state, "ready");
	assert.match(await checkout.ok("stack.sh", ["up"]), /workers +3/);
	await checkout.ok("stack.sh", ["up"], { AI_WORKERS: "1" });
	assert.equal(rowsOf(await checkout.ok("stack.sh", ["status"]))["ai-3"], undefined);
	assert.deepEqual(others(), before);
});

test("a second stack on the same addresses is refused by name and changes nothing", async () => {
	const { code, out } = await checkout.run("stack.sh", ["up"], { ALP_VAR: "var-two" });

	assert.equal(code, 1);
	assert.match(out, /GATEWAY_LISTEN|GATEWAY_HEALTH/);
	assert.match(out, /already in use/);
	assert.equal((await checkout.run("stack.sh", ["status"])).code, 0);
});

test("stop-all leaves no process, and the data is there after the next start", async () => {
	const url = checkout.setting("DATABASE_URL");

	await psql(url, "create table kept(a int); insert into kept values (42)");
	await checkout.ok("stack.sh", ["stop"]);
	assert.deepEqual(checkout.processes(), []);
	await checkout.ok("db.sh", ["up"]);
	assert.equal(await psql(url, "select a from kept"), "42");
	assert.equal((await checkout.run("db.sh", ["reset"])).code, 1, "no answer is no consent");
	assert.equal(await psql(url, "select a from kept"), "42");
	assert.match((await checkout.run("db.sh", ["reset-password"])).out, /whose\?/);
	assert.ok((await checkout.ok("db.sh", ["reset-password", "ada@example.org"])).startsWith(
		`http://${checkout.env.GATEWAY_LISTEN}/reset#of-a-stand-in\n`), "what goes to standard output is the link");
	await checkout.ok("db.sh", ["reset-force"]);
	await assert.rejects(psql(url, "select a from kept"), /does not exist/);
	await checkout.ok("db.sh", ["down"]);
	assert.deepEqual(checkout.processes(), []);
});

test("the seed's own .env works as it is", async () => {
	const text = SEED_ENV(checkout.databasePort);

	writeFileSync(join(checkout.dir, ".env"), text);
	const out = await checkout.ok("stack.sh", ["up"]);
	const secrets = join(checkout.dir, "var/secrets.env");

	assert.match(out, /SECRET_KEY is not set, or a placeholder/);
	assert.match(out, /DEMO/);
	assert.doesNotMatch(out, /password@/);
	assert.equal(statSync(secrets).mode & 0o777, 0o600);
	const url = `postgresql://user:password@localhost:${checkout.databasePort}/ai_learning_platform`;

	assert.equal(await psql(url, "select current_user"), "user");
	assert.equal(checkout.setting("DATABASE_URL"), url);
	const key = checkout.setting("BUS_KEY");

	await checkout.ok("stack.sh", ["restart"]);
	assert.equal(checkout.setting("BUS_KEY"), key);
	assert.equal(readFileSync(join(checkout.dir, ".env"), "utf8"), text);
	await checkout.ok("stack.sh", ["stop"]);
});

test("a key, or another server, means no simulator", async () => {
	rmSync(join(checkout.dir, ".env"));
	await checkout.ok("stack.sh", ["up"], { DEFAULT_OPENAI_BASE_URL: "http://127.0.0.1:11434/v1" });
	assert.ok(!existsSync(join(checkout.dir, "var/service/model-sim")));
	await checkout.ok("stack.sh", ["restart"], { DEFAULT_OPENAI_API_KEY: "sk-real" });
	assert.ok(!existsSync(join(checkout.dir, "var/service/model-sim")));
	assert.equal(checkout.setting("DEFAULT_OPENAI_API_KEY"), "sk-real");
	await checkout.ok("stack.sh", ["stop"]);
});

test("settings that a daemon refuses stop the start with its reason", async () => {
	const { code, out } = await checkout.run("stack.sh", ["up"], { LOG_LEVEL: "loud" });

	assert.equal(code, 1);
	assert.match(out, /alp-store: LOG_LEVEL: debug, info, warning or error was expected/);
	assert.equal((await checkout.run("stack.sh", ["status"])).code, 1);
	await checkout.ok("stack.sh", ["stop"]);
});

test("a daemon that does not stay up is named, with its last lines", async () => {
	const { code, out } = await checkout.run("stack.sh", ["up"], { STANDIN_WHERE: "store", STANDIN_FAULT: "refuse" });

	assert.equal(code, 1);
	assert.match(out, /the last lines of store[\s\S]*planted refusal[\s\S]*store does not stay up/);
	await checkout.ok("stack.sh", ["stop"]);
});

test("wrong values are refused with their name", async () => {
	const refused = async (env, pattern) => {
		const { code, out } = await checkout.run("stack.sh", ["up"], env);

		assert.equal(code, 1);
		assert.match(out, pattern);
	};

	await refused({ AI_WORKERS: "many" }, /AI_WORKERS: a whole number from 0 to 64/);
	await refused({ AI_WORKERS: "65" }, /AI_WORKERS/);
	await refused({ DATABASE_URL: "mysql://x" }, /DATABASE_URL is not a PostgreSQL connection string/);
	const server = createServer();

	await new Promise((resolve) => server.listen(checkout.databasePort, "127.0.0.1", resolve));
	await refused({ DATABASE_URL: `postgresql://u:p@127.0.0.1:${checkout.databasePort}/d` }, /in use by something that is not PostgreSQL/);
	server.close();
});

/* A stack in the foreground, announced: { child, ended, said() }. */
async function foreground() {
	const child = spawn(join(checkout.dir, "deploy/dev/stack.sh"), ["dev"],
		{ cwd: "/", env: checkout.environment(), detached: true, stdio: ["ignore", "pipe", "pipe"] });
	const ended = new Promise((resolve) => child.once("exit", resolve));
	let out = "";

	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (data) => {
			out += data;
		});
	await until("the stack is announced", () => /make stop-all/.test(out), { ms: 60000 });
	return { child, ended, said: () => out };
}

test("Ctrl-C in the foreground ends what it started, and only that", async () => {
	await checkout.ok("db.sh", ["up"]);
	const { child, ended, said } = await foreground();

	process.kill(-child.pid, "SIGINT");
	assert.equal(await within(30000, "dev ends", ended), 130, said());
	assert.match(said(), /left running, as they were: pg/);
	assert.deepEqual(checkout.processes().filter((line) => !/postgres|svlogd|runsv/.test(line)), []);
	await checkout.ok("stack.sh", ["stop"]);
	assert.deepEqual(checkout.processes(), []);
});

test("a stack in the foreground that is stopped from elsewhere is stopped once", async () => {
	const { ended, said } = await foreground();
	const stopped = await checkout.ok("stack.sh", ["stop"]);

	await within(60000, "dev ends", ended);
	assert.match(said(), /was stopped from elsewhere/);
	assert.doesNotMatch(stopped + said(), /warning|killed/);
	await until("its followers have ended too", () => checkout.processes().length === 0);
});
