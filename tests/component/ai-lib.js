/*
 * One real worker between a scripted chat and the model simulator.
 *
 *   const bench = await startAi({ AI_STALL_MS: "300" });
 *   const { done, text } = await bench.run({ content: "Hello" });
 *   await bench.stop();
 *
 * stop() is a test of its own: the worker ends with 0 on SIGTERM, without a
 * sanitizer report, and has logged no error that was not announced.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseOptions } from "../fakes/sim/options.js";
import { createSimulator } from "../fakes/sim/server.js";
import { buildDir, cleanEnv, Daemon, sanitizerReports } from "../lib/daemon.js";
import { claimPorts } from "../lib/ports.js";
import { until } from "../lib/until.js";

const CANARY = "sk-canary-5f0c7d1e9a";
const READY_MS = 20000;

/* The bytes of a blob field of a message as the scripted chat prints it. */
function blobOf({ body, blob }, name) {
	const [from, length] = body[name] ?? [0, 0];

	return Buffer.from(blob).subarray(from, from + length).toString();
}

const keyOf = ({ body }) => `${body.turn_id}:${body.attempt}`;

/* alp-fake-chat as a child; it may be killed and started again at the same addresses. */
export class FakeChat {
	said = [];	/* every message of the worker, oldest first */

	constructor(env) {
		this.env = env;
		this.path = join(buildDir("debug"), "tests/component/alp-fake-chat");
		if (!existsSync(this.path))
			throw new Error(`${this.path} is not built`);
	}

	async start() {
		this.child = spawn("setpriv", ["--pdeathsig", "KILL", "--", this.path],
			{ env: this.env, stdio: ["pipe", "pipe", "inherit"] });
		this.child.stdin.on("error", () => {});	/* it was killed: whoever waits for its words will say so */
		createInterface({ input: this.child.stdout }).on("line", (line) => this.said.push(JSON.parse(line)));
		await once(this.child, "spawn");
		await this.wait("the scripted chat listens", (m) => m.event === "ready");
	}

	async kill() {
		const ended = once(this.child, "exit");

		this.child.kill("SIGKILL");
		await ended;
		this.said = this.said.filter((m) => m.event !== "ready");
	}

	send(command) {
		this.child.stdin.write(`${JSON.stringify(command)}\n`);
	}

	/* The first message that fits, now or until the deadline. */
	wait(what, fits, options) {
		return until(what, () => this.said.find(fits), options);
	}

	of(event, key) {
		return this.said.filter((m) => m.event === event && (key === undefined || keyOf(m) === key));
	}
}

class Bench {
	constructor(fields) {
		Object.assign(this, fields);
		this.expected = [];
	}

	/* Hands out work; its name is what chat and worker call it by. */
	work({ content = "Hello", messages = [{ role: "user", content }], stream = true, format, turn_id = randomUUID(),
		attempt = 1, ...more } = {}) {
		const prompt = messages.map((m) => JSON.stringify(m)).join(",");
		const extra = format ? JSON.stringify(format) : "";
		const from = Buffer.byteLength(prompt);

		this.chat.send({ do: "work", blob: prompt + extra, body: { found: true, turn_id, attempt, kind: "message",
			messages: [0, from], stream, ...more, ...format && { response_format: [from, Buffer.byteLength(extra)] } } });
		return { turn_id, attempt, key: `${turn_id}:${attempt}` };
	}

	/* The end of an attempt: { done, text, ends }. */
	async end({ key }, options) {
		const message = await this.chat.wait(`the end of ${key}`, (m) => m.event === "work_done" && keyOf(m) === key,
			options);

		return { done: { usage: {}, ...message.body }, text: blobOf(message, "text"), ends: message.body.ends ?? "" };
	}

	/*
	 * The pieces of an attempt, as its text and their ends tell. What was published is the beginning of them: the
	 * first at once, and the last ones come with the end only.
	 */
	async pieces({ key }, ends, text) {
		const bytes = Buffer.from(text), positions = ends === "" ? [] : ends.split(",").map(Number);
		const pieces = positions.map((to, offset) =>
			({ offset, piece: bytes.subarray(positions[offset - 1] ?? 0, to).toString() }));
		const published = await until(`a piece of ${key}`, () => {
			const list = this.chat.of("ai_delta", key);

			return list.length >= Math.min(pieces.length, 1) && list;
		});

		assert.equal(positions.at(-1) ?? 0, bytes.length);
		for (const { body } of published)
			assert.equal(body.piece, pieces[body.offset ?? 0].piece);
		return pieces;
	}

	async run(work, options) {
		return this.end(this.work(work), options);
	}

	control(action, { turn_id, attempt }) {
		this.chat.send({ do: "control", body: { action, turn_id, attempt } });
	}

	async calls() {
		return this.sim.calls.list().calls;
	}

	async health() {
		return (await fetch(`${this.ai.health}/healthz`)).json();
	}

	async stop() {
		const exit = await this.ai.stop();
		const errors = this.ai.errors().filter((line) => !this.expected.some((pattern) => pattern.test(line)));
		const heard = [this.ai.log, JSON.stringify(this.chat.said)];

		this.chat.child.stdin.end();
		await this.sim.close();
		await this.claim.release();
		assert.equal(exit.code, 0, `the worker ended with ${exit.code} ${exit.signal}:\n${this.ai.tail()}`);
		assert.deepEqual(errors, []);
		assert.deepEqual(sanitizerReports(this.dir), []);
		for (const text of heard)
			assert.ok(!text.includes(CANARY), "the key was shown");
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/* settings: over the worker's; sim: arguments of the simulator. */
export async function startAi(settings = {}, { sim: args = ["--persona", "echo"] } = {}) {
	const claim = await claimPorts(4);
	const dir = mkdtempSync(join(tmpdir(), "alp-ai-"));
	const [work, delta, control, health] = claim.ports.map((port) => `127.0.0.1:${port}`);
	const bus = { BUS_WORK: work, BUS_DELTA: delta, BUS_CONTROL: control, BUS_KEY: randomBytes(32).toString("hex") };
	const sim = createSimulator(parseOptions([...args, "--listen", "127.0.0.1:0"], {}));
	const port = await sim.listen("127.0.0.1", 0);
	const chat = new FakeChat(cleanEnv({ ...bus, ASAN_OPTIONS: "detect_leaks=0" }));
	const ai = new Daemon({ program: "ai", dir, health, keepAlive: false, settings: {
		...bus, AI_HEALTH: health, DEFAULT_OPENAI_API_KEY: CANARY, DEFAULT_OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
		/* Most tests here are about one failure after the other. */
		AI_BREAKER_FAILURES: "0", AI_RETRY_PERCENT: "100",
		LOG_LEVEL: "debug", DRAIN_MS: "4000", ...settings,
	} });

	await chat.start();
	await ai.start();
	await ai.waitReady(READY_MS);
	/* A publication before the links are up is lost; the worker tells when they are. */
	for (const socket of ["delta", "control"])
		await ai.waitEvent("bus.link", (entry) => entry.socket === socket && entry.state === "up");
	return new Bench({ chat, ai, sim, claim, dir, canary: CANARY });
}
