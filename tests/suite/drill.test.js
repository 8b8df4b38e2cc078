/*
 * The drill of docs/operations.md: its commands, in its order, in a checkout of its own,
 * while people talk all the time. Only the ports differ, and that nothing is built.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, binary, cleanEnv, sanitizerEnv, sanitizerReports } from "../lib/daemon.js";
import { People, Shell, TURN_WAIT_MS, drillOf, hookOf } from "../lib/drill.js";
import { claimPorts } from "../lib/ports.js";
import { until } from "../lib/until.js";

const LIMIT_MS = 240000;	/* of one part */
const FROM_ROOT = ["Makefile", "deploy", "services/common/settings.def", "tests/fakes", "tests/package.json"];
const FILES = ["docs/openapi.yaml", "docs/asyncapi.yaml", "frontend/package-lock.json", "frontend/dist/index.html"];
const NOT_BUILT = ["build.sh", "deps.sh", "npm.sh"];
const VARS = ["var/drill", "var/drill-2"];
const SERVICES = ["pg", "model-sim", "store", "chat", "ai-1", "gateway"];

const drill = drillOf("## A drill");
const ports = new Map();	/* of the text: ours */
const people = new People();
let dir, reports, claim, shell, stack;
let failed = false;

function makeCheckout() {
	dir = mkdtempSync(join(tmpdir(), "alp-drill-"));
	reports = mkdtempSync(join(tmpdir(), "alp-drill-reports-"));
	chmodSync(dir, 0o755);	/* root's database server runs as another user */
	for (const path of FROM_ROOT)
		cpSync(join(ROOT, path), join(dir, path), { recursive: true });
	for (const path of FILES) {
		mkdirSync(dirname(join(dir, path)), { recursive: true });
		writeFileSync(join(dir, path), "\n");
	}
	for (const name of NOT_BUILT)
		writeFileSync(join(dir, "deploy/dev", name), "#!/bin/sh\n", { mode: 0o755 });
	for (const name of ["store", "chat", "ai", "gateway"]) {
		mkdirSync(join(dir, "build/release/services", name), { recursive: true });
		symlinkSync(binary(name), join(dir, `build/release/services/${name}/alp-${name}`));
	}
}

before(async () => {
	makeCheckout();
	const used = new Set(drill.flatMap(({ lines }) => lines.join("\n").match(/(?<=127\.0\.0\.1:)\d+/g) ?? []));

	claim = await claimPorts(used.size + 2);	/* further workers take the ports behind AI_HEALTH */
	const worker = /AI_HEALTH=127\.0\.0\.1:(\d+)/.exec(drill[0].lines.join("\n"))[1];

	for (const [i, port] of [...used].filter((one) => one !== worker).concat(worker).entries())
		ports.set(port, claim.ports[i]);
	shell = new Shell({ cwd: dir, env: cleanEnv({ ...sanitizerEnv(reports, "drill"), TURN_WAIT_MS }) });
	const [, listen] = /GATEWAY_LISTEN=(\S+)/.exec(ours(drill[0].lines.join("\n")));

	stack = { url: `http://${listen}`, wsUrl: `ws://${listen}` };
});

after(async () => {
	people.giveUp();
	shell?.close();
	for (const name of VARS)
		await new Promise((resolve) => execFile(join(dir, "deploy/dev/stack.sh"), ["stop"],
			{ env: cleanEnv({ ALP_VAR: name }), timeout: 60000 }, resolve));
	for (const path of [dir, reports])
		rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
	await claim?.release();
});

const ours = (line) => line.replaceAll(/(?<=127\.0\.0\.1:)\d+/g, (port) => ports.get(port));
const workersAre = (n) => until(`${n} workers`, async () => (await (await fetch(`${stack.url}/api/health`)).json()).workers === n);
const setting = (name) => new RegExp(`^${name}=(.*)$`, "m").exec(readFileSync(join(dir, ".env"), "utf8"))?.[1];

/* What must be so around a line of the drill, besides its status. */
const BEFORE = {
	"make backup": () => people.backupBegins(),
	"make stop-all": async (isLast) => {
		if (!isLast)
			return;
		assert.ok(people.refreshes.every((n) => n > 0), "the old token was refused, a new one was given");
		await people.end();
	},
};
const AFTER = {
	"make status": (said) => {
		for (const name of SERVICES)
			assert.match(said, new RegExp(`^${name} +\\d+ +\\S+ +ready`, "m"));
		assert.doesNotMatch(said, /not ready|down|no answer/);
	},
	"AI_WORKERS=3 make up": () => workersAre(3),
	"AI_WORKERS=1 make up": () => workersAre(1),
	"make rotate KEY=SECRET_KEY": () => assert.match(setting("SECRET_KEY_OLD"), /^[0-9a-f]{64}$/),
	"make rotate KEY=DATA_KEY": () => assert.match(setting("DATA_KEY_OLD"), /^[0-9a-f]{64}$/),
	"make stop-all": () => people.databaseIsLost(),
	"make rotate-end KEY=SECRET_KEY": () => {
		assert.equal(setting("SECRET_KEY_OLD"), "");
		assert.deepEqual(people.refreshes, [0, 0], "nobody has needed a new token until now");
	},
};
const typed = drill.flatMap(({ lines }) => lines);

for (const { title, lines } of drill)
	test(title, { timeout: LIMIT_MS }, async (t) => {
		if (failed)
			return t.skip("a part before this one failed");
		failed = true;
		for (const line of lines) {
			await hookOf(BEFORE, line)(typed.lastIndexOf(line) === typed.length - 1 && line === lines.at(-1));
			const start = performance.now();
			const said = await shell.type(ours(line));

			t.diagnostic(`${((performance.now() - start) / 1000).toFixed(1)} s  ${line}`);
			await hookOf(AFTER, line)(said);
		}
		if (title === drill[0].title)
			await people.begin(stack);
		if (people.talk)
			await people.goOn();
		failed = false;
	});

test("no daemon has left a report", () => {
	assert.deepEqual(sanitizerReports(reports), []);
});
