/* Faults of the bus, row by row of docs/reliability.md (FB): everybody is answered, one effect, nothing is trusted because it came from the bus. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Raw, secondGateway } from "../component/gateway-lib.js";
import { Probe } from "../component/store-lib.js";
import { BusProxy } from "../lib/bus-proxy.js";
import { buildDir } from "../lib/daemon.js";
import { release } from "../lib/release.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const run = promisify(execFile);
const ANSWER_MS = 10000;

let stack;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 10, env: { BUS_TIMEOUT_MS: "4000", BUS_INFLIGHT_MAX: "256" } });
});
after(() => stack?.stop());

const ends = (ws, turnId, ms = 40000) => ws.next((f) => (f.type === "ai_response" || f.type === "error") && f.turn_id === turnId, ms);
const joined = (ws, end) => ws.deltas(end.turn_id, end.epoch).map((f) => f.text).join("");
/* A guest's public name holds his id: guest_72bf85f9... */
const callerOf = ({ user }) => ({ guest: user.id.slice(6).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") });
const pids = () => stack.all.map((daemon) => daemon.pid);

/* A link that can be held: bytes wait on both sides, as behind a cable that was pulled out. */
class Cable {
	sockets = new Set();

	static async to(port) {
		const cable = new Cable();

		cable.server = createServer((near) => {
			const far = connect(port, "127.0.0.1");

			for (const [from, to] of [[near, far], [far, near]]) {
				cable.sockets.add(from);
				from.on("data", (data) => to.write(data));
				from.on("error", () => to.destroy()).on("close", () => {
					cable.sockets.delete(from);
					to.destroy();
				});
				if (cable.held)
					from.pause();
			}
		});
		cable.server.listen(0, "127.0.0.1");
		await once(cable.server, "listening");
		return cable;
	}

	hold(held) {
		this.held = held;
		for (const socket of this.sockets)
			held ? socket.pause() : socket.resume();
	}

	get address() {
		return `127.0.0.1:${this.server.address().port}`;
	}

	stop() {
		for (const socket of this.sockets)
			socket.destroy();
		this.server.close();
	}
}

test("FB-01: a partition between gateway and chat: everybody is answered, and it heals by itself", async () => {
	const [requests, events] = [await Cable.to(stack.ports.BUS_CHAT), await Cable.to(stack.ports.BUS_EVENT)];
	const gateway = await secondGateway(stack, { BUS_CHAT: requests.address, BUS_EVENT: events.address });

	try {
		const rest = await guestOf(gateway);
		const ws = await chatOf(gateway, rest, "partition");
		const running = await ws.post("Tell me [[sim:tokens=60]]");
		const id = randomUUID();

		await ws.next((f) => f.type === "ai_delta" && f.turn_id === running.turn_id);
		requests.hold(true);
		events.hold(true);
		const other = await chatOf(gateway, rest, "partition-2");
		other.send({ message: "Is anybody there? [[sim:tokens=5]]", client_message_id: id });
		const refused = await other.next((f) => f.client_message_id === id, ANSWER_MS);

		assert.equal(refused.code, "busy");
		assert.ok(refused.retry_after_ms > 0);
		requests.hold(false);
		events.hold(false);
		const end = await ends(ws, running.turn_id);

		assert.equal(joined(ws, end), end.message);
		assert.equal(end.epoch, 1);
		const accepted = await until("the message is accepted", () => other.post("Is anybody there? [[sim:tokens=5]]", { client_message_id: id }));

		assert.equal((await ends(other, accepted.turn_id)).type, "ai_response");
		assert.equal((await other.restore()).message_count, 2);
		await Promise.all([ws.close(), other.close()]);
	} finally {
		requests.hold(false);
		events.hold(false);
		await gateway.stop();
		requests.stop();
		events.stop();
	}
});

test("FB-02: a request that comes five times, and once more later, has one effect and one answer", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "five");
	const probe = new Probe(stack.env.BUS_CHAT, stack.env.BUS_KEY);
	const body = { session_id: "five", client_message_id: randomUUID(), body: "Five times [[sim:tokens=5]]" };
	const post = () => probe.ask(callerOf(rest), "chat_post", body);
	const answers = await Promise.all([1, 2, 3, 4, 5].map(post));

	for (const { rc, turn } of answers)
		assert.deepEqual([rc, turn?.turn_id, turn?.seq], ["ok", answers[0].turn.turn_id, 1]);
	const end = await ends(ws, answers[0].turn.turn_id);
	const late = await post();
	assert.equal(late.turn.turn_id, end.turn_id);
	assert.equal((await probe.ask(callerOf(rest), "chat_post", { ...body, body: "Something else" })).rc, "cmid_conflict");
	const { history } = await ws.restore();
	assert.deepEqual(history.map((m) => m.seq), [1, 2]);
	assert.equal((await stack.db(`select count(*)::int as n from attempts where turn_id = '${end.turn_id}'`))[0].n, 1);
	await probe.stop();
	await ws.close();
});

test("FB-02: a frame of the bus that is delivered several times has one effect and one answer", async () => {
	const proxy = await BusProxy.start({ transport: "ws", target: stack.env.BUS_CHAT });
	let gateway;

	try {
		gateway = await secondGateway(stack, { BUS_CHAT: proxy.address });
		const rest = await guestOf(stack);
		const ws = await chatOf({ ...stack, wsUrl: gateway.wsUrl }, rest, "doubled");

		proxy.rules.up = { duplicate: 1, delay: [0, 300] };	/* each request two to five times, the copies when they like */
		proxy.rules.down = { duplicate: 1 };
		const accepted = await ws.post("Often [[sim:tokens=5]]");
		const end = await ends(ws, accepted.turn_id);
		const { history } = await ws.restore();

		assert.ok(proxy.counts.duplicated >= 2, JSON.stringify(proxy.counts));
		assert.equal(end.type, "ai_response", JSON.stringify(end));
		assert.equal(joined(ws, end), end.message);
		assert.deepEqual(history.map((m) => [m.seq, m.content]), [[1, "Often [[sim:tokens=5]]"], [2, end.message]]);
		for (const type of ["accepted", "ai_response"])
			assert.equal(ws.frames.filter((f) => f.type === type).length, 1, type);
		assert.equal((await stack.db(`select count(*)::int as n from attempts where turn_id = '${end.turn_id}'`))[0].n, 1);
		await ws.close();
	} finally {
		await release(gateway, proxy);
	}
});

test("FB-02: a regenerate that comes twice makes the reply anew once", async () => {
	const proxy = await BusProxy.start({ transport: "ws", target: stack.env.BUS_CHAT, random: () => 0 });
	let gateway;

	try {
		gateway = await secondGateway(stack, { BUS_CHAT: proxy.address });
		const rest = await guestOf(gateway);
		const ws = await chatOf(gateway, rest, "regenerate-twice");
		const { accepted } = await ws.turn("Once more [[sim:tokens=5]]");
		const [{ id }] = await stack.db(`select user_message_id as id from turns where id = '${accepted.turn_id}'`);

		const begun = async () => Object.entries(await stack.daemons.store.metrics())
			.find(([name]) => name.startsWith('alp_call_seconds_count{message="turn_begin"'))[1];
		let copies = 0;

		proxy.rules.up = { duplicate: 1 };
		proxy.holds = (direction, bytes) => direction === "up" && bytes.includes(id) && copies++ > 0;
		ws.send({ type: "regenerate", message_id: id });
		const again = await ws.next((f) => f.type === "accepted" && f.turn_id !== accepted.turn_id, ANSWER_MS);

		await ends(ws, again.turn_id);
		const before = await begun();

		assert.equal(copies, 2);
		proxy.heal();
		await until("the copy has come as well", async () => (await begun()) > before);
		assert.ok(!ws.frames.some((f) => f.type === "error"), JSON.stringify(ws.frames.filter((f) => f.type === "error")));
		assert.deepEqual((await ws.restore()).history.map((m) => m.sender), ["user", "ai"]);
		assert.equal((await stack.db(`select count(*)::int as n from turns t join turns f on f.chat_id = t.chat_id where f.id = '${accepted.turn_id}'`))[0].n, 2);
		await ws.close();
	} finally {
		await release(gateway, proxy);
	}
});

test("a gateway that leaves while nobody answers it ends in order, with nothing left over", async () => {
	const gateway = await secondGateway(stack, { DRAIN_MS: "300" });

	try {
		const ws = await chatOf({ ...stack, wsUrl: gateway.wsUrl }, await guestOf(stack), "leaving");

		stack.daemons.chat.kill("SIGSTOP");
		ws.send({ message: "Nobody hears this", client_message_id: randomUUID() });
		await until("it is asked for", async () => (await gateway.daemon.metrics()).alp_bus_requests_open > 0);
	} finally {
		/* An end that was not in order, as with a sanitizer's report, is told. */
		await release(gateway, { stop: () => stack.daemons.chat.kill("SIGCONT") });
	}
});

test("FB-05: garbage, giants, halves and silence at the bus's doors harm nobody", async () => {
	const before = pids();
	const ports = ["BUS_CHAT", "BUS_STORE", "BUS_WORK", "BUS_DELTA", "BUS_CONTROL", "BUS_EVENT"].map((name) => stack.ports[name]);
	const hello = (protocol) => Buffer.from([0, 0x53, 0x50, 0, protocol >> 8, protocol & 255, 0, 0]);
	const size = (n) => {
		const out = Buffer.alloc(8);

		out.writeBigUInt64BE(n);
		return out;
	};
	const attacks = [
		randomBytes(4096), Buffer.alloc(0), Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), hello(0x30), hello(0x20), hello(0xffff),
		...[0x10, 0x20, 0x21, 0x30, 0x31].flatMap((protocol) => [
			Buffer.concat([hello(protocol), size(0x7fffffffffffffffn), randomBytes(64)]),
			Buffer.concat([hello(protocol), size(100n), randomBytes(20)]),
			Buffer.concat([hello(protocol), size(64n), randomBytes(64), size(0n), size(1n), Buffer.from([1])]),
		]),
	];
	const peers = [];

	for (const port of ports)
		for (const bytes of attacks) {
			const raw = await Raw.open(port);

			raw.socket.write(bytes);
			peers.push(raw);
		}
	/* A suite member's words under another key. */
	await assert.rejects(run(join(buildDir("debug"), "proto/alp-probe"),
		["call", stack.env.BUS_STORE, "user_by_email", '{"email":"a@b.c"}'], { timeout: 3000, env: { BUS_KEY: "k".repeat(40), ASAN_OPTIONS: "detect_leaks=0" } }));
	const { store } = stack.daemons;
	await until("it is counted", async () => Object.entries(await store.metrics()).some(([name, n]) => name.startsWith("alp_bus_refused_total") && n > 0));
	const ws = await chatOf(stack, await guestOf(stack), "besieged");
	await ws.turn("Do you hear me? [[sim:tokens=5]]");
	await ws.close();
	for (const raw of peers)
		raw.end();
	assert.deepEqual(pids(), before, "nobody died of it");
});

test("FB-06: well-formed messages that lie change nothing", async () => {
	const rest = await guestOf(stack);
	const stranger = await guestOf(stack);
	const ws = await chatOf(stack, rest, "hostile");
	const accepted = await ws.post("Say a lot [[sim:tokens=250]]");
	const ids = { turn_id: accepted.turn_id };
	const store = new Probe(stack.env.BUS_STORE, stack.env.BUS_KEY);
	const chat = new Probe(stack.env.BUS_CHAT, stack.env.BUS_KEY);
	const work = new Probe(stack.env.BUS_WORK, stack.env.BUS_KEY);
	const other = callerOf(stranger);
	const outcome = { state: "completed", "blob:reply": "a lie", model: "x", finish_reason: "stop",
		usage: { prompt_tokens: 1, completion_tokens: 1 }, timing: { total: 1 } };

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === accepted.turn_id && f.offset >= 2);
	const [{ owner }] = await stack.db(`select owner from turns where id = '${accepted.turn_id}'`);
	for (const [who, name, body] of [
		[null, "turn_finish", { ...ids, owner: "chat-9", attempt: 1, outcome }],
		[null, "turn_finish", { ...ids, owner, attempt: 7, outcome }],
		[null, "turn_progress", { ...ids, owner: "chat-9", attempt: 1, lease_ms: 9000, has_partial: true, "blob:partial": "a lie" }],
		[null, "turn_attempt", { ...ids, owner: "chat-9", attempt: 2, lease_ms: 9000, reason: "a lie" }],
		[other, "turn_load", ids],
		[other, "chat_load", { session_id: accepted.chat_id, chat_id: accepted.chat_id, restore: true }],
	]) {
		const answer = await store.ask(who, name, body);

		assert.ok(["conflict", "not_found", "invalid"].includes(answer.rc) || answer.found === false, `${name}: ${JSON.stringify(answer)}`);
	}
	for (const [name, body] of [["turn_stop", ids], ["turn_get", ids]])
		assert.equal((await chat.ask(other, name, body)).rc, "not_found", name);
	for (const [name, body] of [
		["work_done", { worker: "impostor", ...ids, attempt: 1, result: "completed", "blob:text": "a lie" }],
		["work_done", { worker: "impostor", ...ids, attempt: 2, result: "completed", "blob:text": "a lie" }],
		["work_text", { worker: "impostor", ...ids, attempt: 1, "blob:text": "a lie", ends: "5" }],
	])
		assert.notEqual((await work.ask(null, name, body)).rc, "internal", name);
	for (const offset of [0, 3, 4503599627370495])
		await run(join(buildDir("debug"), "proto/alp-probe"), ["publish", stack.env.BUS_DELTA, "ai_delta",
			JSON.stringify({ worker: "impostor", ...ids, attempt: 1, offset, piece: "a lie" })],
		{ env: { BUS_KEY: stack.env.BUS_KEY, ASAN_OPTIONS: "detect_leaks=0" } });
	const end = await ends(ws, accepted.turn_id);

	assert.equal(end.state, "completed");
	assert.equal(joined(ws, end), end.message);
	assert.ok(!end.message.includes("lie"));
	assert.deepEqual((await ws.restore()).history.map((m) => m.sender), ["user", "ai"]);
	await Promise.all([store, chat, work].map((probe) => probe.stop()));
	await ws.close();
});

test("FB-09: names that begin alike hear nothing of each other", async () => {
	const rest = await guestOf(stack);
	const names = ["a", "ab", "abc", "abc-1", "abc-10", "A"];
	const sockets = await Promise.all(names.map((name) => chatOf(stack, rest, name)));

	await Promise.all(sockets.map((ws, i) => ws.turn(`only-${names[i]}-${i} [[sim:tokens=10]]`)));
	for (const [i, ws] of sockets.entries()) {
		const others = names.map((name, k) => `only-${name}-${k} `).filter((_, k) => k !== i);

		assert.deepEqual(new Set(ws.frames.map((f) => f.session_id).filter(Boolean)), new Set([names[i]]));
		assert.ok(!others.some((marker) => JSON.stringify(ws.frames).includes(marker)));
		await ws.close();
	}
});

test("FB-10: more requests than there is room for, and no descriptors left: refused, then all is as before", async () => {
	const rest = await guestOf(stack);
	const { gateway } = stack.daemons;
	const pid = gateway.pid;
	const descriptors = async () => Number((await run("sh", ["-c", `ls /proc/${pid}/fd | wc -l`])).stdout);

	await rest.createTrack();
	const before = await descriptors();
	stack.daemons.store.kill("SIGSTOP");
	const asked = Array.from({ length: 600 }, () => rest.get("/api/tracks"));
	const answers = await Promise.all(asked);

	stack.daemons.store.kill("SIGCONT");
	assert.ok(answers.every((a) => a.status === 503 && Number(a.headers.get("retry-after")) > 0), `${answers.map((a) => a.status).find((s) => s !== 503)}`);
	assert.ok((await stack.daemons.gateway.metrics()).alp_bus_requests_busy_total > 0);
	await until("requests are served again", async () => (await rest.get("/api/tracks")).status === 200);

	await until("the connections of these requests are gone", async () => (await descriptors()) <= before, { ms: 30000 });
	const used = await descriptors();

	await run("prlimit", ["--pid", String(pid), `--nofile=${used + 10}:4096`]);
	const held = await Promise.all(Array.from({ length: 40 }, () => Raw.open(stack.ports.GATEWAY_LISTEN)));
	await until("some were turned away or wait", async () => (await descriptors()) >= used + 5);
	for (const raw of held)
		raw.end();
	await run("prlimit", ["--pid", String(pid), "--nofile=4096:4096"]);
	await until("it serves as before", async () => (await rest.get("/api/tracks")).status === 200);
	assert.equal(gateway.pid, pid);
});

test("a provider that hangs and somebody who floods keep nobody else's turns from ending", async () => {
	const [hung, flood, ...calm] = await Promise.all(Array.from({ length: 6 }, async (_, i) => {
		const rest = await guestOf(stack);

		return { rest, ws: await chatOf(stack, rest, `neighbour-${i}`) };
	}));
	const stuck = await hung.ws.post("Nothing comes of this [[sim:hang]]");

	for (let i = 0; i < 2000; i++)
		flood.ws.send({ type: "ping", t: i });
	await Promise.all(calm.map(async ({ ws }) => {
		for (let i = 0; i < 3; i++)
			await ws.turn(`calm ${i} [[sim:tokens=10]]`);
	}));
	assert.equal((await flood.ws.closed).code, 1008);
	hung.ws.send({ type: "stop", turn_id: stuck.turn_id });
	await hung.ws.next((f) => f.turn_id === stuck.turn_id && (f.state === "stopped" || f.type === "ai_response"));
	await Promise.all([hung, ...calm].map(({ ws }) => ws.close()));
});

test("what is written is in the database within a second or 4 KiB, before the reply has ended", async () => {
	const ws = await chatOf(stack, await guestOf(stack), "partial");
	const accepted = await ws.post("Slowly [[sim:tokens=3000]][[sim:token_delay=20]]");
	const partial = async () => (await stack.db(`select partial from turns where id = '${accepted.turn_id}' and state = 'running'`))[0]?.partial ?? "";
	const seen = () => ws.deltas(accepted.turn_id, 1).map((f) => f.text).join("");

	for (let i = 0; i < 2; i++) {
		await until("some text came", () => seen().length > 50 * (i + 1));
		const shown = seen();

		await until("it is durable", async () => (await partial()).startsWith(shown), { ms: 5000 });
		assert.ok(seen().startsWith(shown));
	}
	ws.send({ type: "stop", turn_id: accepted.turn_id });
	const end = await ends(ws, accepted.turn_id);

	assert.equal(end.state, "cancelled");
	await ws.close();
});
