/*
 * A client of the answers that come as server-sent events. Every event is
 * remembered in order: { type, id, data, frame }; comments are counted.
 */

import { within } from "./until.js";

const NEXT_MS = 15000;

export class EventStream {
	events = [];
	comments = 0;
	#taken = 0;
	#wake = () => {};
	#abort = new AbortController();

	/* Resolves when the head is there; an answer that is no stream is in `body`. rest: a Rest. */
	static async post(rest, path, body, headers = {}) {
		const stream = new EventStream();

		stream.answer = await fetch(rest.url + path, {
			method: "POST", body: JSON.stringify(body), signal: stream.#abort.signal,
			headers: {
				"content-type": "application/json", accept: "text/event-stream",
				...(rest.token ? { authorization: `Bearer ${rest.token}` } : {}), ...headers,
			},
		});
		stream.status = stream.answer.status;
		stream.type = stream.answer.headers.get("content-type");
		if (stream.type.startsWith("text/event-stream"))
			stream.ended = stream.#read().catch((err) => err);
		else
			stream.body = JSON.parse(await stream.answer.text());
		return stream;
	}

	async #read() {
		const decoder = new TextDecoder();
		let rest = "";

		try {
			for await (const bytes of this.answer.body) {
				rest += decoder.decode(bytes, { stream: true });
				const blocks = rest.split("\n\n");

				rest = blocks.pop();
				for (const block of blocks)
					this.#take(block);
				this.#wake();
			}
		} finally {
			this.over = true;
			this.#wake();
		}
		if (rest !== "")
			throw new Error(`the stream ends inside an event: ${rest}`);
		return null;
	}

	#take(block) {
		const event = {};

		for (const line of block.split("\n")) {
			const [, field, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];

			if (field === undefined)
				throw new Error(`not a line of an event: ${JSON.stringify(line)}`);
			if (field === "")
				this.comments++;
			else
				event[field === "event" ? "type" : field] = value;
		}
		if (event.data !== undefined)
			this.events.push({ ...event, frame: JSON.parse(event.data) });
	}

	/* The next event of a type that was not taken yet; those before it are skipped. */
	next(type, ms = NEXT_MS) {
		return within(ms, `an event ${type}`, new Promise((resolve, reject) => {
			this.#wake = () => {
				const at = this.events.findIndex((event, i) => i >= this.#taken && event.type === type);

				if (at >= 0) {
					this.#taken = at + 1;
					resolve(this.events[at]);
				} else if (this.over) {
					reject(new Error(`the stream ended without ${type}: ${this.events.map((e) => e.type)}`));
				}
			};
			this.#wake();
		}));
	}

	/* Waits for the end; every event. */
	async all(ms = 60000) {
		const err = await within(ms, "the stream ends", this.ended);

		if (err)
			throw err;
		return this.events;
	}

	of(type) {
		return this.events.filter((event) => event.type === type);
	}

	/* The pieces of the last epoch, checked: no gap, no repeat; from: the offset of the first. */
	text({ from = 0 } = {}) {
		const deltas = this.of("ai_delta");
		const last = deltas.filter((event) => event.frame.epoch === deltas.at(-1).frame.epoch);

		last.forEach((event, i) => {
			if (event.frame.offset !== from + i || event.id !== `${event.frame.epoch}.${from + i}`)
				throw new Error(`piece ${i} is ${event.id} with offset ${event.frame.offset}`);
		});
		return last.map((event) => event.frame.text).join("");
	}

	/* Goes away without a word. */
	drop() {
		this.#abort.abort();
		return this.ended;
	}
}
