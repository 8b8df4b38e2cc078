/*
 * A real chat and a real store between scripted peers: who asks, who works,
 * who listens. What a worker says is the test's own business:
 *
 *   const bench = await startChat({ FLUSH_MS: "100" });
 *   const ada = bench.worker("ada");
 *   const pull = ada.pull();
 *   const turn = await bench.post("Hello");
 *   const work = await pull;			// { turn_id, attempt, ... }
 *   await ada.done(work, { "blob:text": "Hi", ends: "2" });
 *
 * Between chat and store is bench.proxy (tests/lib/bus-proxy.js). stop() is a
 * test of its own: no sanitizer report, no error line, an end with 0.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BusProxy } from "../lib/bus-proxy.js";
import { buildDir, Daemon, sanitizerReports } from "../lib/daemon.js";
import { claimPorts } from "../lib/ports.js";
import { release } from "../lib/release.js";
import { until } from "../lib/until.js";
import { makeGuest, Probe, startStore, uuid } from "./store-lib.js";

const ADDRESSES = ["CHAT_HEALTH", "BUS_CHAT", "BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT"];

/* Hears the publications of one address: { name, ...body }, oldest first. A frame for clients is .frame. */
class Listener {
	heard = [];

	constructor(bus, key) {
		this.child = spawn("setpriv", ["--pdeathsig", "KILL", "--", join(buildDir("debug"), "proto/alp-probe"), "listen", bus],
			{ env: { PATH: process.env.PATH, BUS_KEY: key, ASAN_OPTIONS: "detect_leaks=0" }, stdio: ["ignore", "pipe", "inherit"] });
		this.ended = new Promise((resolve) => this.child.once("close", resolve));
		createInterface({ input: this.child.stdout }).on("line", (line) => {
			if (line.startsWith("{"))
				this.heard.at(-1).frame = JSON.parse(this.heard.at(-1).total_us > 0 ? `${line}}}` : line);
			else
				this.heard.push({ name: line.split(" ", 1)[0], ...JSON.parse(line.slice(line.indexOf(" "))) });
		});
	}

	of(turnId) {
		return this.heard.filter((m) => m.turn_id === turnId);
	}

	stop() {
		this.child.kill("SIGKILL");
		return this.ended;
	}
}

class Worker {
	constructor(bench, name) {
		Object.assign(this, { name, probe: new Probe(bench.env.BUS_WORK, bench.store.key) });
	}

	/* Resolves to the work; to null when the worker died meanwhile. */
	pull() {
		return this.probe.ask(null, "work_pull", { worker: this.name }).then((answer) => answer.found ? answer : null, () => null);
	}

	/* Says that it has these, and nothing else. */
	beat(...works) {
		return this.probe.ask(null, "work_beat", { worker: this.name, attempts: works.map((w) => `${w.turn_id}:${w.attempt}`).join(",") });
	}

	text({ turn_id, attempt }, text) {
		return this.probe.ask(null, "work_text", { worker: this.name, turn_id, attempt, "blob:text": text, ends: `${text.length}` });
	}

	/* The end of an attempt, with one piece of text. Resolves to what chat says to it. */
	done({ turn_id, attempt }, text, more = {}) {
		return this.probe.ask(null, "work_done", { worker: this.name, turn_id, attempt, result: "completed", finish_reason: "stop",
			model: "script", usage: { prompt_tokens: 1, completion_tokens: 1 },
			...(text ? { "blob:text": text, ends: `${text.length}` } : {}), ...more });
	}

	fail(work, text) {
		return this.done(work, text, { result: "failed", error_code: "ai_unavailable", retryable: true });
	}

	/* Its connection ends, whatever it was doing. */
	stop() {
		this.probe.child.kill("SIGKILL");
		return this.probe.ended;
	}
}

class Bench {
	#probes = [];

	constructor(parts) {
		Object.assign(this, parts);
		this.chat = new Daemon({ program: "chat", dir: this.store.dir, health: this.env.CHAT_HEALTH,
			settings: { ...this.env, BUS_KEY: this.store.key, BUS_STORE: this.proxy.address } });
	}

	async start() {
		await this.chat.start();
		await this.chat.waitReady();
		this.guest = await makeGuest(this.store);
		this.asker = this.#keep(new Probe(this.env.BUS_CHAT, this.store.key));
		this.events = this.#keep(new Listener(this.env.BUS_EVENT, this.store.key));
		this.control = this.#keep(new Listener(this.env.BUS_CONTROL, this.store.key));
		await this.listening();
		return this;
	}

	#keep(peer) {
		this.#probes.push(peer);
		return peer;
	}

	/* A publication before a listener is there is lost: turns are begun and removed until both have heard of one. */
	listening() {
		const heard = [this.events, this.control].map((listener) => listener.heard.length);

		return until("the listeners hear", async () => {
			const worker = this.worker("nobody");
			const pull = worker.pull();
			const { turn_id } = await this.post("hello");

			await pull;
			await this.stopTurn(turn_id);
			await worker.stop();
			return [this.events, this.control].every((listener, i) => listener.heard.length > heard[i]);
		}, { ms: 30000 });
	}

	worker(name) {
		return this.#keep(new Worker(this, name));
	}

	/* Its turn_view, as soon as the message is stored. */
	async post(body) {
		const answer = await this.asker.ask(this.guest, "chat_post", { session_id: `session-${uuid()}`, client_message_id: uuid(), body });

		assert.equal(answer.rc, "ok", JSON.stringify(answer));
		return answer.turn;
	}

	async get(turnId) {
		return (await this.asker.ask(this.guest, "turn_get", { turn_id: turnId })).turn;
	}

	/* Resolves to the turn's end. */
	stopTurn(turnId) {
		return this.asker.ask(this.guest, "turn_stop", { turn_id: turnId });
	}

	/* Its end, once it has one: { state, reply, ... } */
	end(turnId) {
		return until("the turn ends", async () => {
			const turn = await this.get(turnId);

			return turn.outcome.state !== "running" && turn.outcome;
		}, { ms: 30000 });
	}

	/* What the store has of it. */
	async row(turnId) {
		return (await this.store.db(`select state, attempt::int as attempt, partial from turns where id = '${turnId}'`))[0];
	}

	/* { type: ... } of what clients were told, a piece with its text. */
	told(turnId) {
		return this.events.of(turnId).map(({ type, epoch, piece, frame }) => piece === undefined ? { type, epoch, ...frame } : { type, epoch, text: piece });
	}

	/* Every process that was started is ended, whatever else goes wrong. */
	async stop() {
		const chat = { stop: async () => {
			const exit = await this.chat.stop();

			assert.ok(!exit?.asked || exit.code === 0, `chat ended with ${exit?.signal ?? exit?.code}:\n${this.chat.tail()}`);
			assert.deepEqual(this.chat.errors(), []);
			assert.deepEqual(sanitizerReports(this.store.dir), []);
		} };

		await release(...this.#probes, chat, this.proxy, this.store, { stop: () => this.claim.release() });
	}
}

/* env: settings of chat. Nothing is taken for silent or left over within ten seconds unless it says so. */
export async function startChat(env = {}) {
	const store = await startStore();
	const proxy = await BusProxy.start({ transport: "ws", target: store.bus });
	const claim = await claimPorts(ADDRESSES.length);
	const addresses = Object.fromEntries(ADDRESSES.map((name, i) => [name, `127.0.0.1:${claim.ports[i]}`]));
	const bench = new Bench({ store, proxy, claim, env: { ...addresses, WORKER_SILENCE_MS: "10000", FLUSH_MS: "50", DRAIN_MS: "2000", ...env } });

	try {
		return await bench.start();
	} catch (err) {
		await bench.stop().catch((more) => {
			err.message += `\n${more.message}`;
		});
		throw err;
	}
}
