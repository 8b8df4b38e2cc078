/* docs/reliability.md names a test for every fault: the tests are there. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../lib/daemon.js";

const LINES = readFileSync(join(ROOT, "docs/reliability.md"), "utf8").split("\n");
const ROWS = Object.fromEntries(LINES.filter((line) => /^\| F[PBDC]-\d\d \|/.test(line)).map((line) => [line.slice(2, 7), line.split(" | ").at(-1)]));
const NAMED = /`([\w./-]+\.(?:js|c))`: "([^"]+)"/g;

const ids = (letter, n) => Array.from({ length: n }, (_, i) => `F${letter}-${String(i + 1).padStart(2, "0")}`);

test("every row of processes, bus, database and clients is there, once", () => {
	const all = [...ids("P", 14), ...ids("B", 10), ...ids("D", 12), ...ids("C", 12)];

	assert.deepEqual(Object.keys(ROWS).sort(), all.sort());
	assert.equal(LINES.filter((line) => /^\| F[PBDC]-\d\d \|/.test(line)).length, all.length);
});

for (const [id, shown] of Object.entries(ROWS)) {
	test(`${id} names tests that exist, or says why not`, () => {
		const named = [...shown.matchAll(NAMED)];

		assert.ok(named.length > 0 || /^No test/.test(shown), shown);
		for (const [, file, title] of named) {
			assert.ok(existsSync(join(ROOT, file)), `${file} does not exist`);
			assert.ok(readFileSync(join(ROOT, file), "utf8").includes(title), `${file} has no test called "${title}"`);
		}
	});
}
