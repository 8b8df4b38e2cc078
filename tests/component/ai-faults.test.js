/* Whatever the model's server does: which end chat is told, and what people may read. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { until } from "../lib/until.js";
import { startAi } from "./ai-lib.js";

const TEXT = "Один 🎄 два — three naïve 👩‍👩‍👧 four ";
const SECRET_BODY = "canary-body-77af";	/* stands in every error body; nobody may see it */
const NO_ANSWER = { result: "failed", error_code: "ai_unavailable", retryable: true };
const REFUSED = { result: "failed", error_code: "ai_refused", retryable: undefined };
const CUT = { result: "interrupted", error_code: "ai_unavailable", retryable: undefined };
const GOOD = { result: "completed", error_code: undefined, retryable: undefined };

const status = (code, more = {}) => ({ status: { code, message: SECRET_BODY, ...more } });

/* [what happens, rule, expected end, text]; text null: any non-empty start of the reply */
const STREAMED = [
	["429", status(429), { result: "failed", error_code: "rate_limited", retryable: true, retry_after_ms: undefined }],
	["429 with seconds", status(429, { retry_after: 7 }), { ...NO_ANSWER, error_code: "rate_limited", retry_after_ms: 7000 }],
	["429 with an absurd time", status(429, { retry_after: "999999999999" }),
		{ ...NO_ANSWER, error_code: "rate_limited", retry_after_ms: 86400000 }],
	["429 with a malformed time", status(429, { retry_after: "soon" }),
		{ ...NO_ANSWER, error_code: "rate_limited", retry_after_ms: undefined }],
	["429 for want of credit", status(429, { error_code: "insufficient_quota" }), REFUSED],
	["400", status(400), REFUSED],
	["400 for a long prompt", status(400, { error_code: "context_length_exceeded" }), REFUSED],
	["401", status(401), REFUSED], ["402", status(402), REFUSED], ["403", status(403), REFUSED],
	["404", status(404, { error_code: "model_not_found" }), REFUSED], ["422", status(422), REFUSED],
	["500", status(500), NO_ANSWER], ["502 as HTML", status(502, { body: "html" }), NO_ANSWER],
	["503 with a time", status(503, { retry_after: 3 }), { ...NO_ANSWER, retry_after_ms: 3000 }],
	["504 without a body", status(504, { body: "empty" }), NO_ANSWER],
	["500 with a broken body", status(500, { body: "broken" }), NO_ANSWER],
	["200 with HTML", status(200, { body: "html" }), NO_ANSWER],
	["200 with text", status(200, { body: "text" }), NO_ANSWER],
	["200 without a body", status(200, { body: "empty" }), NO_ANSWER],
	["a wrong content type", { content_type: "text/html" }, NO_ANSWER],
	["a redirect", { redirect: true }, { result: "failed", error_code: "ai_unavailable", retryable: undefined }],
	["a closed connection", { drop: "rst" }, NO_ANSWER], ["an ended connection", { drop: "fin" }, NO_ANSWER],
	["a cut before the text", { cut: { after_chunks: 0 } }, NO_ANSWER],
	["a cut inside the first event", { cut: { after_bytes: 40 } }, NO_ANSWER],
	["a cut in the text", { cut: { after_chunks: 3 } }, CUT, null],
	["a reset in the text", { cut: { after_chunks: 3, how: "rst" } }, CUT, null],
	["no [DONE]", { no_done: true }, { ...GOOD, finish_reason: "stop" }, TEXT],
	["no finish reason", { no_finish: true }, { ...GOOD, finish_reason: undefined }, TEXT],
	["neither mark", { no_done: true, no_finish: true }, CUT, TEXT],
	["no role", { no_role: true }, GOOD, TEXT],
	["an error before the text", { error_event: 0 }, NO_ANSWER],
	["a refusal before the text", { error_event: { after_chunks: 0, error_code: "insufficient_quota" } }, REFUSED],
	["a limit before the text", { error_event: { after_chunks: 0, error_code: "rate_limit_exceeded" } },
		{ ...NO_ANSWER, error_code: "rate_limited" }],
	["an error in the text", { error_event: 3 }, CUT, null],
	["an error in the text that goes on", { error_event: { after_chunks: 3, go_on: true } }, CUT, null],
	...["malformed", "truncated", "deep", "huge", "scalar", "array"].map((how) =>
		[`a ${how} event`, { bad_json: { how, after_chunks: 3 } }, CUT, null]),
	["a malformed first event", { bad_json: { how: "malformed", after_chunks: 0 } }, NO_ANSWER],
	["a blank event", { bad_json: "blank" }, GOOD, TEXT],
	...["empty_choices", "no_choices", "null_choices", "no_delta", "null_delta", "null_content", "number_content",
		"array_content", "empty_content", "extra_choice", "no_index"].map((shape) =>
		[`a chunk with ${shape}`, { odd_chunk: { shape, times: 3 } }, GOOD, TEXT]),
	["unknown fields", { extra_fields: true }, GOOD, TEXT],
	["reasoning first", { reasoning: "I think" }, GOOD, TEXT],
	["a tool call only", { tool_calls: true }, { ...NO_ANSWER, finish_reason: "tool_calls" }],
	["a tool call after the text", { tool_calls: { with_text: true } }, { ...GOOD, finish_reason: "tool_calls" }, TEXT],
	["finish reason length", { finish: "length" }, { ...GOOD, finish_reason: "length" }, TEXT],
	["finish reason content_filter", { finish: "content_filter" }, { ...GOOD, finish_reason: "content_filter" }, TEXT],
	["an unknown finish reason", { finish: "tired" }, { ...GOOD, finish_reason: "tired" }, TEXT],
	["a filtered answer without text", { finish: "content_filter", text: "" },
		{ ...REFUSED, finish_reason: "content_filter" }],
	["an empty answer", { text: "" }, NO_ANSWER],
	["broken UTF-8", { invalid_utf8: true }, GOOD],
	["pairs split between deltas", { escapes: { split_pairs: true } }, GOOD, TEXT],
	["escapes only", { escapes: true }, GOOD, TEXT],
	["gzip nobody asked for", { gzip: true }, NO_ANSWER],
	["a gzip bomb", { gzip: 1 << 28 }, NO_ANSWER],
	["endless headers", { headers: { filler_bytes: 1 << 20 } }, NO_ANSWER],
	["a body that ends with the connection", { framing: "close" }, GOOD, TEXT],
	["a body of known length", { framing: "length" }, GOOD, TEXT],
	["a trailer", { trailer: "x" }, GOOD, TEXT],
	["bytes after the end", { after_end: true }, GOOD, TEXT],
];

const WHOLE = [
	...STREAMED.filter(([, rule]) => ["status", "redirect", "drop", "content_type", "gzip"].some((kind) => kind in rule)),
	["a cut body", { cut: { after_bytes: 60 } }, NO_ANSWER],
	["no finish reason", { no_finish: true }, GOOD, TEXT],
	...["malformed", "truncated", "deep", "scalar", "array"].map((how) => [`a ${how} body`, { bad_json: how }, NO_ANSWER]),
	["a huge body", { bad_json: "huge" }, { ...NO_ANSWER, retryable: undefined }],
	...["empty_choices", "no_choices", "null_choices", "no_delta", "null_delta", "null_content", "number_content",
		"array_content", "empty_content"].map((shape) => [`a message with ${shape}`, { odd_chunk: shape }, NO_ANSWER]),
	["an extra choice", { odd_chunk: "extra_choice" }, GOOD, TEXT],
	["a choice without a number", { odd_chunk: "no_index" }, GOOD, TEXT],
	["a tool call only", { tool_calls: true }, NO_ANSWER],
	["finish reason length", { finish: "length" }, { ...GOOD, finish_reason: "length" }, TEXT],
	["escapes only", { escapes: true }, GOOD, TEXT],
	["one byte at a time", { write: 1 }, GOOD, TEXT],
	["a body that ends with the connection", { framing: "close" }, GOOD, TEXT],
	["bytes after the end", { after_end: true }, GOOD, TEXT],
];

const FRAMINGS = [
	...["lf", "cr", "crlf", "mixed"].map((eol) => ({ eol })), { bom: true }, { comments: true }, { multiline: true },
	{ fields: true }, { no_space: true }, { no_final_blank: true },
	{ eol: "crlf", bom: true, comments: true, multiline: true, fields: true, no_space: true, no_final_blank: true },
];

describe("a worker whose model misbehaves", () => {
	let bench;

	before(async () => {
		bench = await startAi();
	});
	after(() => bench.stop());

	async function check(rule, stream, expected, want) {
		bench.sim.script.add({ name: "fault", text: TEXT, ...rule });
		const work = bench.work({ stream });
		const { done, text, ends } = await bench.end(work);
		const published = (await bench.pieces(work, ends, text)).map((d) => d.piece).join("");

		for (const [name, value] of Object.entries(expected))
			assert.equal(done[name], value, `${name}: ${JSON.stringify(done)}`);
		if (want === null)
			assert.ok(text.length > 0 && TEXT.startsWith(text), text);
		else if (want !== undefined)
			assert.equal(text, want);
		else if (done.result === "failed")
			assert.equal(text, "");
		assert.equal(published, text);
		assert.equal(done.error_message === undefined, done.result === "completed");
		assert.ok(!JSON.stringify(done).includes(SECRET_BODY) && !bench.ai.log.includes(SECRET_BODY));
		return { done, text };
	}

	for (const [what, rule, expected, text] of STREAMED)
		it(`streamed: ${what} is ${expected.result}`, () => check(rule, true, expected, text));
	for (const [what, rule, expected, text] of WHOLE)
		it(`whole: ${what} is ${expected.result}`, () => check(rule, false, expected, text));

	for (const sse of FRAMINGS) {
		it(`reads events framed with ${Object.entries(sse).flat().join(" ")}, also byte by byte`, async () => {
			await check({ sse }, true, GOOD, TEXT);
			await check({ sse, write: 1 }, true, GOOD, TEXT);
		});
	}

	it("honours a date to retry after", async () => {
		const { done } = await check(status(429, { retry_after: "date+20" }), true, { error_code: "rate_limited" });

		assert.ok(done.retry_after_ms > 15000 && done.retry_after_ms <= 20000, `${done.retry_after_ms}`);
	});

	it("replaces broken bytes and nothing else", async () => {
		const { text } = await check({ invalid_utf8: { hex: "fffe", after_chunks: 0 } }, true, GOOD);

		assert.equal(text, `\ufffd\ufffd${TEXT}`);
	});

	it("reads the same however the body is cut", async () => {
		for (let at = 1; at < 1200; at += 37)
			await check({ write: { at: [at, at + 1] } }, true, GOOD, TEXT);
	});

	it("ends interrupted or failed at any cut byte, never completed", async () => {
		for (let bytes = 1; bytes < 1500; bytes += 83) {
			const { done } = await check({ no_done: true, cut: { after_bytes: bytes } }, true, {}, undefined);

			assert.ok(["failed", "interrupted"].includes(done.result), done.result);
		}
	});

	it("answers after all that", async () => {
		assert.equal((await bench.run({ content: "still here" })).text, "still here");
	});
});

describe("a worker whose model goes on for ever", () => {
	const REPLY_MAX = 100000;
	let bench;

	before(async () => {
		bench = await startAi({ AI_REPLY_MAX: String(REPLY_MAX) });
	});
	after(() => bench.stop());

	const closed = (n) => until("the simulator sees us leave", async () =>
		(await bench.calls()).find((call) => call.n === n && call.outcome !== "open"));

	it("cuts an endless reply at AI_REPLY_MAX and leaves", async () => {
		bench.sim.script.add({ endless: true, text: "слово за словом " });
		const { done, text } = await bench.run({}, { ms: 20000 });

		assert.equal(done.result, "completed");
		assert.equal(done.finish_reason, "length");
		assert.ok(Buffer.byteLength(text) <= REPLY_MAX && Buffer.byteLength(text) > REPLY_MAX - 4);
		assert.ok(!text.includes("\ufffd"));
		assert.equal((await closed(1)).outcome, "client_gone");
	});

	it("takes a huge delta in pieces, up to the limit", async () => {
		bench.sim.script.add({ huge_delta: 150000 });
		const work = bench.work({});
		const { done, text, ends } = await bench.end(work);
		const deltas = await bench.pieces(work, ends, text);

		assert.equal(done.finish_reason, "length");
		assert.equal(text.length, REPLY_MAX);
		assert.ok(deltas.every((d) => d.piece.length <= 16384));
		assert.equal(deltas.map((d) => d.piece).join(""), text);
	});

	it("gives up on a million empty deltas", async () => {
		bench.sim.script.add({ odd_chunk: { shape: "empty_content", times: 1000000, after_chunks: 2 }, tokens: 4 });
		const { done } = await bench.run({}, { ms: 60000 });

		assert.equal(done.result, "interrupted");
		assert.equal(done.error_code, "ai_unavailable");
	});
});

describe("a worker whose model is slow", () => {
	let bench;

	before(async () => {
		bench = await startAi({ AI_FIRST_BYTE_MS: "400", AI_STALL_MS: "500", AI_TOTAL_MS: "1500" });
	});
	after(() => bench.stop());

	async function timed(rule, ms, expected) {
		bench.sim.script.add({ text: TEXT.repeat(5), ...rule });
		const { done } = await bench.run({});

		for (const [name, value] of Object.entries(expected))
			assert.equal(done[name], value, `${name}: ${JSON.stringify(done)}`);
		assert.ok(done.total_us >= ms * 1000 && done.total_us < ms * 1000 + 1000000, `${done.total_us} us`);
		await until("the upstream connection is closed", () => bench.sim.calls.open === 0, { ms: 2000 });
	}

	it("gives up when nothing begins", () => timed({ hang: true }, 400, NO_ANSWER));
	it("gives up when only headers come", () => timed({ hang: { headers: true } }, 400, NO_ANSWER));
	it("keeps the text when it falls silent", () => timed({ stall: 3 }, 500, CUT));
	it("may be asked again when it falls silent before any text", () => timed({ stall: 0 }, 500, NO_ANSWER));
	it("keeps the text when it drips for ever", () => timed({ token_delay: 200 }, 1500, CUT));
});

describe("a worker without a model", () => {
	it("says that no model is configured", async () => {
		const bench = await startAi({ DEFAULT_OPENAI_API_KEY: "", DEFAULT_OPENAI_BASE_URL: "https://api.openai.com/v1" });
		const { done } = await bench.run({});

		assert.equal(done.result, "failed");
		assert.equal(done.error_code, "ai_not_configured");
		assert.equal(done.retryable, undefined);
		await bench.stop();
	});

	it("needs no key for a server of one's own", async () => {
		const bench = await startAi({ DEFAULT_OPENAI_API_KEY: "" });

		assert.equal((await bench.run({ content: "hi" })).text, "hi");
		assert.equal((await bench.calls())[0].key, null);
		await bench.stop();
	});

	it("says so when the server is away or has no name", async () => {
		for (const base of ["http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1"]) {
			const bench = await startAi({ DEFAULT_OPENAI_BASE_URL: base, AI_CONNECT_MS: "3000" });
			const { done } = await bench.run({});

			for (const [name, value] of Object.entries(NO_ANSWER))
				assert.equal(done[name], value, name);
			await bench.stop();
		}
	});
});

describe("a worker whose model is behind TLS", () => {
	let dir;

	before(() => {
		dir = mkdtempSync(join(tmpdir(), "alp-tls-"));
		execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
			"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", join(dir, "key"), "-out", join(dir, "cert")],
		{ stdio: "ignore" });
	});
	after(() => rmSync(dir, { recursive: true, force: true }));

	async function endOf(server) {
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const bench = await startAi({ DEFAULT_OPENAI_BASE_URL: `https://127.0.0.1:${server.address().port}/v1`,
			AI_CONNECT_MS: "700" });
		const { done } = await bench.run({});

		await bench.stop();
		server.close();
		return done;
	}

	it("does not talk to a server that nobody vouches for", async () => {
		const requests = [];
		const done = await endOf(createTlsServer({ key: readFileSync(join(dir, "key")), cert: readFileSync(join(dir, "cert")) },
			(req, res) => {
				requests.push(req.url);
				res.end();
			}).on("tlsClientError", () => {}));

		assert.equal(done.result, "failed");
		assert.equal(done.error_code, "ai_unavailable");
		assert.match(done.error_message, /identity/);
		assert.equal(done.retryable, undefined);
		assert.deepEqual(requests, []);
	});

	it("gives up on a handshake that does not end", async () => {
		const sockets = [];
		const done = await endOf(createServer((socket) => sockets.push(socket.on("error", () => {}))));

		sockets.forEach((socket) => socket.destroy());
		assert.equal(done.error_code, "ai_unavailable");
		assert.equal(done.retryable, true);
		assert.ok(done.total_us >= 700000 && done.total_us < 3000000, `${done.total_us}`);
	});
});
