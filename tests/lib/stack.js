/*
 * The whole product for one test: a fresh database, the model simulator and the
 * four daemons, on their own ports and in their own folder.
 *
 *   const stack = await startStack({ persona: "demo", workers: 2 });
 *   after(() => stack.stop());
 *
 * stop() is a test of its own: every daemon must end with 0 on SIGTERM within
 * its drain time; an end that nobody asked for, a sanitizer report or an
 * error line that the test did not announce fails it.
 */

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon, ROOT, sanitizerReports } from "./daemon.js";
import { createDatabase, psql, rows, sharedCluster } from "./pg.js";
import { claimPorts } from "./ports.js";
import { Sim } from "./sim.js";

const ADDRESSES = ["GATEWAY_LISTEN", "GATEWAY_HEALTH", "CHAT_HEALTH", "STORE_HEALTH", "SIM_LISTEN",
	"BUS_CHAT", "BUS_STORE", "BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT", "AI_HEALTH"];
/* Of the second store, chat and gateway. */
const TWIN_ADDRESSES = ["GATEWAY_LISTEN", "GATEWAY_HEALTH", "CHAT_HEALTH", "STORE_HEALTH",
	"BUS_CHAT", "BUS_STORE", "BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT"];
const DIALLED = { chat: ["BUS_STORE"], ai: ["BUS_WORK", "BUS_DELTA", "BUS_CONTROL"], gateway: ["BUS_CHAT", "BUS_STORE", "BUS_EVENT"] };
const WORKERS_MAX = 8;	/* AI_HEALTH is the last address, further workers take the ports behind it */
const READY_MS = 30000;
const DRAIN_MS = 5000;
const DRAIN_GRACE_MS = 3000;	/* the sanitizers look for leaks after the drain */

function addressSettings(ports) {
	return Object.fromEntries(ADDRESSES.map((name, i) => [name, `127.0.0.1:${ports[i]}`]));
}

function baseSettings(ports, databaseUrl) {
	const addresses = addressSettings(ports);

	return {
		...addresses,
		DATABASE_URL: databaseUrl,
		SECRET_KEY: randomBytes(32).toString("hex"),
		BUS_KEY: randomBytes(32).toString("hex"),
		DATA_KEY: randomBytes(32).toString("hex"),
		DEFAULT_OPENAI_API_KEY: "sim",
		DEFAULT_OPENAI_BASE_URL: `http://${addresses.SIM_LISTEN}/v1`,
		DRAIN_MS: String(DRAIN_MS),
		/* All of a test's people sign in from one address; on a fast machine within a minute. Tests of the rate set their own. */
		LOGIN_RATE_PER_MINUTE: "10000",
		STATIC_DIR: join(ROOT, "frontend/dist"),
	};
}

class Stack {
	#expectedErrors = [];
	#expectedExits = [];

	constructor({ dir, claim, database, settings, build, twins }) {
		Object.assign(this, { dir, claim, database, build, env: settings, twins });
		this.ports = Object.fromEntries(ADDRESSES.map((name, i) => [name, claim.ports[i]]));
		this.url = `http://${settings.GATEWAY_LISTEN}`;
		this.wsUrl = `ws://${settings.GATEWAY_LISTEN}`;
		this.twin = twins && { url: `http://${twins.GATEWAY_LISTEN}`, wsUrl: `ws://${twins.GATEWAY_LISTEN}` };
		this.daemons = {
			store: this.#daemon("store", settings.STORE_HEALTH),
			chat: this.#daemon("chat", settings.CHAT_HEALTH),
			ai: [],
			gateway: this.#daemon("gateway", settings.GATEWAY_HEALTH),
		};
		for (const program of twins ? ["store", "chat", "gateway"] : [])
			this.daemons[`${program}2`] = this.#daemon(program, twins[`${program.toUpperCase()}_HEALTH`], `${program}-2`, twins);
	}

	/* Who dials is given the addresses of both twins. */
	#dialled(program) {
		const names = this.twins ? DIALLED[program] ?? [] : [];

		return Object.fromEntries(names.map((name) => [name, `${this.env[name]},${this.twins[name]}`]));
	}

	#daemon(program, health, instance = program, more = {}) {
		return new Daemon({ program, instance, health, build: this.build, dir: this.dir,
			settings: { ...this.env, ...more, ...this.#dialled(program) } });
	}

	/* All daemons, in the order in which they are stopped. */
	get all() {
		const { gateway, gateway2, chat, chat2, ai, store, store2 } = this.daemons;

		return [gateway, gateway2, chat, chat2, ...ai, store, store2].filter(Boolean);
	}

	/* One more worker, started; resolves to it when it is ready. */
	async addWorker(more = {}) {
		const n = this.daemons.ai.length;

		if (n >= WORKERS_MAX)
			throw new Error(`a test stack has room for ${WORKERS_MAX} workers`);
		const health = `127.0.0.1:${this.ports.AI_HEALTH + n}`;
		const worker = this.#daemon("ai", health, `ai-${n + 1}`, { AI_HEALTH: health, ...more });

		this.daemons.ai.push(worker);
		await worker.start();
		await worker.waitReady(READY_MS);
		return worker;
	}

	async start(workers) {
		await this.sim?.start();
		await Promise.all(this.all.map((d) => d.start()));
		await Promise.all([this.sim?.waitReady(), ...Array.from({ length: workers }, () => this.addWorker())]);
		await this.waitReady();
		return this;
	}

	waitReady(ms = READY_MS) {
		return Promise.all(this.all.map((daemon) => daemon.waitReady(ms)));
	}

	/* Rows of a query as objects; anything else is run and its output returned. */
	db(sql) {
		return /^\s*(select|values|table)\b/i.test(sql) ? rows(this.database.url, sql) : psql(this.database.url, sql);
	}

	/* Error lines that match are part of what the test does. */
	expectError(pattern) {
		this.#expectedErrors.push(pattern);
	}

	/* Ends that nobody asked for are expected when "name code=75 signal=null" matches. */
	expectExit(pattern) {
		this.#expectedExits.push(pattern);
	}

	#complaints() {
		const expected = (patterns, text) => patterns.some((pattern) => pattern.test(text));
		const errors = this.all.flatMap((daemon) => daemon.errors().map((line) => `${daemon.name}: ${line}`))
			.filter((text) => !expected(this.#expectedErrors, text));
		const exits = this.all.flatMap((daemon) => daemon.exits.filter((exit) => !exit.asked)
			.map((exit) => `${daemon.name} code=${exit.code} signal=${exit.signal}`))
			.filter((text) => !expected(this.#expectedExits, text));

		return [
			...sanitizerReports(this.dir).map((text) => `sanitizer report ${text}`),
			...exits.map((text) => `ended by itself: ${text}`),
			...errors.map((text) => `unannounced error line: ${text}`),
		];
	}

	async #stopDaemons() {
		const complaints = [];

		for (const daemon of this.all) {
			daemon.kill("SIGCONT");	/* a test may have left it stopped */
			const exit = await daemon.stop(Number(this.env.DRAIN_MS) + DRAIN_GRACE_MS).catch((err) => err);

			if (exit instanceof Error)
				complaints.push(exit.message);
			else if (exit && exit.asked && exit.code !== 0)
				complaints.push(`${daemon.name} ended with ${exit.signal ?? exit.code} on SIGTERM; its last lines:\n${daemon.tail()}`);
		}
		return complaints;
	}

	/* Ends everything; rejects with all that was wrong. Calling it again does nothing. */
	stop() {
		this.stopped ??= this.#stop();
		return this.stopped;
	}

	async #stop() {
		const complaints = await this.#stopDaemons();

		complaints.push(...this.#complaints());
		await this.sim?.stop();
		await this.database.drop();
		await this.claim.release();
		if (complaints.length > 0)
			throw new Error(`${complaints.join("\n")}\n(logs are kept in ${this.dir})`);
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/*
 * persona, tokenDelayMs, simOptions: the simulator's (sim: false starts none).
 * workers: ai processes, 0 to 8. env: settings over the defaults; env.X of
 * undefined takes X away. envFile: text of a .env in the daemons' folder.
 * pg: a Cluster of the test's own, for tests that kill the database.
 * prepare(url): fills the database before anybody sees it. twins: two stores,
 * two chats and two gateways (stack.daemons.chat2 ...; stack.twin is the second
 * gateway as guestOf and chatOf take it).
 */
export async function startStack({ persona = "echo", tokenDelayMs, simOptions, sim = true, workers = 1, env = {},
	envFile, build = "debug", pg, prepare, twins = false } = {}) {
	const dir = mkdtempSync(join(tmpdir(), "alp-stack-"));
	const claim = await claimPorts(ADDRESSES.length + WORKERS_MAX - 1 + (twins ? TWIN_ADDRESSES.length : 0));
	const second = Object.fromEntries(TWIN_ADDRESSES.map((name, i) => [name, `127.0.0.1:${claim.ports[ADDRESSES.length + WORKERS_MAX - 1 + i]}`]));
	const database = await createDatabase(pg ? pg.url("postgres") : await sharedCluster());
	const settings = { ...baseSettings(claim.ports, database.url), ...env };

	await prepare?.(database.url);
	mkdirSync(dir, { recursive: true });
	if (envFile !== undefined)
		writeFileSync(join(dir, ".env"), envFile);
	for (const name of Object.keys(settings))
		if (settings[name] === undefined)
			delete settings[name];
	const stack = new Stack({ dir, claim, database, settings, build, twins: twins ? second : null });

	if (sim)
		stack.sim = new Sim({ dir, listen: settings.SIM_LISTEN, persona, tokenDelayMs, options: simOptions });
	try {
		return await stack.start(workers);
	} catch (err) {
		await stack.stop().catch((more) => {
			err.message += `\n${more.message}`;
		});
		throw err;
	}
}
