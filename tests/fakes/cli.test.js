/*
 * The program itself: its ready line, its options, its end.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseOptions, UsageError } from "./sim/options.js";
import { chat, eventually, post } from "./testing.js";

const PROGRAM = fileURLToPath(new URL("model-sim.js", import.meta.url));

/* Starts the program; { child, out, err } collect its output, and it ends with the test. */
function run(t, args, env = {}) {
	const { SIM_LISTEN: _, ...inherited } = process.env;
	const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...inherited, ...env }, cwd: tmpdir() });
	const proc = { child, out: "", err: "", exit: once(child, "exit") };

	child.stdout.on("data", (part) => { proc.out += part; });
	child.stderr.on("data", (part) => { proc.err += part; });
	t.after(() => child.kill("SIGKILL"));
	return proc;
}

async function ready(proc) {
	await eventually(() => proc.out.includes("\n"), `ready line, got: ${proc.err}`);
	const [, url] = /^model simulator ready on (http:\/\/127\.0\.0\.1:\d+) persona=\w+\n$/.exec(proc.out);

	return { url };
}

test("it says when it is ready, takes a free port, and leaves 0 on SIGTERM with calls open", async (t) => {
	const proc = run(t, ["--listen", "127.0.0.1:0", "--persona", "bench", "--first-delay-ms", "60000"]);
	const sim = await ready(proc);
	const open = post(sim, chat("never answered"));

	await eventually(async () => (await (await fetch(`${sim.url}/__sim`)).json()).open === 1, "the call arrived");
	proc.child.kill("SIGTERM");
	assert.deepEqual(await proc.exit, [0, null]);
	assert.notEqual((await open).error, null);
	assert.match(proc.out, /persona=bench\n$/);
});

test("SIM_LISTEN stands in for --listen, and the default persona plans", async (t) => {
	const proc = run(t, ["--token-delay-ms", "0"], { SIM_LISTEN: "127.0.0.1:0" });
	const sim = await ready(proc);
	const answer = await post(sim, chat("Skill: Python\nHours: 10\nMake a course plan"));

	assert.match(JSON.parse(answer.body).choices[0].message.content, /Course plan: Python/);
	assert.match(proc.out, /persona=demo\n$/);
});

test("the log gets a line for each finished call, without texts or keys", async (t) => {
	const dir = await mkdtemp(join(tmpdir(), "sim-"));
	const log = join(dir, "calls.jsonl");
	const sim = await ready(run(t, ["--listen", "127.0.0.1:0", "--persona", "echo", "--log", log]));

	t.after(() => rm(dir, { recursive: true }));
	await post(sim, chat("a secret text"), { headers: { Authorization: "Bearer sk-secret" } });
	const text = await eventually(async () => readFile(log, "utf8"), "a line in the log");
	const line = JSON.parse(text);

	assert.deepEqual([line.n, line.outcome, line.status, line.sent_tokens], [1, "completed", 200, 4]);
	assert.match(line.context_sha256, /^[0-9a-f]{64}$/);
	assert.ok(!text.includes("secret"));
});

test("the trace tells of each call at once, also of one that never ends", async (t) => {
	const dir = await mkdtemp(join(tmpdir(), "sim-"));
	const trace = join(dir, "trace.jsonl");
	const proc = run(t, ["--listen", "127.0.0.1:0", "--persona", "echo", "--trace", trace, "--first-call", "500", "--markers"]);
	const sim = await ready(proc);
	const lines = async () => (await readFile(trace, "utf8").catch(() => "")).split("\n").filter(Boolean).map((line) => JSON.parse(line));

	t.after(() => rm(dir, { recursive: true }));
	await post(sim, chat("one two"), { headers: { Authorization: "Bearer sk-secret" } });
	const open = post(sim, chat("never [[sim:hang]]"));

	await eventually(async () => (await lines()).length === 3, "three lines");
	proc.child.kill("SIGKILL");
	await open;
	const [asked, ended, second] = await lines();

	assert.deepEqual([asked.ev, asked.n, asked.messages.at(-1).content], ["asked", 500, "one two"]);
	assert.deepEqual([ended.ev, ended.n, ended.outcome, ended.text], ["ended", 500, "completed", "one two"]);
	assert.ok(ended.at >= asked.at && ended.usage.completion_tokens > 0);
	assert.deepEqual([second.ev, second.n], ["asked", 501]);
	assert.ok(!JSON.stringify([asked, ended, second]).includes("sk-secret"));
});

test("wrong options are named", () => {
	for (const [args, message] of [[["--listen", "nowhere"], /--listen: expected HOST:PORT/], [["--listen", "127.0.0.1:70000"], /--listen/],
		[["--token-delay-ms", "-1"], /token-delay-ms/], [["--first-delay-ms", "soon"], /--first-delay-ms: expected a whole number/],
		[["--tokens", "5"], /--tokens: only the bench persona/], [["--what"], /--what/], [["stray"], /stray/]])
		assert.throws(() => parseOptions(args, {}), (err) => err instanceof UsageError && message.test(err.message), args.join(" "));
});

test("a wrong option ends it with code 2 and the usage", async (t) => {
	const proc = run(t, ["--persona", "poet"]);

	assert.deepEqual(await proc.exit, [2, null]);
	assert.match(proc.err, /--persona: expected demo, echo or bench, got 'poet'\nusage:/);
});

test("a taken port ends it with code 1", async (t) => {
	const { url } = await ready(run(t, ["--listen", "127.0.0.1:0"]));
	const second = run(t, ["--listen", url.replace("http://", "")]);

	assert.deepEqual(await second.exit, [1, null]);
	assert.match(second.err, /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
});
