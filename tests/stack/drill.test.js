/*
 * The drill with Compose of docs/operations.md: its commands, in its order, while people
 * talk all the time. Run by make stack-test.
 */

import assert from "node:assert/strict";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { People, Shell, TURN_WAIT_MS, drillOf, hookOf } from "../lib/drill.js";
import { until } from "../lib/until.js";
import { Compose } from "./compose.js";

const MINUTE = 60000;
const drill = drillOf("### The same with Compose");
const people = new People();

let compose, shell;
let failed = false;

before(async () => {
	compose = await Compose.make();
	symlinkSync(join(ROOT, "deploy"), join(compose.dir, "deploy"));	/* the text stands at the top of a checkout */
	shell = new Shell({ cwd: compose.dir, env: compose.shellEnv({ TURN_WAIT_MS }) });
});
after(async () => {
	people.giveUp();
	shell?.close();
	await compose?.remove();
});

const setting = (name) => new RegExp(`^${name}=(.*)$`, "m").exec(readFileSync(compose.envFile, "utf8"))?.[1];
const scaled = (n) => async () => assert.deepEqual(await compose.health("ai"), Array(n).fill("healthy"));
const kept = (name) => () => assert.match(setting(`${name}_OLD`), /^[0-9a-f]{64}$/);

const BEFORE = {
	"docker compose exec -T db pg_dump": () => people.backupBegins(),
};
const AFTER = {
	"docker compose up -d --wait": async () => {
		await until("all are ready", async () => (await fetch(`${compose.url}/api/health`)).status === 200, { ms: MINUTE });
	},
	"docker compose up -d --wait --no-recreate --scale ai=3": scaled(3),
	"docker compose up -d --wait --no-recreate --scale ai=1": scaled(1),
	"deploy/ops/rotate.sh SECRET_KEY": kept("SECRET_KEY"),
	"deploy/ops/rotate.sh DATA_KEY": kept("DATA_KEY"),
	"docker compose stop": () => people.databaseIsLost(),
	"deploy/ops/rotate.sh --end SECRET_KEY": () => assert.deepEqual(people.refreshes, [0, 0], "nobody has needed a new token until now"),
};

for (const { title, lines } of drill)
	test(title, { timeout: 30 * MINUTE }, async (t) => {
		if (failed)
			return t.skip("a part before this one failed");
		failed = true;
		try {
			for (const line of lines) {
				await hookOf(BEFORE, line)();
				await shell.type(line, 25 * MINUTE);
				await hookOf(AFTER, line)();
			}
			if (title === drill[0].title)
				await people.begin(compose);
			await people.goOn();
		} catch (err) {
			console.error(await compose.logs());
			throw err;
		}
		failed = false;
	});

test("nothing was lost but what was said between the backup and the loss", { timeout: 10 * MINUTE }, async (t) => {
	if (failed)
		return t.skip("a part before this one failed");
	assert.ok(people.refreshes.every((n) => n > 0), "the old token was refused, a new one was given");
	await people.end();
});
