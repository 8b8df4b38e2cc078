/*
 * One of the four daemons: where it is built, what it needs, how its log reads.
 */

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Proc } from "./proc.js";
import { until } from "./until.js";

const HOPELESS = 3;	/* ends in a row */

export const ROOT = resolve(import.meta.dirname, "../..");

export function buildDir(build) {
	return process.env.ALP_BUILD ? resolve(process.env.ALP_BUILD) : join(ROOT, "build", build);
}

export function binary(name, build = "debug") {
	const path = join(buildDir(build), "services", name, `alp-${name}`);

	if (!existsSync(path))
		throw new Error(`${path} is not built; run make debug, or set ALP_BUILD`);
	return path;
}

/* What a daemon is given: nothing of this shell but what a program cannot do without. */
export function cleanEnv(settings) {
	return { PATH: process.env.PATH, HOME: process.env.HOME ?? "/", LANG: "C.UTF-8", ...settings };
}

/* The sanitizers write their reports to dir, one file per process, and end it with 86. */
export function sanitizerEnv(dir, name) {
	const log = `log_path=${join(dir, `${name}.report`)}:exitcode=86`;

	return {
		ASAN_OPTIONS: `${log}:detect_leaks=1:halt_on_error=1:detect_stack_use_after_return=1`,
		LSAN_OPTIONS: `suppressions=${join(ROOT, "tests/lib/lsan.supp")}:print_suppressions=0`,
		UBSAN_OPTIONS: `${log}:print_stacktrace=1:halt_on_error=1`,
		TSAN_OPTIONS: `${log}:halt_on_error=1:suppressions=${join(ROOT, "tests/lib/tsan.supp")}`,
	};
}

/*
 * What LeakSanitizer says of itself when it could not stop a thread before it looked: on a busy machine one of nng's
 * may be going to sleep. It finds too much then, and says so in lines of their own.
 */
const LEAK_SEARCH_NOTE = /^==\d+==(Running thread \d+ was not suspended\. False leaks are possible|Unable to get registers from thread \d+)\.\n/gm;

export function sanitizerReports(dir) {
	return readdirSync(dir).filter((file) => file.includes(".report"))
		.map((file) => ({ file, text: readFileSync(join(dir, file), "utf8").replace(LEAK_SEARCH_NOTE, "") }))
		.filter(({ text }) => text !== "").map(({ file, text }) => `${file}:\n${text}`);
}

/* { level, event, ... } of a log line in LOG_FORMAT=json, or null for anything else. */
export function parseLog(line) {
	if (!line.startsWith("{"))
		return null;
	try {
		return JSON.parse(line);
	} catch {
		return null;	/* a line cut by kill -9 */
	}
}

export class Daemon extends Proc {
	/* health: host:port of this daemon's /readyz. instance: "ai-2"; program: "ai". */
	constructor({ program, instance = program, build = "debug", dir, health, settings, keepAlive = true }) {
		super({
			name: instance, keepAlive, cwd: dir,
			command: [binary(program, build)],
			log: join(dir, `${instance}.log`),
			env: cleanEnv({ ...sanitizerEnv(dir, instance), LOG_FORMAT: "json", FAULTS_FILE: join(dir, `${instance}.faults`), ...settings }),
			ready: (ms) => this.#untilReady(ms),
		});
		this.health = `http://${health}`;
	}

	/* A daemon that ends at once, again and again, is not waited for. */
	#untilReady(ms) {
		const seen = this.exits.length;

		return until(`${this.name} is ready`, () => {
			if (this.exits.slice(seen).filter((exit) => !exit.asked).length >= HOPELESS)
				throw Object.assign(new Error(`${this.name} does not stay up`), { final: true });
			return this.isReady();
		}, { ms });
	}

	/* Kills it and waits until the next life is ready; resolves to the milliseconds that took. */
	async crash(signal = "SIGKILL", ms = 20000) {
		const start = performance.now();
		const before = this.starts;

		this.kill(signal);
		await until(`${this.name} is started again`, () => this.starts > before && this.running, { ms });
		await this.waitReady(ms);
		return performance.now() - start;
	}

	/* What the next life of this daemon meets at its fault points (services/common/fault.h). */
	armNextLife(faults) {
		writeFileSync(`${this.env.FAULTS_FILE}.new`, faults);
		renameSync(`${this.env.FAULTS_FILE}.new`, this.env.FAULTS_FILE);
	}

	/* The same for the present one; resolves when it knows. */
	async arm(faults) {
		const from = this.lines.length;

		this.armNextLife(faults);
		this.kill("SIGURG");
		await this.waitEvent("fault.armed", () => true, { from });
	}

	async isReady() {
		const answer = await fetch(`${this.health}/readyz`, { signal: AbortSignal.timeout(2000) });
		const text = await answer.text();

		if (answer.status !== 200)
			throw new Error(`/readyz says ${answer.status} ${text.slice(0, 300)}`);
		return true;
	}

	async metrics() {
		const text = await (await fetch(`${this.health}/metrics`)).text();

		return Object.fromEntries(text.split("\n").filter((line) => line && !line.startsWith("#"))
			.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
	}

	/* The first logged event of that name whose fields fit, now or until the deadline. */
	async waitEvent(event, fits = () => true, options) {
		return parseLog(await this.waitLine((line) => {
			const entry = parseLog(line);

			return entry?.event === event && fits(entry);
		}, options));
	}

	errors() {
		return this.lines.filter((line) => parseLog(line)?.level === "error");
	}
}
