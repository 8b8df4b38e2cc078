/*
 * Raw connections for what no decent client would send, and a gateway of the
 * test's own beside a stack's.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { buildDir, Daemon } from "../lib/daemon.js";
import { claimPorts } from "../lib/ports.js";
import { until, within } from "../lib/until.js";

/* One TCP connection: what is written, and everything that came back. */
export class Raw {
	received = "";
	closed = false;
	#wake = new Set();

	static async open(port) {
		const raw = new Raw();

		raw.socket = connect(port, "127.0.0.1");
		raw.socket.on("data", (data) => {
			raw.received += data.toString("latin1");
			raw.#notify();
		});
		raw.socket.on("error", () => {});	/* a reset is an end like any other here */
		raw.socket.on("close", () => {
			raw.closed = true;
			raw.#notify();
		});
		await once(raw.socket, "connect");
		return raw;
	}

	#notify() {
		for (const wake of this.#wake)
			wake();
	}

	send(text) {
		this.socket.write(text, "latin1");
	}

	/* Until the condition holds, or the connection ends. */
	async wait(what, holds, ms = 20000) {
		let wake;

		await within(ms, what, new Promise((resolve) => {
			wake = () => (holds(this) || this.closed) && resolve();
			this.#wake.add(wake);
			wake();
		})).finally(() => this.#wake.delete(wake));
		return this;
	}

	/* The status of the n-th answer; 0 when the connection ended without one. */
	async status(n = 1, ms) {
		const heads = () => this.received.match(/HTTP\/1\.[01] \d{3}/g) ?? [];

		await this.wait(`answer ${n}`, () => heads().length >= n, ms);
		return Number(heads()[n - 1]?.slice(9) ?? 0);
	}

	untilClosed(ms) {
		return this.wait("the connection ends", () => false, ms);
	}

	end() {
		this.socket.destroy();
	}
}

export async function exchange(port, text) {
	const raw = await Raw.open(port);

	raw.send(text);
	const status = await raw.status();
	const { received } = raw;

	raw.end();
	return { status, received };
}

/* Passes bytes on to a port until it is told not to: then they are read and forgotten. */
export class Valve {
	open = true;
	#sockets = new Set();

	static async to(port) {
		const valve = new Valve();

		valve.server = createServer((near) => {
			const far = connect(port, "127.0.0.1");

			valve.#sockets.add(near).add(far);
			near.on("error", () => far.destroy()).on("close", () => far.destroy());
			far.on("error", () => near.destroy()).on("close", () => near.destroy());
			near.on("data", (data) => far.write(data));
			far.on("data", (data) => valve.pass(near, data));
		});
		valve.server.listen(0, "127.0.0.1");
		await once(valve.server, "listening");
		return valve;
	}

	/* A publication is lost as a whole or arrives as a whole: one frame comes in one piece here. */
	pass(near, data) {
		if (this.open)
			near.write(data);
	}

	get port() {
		return this.server.address().port;
	}

	stop() {
		for (const socket of this.#sockets)
			socket.destroy();
		this.server.close();
	}
}

/* A second gateway of a stack, with settings of its own: { url, wsUrl, daemon, stop() }. */
export async function secondGateway(stack, env = {}) {
	const claim = await claimPorts(2);
	const [listen, health] = claim.ports.map((port) => `127.0.0.1:${port}`);
	const daemon = new Daemon({ program: "gateway", instance: "gateway-2", dir: stack.dir, health,
		settings: { ...stack.env, GATEWAY_LISTEN: listen, GATEWAY_HEALTH: health, ...env } });

	await daemon.start();
	await daemon.waitReady();
	return {
		daemon, port: claim.ports[0], url: `http://${listen}`, wsUrl: `ws://${listen}`,
		async stop() {
			const exit = await daemon.stop();

			await claim.release();
			if (exit.code !== 0)
				throw new Error(`gateway-2 ended with ${exit.signal ?? exit.code}:\n${daemon.tail()}`);
		},
	};
}

/*
 * A client that stops reading after so many bytes, over a connection that holds
 * little: what it does not take stays with the server. Its text is what it read.
 */
export class Narrow {
	bytes = Buffer.alloc(0);

	constructor(port, bytes) {
		this.child = spawn("setpriv", ["--pdeathsig", "KILL", "--", join(buildDir("debug"), "tests/component/alp-narrow"), String(port), String(bytes)],
			{ stdio: ["pipe", "pipe", "inherit"] });
		this.child.stdin.on("error", () => {});
		this.child.stdout.on("data", (data) => {
			this.bytes = Buffer.concat([this.bytes, data]);
		});
		this.ended = once(this.child, "close");
		this.limit = bytes;
	}

	get received() {
		return this.bytes.toString();
	}

	send(text) {
		this.child.stdin.write(text);
	}

	/* It has read so many bytes, and reads no more. */
	stopped(ms) {
		return until("the reader stops", () => this.bytes.length === this.limit, { ms });
	}

	readOn() {
		this.child.kill("SIGCONT");
	}

	async stop() {
		this.child.kill("SIGKILL");
		await this.ended;
	}
}
