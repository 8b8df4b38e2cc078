/* Faults of the four processes, row by row of docs/reliability.md (FP): what was acknowledged is there, once, and people are answered. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Daemon } from "../lib/daemon.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until, within } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const ANSWER_MS = 10000;	/* R9: an acknowledgement, a refusal or a close */
const DRAIN_MS = 10000;

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 10, workers: 2, env: { LEASE_MS: "3000", WORKER_SILENCE_MS: "2500" } });
	stack.expectExit(/SIGKILL|code=1/);
	stack.expectError(/daemon\.fail|config|LEASE_MS/);
});
after(() => stack?.stop());

const isEnd = (f) => f.type === "ai_response" || f.type === "error";
const ends = (ws, turnId, ms = 60000) => ws.next((f) => isEnd(f) && f.turn_id === turnId, ms);
const joined = (ws, end) => ws.deltas(end.turn_id, end.epoch).map((f) => f.text).join("");
const userRows = async (id) => (await stack.db(`select count(*)::int as n from chat_messages where client_message_id = '${id}'`))[0].n;

/* The answer to a message, whichever: { accepted } or { error }. */
async function answerOf(ws, message, id) {
	ws.send({ message, client_message_id: id });
	const frame = await ws.next((f) => (f.type === "accepted" || f.type === "error") && f.client_message_id === id, ANSWER_MS + 2000);

	return { [frame.type]: frame };
}

/* Sends again with the same id until it is accepted, over new sockets when one ends; as a client does. */
async function sayUntilHeard(rest, session, message, id, ms = 30000) {
	return until(`${message} is accepted`, async () => {
		const ws = await chatOf(stack, rest, session);
		const { accepted } = await answerOf(ws, message, id);

		return accepted && { ws, accepted };
	}, { ms });
}

test("FP-02: a gateway that stands still doubles nothing and loses nothing", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "still");
	const streaming = await ws.post("Tell me [[sim:tokens=150]]");
	const id = randomUUID();

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === streaming.turn_id);
	stack.daemons.gateway.kill("SIGSTOP");
	await sleep(2500);	/* the burst of a whole reply waits for a subscriber that stands still: FB-04 */
	const gone = chatOf(stack, rest, "still-2").then((s) => (s.send({ message: "twice", client_message_id: id }), s));
	const again = chatOf(stack, rest, "still-2").then((s) => (s.send({ message: "twice", client_message_id: id }), s));

	await sleep(500);
	stack.daemons.gateway.kill("SIGCONT");
	const end = await ends(ws, streaming.turn_id);
	assert.equal(joined(ws, end), end.message);
	assert.equal(end.epoch, 1);
	const sockets = await Promise.all([gone, again]);
	const accepted = await Promise.all(sockets.map((s) => s.next((f) => f.type === "accepted" && f.client_message_id === id)));
	assert.equal(accepted[0].turn_id, accepted[1].turn_id);
	await ends(sockets[0], accepted[0].turn_id);
	assert.equal(await userRows(id), 1);
	await Promise.all([ws, ...sockets].map((s) => s.close()));
});

test("FP-03: a slow chat and a slow store keep the order, and everybody is answered", async () => {
	const rest = await guestOf(stack);
	const sockets = await Promise.all([0, 1, 2].map((i) => chatOf(stack, rest, `slow-${i}`)));
	let slow = true;
	const brake = (async () => {
		while (slow) {
			for (const name of ["chat", "store"])
				stack.daemons[name].kill("SIGSTOP");
			await sleep(60);
			for (const name of ["chat", "store"])
				stack.daemons[name].kill("SIGCONT");
			await sleep(30);
		}
	})();

	try {
		await Promise.all(sockets.map(async (ws) => {
			for (let i = 0; i < 2; i++)
				await ws.turn(`slowly ${i} [[sim:tokens=8]]`, { ms: 30000 });
			const { history } = await ws.restore({}, 30000);

			assert.deepEqual(history.map((m) => m.seq), [1, 2, 3, 4]);
			assert.deepEqual(history.filter((m) => m.sender === "user").map((m) => m.content.slice(0, 8)), ["slowly 0", "slowly 1"]);
		}));
	} finally {
		slow = false;
		await brake;
	}
	await Promise.all(sockets.map((ws) => ws.close()));
});

for (const name of ["store", "chat", "ai-1", "ai-2", "gateway"]) {
	test(`FP-04: ${name} is replaced under live streams: it drains, and no client sees an error`, async () => {
		const daemon = name.startsWith("ai") ? stack.daemons.ai[Number(name.slice(3)) - 1] : stack.daemons[name];
		const rest = await guestOf(stack);
		const people = await Promise.all([0, 1, 2].map(async (i) => {
			const ws = await chatOf(stack, rest, `rolling-${name}-${i}`);
			const accepted = await ws.post(`Tell me more [[sim:tokens=${100 + 40 * i}]]`);

			await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 2);
			return { ws, accepted, session: `rolling-${name}-${i}` };
		}));
		const lives = daemon.exits.length;

		daemon.kill("SIGTERM");
		await until(`${name} has ended`, () => daemon.exits.length > lives, { ms: DRAIN_MS });
		assert.equal(daemon.exits.at(-1).code, 0, `${name} ends by itself`);
		await stack.waitReady();
		for (const { ws, accepted, session } of people) {
			if (name !== "gateway") {
				const end = await ends(ws, accepted.turn_id);

				assert.equal(end.type, "ai_response", JSON.stringify(end));
				assert.equal(joined(ws, end), end.message);
				assert.equal(end.epoch, 1, "nothing that was shown has changed");
				assert.deepEqual(ws.frames.filter((f) => f.type === "error" || f.type === "ai_reset"), []);
				await ws.close();
				continue;
			}
			assert.equal((await within(ANSWER_MS, "the socket is closed", ws.closed)).code, 1012, "come back, it says");
			const back = await chatOf(stack, rest, session);

			back.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 1, offset: 0 });
			const end = await ends(back, accepted.turn_id);

			assert.equal(end.type, "ai_response", JSON.stringify(end));
			assert.ok(end.message.startsWith(ws.deltas(accepted.turn_id, 1).map((f) => f.text).join("")), "what was shown has not changed");
			await back.close();
		}
	});
}

test("FP-06: a chat that stood still past its lease, and nobody took its place, goes on where it was", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "lone-zombie");
	const accepted = await ws.post("A long answer [[sim:tokens=500]]");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 2);
	stack.daemons.chat.kill("SIGSTOP");
	await until("the lease has run out", async () => (await stack.db(`select lease_until < utc_clock() as over from turns where id = '${accepted.turn_id}'`))[0].over, { ms: 15000 });
	stack.daemons.chat.kill("SIGCONT");
	const end = await ends(ws, accepted.turn_id);

	assert.equal(joined(ws, end), end.message);
	assert.equal(end.epoch, 1, "its worker was there all the time");
	await ws.close();
});

test("FP-06: a worker that stood still is replaced, and what it says afterwards is never shown", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "zombie-worker");
	const accepted = await ws.post("Another long answer [[sim:tokens=300]]");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 2);
	const busy = await until("a worker is busy", async () => {
		for (const worker of stack.daemons.ai)
			if ((await (await fetch(`${worker.health}/healthz`)).json()).busy > 0)
				return worker;
		return null;
	});
	busy.kill("SIGSTOP");
	const { epoch } = await ws.next((f) => f.type === "ai_reset" && f.turn_id === accepted.turn_id, 20000)
		.finally(() => setTimeout(() => busy.kill("SIGCONT"), 1000));	/* it wakes while the other writes */
	const end = await ends(ws, accepted.turn_id);

	assert.equal(end.epoch, epoch);
	assert.equal(joined(ws, end), end.message);
	const after = ws.frames.slice(ws.frames.findIndex((f) => f.type === "ai_reset"));
	assert.ok(!after.some((f) => f.type === "ai_delta" && f.epoch !== epoch), "no piece of the first attempt came after the reset");
	assert.equal((await ws.restore()).history[1].content, end.message);
	await ws.close();
});

test("FP-06: a worker that stood still before it began does not ask the model for what another has done", async () => {
	const rest = await guestOf(stack);
	const [sleeper] = stack.daemons.ai;
	const from = sleeper.lines.length;
	const ids = Array.from({ length: 8 }, () => randomUUID());
	const asked = async () => (await stack.sim.calls()).calls.map((call) => JSON.stringify(call))
		.flatMap((text) => ids.filter((id) => text.includes(id)));

	sleeper.kill("SIGSTOP");
	await Promise.all(ids.map(async (id) => {
		const ws = await chatOf(stack, rest, `before-${id}`);
		const accepted = await ws.post(`${id} [[sim:tokens=5]]`);

		assert.equal((await ends(ws, accepted.turn_id)).type, "ai_response");
		await ws.close();
	}));
	sleeper.kill("SIGCONT");
	await sleeper.waitEvent("attempt.done", (entry) => /stood/i.test(entry.ending), { from });
	await until("it has nothing left", async () => (await (await fetch(`${sleeper.health}/healthz`)).json()).busy === 0);
	assert.deepEqual((await asked()).sort(), ids.sort(), "each was asked once");
});

test("FP-09: the workers go away and come back: turns wait visibly and none is lost", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "scaled");
	const workersSeen = async () => (await (await fetch(`${stack.daemons.chat.health}/healthz`)).json()).workers;

	await ws.turn("with two [[sim:tokens=5]]");
	for (const worker of stack.daemons.ai) {
		worker.keepAlive = false;
		worker.kill("SIGTERM");
	}
	await until("none is left", async () => stack.daemons.ai.every((w) => !w.running) && (await workersSeen()) === 0);
	const accepted = await ws.post("with none [[sim:tokens=5]]");

	await ws.next((f) => f.type === "ai_status" && f.state === "waiting" && f.turn_id === accepted.turn_id);
	for (const worker of stack.daemons.ai) {
		worker.keepAlive = true;
		await worker.start();
	}
	assert.equal((await ends(ws, accepted.turn_id)).type, "ai_response");
	await stack.waitReady();
	await until("both are seen", async () => (await workersSeen()) === 2);
	await ws.turn("with two again [[sim:tokens=5]]");
	await ws.close();
});

test("FP-10: a store that stands still: everybody is answered in time, and what was sent is stored once", async () => {
	const rest = await guestOf(stack);
	const sockets = await Promise.all([0, 1, 2].map((i) => chatOf(stack, rest, `queued-${i}`)));
	const ids = sockets.map(() => randomUUID());

	stack.daemons.store.kill("SIGSTOP");
	const answers = await Promise.all(sockets.map((ws, i) => answerOf(ws, "queued [[sim:tokens=5]]", ids[i])));

	for (const { error } of answers)
		assert.ok(error?.retry_after_ms > 0, JSON.stringify(answers));
	stack.daemons.store.kill("SIGCONT");
	for (const [i, id] of ids.entries()) {
		const { ws, accepted } = await sayUntilHeard(rest, `queued-${i}`, "queued [[sim:tokens=5]]", id);

		assert.equal((await ends(ws, accepted.turn_id)).type, "ai_response");
		assert.equal(await userRows(id), 1);
		await Promise.all([ws.close(), sockets[i].close()]);
	}
});

/* Ends with the four programs dead and nobody starting them. */
async function killAll() {
	for (const daemon of stack.all) {
		daemon.keepAlive = false;
		daemon.kill("SIGKILL");
	}
	await until("all are dead", () => stack.all.every((daemon) => !daemon.running));
	for (const daemon of stack.all)
		daemon.keepAlive = true;
}

const orders = (names) => names.length < 2 ? [names]
	: names.flatMap((first) => orders(names.filter((name) => name !== first)).map((rest) => [first, ...rest]));

for (const order of orders(["store", "chat", "ai", "gateway"])) {
	test(`FP-12: everything is killed at once and started in the order ${order.join(", ")}`, async () => {
		const rest = await guestOf(stack);
		const ws = await chatOf(stack, rest, `all-${order.join("-")}`);
		const id = randomUUID();
		const accepted = await ws.post("Say a lot [[sim:tokens=60]]", { client_message_id: id });

		await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id);
		await killAll();
		for (const name of order)
			for (const daemon of [stack.daemons[name]].flat())
				await daemon.start();
		await stack.waitReady(20000);
		const back = await chatOf(stack, rest, `all-${order.join("-")}`);
		const again = await back.post("Say a lot [[sim:tokens=60]]", { client_message_id: id });

		assert.equal(again.turn_id, accepted.turn_id, "the acknowledged message is there");
		const end = await ends(back, accepted.turn_id);
		const { history } = await back.restore();

		assert.equal(end.type, "ai_response", JSON.stringify(end));
		assert.deepEqual(history.map((m) => [m.seq, m.sender]), [[1, "user"], [2, "ai"]]);
		assert.equal(history[1].content, end.message);
		await back.close();
	});
}

test("FP-13: one daemon that refuses its settings: the others serve, readiness names it, no secret is said", async () => {
	const { chat } = stack.daemons;
	const rest = await guestOf(stack);
	const good = chat.env;

	chat.keepAlive = false;
	chat.kill("SIGKILL");
	await until("chat is dead", () => !chat.running);
	chat.env = { ...good, LEASE_MS: "soon" };
	const from = chat.lines.length;
	await chat.start();
	await until("chat refuses to start", () => !chat.running);
	const said = chat.lines.slice(from).join("\n");
	assert.equal(chat.exits.at(-1).code, 1);
	assert.match(said, /LEASE_MS/);
	for (const name of ["SECRET_KEY", "BUS_KEY", "DATA_KEY"])
		assert.ok(!said.includes(good[name]), `${name} is not said`);
	const ready = await until("gateway is not ready", async () => {
		const answer = await fetch(`${stack.url}/readyz`);

		return answer.status === 503 && answer.text();
	});
	assert.match(ready, /chat/);
	assert.deepEqual(await rest.tracks(), []);	/* what needs no chat is served */
	chat.env = good;
	chat.keepAlive = true;
	await chat.start();
	await stack.waitReady();
	const ws = await chatOf(stack, rest, "after-bad");
	await ws.turn("Hello [[sim:tokens=5]]");
	await ws.close();
});

test("FP-11: a second store, chat or gateway at the same addresses refuses to start and says why", async () => {
	for (const name of ["store", "chat", "gateway"]) {
		const first = stack.daemons[name];
		const second = new Daemon({ program: name, instance: `${name}-again`, dir: stack.dir, build: stack.build,
			health: first.health.slice("http://".length), settings: first.env, keepAlive: false });

		await second.start();
		await until(`the second ${name} has ended`, () => !second.running, { ms: 20000 });
		assert.equal(second.exits.at(-1).code, 1, second.tail());
		assert.match(second.log, /in use/i, second.tail());
		await second.stop();
	}
	await stack.waitReady();
});
