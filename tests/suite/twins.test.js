/* Two gateways, two chats, two stores and two workers on one database: any of them may be asked, any may be lost. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const LEASE_MS = 3000;

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 10, workers: 2, twins: true,
		env: { LEASE_MS: String(LEASE_MS), WORKER_SILENCE_MS: "2000", BUS_TIMEOUT_MS: "6000" } });
	stack.expectExit(/SIGKILL/);
});
after(() => stack?.stop());

const ends = (ws, turnId, ms = 60000) => ws.next((f) => ["ai_response", "error"].includes(f.type) && f.turn_id === turnId, ms);
const joined = (ws, end) => ws.deltas(end.turn_id, end.epoch).map((f) => f.text).join("");

/* Somebody with two tabs of one session, each at another gateway. */
async function twoTabs(session) {
	const rest = await guestOf(stack);

	return { rest, tabs: [await chatOf(stack, rest, session), await chatOf(stack.twin, rest, session)] };
}

async function ownerOf(turnId) {
	const [{ owner }] = await stack.db(`select owner from turns where id = '${turnId}'`);

	return owner.startsWith(`${stack.env.BUS_CHAT}#`) ? stack.daemons.chat : stack.daemons.chat2;
}

async function checkOnce(turnId, message) {
	const rows = await stack.db(`select m.message_content as text, t.state, t.attempt::int as attempt from turns t
		join chat_messages m on m.id = t.ai_message_id where t.id = '${turnId}'`);

	assert.deepEqual(rows.map((r) => [r.text, r.state]), [[message, "completed"]]);
	return rows[0].attempt;
}

test("FP-11: all of them share the work, and what one tab does the other sees", async () => {
	const people = await Promise.all(Array.from({ length: 4 }, (_, i) => twoTabs(`shared-${i}`)));

	const owners = async () => (await stack.db("select distinct split_part(owner, '#', 1) as name from turns")).map((row) => row.name);

	/* Which chat is asked depends on what else was: a few rounds more when one had no turn yet. */
	for (let round = 0; round < 2 || (round < 12 && (await owners()).length < 2); round++) {
		await Promise.all(people.map(async ({ tabs }) => {
			const [one, two] = round % 2 === 0 ? tabs : [...tabs].reverse();
			const accepted = await one.post(`round ${round} [[sim:tokens=30]]`);
			const [first, second] = await Promise.all([ends(one, accepted.turn_id), ends(two, accepted.turn_id)]);

			assert.equal(first.type, "ai_response", JSON.stringify(first));
			assert.equal(second.message, first.message);
			assert.equal(joined(one, first), first.message);
			assert.equal(joined(two, second), first.message);
			assert.equal(first.epoch, 1);
		}));
	}
	assert.deepEqual((await owners()).sort(), [stack.env.BUS_CHAT, stack.twins.BUS_CHAT].sort());
	for (const store of [stack.daemons.store, stack.daemons.store2])
		await until(`${store.name} is asked about turns`, async () => Object.entries(await store.metrics())
			.some(([name, n]) => name.startsWith('alp_call_seconds_count{message="turn_') && n > 0));
	await Promise.all(people.flatMap(({ tabs }) => tabs.map((ws) => ws.close())));
});

test("FP-11: a reply is restored, resumed and stopped wherever it runs; the same message from everywhere is one", async () => {
	const { rest, tabs: [one, two] } = await twoTabs("anywhere");

	for (let round = 0; round < 4; round++) {	/* both chats get their turn */
		const id = randomUUID();
		const [accepted, again] = await Promise.all([one.post(`long ${round}`, { client_message_id: id }), two.post(`long ${round}`, { client_message_id: id })]);

		assert.equal(again.turn_id, accepted.turn_id);
		await one.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset === 3);
		const late = await chatOf(stack.twin, rest, "anywhere");
		const { active_turn: active } = await late.restore();

		assert.equal(active.turn_id, accepted.turn_id);
		assert.ok(active.offset > 0, "with the text so far");
		late.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 1, offset: 0 });
		late.send({ type: "stop", turn_id: accepted.turn_id });
		const all = await Promise.all([one, two, late].map((ws) => ends(ws, accepted.turn_id)));

		for (const end of all)
			assert.deepEqual([end.message, end.state, end.finish_reason], [all[0].message, "cancelled", "stopped"]);
		await late.close();
	}
	const users = await stack.db("select count(*)::int as n from chat_messages where sender_type = 'user' and message_content like 'long %'");
	assert.equal(users[0].n, 4);
	await Promise.all([one.close(), two.close()]);
});

test("FP-06: a chat that is stopped past its lease: the other goes on, and the zombie changes nothing", async () => {
	const { tabs: [one, two] } = await twoTabs("zombie");
	const accepted = await one.post("A long answer, please [[sim:tokens=700]]");

	await one.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 3);
	const zombie = await ownerOf(accepted.turn_id);

	zombie.kill("SIGSTOP");
	const heir = await until("another chat has the turn", async () => {
		const owner = await ownerOf(accepted.turn_id);

		return owner !== zombie && owner;
	}, { ms: 20000 });
	assert.notEqual(heir.name, zombie.name);
	zombie.kill("SIGCONT");
	const [first, second] = await Promise.all([ends(one, accepted.turn_id), ends(two, accepted.turn_id)]);

	assert.equal(first.type, "ai_response", JSON.stringify(first));
	assert.equal(joined(one, first), first.message);
	assert.equal(joined(two, second), first.message);
	assert.equal(first.epoch, 1, "the worker still had the text: nothing shown has changed");
	assert.equal(await checkOnce(accepted.turn_id, first.message), 1);
	await zombie.waitLine(/turn\.fenced/);
	assert.ok(![...one.frames, ...two.frames].some((f) => f.type === "ai_reset" || f.state === "retrying"));
	await Promise.all([one.close(), two.close()]);
});

for (const name of ["gateway2", "chat", "store", "store2"]) {
	test(`FP-11: with ${name} stopped the others serve`, async () => {
		const rest = await guestOf(stack);

		stack.daemons[name].kill("SIGSTOP");
		const ws = await chatOf(stack, rest, `without-${name}`);

		for (let i = 0; i < 3; i++) {
			const id = randomUUID();
			const accepted = await until("the message is accepted", () => ws.post(`without ${i} [[sim:tokens=10]]`, { client_message_id: id }), { ms: 20000 });
			const end = await ends(ws, accepted.turn_id);

			assert.equal(end.type, "ai_response", JSON.stringify(end));
		}
		stack.daemons[name].kill("SIGCONT");
		await stack.waitReady();
		const restored = await ws.restore();

		assert.deepEqual(restored.history.map((m) => m.seq), [1, 2, 3, 4, 5, 6]);
		await ws.close();
	});
}

test("FP-11: one of each dies, and nobody notices more than a pause", async () => {
	const { rest, tabs: [one] } = await twoTabs("loss");
	const accepted = await one.post("A long answer, please [[sim:tokens=400]]");

	await one.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 3);
	for (const name of ["store", "chat", "gateway2", "store2", "chat2"])
		await stack.daemons[name].crash();
	const end = await ends(one, accepted.turn_id);

	assert.equal(end.type, "ai_response", JSON.stringify(end));
	assert.equal(joined(one, end), end.message);
	const two = await chatOf(stack.twin, rest, "loss");
	assert.equal((await two.restore()).history.at(-1).content, end.message);
	await Promise.all([one.close(), two.close()]);
});
