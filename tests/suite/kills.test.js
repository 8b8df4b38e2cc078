/*
 * kill -9 of each daemon, again and again, under load: every one is back and
 * answering within 5 s, none needs a hand. KILLS sets how many of each
 * (make kills runs 200).
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { Ws } from "../lib/ws.js";

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

/* A user who never gives up: resends with the same id until the reply is there. */
class User {
	sent = [];
	running = true;

	constructor(rest, session) {
		Object.assign(this, { rest, session });
	}

	async connect() {
		this.ws = await until("the socket opens", () => Ws.open(`${stack.wsUrl}/ws/chat/${this.session}`, { token: this.rest.token }), { ms: 20000 });
	}

	async say(message, id) {
		const end = performance.now() + 40000;

		while (performance.now() < end) {
			if (!this.ws || this.ws.close_code !== undefined)
				await this.connect();
			try {
				const accepted = await this.ws.post(message, { client_message_id: id, ms: 10000 });
				const final = await this.ws.next((f) => f.turn_id === accepted.turn_id && (f.type === "ai_response" || (f.type === "error")), 30000);

				assert.ok(final.type === "ai_response" || final.code === "ai_unavailable", JSON.stringify(final));
				return final;
			} catch (err) {
				if (err instanceof assert.AssertionError)
					throw err;
				await new Promise((resolve) => setTimeout(resolve, 100));
			}
		}
		throw new Error(`${message} was not answered`);
	}

	async talk() {
		while (this.running) {
			const id = randomUUID();
			const message = `${this.session} ${this.sent.length} ${id}`;
			const final = await this.say(message, id);

			/* A turn that met more deaths than it may cost calls has failed, and says so: it has no reply. */
			this.sent.push({ id, message, reply: final.type === "error" ? null : final.message });
		}
	}
}

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
	const rest = await guestOf(stack);
	const users = Array.from({ length: USERS }, (_, i) => new User(rest, `load-${i}`));
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
		const restored = await user.ws.restore({}, 20000);
		const expected = user.sent.flatMap((s) => s.reply === null ? [s.message] : [s.message, s.reply]);
		const failed = user.sent.filter((s) => s.reply === null).length;


		assert.ok(failed <= 1 + user.sent.length / 100, `${failed} of ${user.sent.length} turns failed`);
		assert.deepEqual(restored.history.map((m) => m.content), expected, user.session);
		restored.history.forEach((m, i) => assert.equal(m.seq, i + 1));
		await user.ws.close();
	}
	const open = await stack.db("SELECT count(*)::int AS n FROM turns WHERE state = 'running'");
	assert.equal(Number(open[0].n), 0);
});
