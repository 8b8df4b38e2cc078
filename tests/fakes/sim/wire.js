/*
 * Frames become bytes on one connection, at their pace and in the asked-for
 * slices. One await per pause, none per token when nothing has to wait: what
 * is due goes out in one write.
 */

import { performance } from "node:perf_hooks";

const BATCH_BYTES = 65536;
const RESET_GRACE_MS = 10;	/* lets the bytes before an RST reach the peer */

function join(parts) {
	return parts.every((p) => typeof p === "string") ? parts.join("")
		: Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p) : p)));
}

export class Wire {
	/*
	 * shape: { size, at, dripMs, limit, how }, all optional: bytes a write, byte
	 * positions to split at, pause between slices, bytes until the connection is
	 * cut and how ("fin" or "rst").
	 */
	constructor(res, shape = null) {
		this.res = res;
		this.shape = shape;
		this.bytes = 0;
		this.sentPieces = 0;
		this.closed = false;
		this.wake = null;
		this.parts = [];
		this.partBytes = 0;
		this.start = performance.now();
		this.due = 0;
		res.once("close", () => {
			this.closed = true;
			this.wake?.();
		});
	}

	/* Resolves after ms, or at once when the client leaves; Infinity waits for that alone. */
	sleep(ms) {
		return this.until((done) => (ms === Infinity ? null : setTimeout(done, ms)), clearTimeout);
	}

	/* Runs begin(done) and resolves at done() or when the client leaves. */
	until(begin, cancel = () => {}) {
		if (this.closed)
			return Promise.resolve();
		return new Promise((resolve) => {
			let handle = null;
			const done = () => {
				this.wake = null;
				cancel(handle);
				resolve();
			};

			this.wake = done;
			handle = begin(done);
		});
	}

	async play(frames, encode) {
		for (const frame of frames) {
			if (frame.gap > 0)
				await this.wait(frame.gap);
			if (this.closed || this.ended)
				return;
			const busy = this.perform(frame, encode);

			if (busy)
				await busy;
		}
		await this.flush();
	}

	/* A promise when the frame takes time, undefined when it is merely on its way. */
	perform(frame, encode) {
		switch (frame.kind) {
		case "pause": return this.pause(frame.ms);
		case "cut": return this.cut(frame.how);
		case "repeat": return this.repeat(frame, encode);
		default: return this.push(encode(frame), frame.kind === "content");
		}
	}

	/* The next frame is due `gap` after the one before it, however late that went out. */
	async wait(gap) {
		this.due += gap;
		const left = this.due - (performance.now() - this.start);

		if (left < 1)
			return;
		await this.flush();
		await this.sleep(left);
	}

	async pause(ms) {
		await this.flush();
		await this.sleep(ms);
		this.due = performance.now() - this.start;
	}

	async repeat({ list, times, maxBytes = Infinity }, encode) {
		const end = this.bytes + maxBytes;

		for (let n = 0; n < times && list.length; n++) {
			for (const frame of list) {
				if (frame.gap > 0)
					await this.wait(frame.gap);
				if (this.closed || this.ended || this.bytes + this.partBytes >= end)
					return;
				const busy = this.perform(frame, encode);

				if (busy)
					await busy;
			}
		}
	}

	push(data, isContent) {
		this.parts.push(data);
		this.partBytes += data.length;
		if (isContent)
			this.sentPieces++;
		return this.partBytes >= BATCH_BYTES ? this.flush() : undefined;
	}

	flush() {
		if (!this.parts.length || this.closed || this.ended)
			return undefined;
		const data = join(this.parts);

		this.parts = [];
		this.partBytes = 0;
		return this.shape ? this.writeShaped(Buffer.from(data)) : this.write(data);
	}

	write(data) {
		this.bytes += Buffer.byteLength(data);
		if (this.res.write(data))
			return undefined;
		return this.until((done) => this.res.once("drain", done));
	}

	async writeShaped(data) {
		const { limit = Infinity, how, dripMs = 0 } = this.shape;
		const allowed = data.subarray(0, Math.max(0, limit - this.bytes));

		for (const slice of this.slices(allowed)) {
			if (this.closed)
				return;
			this.bytes += slice.length;
			await this.until((done) => this.res.write(slice, done));
			await (dripMs ? this.sleep(dripMs) : new Promise(setImmediate));
		}
		if (allowed.length < data.length || this.bytes === limit)
			await this.cut(how);
	}

	/* Cuts data at the asked-for size and at the asked-for positions of the whole body. */
	*slices(data) {
		const { size = Infinity, at = [] } = this.shape;
		const base = this.bytes;

		for (let from = 0; from < data.length;) {
			const next = at.filter((p) => p > base + from).map((p) => p - base);
			const to = Math.min(from + size, data.length, ...next);

			yield data.subarray(from, to);
			from = to;
		}
	}

	/* Ends the connection without ending the answer. */
	async cut(how) {
		await this.flush();
		this.ended = how;
		const { socket } = this.res;

		if (!this.res.headersSent || this.closed)
			return closeSocket(socket, how);
		this.res.flushHeaders();
		await new Promise((done) => socket.write("", done));
		await new Promise((done) => setTimeout(done, how === "rst" ? RESET_GRACE_MS : 0));
		closeSocket(socket, how);
	}
}

export function closeSocket(socket, how) {
	if (!socket || socket.destroyed)
		return;
	if (how === "rst")
		socket.resetAndDestroy();
	else
		socket.destroySoon();
}
