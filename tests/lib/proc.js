/*
 * One program under test as a direct child. Its output goes to a file and is
 * kept in memory, line by line. It dies with this process, whatever ends it.
 *
 * With keepAlive it is started again whenever it ends, as the supervisor does,
 * and each end that nobody asked for is recorded.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { within } from "./until.js";

const HARMLESS = ["SIGSTOP", "SIGCONT", "SIGURG", "SIGUSR1", "SIGUSR2"];	/* an end that follows is not their doing */
const TOO_SHORT_MS = 200;	/* a program that lived less long is not started again at once */
const LAST_LINES_MS = 500;	/* how long a dead program's pipe may stay open (its own children may hold it) */

export class Proc {
	lines = [];
	onLife = () => {};	/* ("start" | "end", { pid, code, signal, asked }) */
	exits = [];	/* { pid, code, signal, asked } of every life that ended */
	starts = 0;
	pid = null;
	#child = null;
	#asked = false;
	#stopping = false;
	#watchers = new Set();
	#ended = Promise.resolve();

	/*
	 * command: [program, ...arguments]. ready(ms): resolves when it can be used.
	 * background: does not keep this process alive.
	 */
	constructor({ name, command, env, cwd, log, keepAlive = false, background = false, ready = async () => {} }) {
		Object.assign(this, { name, command, env, cwd, keepAlive, background });
		this.whenReady = ready;
		this.file = createWriteStream(log, { flags: "a" });
	}

	/* Resolves when it was spawned, not when it is ready. */
	async start() {
		this.#stopping = false;
		this.#asked = false;
		this.starts++;
		this.#child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...this.command],
			{ cwd: this.cwd, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
		this.startedAt = performance.now();
		await once(this.#child, "spawn");
		this.pid = this.#child.pid;
		this.onLife("start", { pid: this.pid });
		for (const stream of [this.#child.stdout, this.#child.stderr]) {
			createInterface({ input: stream }).on("line", (line) => this.#line(line));
			if (this.background)
				stream.unref();
		}
		if (this.background)
			this.#child.unref();
		this.#ended = this.#watch(this.#child);
	}

	#line(line) {
		this.lines.push(line);
		this.file.write(`${line}\n`);
		for (const watcher of this.#watchers)
			watcher(line);
	}

	async #watch(child) {
		const closed = once(child, "close");
		const [code, signal] = await once(child, "exit");

		await Promise.race([closed, sleep(LAST_LINES_MS, undefined, { ref: !this.background })]);
		this.exits.push({ pid: child.pid, code, signal, asked: this.#asked });
		this.onLife("end", this.exits.at(-1));
		this.#line(`-- ${this.name} pid ${child.pid} ended: ${signal ?? `code ${code}`}${this.#asked ? "" : ", not asked to"}`);
		this.pid = null;
		if (!this.keepAlive || this.#stopping)
			return;
		if (performance.now() - this.startedAt < TOO_SHORT_MS)
			await sleep(TOO_SHORT_MS);
		if (!this.#stopping)
			await this.start();
	}

	get running() {
		return this.pid !== null;
	}

	/* Sends the signal; false: it has ended already. An end that follows counts as asked for. */
	kill(signal = "SIGKILL") {
		if (this.pid === null || this.#child.exitCode !== null || this.#child.signalCode !== null)
			return false;
		if (!HARMLESS.includes(signal))
			this.#asked = true;
		return process.kill(this.pid, signal);
	}

	waitReady(ms = 20000) {
		return this.whenReady(ms).catch((err) => {
			throw new Error(`${err.message}; the last lines of ${this.name}:\n${this.tail()}`);
		});
	}

	/* Ends it for good and resolves to its last exit. */
	async stop(ms = 10000) {
		this.#stopping = true;
		if (this.pid !== null) {
			this.kill("SIGTERM");
			await within(ms, `${this.name} ends after SIGTERM`, this.#ended).catch(async (err) => {
				this.kill("SIGKILL");
				await this.#ended;
				throw new Error(`${err.message}; its last lines:\n${this.tail()}`);
			});
		}
		this.file.end();
		return this.exits.at(-1);
	}

	/* The first line from position `from` on that matches (RegExp or function), now or until the deadline. */
	waitLine(match, { ms = 10000, from = 0 } = {}) {
		const fits = match instanceof RegExp ? (line) => match.test(line) : match;
		const there = this.lines.slice(from).find(fits);
		let watcher;

		if (there !== undefined)
			return Promise.resolve(there);
		const seen = new Promise((resolve) => {
			watcher = (line) => fits(line) && resolve(line);
			this.#watchers.add(watcher);
		});
		return within(ms, `${this.name} logs ${match}`, seen).finally(() => this.#watchers.delete(watcher));
	}

	get log() {
		return this.lines.join("\n");
	}

	tail(n = 20) {
		return this.lines.slice(-n).map((line) => `    ${line}`).join("\n");
	}
}
