/*
 * Stands between two daemons on the bus and plays with single messages:
 *
 *   const proxy = await BusProxy.start({ transport: "ws", listen: 12001, target: "127.0.0.1:12002" });
 *   proxy.rules.up = { duplicate: 0.2 };	// from the dialler to the listener
 *   proxy.rules.down = { drop: 0.1, reorder: 0.3, delay: [0, 200] };
 *   proxy.partition("up"); ... proxy.heal();
 *
 * The dialler is given proxy's address, the listener keeps its own. tcp is nng's
 * SP transport (8 bytes of greeting each way, then messages behind a length of
 * 64 bits), for publications; ws carries one message a frame, for requests. A
 * message is passed on as it is, with its header: a request sent twice is a
 * request of the same id.
 *
 * While nobody listens at the target, proxy does not listen either: a dialler
 * that tries sees what it would see without it.
 *
 * Over a partitioned direction nothing comes until heal(), which lets through
 * what waited, as TCP does when the network is back; connections that are made
 * meanwhile wait as well. What is dropped is gone.
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket, { WebSocketServer } from "ws";

const GREETING = 8;
const LENGTH = 8;
const MESSAGE_MAX = 64 << 20;
const WAITING_MAX = 10000;	/* messages of one direction of one link; beyond it the link is cut */
const LOOK_MS = 50;	/* how often an absent target is looked for */
const LATE_MS = 50;	/* when a message that was put back comes at last, should none follow */

/* Cuts a stream into the greeting and whole messages. */
class Cutter {
	#in = Buffer.alloc(0);
	#greeted = false;

	/* The next piece that may be passed on, or null. */
	#next() {
		if (!this.#greeted)
			return this.#in.length >= GREETING ? GREETING : null;
		if (this.#in.length < LENGTH)
			return null;
		const size = Number(this.#in.readBigUInt64BE());

		if (size > MESSAGE_MAX)
			throw new Error(`a message of ${size} bytes`);
		return this.#in.length >= LENGTH + size ? LENGTH + size : null;
	}

	*feed(data) {
		this.#in = this.#in.length > 0 ? Buffer.concat([this.#in, data]) : data;
		for (let size = this.#next(); size !== null; size = this.#next()) {
			yield { bytes: this.#in.subarray(0, size), greeting: !this.#greeted };
			this.#greeted = true;
			this.#in = this.#in.subarray(size);
		}
	}
}

/* One direction of one link: what the rules make of its messages. */
class Lane {
	#waiting = [];	/* behind a partition, in order */
	#put_back = null;

	constructor(proxy, direction, send, cut) {
		Object.assign(this, { proxy, direction, send, cut });
	}

	#pass(bytes) {
		const held = this.proxy.holds(this.direction, bytes);

		this.proxy.counts.held += held ? 1 : 0;
		if (held || !this.proxy.isOpen(this.direction)) {
			this.#waiting.push(bytes);
			if (this.#waiting.length > WAITING_MAX)
				this.cut();
			return;
		}
		this.send(bytes);
	}

	#swap(bytes) {
		const first = this.#put_back;

		this.#put_back = null;
		if (bytes !== null)
			this.#pass(bytes);
		if (first !== null)
			this.#pass(first);
	}

	take({ bytes, greeting = false }) {
		const { drop = 0, duplicate = 0, reorder = 0, delay } = greeting ? {} : this.proxy.rules[this.direction];
		const { random, counts } = this.proxy;

		counts.messages++;
		if (random() < drop) {
			counts.dropped++;
			return;
		}
		const copies = random() < duplicate ? 2 + Math.floor(random() * 4) : 1;

		if (copies > 1)
			counts.duplicated++;
		if (this.#put_back === null && random() < reorder) {
			counts.reordered++;
			this.#put_back = bytes;
			setTimeout(() => this.#put_back === bytes && this.#swap(null), LATE_MS).unref();
			return;
		}
		for (let i = 0; i < copies; i++)
			this.#later(bytes, delay);
	}

	/* Delayed messages overtake each other. */
	#later(bytes, delay) {
		if (!delay) {
			this.#swap(bytes);
			return;
		}
		this.proxy.counts.delayed++;
		setTimeout(() => this.#swap(bytes), delay[0] + this.proxy.random() * (delay[1] - delay[0])).unref();
	}

	heal() {
		for (const bytes of this.#waiting.splice(0))
			this.send(bytes);
	}
}

function tcpLink(proxy, client) {
	const server = connect(proxy.port, proxy.host).on("error", proxy.follow);
	const link = { lanes: [], cut: () => {
		client.destroy();
		server.destroy();
		proxy.links.delete(link);
	} };
	const lane = (direction, from, to) => {
		const cutter = new Cutter();
		const one = new Lane(proxy, direction, (bytes) => !to.destroyed && to.write(bytes), link.cut);

		from.on("data", (data) => {
			for (const piece of cutter.feed(data))
				one.take(piece);
		});
		from.on("error", link.cut).on("close", link.cut);
		link.lanes.push(one);
	};

	client.setNoDelay(true);
	server.setNoDelay(true);
	lane("up", client, server);
	lane("down", server, client);
	return link;
}

function wsLink(proxy, client, protocol) {
	const server = new WebSocket(`ws://${proxy.host}:${proxy.port}/alp`, protocol, { perMessageDeflate: false, maxPayload: MESSAGE_MAX });
	const early = [];
	const link = { lanes: [], cut: () => {
		client.terminate();
		server.terminate();
		proxy.links.delete(link);
	} };
	const send = (to) => (bytes) => to.readyState === WebSocket.OPEN && to.send(bytes, { binary: true });
	const up = new Lane(proxy, "up", (bytes) => server.readyState === WebSocket.CONNECTING ? early.push(bytes) : send(server)(bytes), link.cut);
	const down = new Lane(proxy, "down", send(client), link.cut);

	server.on("error", proxy.follow);
	server.on("open", () => early.splice(0).forEach(send(server)));
	client.on("message", (bytes) => up.take({ bytes }));
	server.on("message", (bytes) => down.take({ bytes }));
	for (const socket of [client, server])
		socket.on("error", link.cut).on("close", link.cut);
	link.lanes.push(up, down);
	return link;
}

const listenWs = (proxy) => {
	const server = new WebSocketServer({ host: "127.0.0.1", port: proxy.listen, perMessageDeflate: false, maxPayload: MESSAGE_MAX,
		handleProtocols: ([protocol]) => protocol });

	server.on("connection", (client) => proxy.links.add(wsLink(proxy, client, client.protocol)));
	return server;
};

const listenTcp = (proxy) =>
	createServer((client) => proxy.links.add(tcpLink(proxy, client))).listen(proxy.listen, "127.0.0.1");

export class BusProxy {
	rules = { up: {}, down: {} };	/* chances: drop, duplicate (x2 to x5), reorder; delay: [from, to] ms */
	links = new Set();
	counts = { messages: 0, dropped: 0, duplicated: 0, reordered: 0, delayed: 0, held: 0 };
	holds = () => false;	/* (direction, bytes): this message, or this copy of it, waits for heal(); others go past it */
	#closed = new Set();
	#away = false;
	#stopped = false;

	/* random: () => [0, 1), so that a seed tells everything. */
	static async start({ transport, listen = 0, target, random = Math.random }) {
		const proxy = new BusProxy();
		const [host, port] = target.split(":");

		Object.assign(proxy, { listen, host, port: Number(port), random });
		proxy.open = transport === "ws" ? listenWs : listenTcp;
		await proxy.#listen();
		proxy.address = `127.0.0.1:${proxy.server.address().port}`;
		proxy.listen = proxy.server.address().port;
		return proxy;
	}

	async #listen() {
		this.server = this.open(this);
		await once(this.server, "listening");
	}

	#close() {
		return new Promise((resolve) => this.server.close(resolve));
	}

	#targetListens() {
		return new Promise((resolve) => {
			const probe = connect(this.port, this.host);

			probe.on("connect", () => resolve(true)).on("error", () => resolve(false));
			probe.on("connect", () => probe.destroy());
		});
	}

	/* The target could not be reached: away until it can. */
	follow = async (err) => {
		if (err.code !== "ECONNREFUSED" || this.#away)
			return;
		this.#away = true;
		this.cut();
		await this.#close();
		while (!this.#stopped && !await this.#targetListens())
			await sleep(LOOK_MS);
		if (!this.#stopped)
			await this.#listen();
		this.#away = false;
	};

	isOpen(direction) {
		return !this.#closed.has(direction);
	}

	/* "up", "down" or "both" */
	partition(direction = "both") {
		for (const one of direction === "both" ? ["up", "down"] : [direction])
			this.#closed.add(one);
	}

	heal() {
		this.#closed.clear();
		for (const link of this.links)
			for (const lane of link.lanes)
				lane.heal();
	}

	/* The connections end, both sides see it. */
	cut() {
		for (const link of this.links)
			link.cut();
	}

	async stop() {
		this.#stopped = true;
		const closed = this.#close();

		this.cut();
		await closed;
	}
}
