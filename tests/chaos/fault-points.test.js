/*
 * The daemon dies once at each named point on a turn's path, with the turn in
 * flight; the client sends again until it is answered. Afterwards there is one
 * user row, one reply of one attempt, and a terminal state.
 */

import assert from "node:assert/strict";
import { execSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, binary, buildDir } from "../lib/daemon.js";
import { faultPoints } from "../lib/fault-points.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const WORDS = 24;
const ANSWERED_MS = 60000;
const AFTER_MS = 3000;
const TRIES = 5;
const POINTS = faultPoints();
const RETRYING = /_attempt/;	/* passed when an attempt has failed */
const FLUSHING = /_flush|store_progress/;	/* passed while words come */
const RENEWING = /_renew/;	/* passed before the first one */
const CLAIMING = /_claim/;	/* passed when a turn is taken over */
/* The first piece and the first write come at once; further ones are the middle of a reply. */
const LATER = { gateway_event: 4, gateway_before_delta: 5, gateway_after_delta: 5, chat_before_delta: 5, chat_after_delta: 5,
	ai_before_delta: 5, ai_after_delta: 5 };

/* Sends and sends again, over new sockets where one is gone, until the end of the turn is there. */
async function persist(stack, rest, session, message, id) {
	const end = performance.now() + ANSWERED_MS;

	for (let ws = null; ; ) {
		try {
			ws ??= await chatOf(stack, rest, session);
			const accepted = await ws.post(message, { client_message_id: id, ms: 12000 });

			return await ws.next((f) => f.turn_id === accepted.turn_id && (f.type === "ai_response" || f.type === "error"), ANSWERED_MS);
		} catch (err) {
			if (performance.now() > end)
				throw err;
			if (ws?.close_code !== undefined)
				ws = null;
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}
}

/* How the model takes its time: a lease is renewed while it is silent, partial text is kept while words come slowly. */
function paceOf(point) {
	const claim = CLAIMING.test(point.name);

	return { first_delay: claim || RENEWING.test(point.name) ? 900 : 50, token_delay: claim || FLUSHING.test(point.name) ? 40 : 10 };
}

/* One turn with the point armed; null: it went by without the point, as a renewal may with a slow store. */
async function tryAt(stack, rest, point, daemon) {
	const id = randomUUID();
	const lives = daemon.starts;
	const rule = { match: id, marked: WORDS, times: "always", ...paceOf(point) };

	await stack.sim.forget("script");
	await stack.sim.script(RETRYING.test(point.name) ? [{ match: id, status: { code: 500 } }, rule] : rule);
	await daemon.arm(`${point.name}=kill@${LATER[point.name] ?? 1}`);
	const answer = persist(stack, rest, `at-${point.name}`, `${point.name} ${id}`, id);

	if (CLAIMING.test(point.name)) {
		await until("the turn runs", async () => (await turnOf(stack, id))?.state === "running");
		if (daemon === stack.daemons.chat)
			daemon.armNextLife(`${point.name}=kill`);
		stack.daemons.chat.kill("SIGKILL");
	}
	const final = await answer;

	/* What is behind the last word to the client is passed a moment later. */
	return await until(`${daemon.name} dies`, () => daemon.log.includes(`"point":"${point.name}"`) && daemon.starts > lives,
		{ ms: AFTER_MS }).then(() => ({ id, final }), () => null);
}

async function dieAt(stack, rest, point) {
	const daemon = point.daemon === "ai" ? stack.daemons.ai[0] : stack.daemons[point.daemon];

	for (let i = 0; i < TRIES; i++) {
		const done = await tryAt(stack, rest, point, daemon);

		if (done !== null)
			return done;
	}
	throw new Error(`${TRIES} turns did not pass ${point.name}`);
}

const turnOf = async (stack, id) => (await stack.db(`select id, state, attempt, ai_message_id from turns where client_message_id = '${id}'`))[0];

async function assertWhole(stack, { id, final }) {
	const users = await stack.db(`select count(*)::int as n from chat_messages where client_message_id = '${id}' and sender_type = 'user'`);
	const turn = await turnOf(stack, id);
	const replies = await stack.db(`select m.id, m.message_content as text from chat_messages m, turns t where t.client_message_id = '${id}'
		and m.turn_id = t.id and m.sender_type <> 'user'`);
	const word = /^c(\d+)w0 /.exec(final.message)?.[1];

	assert.equal(final.type, "ai_response", JSON.stringify(final));
	assert.equal(users[0].n, 1, "user rows");
	assert.equal(turn.state, "completed");
	assert.deepEqual(replies, [{ id: turn.ai_message_id, text: final.message }]);
	assert.equal(final.message.trim(), Array.from({ length: WORDS }, (_, i) => `c${word}w${i}`).join(" "), "one whole attempt");
}

test("at least 25 points are named, each once", () => {
	assert.ok(POINTS.length >= 25);
	assert.equal(new Set(POINTS.map((point) => point.name)).size, POINTS.length);
	for (const { name, daemon } of POINTS)
		assert.ok(name.startsWith(`${daemon}_`), name);
});

test("the description names every point", () => {
	const doc = readFileSync(join(ROOT, "docs/reliability.md"), "utf8");

	for (const { name } of POINTS)
		assert.ok(doc.includes(`\`${name}\``), `docs/reliability.md says nothing of ${name}`);
});

/* Each source of the daemons that names a point, preprocessed as a release compiles it. */
test("without ALP_FAULTS nothing of a point is left", () => {
	const commands = JSON.parse(readFileSync(join(buildDir("debug"), "compile_commands.json"), "utf8"))
		.filter(({ file }) => file.startsWith(join(ROOT, "services")) && readFileSync(file, "utf8").includes("FAULT_POINT("));

	assert.ok(commands.length > 5);
	for (const { command, directory, file } of commands) {
		const source = execSync(command.replace(/ -o \S+/, "").replace(" -c ", " -E -P ").replace("-DALP_FAULTS", ""),
			{ cwd: directory, encoding: "utf8", maxBuffer: 64 << 20 });

		assert.ok(!/fault_hit|fault_arm|FAULT_POINT/.test(source), file);
	}
});

/* Names of points are also those of messages and functions; what makes them work is not. */
test("a debug build has every point, a release build nothing of them", () => {
	const machinery = ["FAULTS_FILE", "fault.armed", "fault.hit"];
	const found = (path, words) => {
		const bytes = readFileSync(path);

		return words.filter((word) => bytes.includes(word));
	};
	const release = (name) => join(ROOT, "build/release/services", name, `alp-${name}`);
	const all = [...machinery, ...POINTS.map(({ name }) => name)];

	for (const daemon of ["gateway", "chat", "ai", "store"]) {
		assert.deepEqual(found(binary(daemon), all), all, `alp-${daemon}`);
		assert.ok(existsSync(release(daemon)), `no release build of alp-${daemon}: deploy/dev/build.sh release`);
		assert.deepEqual(found(release(daemon), machinery), [], `release alp-${daemon}`);
	}
});

for (const daemon of ["gateway", "chat", "ai", "store"]) {
	test(`${daemon} may die at any of its points`, async (t) => {
		const stack = await startStack({ persona: "echo", workers: 1,
			env: { FLUSH_MS: "100", LEASE_MS: "1200", WORKER_SILENCE_MS: "3000" } });

		stack.expectExit(/SIGKILL/);
		try {
			const rest = await guestOf(stack);

			for (const point of POINTS.filter((p) => p.daemon === daemon))
				await t.test(point.name, async () => assertWhole(stack, await dieAt(stack, rest, point)));
		} finally {
			await stack.stop();
		}
	});
}
