/* What operators see: health, metrics, logs of all four daemons. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it, test } from "node:test";
import { metrics as catalogue } from "../../deploy/dev/metrics-table.mjs";
import { Daemon, parseLog } from "../lib/daemon.js";
import { claimPorts } from "../lib/ports.js";
import { promtool } from "../lib/promtool.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const ID = /[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16}|\d{4,}/;	/* of a user, a chat, a trace; a port */

let stack;

before(async () => {
	stack = await startStack({ persona: "echo" });
});
after(() => stack?.stop());

const program = (daemon) => daemon.name.split("-")[0];
const page = async (daemon, path) => {
	const answer = await fetch(daemon.health + path);

	return { status: answer.status, text: await answer.text() };
};
const report = async (daemon, path) => {
	const { status, text } = await page(daemon, path);

	return { status, ...JSON.parse(text) };
};

describe("metrics", () => {
	let texts;

	before(async () => {
		const socket = await chatOf(stack, await guestOf(stack), "observed");

		await socket.turn("What is a tree?");
		await until("the turn is counted everywhere", async () =>
			(await stack.daemons.ai[0].metrics())['alp_ai_attempts_total{result="completed"}'] >= 1);
		await socket.close();
		texts = await Promise.all(stack.all.map(async (daemon) => ({ daemon, text: (await page(daemon, "/metrics")).text })));
	});

	it("are as promtool wants them", async () => {
		for (const { daemon, text } of texts)
			assert.deepEqual(await promtool(["check", "metrics"], { input: text }), { code: 0, out: "" }, daemon.name);
	});

	it("are those of the catalogue, each daemon its own", () => {
		for (const { daemon, text } of texts) {
			const wanted = catalogue.filter(({ users }) => users.includes("all") || users.includes(program(daemon)));
			const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);

			assert.deepEqual(types, wanted.map(({ name, kind }) => `${name} ${kind}`), daemon.name);
		}
	});

	it("have the labels that the catalogue says, and no ids in them", () => {
		for (const { daemon, text } of texts)
			for (const [, name, labels] of text.matchAll(/^(\w+)\{(.*)\} /gm)) {
				const { labels: wanted } = catalogue.find((entry) => name.replace(/_(bucket|sum|count)$/, "") === entry.name || name === entry.name);
				const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].filter(([, key]) => key !== "le");

				assert.deepEqual(pairs.map(([, key]) => key), wanted, `${daemon.name} ${name}`);
				for (const [, , value] of pairs)
					assert.doesNotMatch(value, ID, `${daemon.name} ${name}`);
			}
	});

	it("count a turn on its way through", async () => {
		const of = Object.fromEntries(await Promise.all(stack.all.map(async (daemon) => [program(daemon), await daemon.metrics()])));

		assert.ok(of.gateway['alp_ws_messages_total{type="message"}'] >= 1);
		assert.ok(of.gateway['alp_ws_ask_seconds_count{message="chat_post"}'] >= 1);
		assert.ok(of.chat['alp_turns_total{kind="message",state="completed"}'] >= 1);
		assert.ok(of.chat['alp_turn_hop_seconds_count{hop="provider"}'] >= 1);
		assert.equal(of.chat.alp_workers, 1);
		assert.ok(of.ai['alp_ai_tokens_total{kind="completion",model="gpt-4o-mini"}'] > 0);
		assert.ok(of.ai['alp_ai_cost_usd_total{model="gpt-4o-mini"}'] > 0);
		assert.ok(of.store['alp_pg_query_seconds_count{query="turn_begin"}'] >= 1);
		for (const values of Object.values(of)) {
			assert.equal(values.alp_ready, 1);
			assert.ok(values.alp_loop_lag_seconds_count > 0);
			assert.ok(values.process_open_fds > 5 && values.process_open_fds < values.process_max_fds);
			assert.ok(values.process_resident_memory_bytes > 1e6);
		}
	});
});

describe("health", () => {
	it("has the four pages on every daemon", async () => {
		for (const daemon of stack.all) {
			assert.deepEqual(await report(daemon, "/livez"), { status: "live" });
			assert.equal((await page(daemon, "/startupz")).status, 200);
			const ready = await report(daemon, "/readyz");
			const full = await report(daemon, "/healthz");

			assert.equal(ready.status, "ready");
			assert.equal(full.service, program(daemon));
			assert.match(full.version, /^\d+\.\d+\.\d+$/);
			assert.ok(full.uptime_s >= 0);
			assert.deepEqual(Object.keys(full.dependencies), Object.keys(ready.dependencies));
		}
	});
});

describe("a mistake in the settings", () => {
	const strangers = [];
	let ports;

	before(async () => {
		ports = await claimPorts(2);
	});
	after(() => ports?.release());
	afterEach(() => Promise.all(strangers.splice(0).map((daemon) => daemon.stop())));

	function stranger(name, settings) {
		const health = `127.0.0.1:${ports.ports[0]}`;

		const daemon = new Daemon({ program: name, instance: `${name}-stranger`, dir: stack.dir, health, keepAlive: false,
			settings: { ...stack.env, GATEWAY_LISTEN: `127.0.0.1:${ports.ports[1]}`, [`${name.toUpperCase()}_HEALTH`]: health, ...settings } });

		strangers.push(daemon);
		return daemon;
	}

	/* It ends by itself; resolves to the lines it said. */
	async function refusal(name, settings, env) {
		const daemon = stranger(name, settings);
		const file = join(stack.dir, "mistake.env");

		writeFileSync(file, `${env}\n`);
		daemon.command.push("--env-file", file);
		await daemon.start();
		await until(`${daemon.name} ends`, () => daemon.exits.length > 0);
		assert.equal(daemon.exits[0].code, 1, daemon.tail());
		return daemon.lines.filter((line) => /error|alp-/.test(line));
	}

	for (const [what, name, settings, pattern, env = ""] of [
		["a missing secret", "gateway", { SECRET_KEY: "" }, /SECRET_KEY/],
		["a default secret", "gateway", { SECRET_KEY: "your-secret-key-here" }, /SECRET_KEY/],
		["a default secret among the old ones", "gateway", { SECRET_KEY_OLD: "your-secret-key-here" }, /SECRET_KEY_OLD/],
		["a short data key", "ai", { DATA_KEY: "canary" }, /DATA_KEY must have at least 32/],
		["a default data key", "ai", { DATA_KEY: "canary-change-me-canary-change-me" }, /DATA_KEY/],
		["an old data key without a new one", "ai", { DATA_KEY: "" }, /DATA_KEY_OLD/, "DATA_KEY_OLD=canary"],
		["prices that are none", "ai", { MODEL_PRICES: "canary" }, /MODEL_PRICES/],
		["a missing database", "store", { DATABASE_URL: "" }, /DATABASE_URL/],
		["a database's address that is none", "store", { DATABASE_URL: "postgres//alp:canary@127.0.0.1/none" }, /DATABASE_URL/],
		["an address that libpq can not read", "store", { DATABASE_URL: "postgresql://alp:canary%zz@127.0.0.1/none" }, /DATABASE_URL/],
		["a number out of its range", "store", { PG_CONNECTIONS: "1000000" }, /PG_CONNECTIONS/],
		...["gateway", "chat", "ai", "store"].flatMap((name) => [
			["no bus key", name, { BUS_KEY: "" }, /BUS_KEY is required/],
			["a short bus key", name, { BUS_KEY: "canary" }, /BUS_KEY must have at least 32/],
			["a default bus key", name, { BUS_KEY: "canary-your-secret-key-here-0123456789" }, /BUS_KEY must/],
			["an unknown setting", name, {}, /ALP_NO_SUCH/, "ALP_NO_SUCH=canary"],
			["a setting that is there twice", name, {}, /LOG_LEVEL is set twice/, "LOG_LEVEL=canary\nLOG_LEVEL=canary"],
			["a malformed number", name, { DRAIN_MS: "canary" }, /DRAIN_MS/],
		]),
	])
		it(`${name}: ${what} is named in one line, and is not shown`, async () => {
			const lines = await refusal(name, settings, env);

			assert.equal(lines.length, 1, lines.join("\n"));
			assert.match(lines[0], pattern);
			for (const value of [...Object.values(settings), "canary"].filter((text) => text.length > 5))
				assert.ok(!lines[0].includes(value), lines[0]);
		});

	it("a placeholder in development is a warning in /readyz", async () => {
		const daemon = stranger("gateway", { SECRET_KEY: "your-secret-key-here", DEBUG: "true" });

		await daemon.start();
		await daemon.waitReady();
		assert.match((await report(daemon, "/readyz")).warnings[0], /SECRET_KEY is short or a placeholder/);
	});

	it("another BUS_KEY is named by /readyz of the stranger, and nobody else is disturbed", async () => {
		const daemon = stranger("ai", { BUS_KEY: "0123456789abcdef".repeat(2), BUS_TIMEOUT_MS: "300" });

		await daemon.start();
		const said = await until("it names the key", async () => {
			const answer = await page(daemon, "/readyz");

			return answer.status === 503 && /BUS_KEY/.test(answer.text) && answer.text;
		}, { ms: 20000 });

		assert.match(said, /chat does not answer; has it the same BUS_KEY\?/);
		await stack.daemons.chat.waitEvent("bus.refused");
		assert.equal((await page(stack.daemons.chat, "/readyz")).status, 200);
	});

	it("a database that is not there, and a wrong password for it, are named", async () => {
		const daemon = stranger("store", { BUS_STORE: `127.0.0.1:${ports.ports[1]}`, DATABASE_URL: "postgresql://alp:canary-pw@127.0.0.1:1/none" });

		await daemon.start();
		const said = await until("it names the database", async () => {
			const answer = await page(daemon, "/readyz");

			return answer.status === 503 && /refused|connect/.test(answer.text) && answer.text;
		});

		assert.doesNotMatch(said, /canary-pw/);
		assert.equal((await page(daemon, "/startupz")).status, 503);
		assert.equal((await page(daemon, "/livez")).status, 200);
	});
});

test("SIGUSR1 makes a daemon say more, SIGUSR2 less", async () => {
	const { store } = stack.daemons;
	const debugs = () => store.lines.filter((line) => parseLog(line)?.level === "debug").length;
	const level = async () => (await report(store, "/healthz")).log_level;

	assert.equal(await level(), "info");
	store.kill("SIGUSR1");
	await store.waitEvent("log.level", (entry) => entry.now === "debug");
	await until("it says more", () => debugs() > 0);
	store.kill("SIGUSR2");
	await store.waitEvent("log.level", (entry) => entry.now === "info");
	assert.equal(await level(), "info");
	store.kill("SIGUSR2");
	await until("it says less", async () => await level() === "warning");
	store.kill("SIGUSR1");
	await until("and as before", async () => await level() === "info");
});

/* ---- the last ones take away what the others need ------------------------------------------------------------- */

test("without a worker the suite is degraded, and usable", async () => {
	await stack.daemons.ai[0].stop();
	const suite = await until("the worker is missed", async () => {
		const answer = await fetch(`${stack.url}/api/health`);
		const body = await answer.json();

		return body.status === "degraded" && { code: answer.status, ...body };
	});

	assert.equal(suite.code, 200);
	assert.equal(suite.workers, 0);
	assert.deepEqual(suite.services, { gateway: "up", chat: "up", store: "up", ai: "down" });
});

test("without store everybody says what is missing, and that it had started", async () => {
	await stack.daemons.store.stop();
	const said = await until("chat notices", async () => {
		const answer = await page(stack.daemons.chat, "/readyz");

		return answer.status === 503 && JSON.parse(answer.text);
	});

	assert.equal(said.dependencies.store, "no link to store");
	for (const path of ["/startupz", "/livez"])
		assert.equal((await page(stack.daemons.chat, path)).status, 200);
	const suite = await until("the public health notices", async () => {
		const answer = await fetch(`${stack.url}/api/health`);

		return answer.status === 503 && answer.json();
	});

	assert.equal(suite.status, "unhealthy");
	assert.equal(suite.database, "down");
	assert.deepEqual(suite.services, { gateway: "up", chat: "up", store: "down", ai: "down" });
	assert.equal((await stack.daemons.gateway.metrics())['alp_dependency_up{dependency="store"}'], 0);
});
