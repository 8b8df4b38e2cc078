/*
 * Somebody who talks without a pause and does not give up: comes back when the socket
 * ends, with a new token when the old one is good no more, and sends again with the
 * same id until the reply is there.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "./until.js";
import { Ws } from "./ws.js";

const PAUSE_MS = 100;
const ANSWER_MS = 40000;

export class Talker {
	sent = [];	/* { id, message, reply }; reply null: the turn has failed, and said so */
	running = true;
	refreshes = 0;

	/*
	 * rest: a signed-in client, whose token may change. session: a key of his own.
	 * suffix: behind each message, for the simulator. patience: how long the suite may be away.
	 */
	constructor(stack, rest, session, { suffix = "", patience = ANSWER_MS } = {}) {
		Object.assign(this, { stack, rest, session, suffix, patience });
	}

	async open() {
		try {
			return await Ws.open(`${this.stack.wsUrl}/ws/chat/${this.session}`, { token: this.rest.token });
		} catch (err) {
			if (err.status === 401) {
				await this.rest.refresh();
				this.refreshes++;
			}
			throw err;
		}
	}

	async connect() {
		this.ws = await until("the socket opens", () => this.open(), { ms: this.patience / 2 });
	}

	async say(message, id) {
		const end = performance.now() + this.patience;

		while (performance.now() < end) {
			if (!this.ws || this.ws.close_code !== undefined)
				await this.connect();
			try {
				const accepted = await this.ws.post(message, { client_message_id: id, ms: 10000 });
				const final = await this.ws.next((f) => f.turn_id === accepted.turn_id && (f.type === "ai_response" || f.type === "error"), 30000);

				assert.ok(final.type === "ai_response" || final.code === "ai_unavailable", JSON.stringify(final));
				return final;
			} catch (err) {
				if (err instanceof assert.AssertionError)
					throw err;
				await sleep(PAUSE_MS);
			}
		}
		throw new Error(`${message} was not answered`);
	}

	/* Until running is false. */
	async talk() {
		while (this.running) {
			const id = randomUUID();
			const message = `${this.session} ${this.sent.length} ${id}${this.suffix}`;
			const final = await this.say(message, id);

			this.sent.push({ id, message, reply: final.type === "error" ? null : final.message, ended: final });
		}
	}

	/* One more reply from now on. */
	goesOn(ms = 20000) {
		const before = this.sent.length;

		return until(`${this.session} is answered again`, () => this.sent.length > before, { ms });
	}

	/* What was sent and answered is what the dialogue has, once and in order. */
	async check() {
		const restored = await this.ws.restore({}, 20000);

		assert.deepEqual(restored.history.map((m) => m.content),
			this.sent.flatMap((s) => s.reply === null ? [s.message] : [s.message, s.reply]), this.session);
		restored.history.forEach((m, i) => assert.equal(m.seq, i + 1));
		await this.ws.close();
	}
}
