/*
 * The stack of a chaos run: gateways, chats, stores and ai workers, each a
 * process of its own, a private PostgreSQL, the simulator, and a proxy on every
 * link of the bus.
 *
 *   Everybody dials all of those he needs: gateways each chat and store, chats
 *   each store, workers each chat.
 */

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusProxy } from "../lib/bus-proxy.js";
import { Daemon, ROOT, parseLog, sanitizerReports } from "../lib/daemon.js";
import { Cluster, createDatabase } from "../lib/pg.js";
import { claimPorts } from "../lib/ports.js";
import { Sim } from "../lib/sim.js";
import { once } from "./texts.js";

const READY_MS = 60000;
const DRAIN_MS = 5000;
const DRAIN_GRACE_MS = 5000;
const SIM_LIFE = 100000;	/* calls of one life of the simulator are numbered from life * this + 1 on */
const RESTARTED = 75;	/* the bus asked for a fresh process */

export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

const local = (port) => `127.0.0.1:${port}`;

const SECRETS = ["SECRET_KEY", "BUS_KEY", "DATA_KEY", "DEFAULT_OPENAI_API_KEY"];

export class Bed {
	processes = [];
	proxies = new Map();
	daemons = new Map();
	#simLives = 0;

	static async start({ build = "debug", gateways = 2, chats = 1, stores = 1, workers = 2, random, env = {} }) {
		const bed = new Bed();

		Object.assign(bed, { build, random, sizes: { gateways, chats, stores, workers } });
		bed.dir = mkdtempSync(join(tmpdir(), "alp-chaos-"));
		bed.claim = await claimPorts(2 * gateways + 6 * chats + 2 * stores + workers	/* what is listened at */
			+ gateways * (2 * chats + stores) + chats * stores + 3 * workers * chats + 1);	/* links, the simulator */
		bed.ports = bed.claim.ports.values();
		bed.cluster = await Cluster.start();
		bed.database = await createDatabase(bed.cluster.url("postgres"));
		bed.common = { DATABASE_URL: bed.database.url, DRAIN_MS: String(DRAIN_MS), STATIC_DIR: join(ROOT, "frontend/dist"),
			LOGIN_RATE_PER_MINUTE: "10000", ...env };
		for (const name of SECRETS)
			bed.common[name] = `canary-${randomBytes(24).toString("hex")}`;
		bed.simAddress = bed.#address();
		bed.common.DEFAULT_OPENAI_BASE_URL = `http://${bed.simAddress}/v1`;
		await bed.#layOut();
		await bed.startSim();
		await Promise.all([...bed.daemons.values()].map((daemon) => daemon.start()));
		await bed.waitReady(READY_MS);
		return bed;
	}

	#address() {
		return local(this.ports.next().value);
	}

	/* A link by way of a proxy: the address that its dialler is given. */
	async #link(name, transport, target) {
		const proxy = await BusProxy.start({ transport, listen: this.ports.next().value, target, random: this.random.fork(name).next });

		Object.assign(proxy, { name, transport });
		this.proxies.set(name, proxy);
		return proxy.address;
	}

	#daemon(program, n, settings) {
		const name = `${program}-${n}`, health = this.#address();
		const daemon = new Daemon({ program, instance: name, health, build: this.build, dir: this.dir,
			settings: { ...this.common, [`${program.toUpperCase()}_HEALTH`]: health, ...settings } });

		daemon.onLife = (what, more) => this.processes.push({ t: monotonicMs(), name, what, ...more });
		this.daemons.set(name, daemon);
		return daemon;
	}

	/* A link to each of them, comma-separated as the dialler is told; of several each has its number in its name. */
	async #links(name, transport, targets) {
		const addresses = [];

		for (const [i, target] of targets.entries())
			addresses.push(await this.#link(targets.length > 1 ? `${name}-${i + 1}` : name, transport, target));
		return addresses.join(",");
	}

	async #layOut() {
		const { gateways, chats, stores, workers } = this.sizes;
		const store = Array.from({ length: stores }, () => this.#address());
		const chat = Array.from({ length: chats }, () => ({ BUS_CHAT: this.#address(), BUS_WORK: this.#address(),
			BUS_DELTA: this.#address(), BUS_CONTROL: this.#address(), BUS_EVENT: this.#address() }));
		const of = (key) => chat.map((addresses) => addresses[key]);

		for (const [i, address] of store.entries())
			this.#daemon("store", i + 1, { BUS_STORE: address });
		for (const [i, addresses] of chat.entries())
			this.#daemon("chat", i + 1, { ...addresses, CHAT_INSTANCE: `chat-${i + 1}`,
				BUS_STORE: await this.#links(`chat-${i + 1}>store`, "ws", store) });
		for (let i = 1; i <= workers; i++)
			this.#daemon("ai", i, { BUS_WORK: await this.#links(`ai-${i}>work`, "ws", of("BUS_WORK")),
				BUS_DELTA: await this.#links(`ai-${i}>delta`, "tcp", of("BUS_DELTA")),
				BUS_CONTROL: await this.#links(`ai-${i}>control`, "tcp", of("BUS_CONTROL")) });
		this.gateways = [];
		for (let i = 1; i <= gateways; i++) {
			const listen = this.#address();

			this.gateways.push(listen);
			this.#daemon("gateway", i, { GATEWAY_LISTEN: listen,
				BUS_CHAT: await this.#links(`gateway-${i}>chat`, "ws", of("BUS_CHAT")),
				BUS_STORE: await this.#links(`gateway-${i}>store`, "ws", store),
				BUS_EVENT: await this.#links(`gateway-${i}>event`, "tcp", of("BUS_EVENT")) });
		}
	}

	/* The simulator's next life; its calls go on being numbered, its trace goes on in the same file. */
	async startSim() {
		this.trace = join(this.dir, "calls.jsonl");
		this.sim = new Sim({ dir: this.dir, listen: this.simAddress, persona: "echo",
			options: ["--trace", this.trace, "--first-call", String(SIM_LIFE * this.#simLives++ + 1)] });
		await this.sim.start();
		await this.sim.waitReady(READY_MS);
	}

	async waitReady(ms = READY_MS) {
		await Promise.all([...this.daemons.values()].map((daemon) => daemon.waitReady(ms)));
	}

	/* What a fault can be aimed at. */
	get targets() {
		return { daemons: [...this.daemons.keys()], links: [...this.proxies.values()].map(({ name, transport }) => ({ name, transport })) };
	}

	get secrets() {
		return SECRETS.map((name) => ({ name, value: this.common[name] }));
	}

	/* What every daemon wrote, and what it tells operators now. */
	async outputs() {
		const logs = readdirSync(this.dir).filter((file) => file.endsWith(".log"))
			.map((file) => ({ name: file, text: readFileSync(join(this.dir, file), "utf8") }));
		const pages = await Promise.all([...this.daemons.values()].flatMap((daemon) => ["/metrics", "/healthz", "/readyz"].map(async (path) =>
			({ name: `${daemon.name}${path}`, text: await (await fetch(daemon.health + path)).text() }))));

		return [...logs, ...pages];
	}

	calls() {
		const calls = new Map();

		for (const line of existsSync(this.trace) ? readFileSync(this.trace, "utf8").split("\n").filter(Boolean) : []) {
			const { ev, at, n, ...more } = JSON.parse(line);

			for (const message of more.messages ?? [])
				message.content = once(message.content);
			if (ev === "asked")
				calls.set(n, { n, asked: at, ...more });
			else if (calls.has(n))
				Object.assign(calls.get(n), { ended: at, ...more });
		}
		return [...calls.values()];
	}

	/* Of each process: descriptors without those of clients' sockets, threads, KiB that are its own. */
	async resources(tabs) {
		const processes = {};
		const clients = (name) => {
			const address = this.gateways[Number(/^gateway-(\d+)$/.exec(name)?.[1]) - 1];

			return tabs.filter((tab) => tab.isOpen && tab.address === address).length;
		};

		for (const [name, { pid }] of this.daemons) {
			const status = readFileSync(`/proc/${pid}/status`, "utf8");
			const field = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);

			processes[name] = { fds: readdirSync(`/proc/${pid}/fd`).length - clients(name), threads: field("Threads"), kb: field("RssAnon") + field("VmSwap") };
		}
		const sessions = await this.cluster.sql("select count(*) from pg_stat_activity where application_name = 'alp-store'");

		return { processes, sessions: Number(sessions) };
	}

	get cores() {
		return readdirSync(this.dir).filter((file) => /^core/.test(file));
	}

	get reports() {
		return sanitizerReports(this.dir);
	}

	/* Ends that nobody caused, and errors that no fault explains. */
	complaints() {
		return [...this.daemons.values()].flatMap((daemon) => [
			...daemon.exits.filter((e) => !e.asked && e.signal !== "SIGKILL" && e.code !== RESTARTED && e.code !== 0)
				.map((e) => `${daemon.name} ended by itself: code ${e.code} signal ${e.signal}`),
			...daemon.lines.filter((line) => parseLog(line)?.level === "error").map((line) => `${daemon.name}: ${line}`),
		]);
	}

	async stop({ keep = false } = {}) {
		const ends = [];

		for (const daemon of [...this.daemons.values()].reverse()) {
			daemon.kill("SIGCONT");
			await daemon.stop(DRAIN_MS + DRAIN_GRACE_MS).catch((err) => ends.push(err.message));
		}
		await this.sim.stop().catch((err) => ends.push(err.message));
		for (const proxy of this.proxies.values())
			await proxy.stop();
		await this.cluster.stop();
		await this.claim.release();
		if (!keep)
			rmSync(this.dir, { recursive: true, force: true });
		return ends;
	}
}
