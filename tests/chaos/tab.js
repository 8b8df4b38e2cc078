/*
 * One tab: a socket that is lost and opened again, and the log of everything
 * that was sent and seen (tests/chaos/checker/logs.js).
 */

import WebSocket from "ws";
import { monotonicMs } from "./bed.js";
import { strangers } from "./checker/logs.js";
import { once } from "./texts.js";

const OPEN_MS = 10000;
const STRAY_CHARS = 400;	/* of a frame that should not have come */

/* What a frame is in the log; null: nothing the checker reads. */
const FRAMES = {
	accepted: (f) => f.client_message_id && { ev: "ack", cmid: f.client_message_id, turn: f.turn_id, chat: f.chat_id, id: f.message_id,
		seq: f.seq, ...(f.message === undefined ? {} : { text: f.message }) },
	ai_delta: (f) => ({ ev: "delta", turn: f.turn_id, chat: f.chat_id, epoch: f.epoch, offset: f.offset, text: f.text }),
	ai_reset: (f) => ({ ev: "reset", turn: f.turn_id, epoch: f.epoch }),
	ai_response: (f) => ({ ev: "final", turn: f.turn_id, chat: f.chat_id, cmid: f.client_message_id, id: f.message_id, seq: f.seq,
		epoch: f.epoch, text: f.message, state: f.state }),
	ai_status: (f) => f.state === "stopped" ? { ev: "stopped", turn: f.turn_id } : null,
	chat_restored: (f) => ({ ev: "history", chat: f.chat_id, older: f.older, active: f.active_turn && { turn: f.active_turn.turn_id,
		epoch: f.active_turn.epoch, offset: f.active_turn.offset, text: f.active_turn.text },
	messages: f.history.map((m) => ({ id: once(m.id), seq: m.seq, sender: once(m.sender), text: once(m.content) })) }),
	/* The end of a turn names its kind; a refusal does not. */
	error: (f) => f.turn_id && f.kind ? { ev: "failed", turn: f.turn_id, cmid: f.client_message_id, code: f.code }
		: f.client_message_id ? { ev: "nack", cmid: f.client_message_id, code: f.code, after: f.retry_after_ms }
			: { ev: "error", code: f.code, turn: f.turn_id },
};

export class Tab {
	#socket = null;
	#waiting = new Set();

	constructor({ user, n, place, log }) {
		Object.assign(this, { user, n, place, log });
	}

	#log(event) {
		const entry = { t: monotonicMs(), user: this.user.name, tab: this.n, ...event };

		this.log.push(entry);
		for (const wake of this.#waiting)
			wake(entry);
	}

	get isOpen() {
		return this.#socket?.readyState === WebSocket.OPEN;
	}

	/* False: the gateway was not there. */
	async open(address) {
		const socket = new WebSocket(`ws://${address}/ws/chat/${this.place}`, { perMessageDeflate: false, handshakeTimeout: OPEN_MS,
			headers: { authorization: `Bearer ${this.user.token}` } });

		/* Frames may come with the answer to the handshake: everything is in place before. */
		socket.on("message", (data) => socket === this.#socket && this.#take(data.toString()));
		socket.on("close", (code) => {
			if (socket !== this.#socket)
				return;
			this.#socket = null;
			this.#log({ ev: "close", code });
		});
		return new Promise((resolve) => {
			socket.once("open", () => {
				this.#socket = socket;
				this.address = address;
				this.#log({ ev: "open", gateway: address, place: this.place });
				resolve(true);
			});
			socket.on("error", () => resolve(false));
		});
	}

	/* Whatever kind of frame it is: what is said elsewhere must not be in it. */
	#take(text) {
		const frame = JSON.parse(text), event = FRAMES[frame.type]?.(frame);

		for (const marker of new Set(strangers(text, this.place)))
			this.#log({ ev: "stray", marker, text: text.slice(0, STRAY_CHARS) });
		if (event)
			this.#log(event);
	}

	/* As a reload does: no word of good-bye. */
	drop() {
		const socket = this.#socket;

		this.#socket = null;
		socket?.terminate();
		if (socket)
			this.#log({ ev: "close", code: 1006 });
	}

	#send(frame, event) {
		if (!this.isOpen)
			return false;
		this.#log(event);
		this.#socket.send(JSON.stringify(frame));
		return true;
	}

	post(cmid, text) {
		return this.#send({ message: text, client_message_id: cmid }, { ev: "send", cmid, place: this.place, text });
	}

	stop(turn) {
		return this.#send({ type: "stop", turn_id: turn }, { ev: "stop", turn });
	}

	restore() {
		return this.#send({ type: "restore_chat" }, { ev: "restore" });
	}

	/* The tab's own word about itself: { ev: "silent" } when it has said its last, { ev: "looked" } after the last look. */
	note(ev) {
		this.#log({ ev });
	}

	/* The next event that fits, or null at the deadline. The end of the socket ends every wait. */
	next(fits, ms) {
		return new Promise((resolve) => {
			const done = (entry) => {
				clearTimeout(timer);
				this.#waiting.delete(wake);
				resolve(entry);
			};
			const wake = (entry) => (fits(entry) || entry.ev === "close") && done(entry);
			const timer = setTimeout(done, ms, null);

			this.#waiting.add(wake);
		});
	}
}
