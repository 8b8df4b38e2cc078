/* Publications may be lost: then a gateway asks for what is missing, and every socket sees each piece once. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BusProxy } from "../lib/bus-proxy.js";
import { claimPorts } from "../lib/ports.js";
import { release } from "../lib/release.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";
import { Valve, secondGateway } from "./gateway-lib.js";

let stack, valve, gateway;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 10 });
	valve = await Valve.to(stack.ports.BUS_EVENT);
	gateway = await secondGateway(stack, { BUS_EVENT: `127.0.0.1:${valve.port}` });
	gateway.env = stack.env;
});

after(() => release(gateway, valve, stack));

/* A guest's planning session whose welcome is over, on the gateway behind the valve. */
async function session() {
	const rest = await guestOf(gateway);
	const ws = await chatOf(gateway, rest, `session-${Math.random()}`);

	return { rest, ws };
}

const ends = (ws, turnId, ms = 40000) => ws.next((f) => (f.type === "ai_response" || f.type === "error") && f.turn_id === turnId, ms);
const joined = (ws, end) => ws.deltas(end.turn_id, end.epoch).map((d) => d.text).join("");
const pulls = async () => (await gateway.daemon.metrics()).alp_turn_pulls_total;

test("with nothing lost nothing is asked for, and the acknowledgement comes first", async () => {
	const { ws } = await session();
	const before = await pulls();
	const accepted = await ws.post("Hello");
	const end = await ends(ws, accepted.turn_id);

	assert.equal(end.type, "ai_response");
	assert.equal(joined(ws, end), end.message);
	const kinds = ws.frames.filter((f) => f.turn_id === accepted.turn_id).map((f) => f.type);
	assert.equal(kinds[0], "accepted");
	assert.equal(kinds.at(-1), "ai_response");
	assert.equal(kinds.filter((k) => k === "accepted").length, 1);
	assert.ok(end.timing.total >= end.timing.gateway_out && end.timing.gateway_out >= 0, JSON.stringify(end.timing));
	assert.ok(await pulls() <= before + 2, "only silence before the first token may ask");
	await ws.close();
});

test("with every publication lost the whole reply is fetched", async () => {
	const { ws } = await session();

	valve.open = false;
	const accepted = await ws.post("Say something");
	const end = await ends(ws, accepted.turn_id);

	valve.open = true;
	assert.equal(end.type, "ai_response");
	assert.equal(joined(ws, end), end.message);
	assert.equal(ws.frames.filter((f) => f.type === "ai_response").length, 1);
	await ws.close();
});

test("a hole in the middle is filled within a second of the next piece, in every tab", async () => {
	const { rest, ws } = await session();
	const tab = await chatOf(gateway, rest, ws.socket.url.split("/").at(-1));
	const accepted = await ws.post("A long answer, please");

	for (let round = 0; round < 3; round++) {
		const seen = ws.deltas(accepted.turn_id, 1).length;

		await until("some pieces came", () => ws.deltas(accepted.turn_id, 1).length > seen + 2 || ws.frames.some((f) => f.type === "ai_response"), { ms: 20000 });
		valve.open = false;
		await new Promise((resolve) => setTimeout(resolve, 150));
		valve.open = true;
	}
	const [one, two] = await Promise.all([ends(ws, accepted.turn_id), ends(tab, accepted.turn_id)]);
	assert.equal(joined(ws, one), one.message);
	assert.equal(joined(tab, two), one.message);
	await Promise.all([ws.close(), tab.close()]);
});

for (const lost of [false, true])
	test(`a socket at a session's own name and one at its id are told the same, whichever posts${lost ? ", with every publication lost" : ""}`, async () => {
		const rest = await guestOf(gateway);
		const name = `n-${Math.random()}`;

		await rest.ok("POST", "/api/ai/chat-response", { session_id: name, message: "Hello" });
		const [{ id }] = await stack.db(`select id from chat_sessions where client_key = '${name}'`);
		const [named, byId] = [await chatOf(gateway, rest, name), await chatOf(gateway, rest, id.toUpperCase())];

		valve.open = !lost;
		try {
			for (const from of [byId, named]) {
				const { turn_id } = await from.post("And the same again");

				const told = await Promise.all([named, byId].map((ws) => ends(ws, turn_id)));

				assert.deepEqual(told.map((end) => end.type), ["ai_response", "ai_response"]);
				assert.deepEqual([joined(named, told[0]), joined(byId, told[1])], told.map((end) => end.message));
			}
		} finally {
			valve.open = true;
		}
		await Promise.all([named.close(), byId.close()]);
	});

const FOUND_MS = 5000;	/* promised, after the end is stored; a busy machine gets as much again */

test("a lost end is found within 5 s, and told once", async () => {
	const { ws } = await session();
	const accepted = await ws.post("Shorter");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id);
	valve.open = false;
	const told = ends(ws, accepted.turn_id).then((end) => ({ end, at: performance.now() }));

	await until("the end is stored", async () => (await stack.db(`select state from turns where id = '${accepted.turn_id}'`))[0].state
		=== "completed", { ms: 20000 });
	const stored = performance.now();
	const { end, at } = await told;

	valve.open = true;
	assert.ok(at - stored < 2 * FOUND_MS, `told ${Math.round(at - stored)} ms after it was stored`);
	assert.equal(joined(ws, end), end.message);
	const restored = await ws.restore();
	assert.equal(restored.history.at(-1).content, end.message);
	assert.equal(ws.frames.filter((f) => f.type === "ai_response" && f.turn_id === accepted.turn_id).length, 1);
	assert.equal(restored.active_turn, null);
	await ws.close();
});

test("a page that comes in the middle gets the text so far and the rest, also through a hole", async () => {
	const { rest, ws } = await session();
	const accepted = await ws.post("Something long");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset === 4);
	const late = await chatOf(gateway, rest, ws.socket.url.split("/").at(-1));
	const { active_turn: active } = await late.restore();
	assert.equal(active.turn_id, accepted.turn_id);
	assert.ok(active.offset >= 4);
	valve.open = false;
	await new Promise((resolve) => setTimeout(resolve, 100));
	valve.open = true;
	const end = await ends(late, accepted.turn_id);
	const more = late.frames.filter((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id);
	more.forEach((f, i) => assert.equal(f.offset, active.offset + i));
	assert.equal(active.text + more.map((f) => f.text).join(""), end.message);
	await Promise.all([ws.close(), late.close()]);
});

/* Of a reply, what a socket was told behind a frame. */
const behind = (ws, frame, turnId) => ws.frames.slice(ws.frames.indexOf(frame) + 1).filter((f) => f.turn_id === turnId);

/* act is given a gateway on which the answers to restore_chat can be held back. */
async function withHeldHistories(act) {
	const claim = await claimPorts(1);
	const proxy = await BusProxy.start({ transport: "ws", listen: claim.ports[0], target: stack.env.BUS_CHAT });
	const own = await secondGateway(stack, { BUS_CHAT: `127.0.0.1:${claim.ports[0]}` });

	own.env = stack.env;
	try {
		await act(own, {
			hold() {
				proxy.holds = (direction, bytes) => direction === "up" && bytes.includes('"chat_restore"');
			},
			letGo() {
				proxy.holds = () => false;
				proxy.heal();
			},
		});
	} finally {
		await release(own, proxy, { stop: () => claim.release() });
	}
}

test("a history that was read after the end of a reply is followed by the end, and by no piece", () => withHeldHistories(async (own, histories) => {
	const rest = await guestOf(own);
	const [ws, tab] = [await chatOf(own, rest, "late-history"), await chatOf(own, rest, "late-history")];
	const accepted = await ws.post("Meanwhile [[sim:tokens=60]]");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset === 3);
	histories.hold();
	ws.send({ type: "restore_chat" });
	await ends(tab, accepted.turn_id);
	histories.letGo();
	const restored = await ws.next("chat_restored");
	const end = await ends(ws, accepted.turn_id);

	assert.equal(restored.active_turn, null);
	assert.equal(restored.history.at(-1).content, end.message);
	assert.deepEqual(behind(ws, restored, accepted.turn_id).map((f) => f.type), ["ai_response"]);
	await Promise.all([ws.close(), tab.close()]);
}));

test("the history of one chat takes no piece from another's reply", () => withHeldHistories(async (own, histories) => {
	const rest = await guestOf(own);
	const [ws, tab] = [await chatOf(own, rest, "two-chats"), await chatOf(own, rest, "two-chats")];
	const first = await ws.post("Hello");

	await ends(ws, first.turn_id);
	const [{ session_id }] = await stack.db(`select session_id from chats where id = '${first.chat_id}'`);
	const made = await rest.ok("POST", "/api/chat/chats", { session_id, chat_name: "Beside" });
	const accepted = await ws.post("Meanwhile [[sim:tokens=60]]", { chat_id: first.chat_id });

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset === 3);
	histories.hold();
	ws.send({ type: "restore_chat", chat_id: made.id });
	await ends(tab, accepted.turn_id);
	histories.letGo();
	await ws.next((f) => f.type === "chat_restored" && f.chat_id === made.id);
	const end = await ends(ws, accepted.turn_id);

	assert.equal(joined(ws, end), end.message);
	await Promise.all([ws.close(), tab.close()]);
}));

/* The state is waited for no longer than 3 s: a machine that needs more for all this tries again. */
const OVERTAKE_TRIES = 5;

/* One socket restores while a reply runs whose state cannot be had; that ends unheard, and another begins. True: before the wait was over. */
async function overtake({ ws, beside, far, events, proxy }) {
	const first = await far.post("Meanwhile [[sim:tokens=2000]]");
	const held = proxy.counts.held;

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === first.turn_id && f.offset === 3);
	events.open = false;
	proxy.holds = (direction, bytes) => direction === "up" && bytes.includes('"turn_get"');
	ws.send({ type: "restore_chat" });
	await until("the state of the reply is asked for", () => proxy.counts.held > held);
	far.send({ type: "stop", turn_id: first.turn_id });
	await ends(far, first.turn_id);
	events.open = true;
	const second = await far.post("And now?");

	await beside.next((f) => f.turn_id === second.turn_id && f.type === "accepted");
	const early = ws.frames.some((f) => f.turn_id === second.turn_id);

	proxy.holds = () => false;
	proxy.heal();
	const told = await ws.next((f) => f.type === "chat_restored" || f.type === "error");
	const end = await ends(ws, second.turn_id);

	if (told.type === "error")
		return false;
	assert.ok(!early, "it waits for the history");
	assert.equal(behind(ws, told, second.turn_id)[0].type, "accepted");
	assert.equal(joined(ws, end), end.message);
	assert.equal(behind(ws, told, first.turn_id).map((f) => f.type).join(), "ai_response");
	return true;
}

test("a history that waits for the state of an older reply is told before what has happened meanwhile", async () => {
	const claim = await claimPorts(1);
	const proxy = await BusProxy.start({ transport: "ws", listen: claim.ports[0], target: stack.env.BUS_CHAT });
	const events = await Valve.to(stack.ports.BUS_EVENT);
	const own = await secondGateway(stack, { BUS_CHAT: `127.0.0.1:${claim.ports[0]}`, BUS_EVENT: `127.0.0.1:${events.port}` });

	try {
		const rest = await guestOf(stack);
		const [ws, beside, far] = [await chatOf(own, rest, "overtaken"), await chatOf(own, rest, "overtaken"), await chatOf(stack, rest, "overtaken")];
		let tries = 0;

		while (!await overtake({ ws, beside, far, events, proxy }))
			assert.ok(++tries < OVERTAKE_TRIES, "never within the wait");
		await Promise.all([ws, beside, far].map((socket) => socket.close()));
	} finally {
		await release(own, proxy, events, { stop: () => claim.release() });
	}
});

test("a gateway that learns of an end later than a page by its history tells that page only the end", async () => {
	const { rest, ws } = await session();
	const tab = await chatOf(gateway, rest, ws.socket.url.split("/").at(-1));
	const accepted = await ws.post("Meanwhile [[sim:tokens=60]]");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset === 3);
	valve.open = false;
	try {
		await until("the end is stored", async () => (await stack.db(`select state from turns where id = '${accepted.turn_id}'`))[0].state
			=== "completed", { ms: 20000 });
		const restored = await ws.restore();
		const [end, other] = await Promise.all([ends(ws, accepted.turn_id), ends(tab, accepted.turn_id)]);

		assert.equal(restored.history.at(-1).content, end.message);
		assert.deepEqual(behind(ws, restored, accepted.turn_id).map((f) => f.type), ["ai_response"]);
		assert.equal(joined(tab, other), other.message);
	} finally {
		valve.open = true;
	}
	await Promise.all([ws.close(), tab.close()]);
});

test("a reply is resumed from any place: running, finished, or of another epoch", async () => {
	const { rest, ws } = await session();
	const id = ws.socket.url.split("/").at(-1);
	const accepted = await ws.post("Go on");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset === 3);
	const [from2, fromWrong] = [await chatOf(gateway, rest, id), await chatOf(gateway, rest, id)];
	from2.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 1, offset: 2 });
	fromWrong.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 9, offset: 2 });
	assert.equal((await fromWrong.next("ai_reset")).epoch, 1);
	const end = await ends(ws, accepted.turn_id);
	await Promise.all([ends(from2, accepted.turn_id), ends(fromWrong, accepted.turn_id)]);
	assert.equal(joined(fromWrong, end), end.message);
	const rest2 = from2.frames.filter((f) => f.type === "ai_delta");
	rest2.forEach((f, i) => assert.equal(f.offset, 2 + i));
	assert.ok(end.message.endsWith(rest2.map((f) => f.text).join("")));
	const later = await chatOf(gateway, rest, id);
	later.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 1, offset: 5 });
	assert.equal((await ends(later, accepted.turn_id)).message, end.message);
	const stranger = await chatOf(gateway, await guestOf(gateway), id);
	stranger.send({ type: "resume", chat_id: accepted.chat_id, turn_id: accepted.turn_id, epoch: 1, offset: 0 });
	assert.equal((await stranger.next("error")).code, "not_found");
	await Promise.all([ws, from2, fromWrong, later, stranger].map((s) => s.close()));
});

test("no mirror stays when its sockets are gone", async () => {
	const { ws } = await session();

	await ws.post("Never mind");
	await ws.drop();
	await until("the mirrors are gone", async () => (await (await fetch(`${gateway.daemon.health}/healthz`)).json()).mirrors === 0, { ms: 30000 });
});
