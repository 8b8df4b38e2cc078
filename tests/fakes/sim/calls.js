/*
 * What was asked of this simulator and how each call ended. The newest
 * CALLS_KEPT are kept for the control API; a log file gets a line for each.
 */

import { createHash } from "node:crypto";
import { appendFileSync, createWriteStream } from "node:fs";
import { replyUsage } from "./reply.js";

const CALLS_KEPT = 2000;

function digest(text) {
	return createHash("sha256").update(text).digest("hex");
}

/* A key as it may be shown: enough to tell two apart, nothing to use. */
function maskKey(key) {
	return key === null ? null : `sha256:${digest(key).slice(0, 12)}`;
}

export class Calls {
	constructor(logFile = null, traceFile = null, first = 1) {
		Object.assign(this, { traceFile, first });
		this.log = logFile === null ? null : createWriteStream(logFile, { flags: "a" });
		this.log?.on("error", (err) => {
			process.stderr.write(`model simulator: log ${logFile}: ${err.message}\n`);
			this.log = null;
		});
		this.reset();
	}

	reset() {
		this.kept = [];
		this.total = this.first - 1;
		this.open = 0;
		this.epoch = (this.epoch ?? 0) + 1;
	}

	begin({ path, key, trace = null }) {
		const call = {
			n: ++this.total, epoch: this.epoch, time: new Date().toISOString(), began: performance.now(),
			path, key, trace, request: null, rule: null, status: null, outcome: "open", bytes: 0, reply: null, sentPieces: 0,
		};

		this.open++;
		this.kept.push(call);
		if (this.kept.length > CALLS_KEPT)
			this.kept.shift();
		return call;
	}

	/* What the call asks for is known. */
	asked(call) {
		this.#trace({ ev: "asked", n: call.n, key: maskKey(call.key), model: call.request.model,
			messages: call.request.raw.messages });
	}

	/* Written before anything else happens: a killed simulator leaves what it knew. */
	#trace(entry) {
		if (this.traceFile !== null)
			appendFileSync(this.traceFile, `${JSON.stringify({ at: Number(process.hrtime.bigint()) / 1e6, ...entry })}\n`);
	}

	/* outcome: completed, refused, fault, cut, client_gone */
	end(call, outcome) {
		if (call.outcome !== "open")
			return;
		call.outcome = outcome;
		call.ms = performance.now() - call.began;
		if (call.epoch === this.epoch)
			this.open--;
		this.#trace({ ev: "ended", n: call.n, outcome, status: call.status, finish: call.reply?.finish, text: sentText(call),
			usage: call.reply && replyUsage(call.request, call.reply) });
		this.log?.write(`${JSON.stringify(describe(call))}\n`);
	}

	/* Calls after number `since`, oldest first. */
	list(since = 0) {
		return { total: this.total, open: this.open,
			calls: this.kept.filter((c) => c.n > since).map((c) => describe(c, true)) };
	}

	close() {
		this.log?.end();
	}
}

function sentText(call) {
	return call.reply === null ? "" : call.reply.pieces.slice(0, call.sentPieces).join("");
}

function describe(call, withTexts = false) {
	const { raw, model, stream, promptTokens } = call.request ?? {};
	const line = {
		n: call.n, time: call.time, path: call.path, key: maskKey(call.key), trace: call.trace, model, stream, rule: call.rule,
		status: call.status, outcome: call.outcome, bytes: call.bytes, ms: Math.round(call.ms ?? 0),
		prompt_tokens: promptTokens, sent_tokens: call.sentPieces, finish: call.reply?.finish,
		message_count: raw?.messages.length,
		context_sha256: raw && digest(JSON.stringify(raw.messages)), sent_sha256: digest(sentText(call)),
	};

	if (!withTexts)
		return line;
	const { messages, ...parameters } = raw ?? {};

	return { ...line, parameters, messages, sent_text: sentText(call) };
}
