/*
 * make bench: what the product costs. Prints Markdown tables; absolute figures
 * belong to the machine and the hour, so compare rows of one run.
 *
 *   TURNS=2000 node tests/bench/run.js
 */

import { cpus } from "node:os";
import { manyRows } from "../lib/many_rows.js";
import { Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { direct, reads, through } from "./load.js";
import { cpuOf, memoryOf, total } from "./processes.js";

const TURNS = Number(process.env.TURNS ?? 2000);
const WIDTHS = [1, 32, 256];
const TOKENS = 20;
const STARTS = 5;
const READS = 2000;
const READ_WIDTHS = [1, 32];
const LISTED = { tracks: 20, messages: 200 };

const fixed = (value, digits = 1) => value.toFixed(digits);
const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);

function header(...cells) {
	console.log("");
	row(...cells);
	row(...cells.map(() => "---"));
}

/* The time a daemon takes from its start to /readyz, by restarting it in a running stack. */
async function readyTimes(stack) {
	header("daemon", `start to ready, median of ${STARTS} (ms)`);
	for (const daemon of [stack.daemons.store, stack.daemons.chat, stack.daemons.ai[0], stack.daemons.gateway]) {
		const times = [];

		for (let i = 0; i < STARTS; i++)
			times.push(await daemon.crash("SIGKILL"));
		row(daemon.name, fixed(times.sort((a, b) => a - b)[STARTS >> 1], 0));
	}
}

function memory(title, idle, loaded) {
	header("process", "idle (MiB resident)", title);
	for (const name of Object.keys(idle))
		row(name, fixed(idle[name]), fixed(loaded[name]));
	row("**all**", `**${fixed(total(idle))}**`, `**${fixed(total(loaded))}**`);
}

async function turns(stack, token) {
	const costs = {};

	header("connections", "turns/s", "p50 (ms)", "p99 (ms)", "straight p50 (ms)", "**added p50 (ms)**", "CPU s per 1000 turns");
	for (const width of WIDTHS) {
		const n = Math.max(width * 4, width === 1 ? TURNS / 4 : TURNS);
		const straight = await direct(stack.env.DEFAULT_OPENAI_BASE_URL, width, n);
		let before;
		const product = await through(stack, token, width, n, () => {
			before = cpuOf(stack.all);
		});
		const after = cpuOf(stack.all);

		costs[width] = Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) * 1000 / n]));
		row(width, fixed(product.perSecond, 0), fixed(product.p50, 2), fixed(product.p99, 2), fixed(straight.p50, 2),
			fixed(product.p50 - straight.p50, 2), fixed(total(costs[width]), 2));
	}
	header("CPU s per 1000 turns", ...WIDTHS.map((width) => `${width} connections`));
	for (const name of Object.keys(costs[WIDTHS[0]]))
		row(name, ...WIDTHS.map((width) => fixed(costs[width][name], 2)));
}

/* What only reads, by a user with some work behind him. */
async function readings(stack) {
	const user = await new Rest(stack.url).register();
	const made = manyRows(user.user.id, LISTED);

	await stack.db(made.sql);
	header("reading", ...READ_WIDTHS.flatMap((width) => [`${width} at once: per second`, "p50 (ms)", "p99 (ms)"]));
	for (const [name, path] of [["health", "/api/health"], [`list of ${LISTED.tracks} tracks`, "/api/tracks"],
		[`history of ${LISTED.messages} messages`, `/api/chat/chats/${made.chat}/history`]]) {
		const cells = [];

		for (const width of READ_WIDTHS) {
			const { perSecond, p50, p99 } = await reads(stack.url + path, user.token, width, READS);

			cells.push(fixed(perSecond, 0), fixed(p50, 2), fixed(p99, 2));
		}
		row(name, ...cells);
	}
}

const stack = await startStack({ build: process.env.BUILD ?? "release", persona: "bench", tokenDelayMs: 0,
	simOptions: ["--tokens", String(TOKENS)], env: { AI_SLOTS: "256", LOG_LEVEL: "info", PG_CONNECTIONS: "16", SOCKETS_PER_USER: "1000" } });

try {
	const guest = await new Rest(stack.url).guest();

	console.log(`${cpus().length} cores, ${cpus()[0].model.trim()}; answers of ${TOKENS} tokens; PostgreSQL, simulator and load on the same cores`);
	const idle = memoryOf(stack.all);

	await readings(stack);
	await turns(stack, guest.token);
	memory("after the load (MiB resident)", idle, memoryOf(stack.all));
	await readyTimes(stack);
	stack.expectExit(/SIGKILL/);
} finally {
	await stack.stop();
}
