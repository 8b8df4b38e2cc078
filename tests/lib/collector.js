/*
 * A collector of traces: OTLP/HTTP with JSON bodies, as daemons send them. Each
 * span is kept with its service and its attributes as an object.
 */

import { once } from "node:events";
import { createServer } from "node:http";

const ID = { traceId: /^[0-9a-f]{32}$/, spanId: /^[0-9a-f]{16}$/, parentSpanId: /^[0-9a-f]{16}$/ };
const TIME = /^\d{19}$/;	/* nanoseconds, as a string */

const valueOf = ({ stringValue, intValue }) => stringValue ?? Number(intValue);
const plain = (attributes) => Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));

export class Collector {
	spans = [];
	requests = [];	/* { path, headers } */
	faults = [];	/* what is not as the specification says */
	status = 200;	/* of the answers from now on; 0: none comes */

	async start() {
		this.server = createServer((request, response) => this.#take(request, response)).listen(0, "127.0.0.1");
		await once(this.server, "listening");
		this.url = `http://127.0.0.1:${this.server.address().port}`;
		return this;
	}

	stop() {
		this.server.closeAllConnections();
		this.server.close();
	}

	async #take(request, response) {
		const chunks = [];

		for await (const chunk of request)
			chunks.push(chunk);
		this.requests.push({ path: request.url, headers: request.headers });
		if (this.status === 0)
			return;
		if (this.status === 200)
			this.#keep(JSON.parse(Buffer.concat(chunks).toString()));
		response.writeHead(this.status, { "content-type": "application/json" }).end("{}");
	}

	#keep({ resourceSpans }) {
		for (const { resource, scopeSpans } of resourceSpans) {
			const service = plain(resource.attributes)["service.name"];

			for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
				this.#check(service, span);
				this.spans.push({ ...span, service, attributes: plain(span.attributes) });
			}
		}
	}

	#check(service, span) {
		const bad = [
			...Object.entries(ID).filter(([key, form]) => span[key] !== undefined && !form.test(span[key])).map(([key]) => key),
			...["startTimeUnixNano", "endTimeUnixNano"].filter((key) => !TIME.test(span[key])),
			...BigInt(span.endTimeUnixNano) < BigInt(span.startTimeUnixNano) ? ["ends before it starts"] : [],
			...[1, 2, 3].includes(span.kind) ? [] : ["kind"],
			...span.name ? [] : ["name"],
		];

		this.faults.push(...bad.map((what) => `${service} ${span.name}: ${what}`));
	}

	of(traceId) {
		return this.spans.filter((span) => span.traceId === traceId);
	}
}
