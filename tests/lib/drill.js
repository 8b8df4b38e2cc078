/*
 * The drills of docs/operations.md: their commands, taken from the text so that a test
 * types these and nothing else, and the people who talk all the time meanwhile.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./daemon.js";
import { guestOf, userOf } from "./rest.js";
import { Talker } from "./talker.js";
import { within } from "./until.js";

const AWAY_MS = 240000;	/* what those who talk put up with while the database is lost */
export const TURN_WAIT_MS = String(AWAY_MS);	/* a machine with too much to do may take minutes to start a worker again */
const TOKENS = 12;	/* of a reply */

/* The block of shell below a heading: [{ title, lines }], a comment that stands alone begins each part. */
export function drillOf(heading) {
	const text = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
	const chapter = text.split(/^(?=##+ )/m).find((part) => part.startsWith(`${heading}\n`));
	const block = /^```sh\n(.*?)^```$/ms.exec(chapter ?? "")?.[1];

	assert.ok(block, `docs/operations.md has no commands below ${heading}`);
	const parts = [];

	for (const line of block.split("\n").filter(Boolean)) {
		if (line.startsWith("# "))
			parts.push({ title: line.slice(2), lines: [] });
		else
			parts.at(-1).lines.push(line);
	}
	return parts;
}

/* One shell for all lines, as an operator has it: what is exported stays. */
export class Shell {
	#out = "";
	#heard = () => {};

	constructor({ cwd, env }) {
		this.child = spawn("bash", ["--noprofile", "--norc"], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
		for (const stream of [this.child.stdout, this.child.stderr])
			stream.setEncoding("utf8").on("data", (text) => {
				this.#out += text;
				this.#heard();
			});
		this.child.once("exit", () => this.#heard());
	}

	/* Types the line and resolves to what it said; rejects unless it ends with 0. */
	async type(line, ms = 120000) {
		const end = /\n@@done (\d+)\n/;
		const done = new Promise((resolve, reject) => {
			this.#heard = () => {
				if (end.test(this.#out))
					resolve();
				else if (this.child.exitCode !== null)
					reject(new Error(`the shell has ended: ${this.#out}`));
			};
		});

		this.#out = "";
		this.child.stdin.write(`{ ${line}\n} </dev/null; printf '\\n@@done %s\\n' "$?"\n`);
		await within(ms, line, done).catch((err) => {
			throw new Error(`${err.message}\n${this.#out.slice(-4000)}`);
		});
		const said = this.#out.replace(end, "");

		assert.equal(end.exec(this.#out)[1], "0", `${line}\n${said.slice(-4000)}`);
		return said;
	}

	close() {
		this.child.stdin.end();
	}
}

/* Two who talk from begin() to end(), over a backup, a loss and a restore. */
export class People {
	#talkers = [];
	#talks = [];
	#atBackup;
	#atLoss;

	async begin(stack) {
		const people = { guest: await guestOf(stack), user: await userOf(stack) };

		this.#talkers = Object.entries(people).map(([name, rest]) =>
			new Talker(stack, rest, name, { suffix: ` [[sim:tokens=${TOKENS}]]`, patience: AWAY_MS }));
		this.#talks = this.#talkers.map((talker) => talker.talk());
		this.#talks.forEach((talk) => talk.catch(() => {}));	/* seen at the end */
	}

	get talk() {
		return this.#talkers.some(({ running }) => running);
	}

	get refreshes() {
		return this.#talkers.map(({ refreshes }) => refreshes);
	}

	/* Each is answered once more from now on. */
	async goOn() {
		await Promise.all(this.#talkers.map((talker, i) => Promise.race([talker.goesOn(AWAY_MS), this.#talks[i]])));
	}

	#answered() {
		return Object.fromEntries(this.#talkers.map((talker) => [talker.session, talker.sent.length]));
	}

	backupBegins() {
		this.#atBackup = this.#answered();
	}

	databaseIsLost() {
		this.#atLoss = this.#answered();
	}

	async end() {
		await this.goOn();
		for (const talker of this.#talkers)
			talker.running = false;
		await Promise.all(this.#talks);
		for (const talker of this.#talkers)
			await this.#check(talker);
	}

	/* Of a test that has failed: nobody waits for anything any more. */
	giveUp() {
		for (const talker of this.#talkers)
			Object.assign(talker, { running: false, patience: 0 });
	}

	/*
	 * What was sent and answered is there, once and in order. Missing is only what was said
	 * between the backup and the loss; a reply that was being written then may be cut.
	 */
	async #check({ session, sent, ws }) {
		const { history } = await ws.restore({}, 30000);
		const there = history.map(({ content }) => content);
		let kept = 0;

		assert.ok(sent.length > this.#atLoss[session], `${session}: answered since the loss`);
		assert.deepEqual(sent.filter(({ reply }) => reply === null).map(({ ended }) => ended), [], `${session}: each reply was completed`);
		history.forEach(({ seq }, i) => assert.equal(seq, i + 1));
		while (kept < sent.length && there[0] === sent[kept].message && there[1] === sent[kept].reply) {
			kept++;
			there.splice(0, 2);
		}
		assert.ok(kept >= this.#atBackup[session], `${session}: ${kept} of ${this.#atBackup[session]} that were in the backup are there`);
		const cut = sent[kept];

		if (there.length > 0 && there[0] === cut?.message) {
			there.shift();
			if (there.length > 0 && cut.reply.startsWith(there[0]))
				there.shift();
		}
		const since = sent.slice(sent.length - Math.ceil(there.length / 2));

		assert.deepEqual(there, since.flatMap(({ message, reply }) => [message, reply]), `${session}: what was said since`);
		assert.ok(kept === sent.length || sent.length - since.length <= this.#atLoss[session], `${session}: nothing since the loss is missing`);
		await ws.close();
	}
}

/* hooks: { "beginning of a line": fn }; the longest that fits, or one that does nothing. */
export function hookOf(hooks, line) {
	const fits = Object.keys(hooks).filter((name) => line.startsWith(name)).sort((a, b) => b.length - a.length);

	return hooks[fits[0]] ?? (() => {});
}
