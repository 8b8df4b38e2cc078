/*
 * The faults inside an event stream: each takes the list of frames and changes
 * it. Besides the frames of chunks.js three more kinds come up, which wire.js
 * understands: pause (silence), cut (the connection ends here) and repeat (a
 * list of frames sent again and again).
 */

import { replyUsage } from "./reply.js";

const INVALID_USAGE = { prompt_tokens: -1, completion_tokens: "12", total_tokens: 1e30 };

/* Puts frames after the n-th content frame; 0 is before the first, past the end is before the finish. */
function insertAfter(frames, n, ...added) {
	let seen = 0;
	let at = frames.findIndex((f) => f.kind === "content" && seen++ === n);

	if (at < 0)
		at = frames.findLastIndex((f) => f.kind === "content" || f.kind === "role") + 1;
	frames.splice(at, 0, ...added);
	return at;
}

function without(frames, kind) {
	const at = frames.findIndex((f) => f.kind === kind);

	if (at < 0)
		return;
	const [gone] = frames.splice(at, 1);

	if (frames[at])
		frames[at].gap += gone.gap;	/* the next one comes no earlier than before */
}

const noGap = (kind, data) => ({ kind, data, gap: 0 });

/* Gives frames of one kind a usage field of their own; `usageAt` is asked for the n-th. */
function carryUsage(frames, kind, usageAt) {
	let n = 0;

	for (const frame of frames) {
		if (frame.kind === kind)
			frame.data = JSON.stringify({ ...JSON.parse(frame.data), usage: usageAt(++n) });
	}
}

function placeUsage(frames, { mode, value }, usage, { usageChunk }) {
	const frame = noGap("usage", usageChunk(usage));
	const beforeDone = (...list) => frames.splice(frames.findIndex((f) => f.kind === "done"), 0, ...list);
	const only = (name) => noGap("usage", usageChunk({ [name]: usage[name] }));

	without(frames, "usage");
	if (value !== null)
		return beforeDone(noGap("usage", usageChunk(value)));
	switch (mode) {
	case "missing": return;
	case "early": return frames.splice(1, 0, frame);
	case "late": return frames.push(frame);
	case "split": return beforeDone(only("prompt_tokens"), only("completion_tokens"));
	case "repeated": return beforeDone(frame, { ...frame }, { ...frame });
	case "null": return beforeDone(noGap("usage", usageChunk(null)));
	case "invalid": return beforeDone(noGap("usage", usageChunk(INVALID_USAGE)));
	case "in_finish": return carryUsage(frames, "finish", () => usage);
	case "running": return carryUsage(frames, "content", (n) => ({ ...usage,
		completion_tokens: n, total_tokens: usage.prompt_tokens + n }));
	}
}

function badData({ how, depth, bytes }, chunk) {
	const plain = chunk("{\"index\":0,\"delta\":{\"content\":\"broken\"},\"finish_reason\":null}");

	switch (how) {
	case "malformed": return plain.replace("\"choices\":", "\"choices\"::");
	case "truncated": return plain.slice(0, plain.length >> 1);
	case "deep": return "[".repeat(depth) + "]".repeat(depth);
	case "huge": return chunk(`{"index":0,"delta":{"content":"","filler":"${"x".repeat(bytes)}"},"finish_reason":null}`);
	case "scalar": return "42";
	case "array": return "[1,2,3]";
	case "blank": return "";
	}
}

function oddData(shape, { head, tail, chunk }) {
	const choice = (rest) => chunk(`{"index":0,${rest}"finish_reason":null}`);

	switch (shape) {
	case "empty_choices": return head + tail;
	case "no_choices": return head.replace(",\"choices\":[", "}");
	case "null_choices": return head.replace("\"choices\":[", "\"choices\":null}");
	case "no_delta": return choice("");
	case "null_delta": return choice("\"delta\":null,");
	case "null_content": return choice("\"delta\":{\"content\":null},");
	case "number_content": return choice("\"delta\":{\"content\":42},");
	case "array_content": return choice("\"delta\":{\"content\":[\"a\"]},");
	case "empty_content": return choice("\"delta\":{\"content\":\"\"},");
	case "extra_choice": return chunk("{\"index\":1,\"delta\":{\"content\":\"SECOND\"},\"finish_reason\":null}");
	case "no_index": return chunk("{\"delta\":{\"content\":\"\"},\"finish_reason\":null}");
	}
}

/* A content frame whose text is these raw bytes, which need not be UTF-8. */
function rawBytesFrame(hex, chunk) {
	const [before, after] = chunk("{\"index\":0,\"delta\":{\"content\":\"@\"},\"finish_reason\":null}").split("@");

	return noGap("odd", Buffer.concat([Buffer.from(before), Buffer.from(hex, "hex"), Buffer.from(after)]));
}

function errorFrame({ message, type, error_code: code }) {
	return noGap("error", JSON.stringify({ error: { message, type, param: null, code } }));
}

function editData(frames, edit) {
	for (const frame of frames) {
		if (typeof frame.data === "string" && frame.data.startsWith("{"))
			frame.data = edit(frame.data);
	}
}

function escapeAll(data) {
	return data.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function withExtras(data) {
	const event = JSON.parse(data);

	for (const choice of event.choices ?? [])
		choice.delta = { x_extra: true, ...choice.delta };
	return JSON.stringify({ x_vendor: { region: "eu", list: [1, null] }, ...event });
}

/* In this order: what is missing, what is changed, what is put in, where it ends. */
const STEPS = {
	usage: (frames, p, c) => placeUsage(frames, p, replyUsage(c.request, c.reply), c.envelope),
	no_role: (frames) => without(frames, "role"),
	no_finish: (frames) => without(frames, "finish"),
	no_done: (frames) => without(frames, "done"),
	odd_chunk: (frames, p, c) => insertAfter(frames, p.after_chunks,
		{ kind: "repeat", list: [noGap("odd", oddData(p.shape, c.envelope))], times: p.times, gap: 0 }),
	invalid_utf8: (frames, p, c) => insertAfter(frames, p.after_chunks, rawBytesFrame(p.hex, c.envelope.chunk)),
	bad_json: (frames, p, c) => insertAfter(frames, p.after_chunks, noGap("bad", badData(p, c.envelope.chunk))),
	extra_fields: (frames) => editData(frames, withExtras),
	escapes: (frames) => editData(frames, escapeAll),
	endless(frames, p) {
		const list = frames.filter((f) => f.kind === "content");
		const at = insertAfter(frames, list.length, { kind: "repeat", list, times: Infinity, maxBytes: p.max_bytes, gap: 0 },
			{ kind: "cut", how: "fin", gap: 0 });

		frames.length = at + 2;
	},
	error_event(frames, p) {
		const at = insertAfter(frames, p.after_chunks, errorFrame(p));

		if (!p.go_on)
			frames.length = at + 1;
	},
	stall: (frames, p) => insertAfter(frames, p.after_chunks, { kind: "pause", ms: p.ms || Infinity, gap: 0 }),
	cut(frames, p) {
		if (p.after_bytes === null)
			insertAfter(frames, p.after_chunks ?? 2, { kind: "cut", how: p.how, gap: 0 });
	},
};

/* context: { request, reply, envelope } of the call. */
export function bendFrames(frames, faults, context) {
	for (const [kind, step] of Object.entries(STEPS)) {
		if (faults[kind])
			step(frames, faults[kind], context);
	}
	return frames;
}

/* The same for a whole reply: what a JSON object can show of these faults. */
export function bendWhole(whole, faults) {
	const { usage } = faults;

	if (usage?.value != null)
		whole.usage = usage.value;
	else if (usage?.mode === "missing")
		delete whole.usage;
	else if (usage?.mode === "null")
		whole.usage = null;
	else if (usage?.mode === "invalid")
		whole.usage = INVALID_USAGE;
	if (faults.no_finish)
		delete whole.choices[0].finish_reason;
	if (faults.extra_fields)
		whole.x_vendor = { region: "eu", list: [1, null] };
	if (faults.odd_chunk)
		bendChoices(whole, faults.odd_chunk.shape);
	return whole;
}

function bendChoices(whole, shape) {
	const [choice] = whole.choices;

	switch (shape) {
	case "empty_choices": whole.choices = []; break;
	case "no_choices": delete whole.choices; break;
	case "null_choices": whole.choices = null; break;
	case "no_delta": delete choice.message; break;
	case "null_delta": choice.message = null; break;
	case "null_content": choice.message.content = null; break;
	case "number_content": choice.message.content = 42; break;
	case "array_content": choice.message.content = ["a"]; break;
	case "empty_content": choice.message.content = ""; break;
	case "extra_choice": whole.choices.push({ ...choice, index: 1, message: { role: "assistant", content: "SECOND" } }); break;
	case "no_index": delete choice.index; break;
	}
}

/* The text of a whole reply, broken when the rule says so. */
export function wholeText(whole, { bad_json: bad, escapes }) {
	const text = JSON.stringify(whole);

	if (!bad)
		return escapes ? escapeAll(text) : text;
	switch (bad.how) {
	case "malformed": return text.replace("\"choices\":", "\"choices\"::");
	case "truncated": return text.slice(0, text.length >> 1);
	case "huge": return text.replace("{", `{"filler":"${"x".repeat(bad.bytes)}",`);
	default: return badData(bad, String);
	}
}
