/* Keys and servers of users' own, one worker seen from outside: a failing server is left alone, a key has so many slots, and no name leads inside. */

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { buildDir } from "../lib/daemon.js";
import { until } from "../lib/until.js";
import { startAi } from "./ai-lib.js";

const FAILURES = 3;
const FOR_EVER = "3600000";
const BROKEN = { status: 500, times: "always" };
const PAUSED = "paused", CROWDED = "crowded", GOOD = "", REFUSED = "address_refused";

/* A user with a key of his own, as the store would have it: sealed for him. */
async function userOf(bench, key = `sk-own-${randomUUID()}`) {
	const user_id = randomUUID();
	const { done } = await bench.run({ kind: "seal", api_key: key, user_id, seal_for: user_id });

	assert.match(done.api_key, /^alp1\./);
	return { user_id, api_key: done.api_key };
}

const classOf = ({ done }) => done.error_class ?? GOOD;
const metric = async (bench, name) => (await bench.ai.metrics())[name] ?? 0;

describe("a server that fails again and again", () => {
	let bench;

	before(async () => {
		bench = await startAi({ AI_BREAKER_FAILURES: String(FAILURES), AI_BREAKER_MS: FOR_EVER, DATA_KEY: randomBytes(32).toString("hex") });
	});
	after(() => bench?.stop());
	beforeEach(() => bench.sim.script.clear());

	const asked = async () => (await bench.calls()).length;

	/* So many failures in a row, all of the same user (none: the server's key). */
	async function fail(times, who = {}) {
		bench.sim.script.add(BROKEN);
		for (let i = 0; i < times; i++)
			assert.equal(classOf(await bench.run(who)), "server_error");
		bench.sim.script.clear();
	}

	it("is left alone after the last of them, is not asked, and the wait is told", async () => {
		const who = await userOf(bench);
		const opened = await metric(bench, "alp_ai_breakers_opened_total");

		await fail(FAILURES, who);
		const before = await asked();
		const { done, text } = await bench.run(who);

		assert.equal(done.error_class, PAUSED);
		assert.deepEqual([done.result, done.error_code, done.retryable, text], ["failed", "ai_unavailable", true, ""]);
		assert.ok(done.retry_after_ms > 0 && done.retry_after_ms <= Number(FOR_EVER) + 1, String(done.retry_after_ms));
		assert.equal(await asked(), before, "it was not asked");
		assert.equal(await metric(bench, "alp_ai_breakers_opened_total"), opened + 1);
	});

	it("is asked on behalf of everybody else: another key, and the server's own", async () => {
		const [one, other] = [await userOf(bench), await userOf(bench)];

		await fail(FAILURES, one);
		assert.equal(classOf(await bench.run(one)), PAUSED);
		assert.equal(classOf(await bench.run(other)), GOOD);
		assert.equal(classOf(await bench.run()), GOOD);
	});

	it("knows a key by what it is, whoever has it", async () => {
		const key = `sk-shared-${randomUUID()}`;
		const [one, other] = [await userOf(bench, key), await userOf(bench, key)];

		assert.notEqual(one.api_key, other.api_key);
		await fail(FAILURES, one);
		assert.equal(classOf(await bench.run(other)), PAUSED);
	});

	it("counts failures in a row: an answer between them, a refusal as well, begins anew", async () => {
		for (const answer of [{}, { status: 401 }]) {
			const who = await userOf(bench);

			await fail(FAILURES - 1, who);
			bench.sim.script.add(answer);
			await bench.run(who);
			await fail(FAILURES - 1, who);
			assert.equal(classOf(await bench.run(who)), GOOD);
		}
	});

	it("is tried by whoever tests it, and is asked again once a test has gone well", async () => {
		const who = await userOf(bench);

		await fail(FAILURES, who);
		bench.sim.script.add({ status: 500 });
		assert.equal(classOf(await bench.run({ ...who, kind: "test" })), "server_error", "a test is let through");
		assert.equal(classOf(await bench.run(who)), PAUSED);
		assert.equal(classOf(await bench.run({ ...who, kind: "test" })), GOOD);
		assert.equal(classOf(await bench.run(who)), GOOD);
	});
});

describe("a server that was left alone", () => {
	let bench;

	before(async () => {
		bench = await startAi({ AI_BREAKER_FAILURES: "1", AI_BREAKER_MS: "1" });
	});
	after(() => bench?.stop());

	/* The wait is over almost at once: the first attempt that is not told to wait. */
	const probe = () => until("it is asked", async () => {
		const end = await bench.run();

		return classOf(end) !== PAUSED && end;
	});

	it("is asked by one attempt when the wait is over; the others wait for what comes of it", async () => {
		bench.sim.script.add([{ status: 500 }, { hang: true }]);
		assert.equal(classOf(await bench.run()), "server_error");
		const probing = await until("an attempt tries it", async () => {
			const work = bench.work();

			await until("it runs or has ended", () => bench.sim.calls.open === 1 || bench.chat.of("work_done", work.key).length > 0);
			return bench.sim.calls.open === 1 && work;
		});

		assert.equal(classOf(await bench.run()), PAUSED);
		bench.control("cancel", probing);
		await bench.end(probing);
		assert.equal(classOf(await probe()), GOOD, "a probe that was cancelled says nothing: the next one tries");
	});

	it("stays alone when that one fails, and is back when it goes well", async () => {
		const opened = await metric(bench, "alp_ai_breakers_opened_total");

		bench.sim.script.add([{ status: 500 }, { status: 500 }]);
		assert.equal(classOf(await bench.run()), "server_error");
		assert.equal(await metric(bench, "alp_ai_breakers_open"), 1);
		assert.equal(classOf(await probe()), "server_error");
		assert.equal(await metric(bench, "alp_ai_breakers_open"), 1);
		assert.equal(classOf(await probe()), GOOD);
		assert.equal(await metric(bench, "alp_ai_breakers_open"), 0);
		assert.equal(await metric(bench, "alp_ai_breakers_opened_total"), opened + 1, "it was one trouble");
	});
});

describe("a key of a user's own", () => {
	const SLOTS = 2;
	let bench;

	before(async () => {
		bench = await startAi({ AI_SLOTS_PER_KEY: String(SLOTS), DATA_KEY: randomBytes(32).toString("hex") });
	});
	after(() => bench?.stop());

	it("has so many slots at once; the next one is told to come again, others are not touched", async () => {
		const [who, other] = [await userOf(bench), await userOf(bench)];

		bench.sim.script.add({ match: "long", hang: true, times: SLOTS + 1 });
		const held = Array.from({ length: SLOTS }, () => bench.work({ ...who, content: "long" }));
		await until("its slots are taken", () => bench.sim.calls.open === SLOTS);
		const before = (await bench.calls()).length;
		const { done } = await bench.run({ ...who, content: "one more" });

		assert.equal(done.error_class, CROWDED);
		assert.deepEqual([done.result, done.error_code, done.retryable], ["failed", "rate_limited", true]);
		assert.ok(done.retry_after_ms > 0);
		assert.equal((await bench.calls()).length, before, "the server was not asked");
		assert.equal(classOf(await bench.run({ ...other, content: "mine" })), GOOD);
		assert.equal(classOf(await bench.run({ content: "the server's" })), GOOD);

		bench.control("cancel", held[0]);
		await bench.end(held[0]);
		assert.equal(classOf(await bench.run({ ...who, content: "one more" })), GOOD, "a slot that is free is given again");
		bench.control("cancel", held[1]);
		await bench.end(held[1]);
	});

	it("the server's own key has no such limit", async () => {
		bench.sim.script.clear();
		bench.sim.script.add({ match: "wait", hang: true, times: SLOTS + 2 });
		const held = Array.from({ length: SLOTS + 2 }, () => bench.work({ content: "wait" }));

		await until("they run side by side", () => bench.sim.calls.open === SLOTS + 2);
		for (const work of held) {
			bench.control("cancel", work);
			await bench.end(work);
		}
	});
});

/* SEC-09: the decision is on the address that is connected to, for every connection. */
describe("an address of a user's own whose name leads inside", () => {
	const INSIDE = { "loopback.example.org": "127.0.0.1", "six.example.org": "::1", "mapped.example.org": "::ffff:127.0.0.1",
		"private.example.org": "10.1.2.3", "home.example.org": "192.168.0.1", "cloud.example.org": "169.254.169.254",
		"carrier.example.org": "100.64.0.1", "local.example.org": "fe80::1", "unique.example.org": "fd00::1", "any.example.org": "0.0.0.0",
		"nat64.example.org": "64:ff9b::7f00:1" };
	let bench, spy, who;
	let heard = 0;

	before(async () => {
		spy = createServer((socket) => {
			heard++;
			socket.on("error", () => {}).destroy();
		}).listen(0, "127.0.0.1");
		await once(spy, "listening");
		bench = await startAi({ DATA_KEY: randomBytes(32).toString("hex"),
			AI_ALLOWED_HOSTS: `trusted.example.org:${spy.address().port}`,
			ALP_TEST_NAMES: Object.entries({ ...INSIDE, "trusted.example.org": "127.0.0.1" }).map((entry) => entry.join("=")).join(","),
			LD_PRELOAD: join(buildDir("debug"), "tests/component/alp-names.so"),
			/* The library comes before the sanitizer's. */
			ASAN_OPTIONS: "verify_asan_link_order=0:exitcode=86:halt_on_error=1" });
		who = await userOf(bench);
	});
	after(async () => {
		spy?.close();
		await bench?.stop();
	});

	const ask = (name, more) => bench.run({ ...who, base_url: `https://${name}:${spy.address().port}/v1`, ...more });

	for (const [name, address] of Object.entries(INSIDE))
		it(`is not connected to: ${address}`, async () => {
			for (const kind of ["message", "test"]) {
				const { done, text } = await ask(name, { kind });

				assert.equal(done.error_class, REFUSED);
				assert.deepEqual([done.result, done.error_code, done.retryable, text], ["failed", "ai_refused", undefined, ""]);
				assert.match(done.error_message, /address .* not allowed/);
				assert.doesNotMatch(JSON.stringify(done), new RegExp(address.replaceAll(".", "\\.")), "what is inside is not told");
			}
			assert.equal(heard, 0);
		});

	it("is connected to when the operator vouches for it", async () => {
		const { done } = await ask("trusted.example.org");

		assert.ok(heard > 0, "the names above did lead there");
		assert.notEqual(done.error_class, REFUSED);
	});
});
