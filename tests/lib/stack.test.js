/* The harness finds what it exists to find, and leaves nothing behind. */

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startStack } from "./stack.js";
import { until } from "./until.js";

let build;

/* A build folder whose four programs are the stand-in. */
before(() => {
	build = mkdtempSync(join(tmpdir(), "alp-standin-"));
	for (const name of ["gateway", "chat", "ai", "store"]) {
		const program = join(build, "services", name, `alp-${name}`);

		mkdirSync(join(build, "services", name), { recursive: true });
		writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${join(import.meta.dirname, "standin.js")} ${name}\n`);
		chmodSync(program, 0o755);
	}
	process.env.ALP_BUILD = build;
});

after(() => {
	delete process.env.ALP_BUILD;
	rmSync(build, { recursive: true, force: true });
});

const standin = (options = {}) => startStack({ sim: false, ...options });
const faulty = (fault, where = "chat") => standin({ env: { STANDIN_FAULT: fault, STANDIN_WHERE: where, DRAIN_MS: "500" } });

function forget(stack) {
	rmSync(stack.dir, { recursive: true, force: true });
}

const isAlive = (pid) => {
	try {
		return process.kill(pid, 0);
	} catch (err) {
		return err.code !== "ESRCH";
	}
};

test("a whole stack starts, is ready, and leaves neither process nor folder nor database", async () => {
	const stack = await standin({ workers: 2 });
	const pids = stack.all.map((daemon) => daemon.pid);

	assert.equal(pids.length, 5);
	assert.ok(pids.every(isAlive));
	assert.deepEqual(await stack.db("select 1 as one, null as nothing"), [{ one: 1, nothing: null }]);
	await stack.db("create table t(a int); insert into t values (7);");
	assert.deepEqual(await stack.db("select a from t"), [{ a: 7 }]);
	await stack.stop();
	assert.ok(!pids.some(isAlive));
	assert.ok(!existsSync(stack.dir));
	await assert.rejects(stack.db("select 1"), /does not exist/);
});

test("a killed daemon is back on the same address, and its death was asked for", async () => {
	const stack = await standin();
	const { chat } = stack.daemons;
	const before = chat.pid;

	assert.ok(await chat.crash() < 10000);
	assert.notEqual(chat.pid, before);
	assert.equal(chat.exits[0].signal, "SIGKILL");
	assert.equal((await chat.waitEvent("daemon.ready", (entry) => entry.pid === chat.pid)).service, "chat");
	await stack.stop();
});

test("two stacks side by side do not meet", async () => {
	const stacks = await Promise.all([standin(), standin()]);

	assert.equal(new Set(stacks.flatMap((stack) => Object.values(stack.ports))).size, 24);
	assert.notEqual(stacks[0].database.name, stacks[1].database.name);
	await Promise.all(stacks.map((stack) => stack.stop()));
});

test("a worker can be added while the stack runs", async () => {
	const stack = await standin({ workers: 0 });

	await stack.addWorker();
	assert.equal(stack.daemons.ai[0].running, true);
	await stack.stop();
});

test("an unannounced error line fails stop, an announced one does not", async () => {
	const stack = await faulty("error");

	await assert.rejects(stack.stop(), /unannounced error line: chat: .*planted\.error/);
	forget(stack);
	const told = await faulty("error");

	told.expectError(/planted\.error/);
	await told.stop();
});

test("an end that nobody asked for fails stop, though the daemon came back", async () => {
	const stack = await faulty("exit", "store");

	await until("the store ended by itself", () => stack.daemons.store.exits.length > 0);
	await assert.rejects(stack.stop(), /ended by itself: store code=75/);
	forget(stack);
});

test("a sanitizer report fails stop", async () => {
	const stack = await faulty("report", "gateway");

	await assert.rejects(stack.stop(), /sanitizer report gateway\.report\.\d+:\nERROR: planted leak/);
	forget(stack);
});

test("a daemon that ends with another status than 0 fails stop", async () => {
	const stack = await faulty("status", "ai");

	await assert.rejects(stack.stop(), /ai-1 ended with 3 on SIGTERM/);
	forget(stack);
});

test("a daemon that does not drain is killed and named", async () => {
	const stack = await faulty("hang", "gateway");

	await assert.rejects(stack.stop(), /gateway ends after SIGTERM: not within 3500 ms/);
	assert.equal(stack.daemons.gateway.running, false);
	forget(stack);
});

test("a daemon that refuses to start is not waited for, and its log is shown", async () => {
	const start = performance.now();

	await assert.rejects(faulty("refuse", "store"), (err) => {
		rmSync(/logs are kept in (\S+)\)/.exec(err.message)[1], { recursive: true });
		return /store does not stay up; the last lines of store:/.test(err.message);
	});
	assert.ok(performance.now() - start < 20000);
});
