/* alp-NAME --check-ready: what a container's health check runs. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { cleanEnv } from "../lib/daemon.js";
import { startStack } from "../lib/stack.js";

let stack;

before(async () => {
	stack = await startStack({ workers: 1 });
});
after(() => stack?.stop());

/* { code, out } of a daemon's own program with its own settings. */
function check(daemon, more = {}) {
	return new Promise((resolve) => {
		execFile(daemon.command[0], ["--check-ready"], { env: cleanEnv({ ...stack.env, ...more }), cwd: stack.dir, timeout: 20000 },
			(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, out: stdout + stderr }));
	});
}

test("every daemon that is ready says so with 0", async () => {
	for (const daemon of stack.all)
		assert.deepEqual(await check(daemon), { code: 0, out: "" }, daemon.name);
});

test("one that listens everywhere is asked on this machine", async () => {
	const everywhere = stack.env.STORE_HEALTH.replace("127.0.0.1", "0.0.0.0");

	assert.deepEqual(await check(stack.daemons.store, { STORE_HEALTH: everywhere }), { code: 0, out: "" });
});

test("nobody there, somebody silent, somebody else, no such name: 1 and the reason", async () => {
	const silent = createServer((socket) => socket.unref()).listen(0, "127.0.0.1");
	const other = createServer((socket) => socket.end("220 mail\r\n")).listen(0, "127.0.0.1");

	await Promise.all([once(silent, "listening"), once(other, "listening")]);
	const cases = [
		["127.0.0.1:1", /Connection refused/], ["no-such-host.invalid:80", /Cannot assign/],
		[`127.0.0.1:${silent.address().port}`, /temporarily unavailable/], [`127.0.0.1:${other.address().port}`, /no answer of HTTP|reset/],
	];

	for (const [address, why] of cases) {
		const { code, out } = await check(stack.daemons.store, { STORE_HEALTH: address });

		assert.equal(code, 1, out);
		assert.match(out, why);
	}
	silent.close();
	other.close();
});

test("one that lacks what it needs is named with its answer", async () => {
	await stack.daemons.store.stop();
	const { code, out } = await check(stack.daemons.chat);

	assert.equal(code, 1);
	assert.match(out, /"store":/);
	await stack.daemons.store.start();
	await stack.waitReady();
});
