/*
 * Does to the bed what the schedule says, and logs what really happened: when,
 * to whom, and whether it met work in flight. No two faults of one target at
 * once: a fault that comes too early for its target is left out, a kill goes to
 * somebody else, or waits until somebody can be killed.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../lib/until.js";
import { monotonicMs } from "./bed.js";

const POINT_MS = 4000;	/* a point that is not passed within this time is disarmed */
const AIM_MS = 600;
const SLICE_MS = 25;	/* a slow process runs for so long, and stands still for twice that */
const BACK_MS = 20000;

/* False: the one that was seen had ended by itself before it could be killed. */
async function killBackend(cluster) {
	const pid = await cluster.sql("select pid from pg_stat_activity where application_name = 'alp-store' limit 1");

	if (!pid)
		return true;
	try {
		process.kill(Number(pid), "SIGKILL");
		return true;
	} catch (error) {
		if (error.code !== "ESRCH")
			throw error;
		return false;
	}
}

export class Faults {
	#busy = new Set();
	#pending = new Set();
	#failure = null;	/* of a fault that could not be done, or mended: told when the others are over */
	#owed = 0;	/* kills that found everybody dying: the next one who lives again is taken */

	/* inFlight: () => how many turns are begun or asked for and not ended. */
	constructor({ bed, inFlight, log }) {
		Object.assign(this, { bed, inFlight, log, skipped: 0 });
	}

	/* Resolves when the last is over and everything is mended. */
	async play(schedule, start) {
		for (const fault of schedule) {
			const wait = start + fault.at - monotonicMs();

			if (wait > 0)
				await sleep(wait);
			this.#begin(fault);
		}
		while (this.#pending.size > 0)
			await Promise.all(this.#pending);
		if (this.#failure)
			throw this.#failure;
	}

	/* A kill that finds its target busy dying takes the next daemon that is not. */
	#aim(fault) {
		const names = [...this.bed.daemons.keys()];
		const at = names.indexOf(fault.target);
		const target = fault.kind === "kill" && this.#busy.has(fault.target)
			? [...names.slice(at), ...names.slice(0, at)].find((name) => !this.#busy.has(name)) : fault.target;

		return { ...fault, target: target ?? fault.target };
	}

	#begin(drawn) {
		const fault = this.#aim(drawn);

		if (this.#busy.has(fault.target)) {
			if (fault.kind === "kill")
				this.#owed++;
			else
				this.skipped++;
			return;
		}
		this.#busy.add(fault.target);
		const over = this[fault.kind](fault).catch((err) => {
			this.#failure ??= err;
		}).finally(() => {
			this.#busy.delete(fault.target);
			this.#pending.delete(over);
			if (this.#owed > 0 && this.bed.daemons.has(fault.target)) {	/* not a link, nor PostgreSQL */
				this.#owed--;
				this.#begin({ kind: "kill", target: fault.target });
			}
		});

		this.#pending.add(over);
	}

	#note(fault, more) {
		const entry = { t: monotonicMs(), kind: fault.kind, target: fault.target, ...more };

		this.log.push(entry);
		return entry;
	}

	/* A worker has work when it says so; the others when a turn is under way anywhere. */
	async #hasWork(daemon) {
		if (!daemon.name.startsWith("ai"))
			return this.inFlight() > 0;
		return fetch(`${daemon.health}/healthz`, { signal: AbortSignal.timeout(300) }).then((answer) => answer.json())
			.then((health) => health.busy > 0, () => false);
	}

	/* Waits a moment for work to be in flight: a kill in a pause proves little. */
	async #awaitWork(daemon) {
		for (const end = monotonicMs() + AIM_MS; monotonicMs() < end; await sleep(20))
			if (await this.#hasWork(daemon))
				return true;
		return false;
	}

	#back(daemon, lives) {
		return until(`${daemon.name} is back`, () => daemon.starts > lives && daemon.running, { ms: BACK_MS })
			.then(() => daemon.waitReady(BACK_MS)).catch(() => {});	/* the end of the run waits for all */
	}

	async kill(fault) {
		const daemon = this.bed.daemons.get(fault.target), lives = daemon.starts;
		await until(`${daemon.name} lives`, () => daemon.running, { ms: BACK_MS });
		const hit = await this.#awaitWork(daemon);

		if (!daemon.kill("SIGKILL")) {	/* it has died of something else meanwhile */
			this.#owed++;
			await sleep(SLICE_MS);
			return;
		}
		this.#note(fault, { hit });
		await until(`${daemon.name} lives again`, () => daemon.starts > lives && daemon.running, { ms: BACK_MS });
	}

	async point(fault) {
		const daemon = this.bed.daemons.get(fault.target), from = daemon.lines.length;

		if (!await daemon.isReady().catch(() => false))
			return;	/* before it is up it does not know the signal */
		daemon.armNextLife(fault.spec);
		daemon.kill("SIGURG");
		const hit = await daemon.waitLine(/"event":"fault\.hit"/, { ms: POINT_MS, from }).then(() => true, () => false);

		if (hit)
			this.#note(fault, { hit, detail: fault.spec });
		else if (daemon.running)
			await daemon.arm("").catch(() => {});	/* it died of something else meanwhile */
	}

	async stop(fault) {
		const daemon = this.bed.daemons.get(fault.target);

		if (!daemon.kill("SIGSTOP"))
			return;
		const entry = this.#note(fault, { detail: `${fault.ms} ms` });

		await sleep(fault.ms);
		daemon.kill("SIGCONT");
		entry.until = monotonicMs();
	}

	async slow(fault) {
		const daemon = this.bed.daemons.get(fault.target), end = monotonicMs() + fault.ms;
		const entry = this.#note(fault, { detail: `${fault.ms} ms` });

		while (monotonicMs() < end && daemon.running) {
			daemon.kill("SIGSTOP");
			await sleep(2 * SLICE_MS);
			daemon.kill("SIGCONT");
			await sleep(SLICE_MS);
		}
		entry.until = monotonicMs();
	}

	async term(fault) {
		const daemon = this.bed.daemons.get(fault.target), lives = daemon.starts;

		if (!daemon.kill("SIGTERM"))
			return;
		const entry = this.#note(fault, {});

		await this.#back(daemon, lives);
		entry.until = monotonicMs();
	}

	async partition(fault) {
		const proxy = this.bed.proxies.get(fault.target);
		const entry = this.#note(fault, { detail: `${fault.direction} ${fault.ms} ms` });

		proxy.partition(fault.direction);
		await sleep(fault.ms);
		proxy.heal();
		entry.until = monotonicMs();
	}

	async frames(fault) {
		const proxy = this.bed.proxies.get(fault.target);
		const entry = this.#note(fault, { detail: JSON.stringify(fault.rules) });

		proxy.rules = fault.rules;
		await sleep(fault.ms);
		proxy.rules = { up: {}, down: {} };
		entry.until = monotonicMs();
	}

	async cut(fault) {
		this.#note(fault, {});
		this.bed.proxies.get(fault.target).cut();
	}

	async pg(fault) {
		const { cluster } = this.bed;
		const entry = this.#note(fault, { detail: fault.how });

		if (fault.how === "backend") {
			await until("a backend is killed, or there is none", () => killBackend(cluster), { ms: BACK_MS });
			await until("PostgreSQL answers again", () => cluster.sql("select 1"), { ms: BACK_MS });
		} else {
			cluster.proc.kill({ fast: "SIGINT", immediate: "SIGQUIT", kill: "SIGKILL" }[fault.how]);
			await until("PostgreSQL is gone", () => !cluster.proc.running, { ms: BACK_MS });
			await cluster.restart();
		}
		entry.until = monotonicMs();
	}

	async sim(fault) {
		const { sim } = this.bed;
		const entry = this.#note(fault, { detail: fault.how });

		sim.kill(fault.how === "kill" ? "SIGKILL" : "SIGSTOP");
		await sleep(fault.ms);
		if (fault.how === "kill") {
			await until("the simulator is gone", () => !sim.running);
			await this.bed.startSim();
		} else {
			sim.kill("SIGCONT");
		}
		entry.until = monotonicMs();
	}
}
