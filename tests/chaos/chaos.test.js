/*
 * Chaos with a fixed seed: what is done, to whom and when is
 * always the same; what it meets is not, and must not matter. make chaos runs
 * it longer and with other seeds.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { chaos } from "./run.js";
import { Random } from "./random.js";
import { makeSchedule, spread } from "./schedule.js";

const SECONDS = 80;
const SEED = 20261126;
const WHAT = { daemons: ["gateway-1", "chat-1", "ai-1", "store-1"], links: [{ name: "gateway-1>chat", transport: "ws" },
	{ name: "ai-1>delta", transport: "tcp" }], points: [{ name: "chat_post", daemon: "chat" }, { name: "gateway_frame", daemon: "gateway" },
	{ name: "ai_first_byte", daemon: "ai" }, { name: "store_begin", daemon: "store" }] };

const scheduleOf = (seed) => makeSchedule(new Random(seed), WHAT, { ms: 600000, everyMs: 1000 });

test("a seed tells everything that is done", () => {
	assert.deepEqual(scheduleOf(1), scheduleOf(1));
	assert.notDeepEqual(scheduleOf(1), scheduleOf(2));
});

test("every kind of fault is done, in order, and nothing that is asked for is dropped from the requests", () => {
	const schedule = scheduleOf(1);

	assert.deepEqual([...new Set(schedule.map((f) => f.kind))].sort(),
		["cut", "frames", "kill", "partition", "pg", "point", "sim", "slow", "stop", "term"]);
	assert.deepEqual(schedule.map((f) => f.at), schedule.map((f) => f.at).toSorted((a, b) => a - b));
	assert.ok(schedule.filter((f) => f.kind === "frames" && f.target.endsWith("chat")).every((f) => f.rules.up.drop === 0));
	assert.equal(spread(new Random(1), WHAT, "kill", 1000, 600000).length, 1000);
});

test(`${SECONDS} s of chaos break no promise`, { timeout: 500000 }, async (t) => {
	const { text, summary } = await chaos({ seconds: SECONDS, seed: SEED, users: 4, everyMs: 1600, sizes: { workers: 2 },
		say: (line) => t.diagnostic(line) });

	t.diagnostic(JSON.stringify(summary));
	assert.equal(text, "");
	assert.ok(summary.messages > 20, "people have talked");
});
