/* Turns whose worker, store or chat does what it should not: led by scripted peers, so that the order of everything is the test's. */

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { until } from "../lib/until.js";
import { startChat } from "./chat-lib.js";

let bench;

before(async () => {
	bench = await startChat();
});
after(() => bench?.stop());
beforeEach(() => {
	bench.proxy.holds = () => false;
	bench.proxy.heal();
});

const visible = (turnId) => bench.told(turnId).filter((e) => e.type === "ai_reset" || e.state === "retrying");

/* An answer of the store is counted before it is on its way. */
const answered = async (name) => (await bench.store.daemon.metrics())[`alp_call_seconds_count{message="${name}"}`] ?? 0;

test("a pull without work is given back before the worker gives it up", async () => {
	/* Ten seconds are left of it, as of one that is asked again after another chat died with it. */
	const answer = await bench.worker("patient").probe.ask(null, "work_pull", { worker: "patient" });

	assert.ok(!answer.found);
});

test("work whose hand-out is lost goes to the next pull; its worker lives and has other work", async () => {
	const ada = bench.worker("ada");
	const pulls = [ada.pull(), ada.pull()];
	const kept = await bench.post("kept");
	const lost = await bench.post("lost");
	const works = await Promise.all(pulls);
	const listed = works.find((w) => w.turn_id === kept.turn_id);
	let again = null;

	ada.pull().then((work) => {
		again = work;
	});
	/* As of a worker that never heard of the other one. */
	await until("the work is handed out again", async () => {
		await ada.beat(listed);
		return again;
	}, { ms: 30000 });
	assert.deepEqual([again.turn_id, again.attempt], [lost.turn_id, 2]);
	assert.equal((await bench.get(kept.turn_id)).epoch, 1, "what it names is not touched");
	assert.deepEqual(visible(lost.turn_id), [], "nothing was shown, so nothing is taken back");
	assert.equal((await ada.done(again, "late")).rc, "ok");
	assert.equal((await ada.done(listed, "in time")).rc, "ok");
	assert.deepEqual([(await bench.end(lost.turn_id)).reply, (await bench.end(kept.turn_id)).reply], ["late", "in time"]);
	await ada.stop();
});

test("a late word about the attempt before is not taken for another owner's", async () => {
	const ada = bench.worker("ada");
	const first = ada.pull();
	const { turn_id } = await bench.post("late");
	const work = await first;
	const renewed = await answered("turn_progress");

	bench.proxy.holds = (direction, bytes) => direction === "up" && bytes.includes("has_partial");
	await ada.text(work, "Half of");
	await until("partial text is on its way", () => bench.proxy.counts.held > 0);
	const second = ada.pull();
	assert.equal((await ada.fail(work, "Half of")).rc, "conflict", "it is over, another follows");
	const again = await second;

	assert.deepEqual([again.turn_id, again.attempt], [turn_id, 2]);
	bench.proxy.holds = () => false;
	bench.proxy.heal();
	await until("the store has refused it", async () => (await answered("turn_progress")) > renewed);
	assert.equal((await ada.done(again, "The whole")).rc, "ok");
	assert.equal((await bench.end(turn_id)).reply, "The whole");
	assert.ok(!bench.chat.lines.some((line) => line.includes("turn.fenced")));
	await ada.stop();
});

test("every hand-out has a number of its own, in the store as well", async () => {
	const workers = ["ada", "ben", "cyd"].map((name) => bench.worker(name));
	const { turn_id } = await bench.post("again");

	for (const [i, worker] of workers.entries()) {
		const [work] = await Promise.race([Promise.all([worker.pull()]), worker.pull().then(() => ["the second slot"])]);

		assert.deepEqual([work.turn_id, work.attempt, (await bench.row(turn_id)).attempt], [turn_id, i + 1, i + 1]);
		await worker.stop();
	}
	assert.deepEqual([(await bench.end(turn_id)).state, (await bench.row(turn_id)).attempt], ["failed", 3]);
	assert.deepEqual(visible(turn_id), [], "nobody was shown anything");
});

test("a stop while the next attempt is being stored is a stop, and what was shown stays", async () => {
	const ada = bench.worker("ada");
	const pull = ada.pull();
	const { turn_id } = await bench.post("stopped");
	const work = await pull;
	let committed = false;

	await ada.text(work, "Shown");
	await until("it is shown", () => bench.told(turn_id).some((e) => e.text === "Shown"));
	bench.proxy.holds = (direction, bytes) => {
		committed ||= direction === "up" && bytes.includes("reason");
		return direction === "down" && committed;
	};
	await ada.fail(work, "Shown");
	await until("the attempt is stored", async () => (await bench.row(turn_id)).attempt === 2);
	const stopped = bench.stopTurn(turn_id);

	bench.asker.ask(bench.guest, "turn_get", { turn_id });
	await bench.get(turn_id);	/* asked later, so the stop is known by now */
	bench.proxy.holds = () => false;
	bench.proxy.heal();
	const { rc, turn } = await stopped;

	assert.deepEqual([rc, turn?.epoch, turn?.outcome.state, turn?.outcome.reply], ["ok", 2, "cancelled", "Shown"]);
	assert.equal((await bench.row(turn_id)).state, "cancelled");
	const told = bench.told(turn_id);

	assert.deepEqual(told.slice(told.findIndex((e) => e.type === "ai_reset")).map((e) => [e.type, e.epoch, e.text ?? e.message]),
		[["ai_reset", 2, undefined], ["ai_delta", 2, "Shown"], ["ai_response", 2, "Shown"]]);
	await ada.stop();
});

/* A turn with that much durable text, of the attempt of that number; its worker's name is the number's. */
async function shownTurn(text, attempts) {
	const ada = bench.worker("ada");
	let pull = ada.pull();
	const { turn_id } = await bench.post(text);
	let work = await pull;

	while (work.attempt < attempts) {
		pull = ada.pull();
		await ada.fail(work);
		work = await pull;
	}
	await ada.text(work, text);
	await until("it is durable", async () => (await bench.row(turn_id)).partial === text);
	return { ada, turn_id, work };
}

/* A chat that has just begun says busy until it knows what was left to it. */
const stopNow = (turnId) => until("chat knows the turn", async () => {
	const answer = await bench.stopTurn(turnId);

	return answer.rc === "ok" && answer;
}, { ms: 40000 });

test("chat and worker die together in the last attempt: what was durable is the reply", async () => {
	const { ada, turn_id } = await shownTurn("As far as it got", 3);

	await ada.stop();
	await bench.chat.crash();
	const end = await bench.end(turn_id);

	assert.deepEqual([end.state, end.reply], ["interrupted", "As far as it got"]);
});

test("a stop while a taken-over turn looks for its worker reaches the worker", async () => {
	const { ada, turn_id, work } = await shownTurn("Long", 1);

	bench.chat.env.WORKER_SILENCE_MS = "40000";	/* it looks for half of that */
	await bench.chat.crash();
	const asked = bench.control.of(turn_id).length;
	const stopped = stopNow(turn_id);

	await until("workers are asked for the text", () => bench.control.of(turn_id).length > asked, { ms: 15000 });
	await until("the worker is told", async () => {
		await ada.beat(work);
		return bench.control.of(turn_id).some((m) => m.action === "cancel");
	}, { ms: 30000 });
	await ada.done(work, "Long enough", { result: "cancelled" });
	const { rc, turn } = await stopped;

	assert.deepEqual([rc, turn?.outcome.state, turn?.outcome.reply], ["ok", "cancelled", "Long enough"]);
	await ada.stop();
});

test("... and when there is no worker any more, what was durable is the reply", async () => {
	const { ada, turn_id } = await shownTurn("That much", 1);

	bench.chat.env.WORKER_SILENCE_MS = "16000";
	await ada.stop();
	await bench.chat.crash();
	const { turn } = await stopNow(turn_id);

	assert.deepEqual([turn.epoch, turn.outcome.state, turn.outcome.reply], [1, "cancelled", "That much"]);
});
