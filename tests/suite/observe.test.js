/* What operators see: health, metrics, logs of all four daemons. */

import assert from "node:assert/strict";
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

describe("a mistake that a start does not refuse", () => {
	const STRANGE = "0123456789abcdef".repeat(2);
	const LISTENS = { gateway: ["GATEWAY_LISTEN"], store: ["BUS_STORE"], ai: [], chat: ["BUS_CHAT", "BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT"] };
	const strangers = [];
	let ports;

	before(async () => {
		ports = await claimPorts(2 + 7);
	});
	after(() => ports?.release());
	afterEach(async () => {
		await Promise.all(strangers.splice(0).map((daemon) => daemon.stop()));
	});

	/* Where it listens: not where the suite's own does. */
	const ownAddresses = (name) => {
		const first = { gateway: 2, store: 3, ai: 4, chat: 4 }[name];

		return Object.fromEntries(LISTENS[name].map((setting, i) => [setting, `127.0.0.1:${ports.ports[first + i]}`]));
	};

	function stranger(name, settings, n = 0) {
		const health = `127.0.0.1:${ports.ports[n]}`;

		const daemon = new Daemon({ program: name, instance: `${name}-stranger`, dir: stack.dir, health, keepAlive: false,
			settings: { ...stack.env, [`${name.toUpperCase()}_HEALTH`]: health, ...settings } });

		strangers.push(daemon);
		return daemon;
	}

	for (const [what, name, settings, pattern] of [
		["a placeholder of SECRET_KEY in development", "gateway", { SECRET_KEY: "your-secret-key-here", DEBUG: "true" }, /^SECRET_KEY is short or a placeholder/],
		["a placeholder of BUS_KEY in development", "chat", { BUS_KEY: "change-me-change-me-change-me-change-me", DEBUG: "true" }, /^BUS_KEY is a placeholder/],
		["a placeholder of DATA_KEY in development", "ai", { DATA_KEY: "change-me-change-me-change-me-change-me", DEBUG: "true" }, /^DATA_KEY is a placeholder/],
		["no DATA_KEY", "ai", { DATA_KEY: "" }, /^DATA_KEY is empty/],
		["a placeholder of the model's key", "ai", { DEFAULT_OPENAI_API_KEY: "sk-your-real-openai-api-key-here" }, /^DEFAULT_OPENAI_API_KEY is a placeholder/],
		["no key for the model's server", "ai", { DEFAULT_OPENAI_API_KEY: "", DEFAULT_OPENAI_BASE_URL: "https://api.openai.com/v1" }, /^DEFAULT_OPENAI_API_KEY is empty/],
	])
		it(`${what} is one warning in the log and in /readyz`, async () => {
			const daemon = stranger(name, { ...settings, ...ownAddresses(name) });

			await daemon.start();
			await daemon.waitEvent("daemon.ready");
			const { warnings } = await report(daemon, "/readyz");

			assert.equal(warnings.filter((text) => pattern.test(text)).length, 1, JSON.stringify(warnings));
			assert.equal(daemon.lines.filter((line) => parseLog(line)?.level === "warning" && pattern.test(parseLog(line).reason)).length, 1);
			for (const value of Object.values(settings).filter((text) => /your-|change-me/.test(text)))
				assert.ok(!daemon.log.includes(value), "it is not shown");
		});

	for (const [what, name, settings, pattern] of [
		["chat away", "gateway", { BUS_CHAT: "127.0.0.1:1" }, /no link to chat/],
		["store away", "gateway", { BUS_STORE: "127.0.0.1:1" }, /no link to store/],
		["store away", "chat", { BUS_STORE: "127.0.0.1:1" }, /no link to store/],
		["chat away", "ai", { BUS_WORK: "127.0.0.1:1" }, /not reachable at BUS_WORK/],
		["a database that is not there", "store", { DATABASE_URL: "postgresql://alp:canary-pw@127.0.0.1:1/none" }, /Connection refused/],
		["a database that is not the one meant", "store", { DATABASE_URL: "of nobody" }, /none.*does not exist/],
		["another BUS_KEY", "gateway", { BUS_KEY: STRANGE, BUS_TIMEOUT_MS: "300" }, /(chat|store) does not answer; has it the same BUS_KEY\?/],
		["another BUS_KEY", "chat", { BUS_KEY: STRANGE, BUS_TIMEOUT_MS: "300" }, /store does not answer; has it the same BUS_KEY\?/],
		["another BUS_KEY", "ai", { BUS_KEY: STRANGE, BUS_TIMEOUT_MS: "300" }, /chat does not answer; has it the same BUS_KEY\?/],
	])
		it(`${name}, ${what}: one line in the log names it, and so does /readyz; it lives, and nobody else is disturbed`, async () => {
			const given = settings.DATABASE_URL === "of nobody" ? { DATABASE_URL: stack.env.DATABASE_URL.replace(/\/[^/?]+\?/, "/none?") } : settings;
			const daemon = stranger(name, { ...ownAddresses(name), ...given });

			await daemon.start();
			await until("/readyz names it", async () => {
				const answer = await page(daemon, "/readyz");

				return answer.status === 503 && pattern.test(answer.text);
			}, { ms: 20000 });
			const told = await daemon.waitEvent("daemon.unready", () => true, { ms: 20000 });

			assert.ok(told.reason.length > 10);
			assert.equal(daemon.lines.filter((line) => parseLog(line)?.event === "daemon.unready").length, 1);
			assert.doesNotMatch(daemon.log, /canary-pw@|:canary-pw/);
			assert.equal((await page(daemon, "/livez")).status, 200);
			if (!given.BUS_KEY)
				assert.equal((await page(daemon, "/startupz")).status, 503);
			else	/* until the first requests are not answered, a link is all there is to see */
				await stack.daemons[name === "chat" ? "store" : "chat"].waitEvent("bus.refused");
			for (const other of stack.all)
				assert.equal((await page(other, "/readyz")).status, 200, other.name);
		});

	/* Nobody asks its /readyz before it looks itself. */
	for (const [setting, pattern] of [["BUS_CHAT", /^chat: no link to chat/],
		["BUS_STORE", /^store: no link to store; database: not known: store has not been asked yet/]])
		it(`a gateway without ${setting} says nothing of a database that it has not heard of`, async () => {
			const gateway = stranger("gateway", { ...ownAddresses("gateway"), [setting]: "127.0.0.1:1" });

			await gateway.start();
			const { reason } = await gateway.waitEvent("daemon.unready", () => true, { ms: 20000 });

			assert.match(reason, pattern);
			for (const text of [reason, (await page(gateway, "/readyz")).text])
				assert.doesNotMatch(text, /not reach the database|no answer from the database/);
		});

	it("what was missing and comes is told once", async () => {
		const addresses = ownAddresses("store");
		const chat = stranger("chat", { ...ownAddresses("chat"), ...addresses });
		const store = stranger("store", addresses, 1);

		await chat.start();
		assert.match((await chat.waitEvent("daemon.unready", () => true, { ms: 20000 })).reason, /^store: no link to store/);
		await store.start();
		await chat.waitEvent("daemon.usable", () => true, { ms: 20000 });
		await chat.waitReady();
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
	assert.equal((await report(stack.daemons.gateway, "/readyz")).dependencies.database, "not known: store cannot be asked");
});
