/*
 * The chaos bench: people talk while the stack is torn apart, then the checker
 * reads what is left.
 *
 *   node tests/chaos/run.js [--seconds 120] [--seed N] [--build chaos] [--users 12] [--every-ms 1200]
 *                           [--kills N --pg-restarts N] [--chats 1] [--stores 1] [--keep]
 *
 * Everything that is drawn comes from the seed. --kills: a campaign of so many
 * kill -9 and restarts of PostgreSQL, evenly spread, instead of the mixture.
 * A build without fault points (release) gets none. --check FILE reads the logs.jsonl of a run that was kept.
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { faultPoints } from "../lib/fault-points.js";
import { Bed, monotonicMs } from "./bed.js";
import { check, report, summary } from "./checker/index.js";
import { dump } from "./collect.js";
import { Faults } from "./faults.js";
import { readLogs, saveLogs } from "./saved_logs.js";
import { Random } from "./random.js";
import { KINDS, makeSchedule, spread } from "./schedule.js";
import { User } from "./users.js";

const WARM_MS = 4000;
const QUIESCE_MS = 60000;	/* for the last words, and again for the last looks; who is not done then is found by INV-09 */
const READY_MS = 60000;	/* the checker allows 15 s of it */
const PLACES = 2;
const ENV = { LEASE_MS: "3000", WORKER_SILENCE_MS: "2000", FLUSH_MS: "300", AI_FIRST_BYTE_MS: "8000", AI_STALL_MS: "6000",
	AI_BREAKER_FAILURES: "0" };

async function quiesce(bed, users, talks) {
	for (const daemon of bed.daemons.values())
		daemon.kill("SIGCONT");
	for (const proxy of bed.proxies.values()) {
		proxy.rules = { up: {}, down: {} };
		proxy.heal();
	}
	await bed.waitReady(READY_MS);
	const ready = monotonicMs();

	for (const user of users)
		user.running = false;
	await Promise.race([talks, sleep(QUIESCE_MS)]);
	await Promise.race([Promise.all(users.map((user) => user.look())), sleep(QUIESCE_MS)]);
	return ready;
}

function scheduleOf(random, bed, { seconds, everyMs, kills, pgRestarts }) {
	const what = { ...bed.targets, points: faultPoints() };
	const ms = seconds * 1000;

	if (kills === 0)
		return makeSchedule(random, what, { ms, everyMs, kinds: bed.build === "release" ? { ...KINDS, point: 0 } : KINDS });
	return [...spread(random, what, "kill", kills, ms), ...spread(random, what, "pg", pgRestarts, ms)].sort((a, b) => a.at - b.at);
}

/* Resolves to the run's logs, as checker/logs.js describes them, and its bed, still running. */
export async function runChaos({ seconds = 120, seed = 1, build = "debug", users: count = 12, everyMs = 1200, kills = 0,
	pgRestarts = 10, sizes = {}, say = () => {} }) {
	const random = new Random(seed);
	const bed = await Bed.start({ build, random: random.fork("bed"), env: ENV, ...sizes });
	const client = [], faults = [];
	const users = Array.from({ length: count }, (_, i) => new User({ n: i + 1, bed, random, log: client, guest: i % 3 === 2 }));

	try {
		for (const user of users)
			await user.signIn(monotonicMs);
		const talks = Promise.all(users.map((user) => user.talk(PLACES)));

		talks.catch(() => {});	/* awaited below */
		await sleep(WARM_MS);
		const tabs = users.flatMap((user) => user.tabs.map(({ tab }) => tab));
		const before = await bed.resources(tabs);
		const start = monotonicMs();
		const schedule = scheduleOf(random.fork("faults"), bed, { seconds, everyMs, kills, pgRestarts });
		const player = new Faults({ bed, log: faults, inFlight: () => users.reduce((n, user) => n + user.open, 0) });

		say(`seed ${seed}: ${schedule.length} faults in ${seconds} s; logs in ${bed.dir}`);
		await player.play(schedule, start);
		const faultsEnd = monotonicMs();
		const ready = await quiesce(bed, users, talks);
		const logs = { seed, clock: { start, faultsEnd, ready, end: monotonicMs() }, client, faults, processes: bed.processes,
			sim: bed.calls(), db: await dump(bed.database.url), outputs: await bed.outputs(), secrets: bed.secrets,
			resources: { before, after: await bed.resources(tabs), cores: bed.cores, reports: bed.reports,
				sanitized: build === "debug" || build === "tsan" } };

		return { logs, bed, skipped: player.skipped };
	} catch (err) {
		await bed.stop({ keep: true });
		throw err;
	}
}

/* A full disk takes nobody the report. */
function trySave(dir, logs) {
	try {
		saveLogs(join(dir, "logs.jsonl"), logs);
		return [];
	} catch (error) {
		return [`logs.jsonl is not whole: ${error.message}`];
	}
}

/* Runs, checks, stops. { logs, result, complaints, text }: text is empty when all is well. */
export async function chaos(options) {
	const { logs, bed, skipped } = await runChaos(options);
	const result = check(logs);
	const complaints = bed.complaints();
	const bad = result.invalid.length + result.violations.length > 0;

	const keep = bad || complaints.length > 0 || options.keep;

	complaints.push(...await bed.stop({ keep }), ...keep ? trySave(bed.dir, logs) : []);
	const text = [report(logs, result), ...complaints, ...(bad || complaints.length > 0 ? [`logs are kept in ${bed.dir}`] : [])]
		.filter(Boolean).join("\n");

	return { logs, result, complaints, text, summary: { ...summary(logs), skipped } };
}

const NUMBERS = { seconds: "120", seed: undefined, users: "12", "every-ms": "1200", kills: "0", "pg-restarts": "10", gateways: "2",
	chats: "1", stores: "1", workers: "3" };

function options() {
	const { values } = parseArgs({ options: { build: { type: "string", default: "debug" }, keep: { type: "boolean", default: false },
		...Object.fromEntries(Object.entries(NUMBERS).map(([name, def]) => [name, { type: "string", default: def }])) } });
	const n = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, Number(values[name] ?? Date.now() % 1000000)]));

	for (const [name, value] of Object.entries(n))
		if (!Number.isInteger(value) || value < 0)
			throw new Error(`--${name}: a whole number was expected`);
	return { seconds: n.seconds, seed: n.seed, users: n.users, everyMs: n["every-ms"], kills: n.kills, pgRestarts: n["pg-restarts"],
		sizes: { gateways: n.gateways, chats: n.chats, stores: n.stores, workers: n.workers }, build: values.build, keep: values.keep,
		say: console.log };
}

/* --check logs.jsonl: the checker once more over a run that is over. */
async function recheck(file) {
	const logs = await readLogs(file);

	return { text: report(logs, check(logs)), summary: summary(logs) };
}

if (process.argv[1] === import.meta.filename) {
	const { text, summary: figures } = process.argv[2] === "--check" ? await recheck(process.argv[3]) : await chaos(options());

	console.log(JSON.stringify(figures, null, "\t"));
	console.log(text || "0 violations");
	process.exit(text ? 1 : 0);
}
