/*
 * The model of the turn, checked by Spin in every order of its faults; and
 * each of its deliberate mistakes has to be found.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const MODEL = fileURLToPath(new URL("turn.pml", import.meta.url));
const MEMORY_MIB = 1024;
const mistakes = [...new Set(readFileSync(MODEL, "utf8").match(/MISTAKE_(?!\*)\w+/g))];

async function run(cwd, program, ...args) {
	const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
	let said = "";

	child.stdout.on("data", (data) => { said += data; });
	child.stderr.on("data", (data) => { said += data; });
	const [code] = await once(child, "close");
	return { code, said };
}

describe("the model of the turn", () => {
	let dir;

	before(() => { dir = mkdtempSync(join(tmpdir(), "alp-model-")); });
	after(() => rmSync(dir, { recursive: true }));

	/* What the checker says: how many errors, and of which kind. */
	async function check(crashes, lapses, ...defines) {
		const made = await run(dir, "spin", "-a", `-DCRASHES=${crashes}`, `-DLAPSES=${lapses}`, ...defines, MODEL);

		assert.equal(made.code, 0, made.said);
		const built = await run(dir, "gcc", "-O2", "-w", "-DSAFETY", "-DVECTORSZ=1024", `-DMEMLIM=${MEMORY_MIB}`, "-o", "pan",
			"pan.c");

		assert.equal(built.code, 0, built.said);
		const { said } = await run(dir, "./pan", "-m100000");
		const errors = Number(/errors: (\d+)/.exec(said)?.[1] ?? NaN);

		assert.ok(!/out of memory|Search not completed/.test(said) || errors > 0, said);
		return { errors, said };
	}

	for (const [crashes, lapses] of [[1, 1], [2, 0], [0, 2]]) {
		it(`loses, doubles and splices nothing, and always comes to its end: crashes ${crashes}, lapses ${lapses}`, async () => {
			const { errors, said } = await check(crashes, lapses);

			assert.equal(errors, 0, said);
		});
	}

	it("has deliberate mistakes to be found", () => assert.ok(mistakes.length >= 6, mistakes.join()));

	for (const mistake of mistakes) {
		it(`is wrong with ${mistake}`, async () => {
			const { errors, said } = await check(1, 1, `-D${mistake}`);

			assert.ok(errors > 0, said);
		});
	}
});
