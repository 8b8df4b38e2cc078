/*
 * POST /chat/completions: from the checked request through persona and rule to
 * the bytes of the answer.
 */

import { gzipSync } from "node:zlib";
import { envelope, replyFrames, wholeReply } from "./chunks.js";
import { withoutMarkers } from "./markers.js";
import { bendReply, makeReply, statusBody } from "./reply.js";
import { plainEvent, sseEncoder } from "./sse.js";
import { bendFrames, bendWhole, wholeText } from "./stream-faults.js";
import { closeSocket, Wire } from "./wire.js";

const WHOLE_WAIT_MAX_MS = 2000;	/* a reply that is not streamed does not wait for every token of it */
const FILLER_HEADER_BYTES = 4096;

function pacingOf(sim, faults) {
	return {
		firstDelay: faults.first_delay?.ms ?? sim.options.firstDelay,
		tokenDelay: faults.token_delay?.ms ?? sim.options.tokenDelay,
	};
}

function extraHeaders({ headers, trailer, content_type: type }) {
	const extra = { ...headers?.set };

	if (type)
		extra["Content-Type"] = type.value;
	if (trailer)
		extra.Trailer = "X-Sim-Trailer";
	for (let left = headers?.filler_bytes ?? 0, i = 0; left > 0; left -= FILLER_HEADER_BYTES, i++)
		extra[`X-Filler-${i}`] = "x".repeat(Math.min(left, FILLER_HEADER_BYTES));
	return extra;
}

function wireShape({ cut, write, drip }) {
	const limit = cut?.after_bytes ?? null;

	if (limit === null && !write && !drip)
		return null;
	return {
		size: write?.size ?? drip?.bytes ?? undefined, at: write?.at, dripMs: drip?.ms,
		limit: limit ?? undefined, how: cut?.how,
	};
}

function retryAfter(value) {
	const inSeconds = typeof value === "string" && /^date\+(\d+)$/.exec(value);

	return inSeconds ? new Date(Date.now() + inSeconds[1] * 1000).toUTCString() : String(value);
}

function answerStatus(res, fault, faults) {
	const { type, text } = statusBody(fault);
	const headers = { ...extraHeaders(faults), "Content-Length": Buffer.byteLength(text) };

	if (type !== null)
		headers["Content-Type"] = type;
	if (fault.retry_after !== null)
		headers["Retry-After"] = retryAfter(fault.retry_after);
	res.writeHead(fault.code, headers).end(text);
}

function answerRedirect(res, { code, location }) {
	res.writeHead(code, { Location: location, "Content-Length": 0 }).end();
}

/* Answers that are settled before the model would say anything; true when one of them was given. */
async function answerEarly(res, faults, wire, call) {
	if (faults.hang) {
		if (faults.hang.headers)
			res.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" }).flushHeaders();
		await wire.sleep(faults.hang.ms || Infinity);
		if (wire.closed)
			return true;
	}
	if (faults.drop) {
		wire.ended = faults.drop.how;
		closeSocket(res.socket, faults.drop.how);
	} else if (faults.redirect) {
		call.status = faults.redirect.code;
		answerRedirect(res, faults.redirect);
	} else if (faults.status) {
		call.status = faults.status.code;
		answerStatus(res, faults.status, faults);
	} else {
		return false;
	}
	return true;
}

/* The body's frames and what makes an encoder for them, streamed or whole. */
function bodyOf(sim, request, reply, faults, call) {
	const pacing = pacingOf(sim, faults);

	if (!request.stream) {
		const wait = Math.min(pacing.tokenDelay * reply.pace * reply.pieces.length, WHOLE_WAIT_MAX_MS);
		const data = wholeText(bendWhole(wholeReply(request, reply, call), faults), faults);

		call.sentPieces = reply.pieces.length;
		return { type: "application/json", frames: [{ kind: "whole", data, gap: pacing.firstDelay + wait }],
			encoder: rawEncoder };
	}
	const around = envelope(request, call);
	const frames = bendFrames(replyFrames(request, reply, around, pacing), faults,
		{ request, reply, envelope: around });

	return { type: "text/event-stream; charset=utf-8", frames,
		encoder: () => (faults.sse ? sseEncoder(faults.sse, frames.at(-1)) : plainEvent) };
}

const rawEncoder = () => (frame) => frame.data;

/* Every byte of a body that ends by itself; pauses and cuts have none. */
function bodyBytes({ frames, encoder }) {
	const encode = encoder();
	const expanded = frames.flatMap((f) => (f.kind === "repeat" && f.times < Infinity
		? Array.from({ length: f.times }, () => f.list).flat() : [f]));

	return Buffer.concat(expanded.filter((f) => f.data !== undefined).map((f) => Buffer.from(encode(f))));
}

/* Replaces the body by one frame of its gzip, or of a small gzip that unpacks to bomb_bytes. */
function zipBody(body, { bomb_bytes: bomb }) {
	const data = gzipSync(bomb ? Buffer.alloc(bomb) : bodyBytes(body));

	return { ...body, frames: [{ kind: "whole", data, gap: 0 }], encoder: rawEncoder };
}

function frameHeaders(res, body, { framing, gzip, trailer }, streamed) {
	const headers = { "Content-Type": body.type, "Cache-Control": "no-cache" };
	const mode = trailer ? "chunked" : framing?.mode ?? (streamed ? "chunked" : "length");

	if (gzip)
		headers["Content-Encoding"] = "gzip";
	if (mode === "length")
		headers["Content-Length"] = bodyBytes(body).length;
	else if (mode === "chunked")
		headers["Transfer-Encoding"] = "chunked";
	else
		res.removeHeader("Transfer-Encoding");	/* neither length nor chunks: the end of the connection ends the body */
	return headers;
}

async function sendBody(res, wire, body, faults, streamed) {
	const [first] = body.frames;	/* none when a rule took every frame away */

	if (first?.gap > 0) {
		await wire.wait(first.gap);
		first.gap = 0;	/* the headers have waited for it */
	}
	if (wire.closed)
		return;
	res.writeHead(200, { ...frameHeaders(res, body, faults, streamed), ...extraHeaders(faults) });
	await wire.play(body.frames, body.encoder());
	if (wire.closed || wire.ended)
		return;
	if (faults.trailer)
		res.addTrailers({ "X-Sim-Trailer": faults.trailer.value });
	const { socket } = res;

	res.end(() => {
		if (faults.after_end)
			socket.write(faults.after_end.bytes);
	});
}

/* A persona answers plain text; a request for JSON gets it wrapped, unless it is JSON already. */
function inFormat(said, format) {
	if (format === "text" || said.json)
		return said;
	return { ...said, text: JSON.stringify({ reply: said.text ?? said.pieces.join("") }), pieces: undefined };
}

function replyOf(sim, request, faults, call) {
	const messages = sim.options.markers
		? request.messages.map((m) => ({ ...m, text: withoutMarkers(m.text) })) : request.messages;
	const said = sim.persona({ ...request, messages });

	return bendReply(makeReply(request, inFormat(said, request.format)), request, faults, call.n);
}

/* Answers one request; resolves when the answer has been written or the client has left. */
export async function answerCompletion(sim, res, request, rule, call) {
	const faults = rule?.faults ?? {};
	const wire = new Wire(res, wireShape(faults));

	call.wire = wire;
	if (await answerEarly(res, faults, wire, call))
		return;
	const reply = replyOf(sim, request, faults, call);

	call.status = 200;
	call.reply = reply;
	const body = bodyOf(sim, request, reply, faults, call);

	await sendBody(res, wire, faults.gzip ? zipBody(body, faults.gzip) : body, faults, request.stream);
}
