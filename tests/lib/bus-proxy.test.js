/* The proxy of the bus, with peers that speak as nng does. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import WebSocket, { WebSocketServer } from "ws";
import { BusProxy } from "./bus-proxy.js";
import { until } from "./until.js";

const HELLO = Buffer.from([0, 0x53, 0x50, 0, 0, 0x20, 0, 0]);
const framed = (text) => {
	const head = Buffer.alloc(8);

	head.writeBigUInt64BE(BigInt(Buffer.byteLength(text)));
	return Buffer.concat([head, Buffer.from(text)]);
};

/* A listener that keeps what it was sent, and a dialler to it by way of a proxy. */
async function tcpPair(random) {
	const got = { bytes: Buffer.alloc(0), back: Buffer.alloc(0) };
	const listener = createServer((socket) => {
		got.socket = socket;
		socket.write(HELLO);
		socket.on("data", (data) => {
			got.bytes = Buffer.concat([got.bytes, data]);
		});
	}).listen(0, "127.0.0.1");

	await once(listener, "listening");
	const proxy = await BusProxy.start({ transport: "tcp", target: `127.0.0.1:${listener.address().port}`, random });
	const client = connect(Number(proxy.address.split(":")[1]), "127.0.0.1");

	client.on("data", (data) => {
		got.back = Buffer.concat([got.back, data]);
	});
	client.write(HELLO);
	after(async () => {
		client.destroy();
		await proxy.stop();
		listener.close();
	});
	await until("both have greeted", () => got.bytes.equals(HELLO) && got.back.equals(HELLO));
	return { proxy, client, got, texts: () => textsOf(got.bytes) };
}

function textsOf(bytes) {
	const texts = [];

	for (let at = HELLO.length; at < bytes.length; ) {
		const size = Number(bytes.readBigUInt64BE(at));

		texts.push(bytes.toString("utf8", at + 8, at + 8 + size));
		at += 8 + size;
	}
	return texts;
}

test("messages pass as they are, however they are cut", async () => {
	const { client, texts } = await tcpPair();
	const bytes = Buffer.concat(["", "a", "b".repeat(70000), "c"].map(framed));

	for (let at = 0; at < bytes.length; at += 9973)
		client.write(bytes.subarray(at, at + 9973));
	await until("all are there", () => texts().length === 4 && texts()[3] === "c");
	assert.deepEqual(texts().map((t) => t.length), [0, 1, 70000, 1]);
});

test("messages are dropped, doubled, put back and delayed by chance", async () => {
	const { proxy, client, texts } = await tcpPair(() => 0);

	proxy.rules.up = { drop: 1 };
	client.write(framed("lost"));
	await until("it was dropped", () => proxy.counts.dropped === 1);
	proxy.rules.up = { duplicate: 1 };
	client.write(framed("twice"));
	await until("it came twice", () => texts().length === 2);
	proxy.rules.up = { reorder: 1 };
	client.write(framed("second"));
	await until("it waits", () => proxy.counts.reordered === 1);
	proxy.rules.up = {};
	client.write(framed("first"));
	await until("both are there", () => texts().length === 4);
	proxy.rules.up = { delay: [30, 40] };
	const start = performance.now();
	client.write(framed("late"));
	await until("it is there", () => texts().length === 5);
	assert.ok(performance.now() - start >= 25);
	assert.deepEqual(texts(), ["twice", "twice", "first", "second", "late"]);
});

test("a message that was put back comes by itself when none follows", async () => {
	const { proxy, client, texts } = await tcpPair(() => 0);

	proxy.rules.up = { reorder: 1 };
	client.write(framed("alone"));
	await until("it is there", () => texts().length === 1);
});

test("a partition of one direction holds only that one, until it heals", async () => {
	const { proxy, client, got, texts } = await tcpPair();

	proxy.partition("up");
	client.write(framed("held"));
	got.socket.write(framed("goes"));
	await until("the other way is open", () => textsOf(got.back).length === 1);
	assert.deepEqual(texts(), []);
	proxy.heal();
	await until("what waited is there", () => texts().length === 1);
	assert.deepEqual(texts(), ["held"]);
});

test("nobody listens while the target is away", async () => {
	const listener = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");

	await once(listener, "listening");
	const { port } = listener.address();
	const proxy = await BusProxy.start({ transport: "tcp", target: `127.0.0.1:${port}` });
	const [host, own] = proxy.address.split(":");
	const refused = () => new Promise((resolve) => {
		const socket = connect(Number(own), host).on("connect", () => resolve(false)).on("error", () => resolve(true));

		socket.on("connect", () => socket.destroy());
	});

	await new Promise((resolve) => listener.close(resolve));
	await until("the proxy is away as well", refused);
	const again = createServer((socket) => socket.on("error", () => {})).listen(port, "127.0.0.1");

	await until("it is back", async () => !await refused());
	await proxy.stop();
	again.close();
});

test("both ends see a cut", async () => {
	const { proxy, client, got } = await tcpPair();
	const closed = Promise.all([once(client, "close"), once(got.socket, "close")]);

	proxy.cut();
	await closed;
	assert.equal(proxy.links.size, 0);
});

test("a ws frame keeps its protocol, its bytes and what was sent before the other end was there", async () => {
	const listener = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: ([p]) => p });

	await once(listener, "listening");
	listener.on("connection", (ws) => ws.on("message", (data) => ws.send(Buffer.concat([Buffer.from(`${ws.protocol}:`), data]))));
	const proxy = await BusProxy.start({ transport: "ws", target: `127.0.0.1:${listener.address().port}` });
	const client = new WebSocket(`ws://${proxy.address}/alp`, "rep.sp.nanomsg.org");

	await once(client, "open");
	client.send(Buffer.from([0x80, 0, 0, 1, 0x41]));
	const [answer] = await once(client, "message");

	assert.deepEqual(answer, Buffer.concat([Buffer.from("rep.sp.nanomsg.org:"), Buffer.from([0x80, 0, 0, 1, 0x41])]));
	client.terminate();
	await proxy.stop();
	listener.close();
});

test("the same chances make the same of the same messages", async () => {
	const run = async () => {
		let state = 1;
		const { proxy, client, texts } = await tcpPair(() => (state = (state * 16807) % 2147483647) / 2147483647);

		proxy.rules.up = { drop: 0.3, duplicate: 0.3 };
		for (let i = 0; i < 50; i++)
			client.write(framed(String(i)));
		proxy.rules.up.drop = 0.3;
		await until("all were seen", () => proxy.counts.messages === 52);
		await until("all are there", () => texts().length > 0);
		await new Promise((resolve) => setTimeout(resolve, 50));
		return texts();
	};

	assert.deepEqual(await run(), await run());
});
