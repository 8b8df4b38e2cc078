/*
 * A client of the chat socket that remembers every frame. A frame that was
 * waited for is taken, so the next wait does not see it again; frames that
 * nobody waited for stay, in their order.
 */

import { randomUUID } from "node:crypto";
import WebSocket from "ws";
import { within } from "./until.js";

const OPEN_MS = 10000;
const NEXT_MS = 15000;

const summary = (frames) => frames.map((frame) => JSON.stringify(frame).slice(0, 160)).join("\n    ") || "none";

export class Ws {
	frames = [];	/* everything received, parsed; also what was taken */
	#untaken = [];
	#wake = new Set();

	/*
	 * Connects and resolves when open. who: { token } is sent as the header,
	 * { cookie } and { origin } as a browser does, { headers } are added.
	 * A refused handshake rejects with err.status.
	 */
	static async open(url, who = {}) {
		const client = new Ws();
		const headers = { ...who.headers };

		if (who.token)
			headers.authorization = `Bearer ${who.token}`;
		if (who.cookie)
			headers.cookie = who.cookie;
		client.socket = new WebSocket(url, { headers, origin: who.origin, perMessageDeflate: false });
		client.closed = new Promise((resolve) => {
			client.socket.once("close", (code, reason) => {
				client.close_code = code;
				resolve({ code, reason: reason.toString() });
				client.#notify();
			});
		});
		client.socket.on("message", (data, binary) => client.#receive(data, binary));
		await within(OPEN_MS, `${url} opens`, new Promise((resolve, reject) => {
			client.socket.once("open", resolve);
			client.socket.once("unexpected-response", (request, response) => {
				request.destroy();
				reject(Object.assign(new Error(`handshake refused: ${response.statusCode}`), { status: response.statusCode }));
			});
			client.socket.on("error", (err) => {
				client.error = err;
				reject(err);
			});
		}));
		return client;
	}

	#receive(data, binary) {
		const frame = binary ? { binary: data } : JSON.parse(data.toString());

		this.frames.push(frame);
		this.#untaken.push(frame);
		this.#notify();
	}

	#notify() {
		for (const wake of this.#wake)
			wake();
	}

	/* An object is sent as JSON, a string or Buffer as it is. */
	send(frame) {
		this.socket.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
	}

	/* Takes the first frame that fits: a type, or a predicate. */
	next(fits, ms = NEXT_MS) {
		const matches = typeof fits === "string" ? (frame) => frame.type === fits : fits;
		let wake;
		const found = new Promise((resolve, reject) => {
			wake = () => {
				const i = this.#untaken.findIndex(matches);

				if (i >= 0) {
					this.#wake.delete(wake);	/* the next frame may come before anybody hears of this one */
					resolve(this.#untaken.splice(i, 1)[0]);
				} else if (this.close_code !== undefined)
					reject(new Error(`the socket closed (${this.close_code}) before ${fits}`));
			};
			this.#wake.add(wake);
			wake();
		});

		return within(ms, `a frame ${fits}`, found)
			.catch((err) => {
				throw new Error(`${err.message}\n  received, not taken:\n    ${summary(this.#untaken)}`);
			})
			.finally(() => this.#wake.delete(wake));
	}

	/* Sends restore_chat and takes its answer. */
	restore(more = {}, ms) {
		this.send({ type: "restore_chat", ...more });
		return this.next("chat_restored", ms);
	}

	/* Sends a message and takes its accepted frame (or the error that names it). */
	async post(message, { client_message_id = randomUUID(), ms, ...more } = {}) {
		this.send({ message, client_message_id, ...more });
		const answer = await this.next((frame) => (frame.type === "accepted" || frame.type === "error")
			&& frame.client_message_id === client_message_id, ms);

		if (answer.type === "error")
			throw Object.assign(new Error(`refused: ${answer.code} ${answer.message}`), { frame: answer });
		return answer;
	}

	/* A whole turn: { accepted, response, deltas }; the joined deltas must be the response. */
	async turn(message, options = {}) {
		const accepted = await this.post(message, options);
		const response = await this.next((frame) => frame.type === "ai_response" && frame.turn_id === accepted.turn_id, options.ms);
		const deltas = this.deltas(accepted.turn_id, response.epoch);
		const joined = deltas.map((frame) => frame.text).join("");

		if (joined !== response.message)
			throw new Error(`the deltas are not the answer:\n  ${JSON.stringify(joined)}\n  ${JSON.stringify(response.message)}`);
		return { accepted, response, deltas };
	}

	/* Deltas of a turn's epoch so far; a gap, a repeat or a wrong order is an error. */
	deltas(turnId, epoch) {
		const deltas = this.frames.filter((frame) => frame.type === "ai_delta" && frame.turn_id === turnId && frame.epoch === epoch);

		deltas.forEach((frame, i) => {
			if (frame.offset !== i)
				throw new Error(`delta ${i} of turn ${turnId} has offset ${frame.offset}`);
		});
		return deltas;
	}

	/* Closes and resolves to { code, reason }. */
	async close(code = 1000) {
		this.socket.close(code);
		return within(OPEN_MS, "the socket closes", this.closed);
	}

	/* As a lost network: no close frame. */
	drop() {
		this.socket.terminate();
		return this.closed;
	}
}

/* The session's socket of a signed-in Rest client. */
export const chatOf = (stack, rest, sessionId, more = {}) =>
	Ws.open(`${stack.wsUrl}/ws/chat/${sessionId}`, { token: rest?.token, ...more });
