/* The worker between a chat that stops, comes back or never confirms, and an operator who ends it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { binary, cleanEnv } from "../lib/daemon.js";
import { until } from "../lib/until.js";
import { startAi } from "./ai-lib.js";

const SLOW = { text: "one two three four five six seven eight nine ten ", token_delay: 100 };

describe("a cancel", () => {
	let bench;

	before(async () => {
		bench = await startAi();
	});
	after(() => bench.stop());

	async function cancelled(rule, started) {
		bench.sim.script.add(rule);
		const work = bench.work({});

		await until("it runs", () => bench.sim.calls.open === 1 && started(work));
		const start = performance.now();

		bench.control("cancel", work);
		bench.control("cancel", work);
		const end = await bench.end(work);

		await until("the upstream connection is closed", () => bench.sim.calls.open === 0, { ms: 2000 });
		assert.ok(performance.now() - start < 2000);
		assert.equal(end.done.result, "cancelled");
		assert.equal(end.done.finish_reason, "stopped");
		assert.equal(end.done.retryable, undefined);
		assert.equal((await bench.calls()).at(-1).outcome, "client_gone");
		return { ...end, work };
	}

	it("ends an attempt that waits", async () => {
		const { done, text } = await cancelled({ hang: true }, () => true);

		assert.equal(text, "");
		assert.equal(done.usage.completion_tokens, undefined);
	});

	it("keeps and counts what was streamed", async () => {
		const { done, text, ends, work } = await cancelled(SLOW, (w) => bench.chat.of("ai_delta", w.key).length >= 2);
		const deltas = await bench.pieces(work, ends, text);

		assert.ok(SLOW.text.startsWith(text) && text.length > 0);
		assert.equal(deltas.map((d) => d.piece).join(""), text);
		assert.equal(done.usage.estimated, true);
		assert.ok(done.usage.completion_tokens > 0 && done.usage.prompt_tokens > 0 && done.usage.cost_nano > 0);
	});

	it("is told once, however often it was asked for", async () => {
		await bench.run({});
		const ends = bench.chat.of("work_done");

		assert.equal(new Set(ends.map((m) => m.body.turn_id)).size, ends.length);
	});
});

describe("a chat that goes away", () => {
	let bench;

	before(async () => {
		bench = await startAi({ AI_SLOTS: "2" });
	});
	after(() => bench.stop());

	it("hears of an end once more when it is back, until it confirms", async () => {
		bench.chat.send({ do: "confirm", rc: "silent" });
		const work = bench.work({ content: "remember me" });
		const first = await bench.end(work);

		await bench.chat.kill();
		bench.chat.said = [];
		await bench.chat.start();
		const again = await bench.end(work, { ms: 15000 });

		assert.deepEqual(again.done, first.done);
		assert.equal(again.text, "remember me");
		await until("it is forgotten", async () => (await bench.health()).unconfirmed === 0);
	});

	it("does not stop a running attempt, and misses no text", async () => {
		bench.sim.script.add(SLOW);
		const work = bench.work({});

		await until("pieces", () => bench.chat.of("ai_delta", work.key).length >= 2);
		await bench.chat.kill();
		bench.chat.said = [];
		await bench.chat.start();
		bench.chat.send({ do: "confirm", rc: "conflict" });
		const { done, text } = await bench.end(work, { ms: 15000 });

		assert.equal(done.result, "completed");
		assert.equal(text, SLOW.text);
		assert.ok(!(await bench.calls()).some((call) => call.outcome === "client_gone"));
		await until("it is forgotten", async () => (await bench.health()).unconfirmed === 0);
	});

	it("gets work done again within a second of its return", async () => {
		await bench.chat.kill();
		await until("the worker is not ready", async () => (await fetch(`${bench.ai.health}/readyz`)).status === 503);
		assert.match((await bench.health()).dependencies.chat, /BUS_WORK/);
		await bench.chat.start();
		const start = performance.now();

		assert.equal((await bench.run({ content: "back" })).text, "back");
		assert.ok(performance.now() - start < 3000);
	});

	it("is asked for no more work while it confirms nothing", async () => {
		bench.chat.send({ do: "confirm", rc: "busy" });
		for (let i = 0; i < 12; i++)
			bench.work({ content: `n${i}` });
		await until("eight ends are unconfirmed", async () => (await bench.health()).unconfirmed >= 8);
		await sleep(300);
		const health = await bench.health();

		assert.ok(health.unconfirmed <= 9, `${health.unconfirmed}`);
		assert.equal(health.pulls, 0);
		bench.chat.send({ do: "confirm", rc: "ok" });
		await until("all are confirmed and the rest is done", async () =>
			new Set(bench.chat.of("work_done").map((m) => m.body.turn_id)).size >= 12
				&& (await bench.health()).unconfirmed === 0, { ms: 15000 });
	});

	it("sees as many pulls as there are free slots", async () => {
		bench.sim.script.add({ hang: true });
		assert.equal((await bench.health()).pulls, 2);
		const work = bench.work({});

		await until("one slot is taken", async () => (await bench.health()).busy === 1);
		assert.equal((await bench.health()).pulls, 1);
		bench.control("cancel", work);
		await bench.end(work);
		await until("both are free", async () => (await bench.health()).pulls === 2);
	});
});

describe("the end of a worker", () => {
	it("comes at once when it has nothing to do", async () => {
		const bench = await startAi({ DRAIN_MS: "10000" });
		const start = performance.now();

		await bench.stop();
		assert.ok(performance.now() - start < 4000);
		assert.ok(bench.chat.of("work_beat").some((m) => m.body.leaving));
	});

	it("comes when its attempts have ended", async () => {
		const bench = await startAi({ DRAIN_MS: "8000" });

		bench.sim.script.add(SLOW);
		const work = bench.work({});

		await until("pieces", () => bench.chat.of("ai_delta", work.key).length >= 1);
		const stopped = bench.stop();
		const { done, text } = await bench.end(work);

		assert.equal(done.result, "completed");
		assert.equal(text, SLOW.text);
		await stopped;
	});

	it("gives back what is not finished in time", async () => {
		const bench = await startAi({ DRAIN_MS: "2000" });

		bench.sim.script.add([{ match: "first", stall: 4, text: SLOW.text }, { match: "second", hang: true }]);
		const first = bench.work({ content: "first" });
		const second = bench.work({ content: "second" });

		await until("pieces", () => bench.chat.of("ai_delta", first.key).length >= 1);
		await until("both run", () => bench.sim.calls.open === 2);
		const stopped = bench.stop();

		for (const [work, result] of [[first, "interrupted"], [second, "failed"]]) {
			const { done, text } = await bench.end(work);

			assert.equal(done.result, result);
			assert.equal(done.retryable, true);
			assert.ok(SLOW.text.startsWith(text));
		}
		await stopped;
	});

	it("does not wait for a chat that is away", async () => {
		const bench = await startAi({ DRAIN_MS: "8000" });

		await bench.chat.kill();
		const start = performance.now();

		await bench.stop();
		assert.ok(performance.now() - start < 5000, `${performance.now() - start}`);
	});
});

describe("a wrong configuration", () => {
	const KEY = "0123456789abcdef".repeat(2);
	const WRONG = {
		DEFAULT_OPENAI_BASE_URL: ["ftp://example.com/v1", "example.com", "http://user:pw@example.com/v1",
			"http://example.com/v1?key=1", "http://exa mple.com/"],
		DEFAULT_OPENAI_API_KEY: ["sk-canary\r\nX-Evil: 1", "sk canary"],
		MODEL_PRICES: ["gpt-4o=1/2"],
		AI_SLOTS: ["0", "10001"],
		AI_REPLY_MAX: ["0", "999999999"],
		BUS_WORK: ["127.0.0.1:1,127.0.0.1:2", "127.0.0.1:1,", "127.0.0.1"],
	};

	for (const [name, values] of Object.entries(WRONG)) {
		for (const value of values) {
			it(`${name}=${JSON.stringify(value)} stops the start, naming it`, () => {
				const { status, stdout, stderr } = spawnSync(binary("ai"), [], { encoding: "utf8", timeout: 20000,
					env: cleanEnv({ BUS_KEY: KEY, AI_HEALTH: "127.0.0.1:0", [name]: value }) });

				assert.equal(status, 1, stdout + stderr);
				assert.ok((stdout + stderr).includes(name));
				assert.ok(!(stdout + stderr).includes("canary"));
			});
		}
	}
});
