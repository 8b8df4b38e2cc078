/*
 * kill -9 of each daemon, again and again, under load: every one is back and
 * answering within 5 s, none needs a hand. KILLS sets how many of each
 * (make kills runs 200).
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { Talker } from "../lib/talker.js";
import { until } from "../lib/until.js";

const KILLS = Number(process.env.KILLS ?? 8);
const USERS = 6;
const BACK_MS = 5000;

let stack;

before(async () => {
	stack = await startStack({ persona: "echo", tokenDelayMs: 1, workers: 2, build: process.env.KILLS_BUILD ?? "debug",
		env: { WORKER_SILENCE_MS: "1500" } });
	stack.expectExit(/SIGKILL|code=75/);
});
after(() => stack?.stop());

/* Back means ready; answering means that a dialogue has gone on: only then the next one is killed. */
async function killAgainAndAgain(name, users, slowest) {
	const daemons = name === "ai" ? stack.daemons.ai : [stack.daemons[name]];
	const answered = () => users.reduce((n, user) => n + user.sent.length, 0);

	for (let i = 0; i < KILLS; i++) {
		const start = performance.now();

		await daemons[i % daemons.length].crash("SIGKILL", BACK_MS * 2);
		const before = answered();

		await until("a dialogue goes on", () => answered() > before, { ms: BACK_MS * 2 });
		slowest[name] = Math.max(slowest[name] ?? 0, performance.now() - start);
	}
}

test(`${KILLS} kill -9 of each daemon under load need no hand and lose nothing`, async (t) => {
	const rest = await new Rest(stack.url).register();	/* a guest's share is used up before the last kill */
	const users = Array.from({ length: USERS }, (_, i) => new Talker(stack, rest, `load-${i}`));
	const talks = users.map((user) => user.talk());
	const slowest = {};

	for (const name of ["gateway", "chat", "ai", "store"])
		await killAgainAndAgain(name, users, slowest);
	for (const user of users)
		user.running = false;
	await Promise.all(talks);
	t.diagnostic(`slowest return (ms): ${JSON.stringify(slowest)}; turns: ${users.reduce((n, u) => n + u.sent.length, 0)}`);
	for (const [name, ms] of Object.entries(slowest))
		assert.ok(ms < BACK_MS, `${name} took ${ms} ms`);
	for (const user of users) {
		const failed = user.sent.filter((s) => s.reply === null).length;


		assert.ok(failed <= 1 + user.sent.length / 100, `${failed} of ${user.sent.length} turns failed`);
		await user.check();
	}
	const open = await stack.db("SELECT count(*)::int AS n FROM turns WHERE state = 'running'");
	assert.equal(Number(open[0].n), 0);
});
