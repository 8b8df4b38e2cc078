/* docs/inventory.md names a test for everything that was broken in the original pages; each of them is there. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../lib/daemon.js";

const ROW = /^\| (?<what>[^|]+) \| `(?<file>[^`]+)` \| (?<name>[^|]+) \|$/;
const ROWS_MIN = 45;

const read = (path) => readFileSync(join(ROOT, path), "utf8");

/* A name may go on after what the table says: some tests are made for several languages or sizes. */
function isThere(source, name) {
	const literal = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

	return new RegExp(`\\b(test|it)\\(\\s*["'\`]${literal}["'\`:]`).test(source);
}

test("every line of the inventory has a test that exists", () => {
	const lines = read("docs/inventory.md").split("\n").filter((line) => line.startsWith("| ") && !/^\| (what it was|---|\*\*)/.test(line));
	const missing = lines.filter((line) => {
		const row = ROW.exec(line)?.groups;

		return !row || !isThere(read(row.file), row.name);
	});

	assert.ok(lines.length >= ROWS_MIN, `${lines.length} lines`);
	assert.deepEqual(missing, []);
});

test("a name that is only a part of another is not enough", () => {
	assert.equal(isThere("test(\"a name and more\", () => {})", "a name"), false);
	assert.equal(isThere("test(`a name: ${x}`, () => {})", "a name"), true);
	assert.equal(isThere("\tit('a (name)', f)", "a (name)"), true);
});
