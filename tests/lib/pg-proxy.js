/*
 * Stands between a client and the private PostgreSQL and sees every query
 * before the server does: the place to kill somebody at a certain statement.
 *
 *   const proxy = await PgProxy.start(clusterUrl);
 *   proxy.onQuery = async (sql, link) => "pass";	// "drop": the server never sees it
 *   proxy.url(database)
 */

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAX_QUERY = 16 << 20;

class Link {
	#in = Buffer.alloc(0);
	#started = false;

	constructor(proxy, client) {
		this.client = client;
		this.server = connect(proxy.target);
		this.proxy = proxy;
		client.on("data", (data) => {
			this.#in = Buffer.concat([this.#in, data]);
			client.pause();
			this.#forward().then(() => client.resume(), (err) => this.close(err));
		});
		this.server.on("data", (data) => client.write(data));
		for (const socket of [client, this.server])
			socket.on("error", () => this.close()).on("close", () => this.close());
	}

	/* The link is cut, both sides see it. */
	close(err) {
		if (err)
			this.proxy.failure ??= err;
		this.client.destroy();
		this.server.destroy();
		this.proxy.links.delete(this);
	}

	/* The length of the next whole message, or 0. */
	#next() {
		const at = this.#started ? 1 : 0;

		if (this.#in.length < at + 4)
			return 0;
		const size = this.#in.readUInt32BE(at) + at;

		if (size > MAX_QUERY)
			throw new Error(`a message of ${size} bytes`);
		return this.#in.length < size ? 0 : size;
	}

	async #forward() {
		for (let size = this.#next(); size > 0; size = this.#next()) {
			const message = this.#in.subarray(0, size);
			const isQuery = this.#started && message[0] === 0x51;

			this.#in = this.#in.subarray(size);
			if (this.#started)
				this.proxy.onMessage(message[0]);
			this.#started = true;
			if (isQuery && await this.proxy.onQuery(message.subarray(5, size - 1).toString("utf8"), this) === "drop")
				return;
			this.server.write(message);
			if (isQuery)
				await this.proxy.onSent(this);
		}
	}
}

export class PgProxy {
	onQuery = () => "pass";
	onSent = () => {};	/* after the query has been handed to the server */
	onMessage = () => {};	/* the type byte of each message of the client */
	links = new Set();
	failure = null;

	/* The cluster's URL must name a socket folder. */
	static async start(clusterUrl) {
		const proxy = new PgProxy();
		const where = new URL(clusterUrl).searchParams;

		proxy.clusterUrl = clusterUrl;
		proxy.target = join(where.get("host"), `.s.PGSQL.${where.get("port")}`);
		proxy.dir = mkdtempSync(join(tmpdir().length < 60 ? tmpdir() : "/tmp", "alp-pgx-"));
		proxy.server = createServer((client) => proxy.links.add(new Link(proxy, client)));
		proxy.server.listen(join(proxy.dir, `.s.PGSQL.${where.get("port")}`));
		await once(proxy.server, "listening");
		return proxy;
	}

	/* The database's own URL, by way of the proxy. */
	url(databaseUrl) {
		return databaseUrl.replace(/host=[^&]*/, `host=${encodeURIComponent(this.dir)}`);
	}

	async stop() {
		for (const link of this.links)
			link.close();
		this.server.close();
		rmSync(this.dir, { recursive: true, force: true });
		if (this.failure)
			throw this.failure;
	}
}
