/*
 * Every fault of the table does what README.md says, and the control API
 * delivers it to the calls it is meant for.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import OpenAI from "openai";
import { KINDS } from "./sim/fault-kinds.js";
import { chat, eventually, jsonEvents, post, rawPost, readEvents, simulator, textOf } from "./testing.js";

const WORDS = "alpha beta gamma delta";	/* six tokens: "alph" "a be" "ta g" "amma" " del" "ta" */
const stream = (text = WORDS, more = {}) => chat(text, { stream: true, ...more });
const withUsage = { stream_options: { include_usage: true } };

async function faulty(t, rule, body = stream(), options = {}) {
	const sim = await simulator(t, "--persona", "echo");

	assert.deepEqual(await sim.script(rule), { rules: Array.isArray(rule) ? rule.length : 1 });
	return { sim, answer: await post(sim, body, options) };
}

const usages = (answer) => jsonEvents(answer).map((e) => e.usage).filter((u) => u);

test("every fault kind is documented", async () => {
	const readme = await readFile(new URL("README.md", import.meta.url), "utf8");

	for (const [kind, { params }] of Object.entries(KINDS)) {
		const row = readme.split("\n").find((line) => line.startsWith(`| \`${kind}\``));

		assert.ok(row, kind);
		for (const name of Object.keys(params))
			assert.ok(Object.keys(params).length === 1 || row.includes(`\`${name}\``) || row.includes(`\`${name}:`), `${kind}.${name}`);
	}
});

/* ---- the script --------------------------------------------------------- */

test("rules are consumed in order, and matched rules wait for their text", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script([{ match: "wait for me", text: "matched" }, { text: "first" }, {}, { text: "third", times: 2 }]);
	const ask = async (text) => JSON.parse((await post(sim, chat(text))).body).choices[0].message.content;

	assert.deepEqual([await ask("a"), await ask("b"), await ask("c"), await ask("d")], ["first", "b", "third", "third"]);
	assert.deepEqual([await ask("please wait for me"), await ask("wait for me")], ["matched", "wait for me"]);
});

test("rules can mean one model or one key, and can last for ever", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script([{ key: "bad", status: 429, times: "always" }, { model: "gpt-4o", status: 503, times: "always" }]);
	const status = async (key, model) => (await post(sim, chat("x", { model }), { headers: { Authorization: `Bearer ${key}` } })).status;

	assert.deepEqual([await status("bad", "gpt-4.1"), await status("good", "gpt-4.1"), await status("good", "gpt-4o"),
		await status("bad", "gpt-4.1")], [429, 200, 503, 429]);
});

test("a wrong rule is refused whole, naming its field", async (t) => {
	const sim = await simulator(t);
	const message = async (rules) => (await sim.script(rules)).error.message;

	assert.match(await message([{ text: "ok" }, { explode: true }]), /^rules\[1\]\.explode: no such fault/);
	assert.match(await message({ status: { code: 99 } }), /^rules\[0\]\.status\.code: expected a whole number/);
	assert.match(await message({ stall: { after: 3 } }), /^rules\[0\]\.stall\.after: no such parameter; known: after_chunks, ms/);
	assert.match(await message({ cut: "sometimes" }), /after_chunks/);
	assert.match(await message({ sse: { eol: "vt" } }), /lf, cr, crlf, mixed/);
	assert.match(await message({ times: 0 }), /^rules\[0\]\.times/);
	assert.match(await message({ headers: { set: { "bad name": "x" } } }), /^rules\[0\]\.headers\.set\.bad name/);
	assert.match(await message([5]), /^rules\[0\]: expected an object/);
	assert.equal((await sim.state()).rules, 0);
});

test("calls are listed with what was asked, what was sent and how it ended", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script([{ name: "broken on purpose", cut: { after_chunks: 2 } }]);
	await post(sim, stream(), { headers: { Authorization: "Bearer k" } });
	await post(sim, stream("second"));
	const calls = await eventually(async () => (await sim.state()).open === 0 && sim.calls(), "both calls ended");

	assert.deepEqual(calls.map((c) => [c.n, c.rule, c.status, c.outcome]),
		[[1, "broken on purpose", 200, "cut"], [2, null, 200, "completed"]]);
	assert.equal(calls[0].sent_text, WORDS.slice(0, 8));
	assert.deepEqual(calls[1].messages, [{ role: "user", content: "second" }]);
	assert.ok(calls[1].bytes > 500);
	assert.deepEqual((await sim.calls(1)).map((c) => c.n), [2]);
	await sim.reset();
	assert.deepEqual(await sim.calls(), []);
});

test("a marker in the text is obeyed only when markers are on", async (t) => {
	const on = await simulator(t, "--persona", "echo", "--markers");
	const off = await simulator(t, "--persona", "echo");
	const text = "hello [[sim:status code=429 retry_after=2]]";
	const answer = await post(on, chat(text));

	assert.equal(answer.status, 429);
	assert.equal(answer.headers["retry-after"], "2");
	assert.equal((await post(off, chat(text))).status, 200);
	assert.equal(textOf(await post(on, stream(`${WORDS} [[sim:finish=length]] [[sim:sse eol=crlf]]`))), WORDS);
	assert.equal((await post(on, chat("[[sim:explode]]"))).status, 400);
});

/* ---- what the reply says --------------------------------------------------- */

test("text is given verbatim", async (t) => {
	const { answer } = await faulty(t, { text: "a\u0000b\ud83c\udf93" });

	assert.equal(textOf(answer), "a\u0000b\ud83c\udf93");
});

test("tokens gives exactly that many chunks", async (t) => {
	const { answer } = await faulty(t, { tokens: 7 }, stream("x", withUsage));

	assert.equal(jsonEvents(answer).filter((e) => e.choices[0]?.delta.content).length, 7);
	assert.equal(usages(answer)[0].completion_tokens, 7);
});

test("marked words carry the call's number and their place", async (t) => {
	const { answer } = await faulty(t, { marked: 3 });

	assert.equal(textOf(answer), "c1w0 c1w1 c1w2 ");
});

test("reasoning comes before the content in a field of its own", async (t) => {
	const { answer, sim } = await faulty(t, [{ reasoning: "thinking" }, { reasoning: "thinking" }]);
	const deltas = jsonEvents(answer).map((e) => e.choices[0].delta);

	assert.equal(deltas.map((d) => d.reasoning_content ?? "").join(""), "thinking");
	assert.ok(deltas.findIndex((d) => d.reasoning_content) < deltas.findIndex((d) => d.content));
	assert.equal(textOf(answer), WORDS);
	const whole = JSON.parse((await post(sim, chat("x"))).body);

	assert.equal(whole.choices[0].message.reasoning_content, "thinking");
	assert.equal(whole.usage.completion_tokens_details.reasoning_tokens, 2);
});

test("tool calls are streamed as the official client expects them", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script([{ tool_calls: true }, { tool_calls: { name: "look", arguments: "{}", with_text: true } }]);
	const done = await sim.client().chat.completions.stream(chat("x")).finalChatCompletion();

	assert.equal(done.choices[0].finish_reason, "tool_calls");
	assert.deepEqual(JSON.parse(done.choices[0].message.tool_calls[0].function.arguments), { city: "Paris" });
	const whole = await sim.client().chat.completions.create(chat("with text"));

	assert.equal(whole.choices[0].message.content, "with text");
	assert.equal(whole.choices[0].message.tool_calls[0].function.name, "look");
});

test("finish reasons can be any", async (t) => {
	const { answer, sim } = await faulty(t, [{ finish: "content_filter" }, { finish: "length" }, { finish: "because" }, { finish: null }]);
	const reason = (a) => jsonEvents(a).at(-1).choices[0].finish_reason;

	assert.equal(reason(answer), "content_filter");
	assert.deepEqual([reason(await post(sim, stream())), reason(await post(sim, stream())), reason(await post(sim, stream()))],
		["length", "because", null]);
});

test("usage can be early, late, split, repeated, running, in the finish, null, missing, invalid or anything", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const ask = async (usage) => {
		await sim.script({ usage });
		return post(sim, stream(WORDS, withUsage));
	};
	const kinds = (answer) => readEvents(answer.body).map((data) => {
		const event = data === "[DONE]" ? null : JSON.parse(data);

		return event === null ? "done" : event.usage ? "usage" : event.choices[0]?.delta.content ? "text" : "-";
	}).join(" ");
	const texts = "text text text text text text";

	assert.equal(kinds(await ask("early")), `- usage ${texts} - done`);
	assert.equal(kinds(await ask("late")), `- ${texts} - done usage`);
	assert.equal(kinds(await ask("repeated")), `- ${texts} - usage usage usage done`);
	assert.equal(kinds(await ask("missing")), `- ${texts} - done`);
	assert.equal(kinds(await ask("null")), `- ${texts} - - done`);
	assert.equal(kinds(await ask("in_finish")), `- ${texts} usage done`);
	assert.equal(kinds(await ask("running")), "- usage usage usage usage usage usage - done");
	assert.deepEqual(usages(await ask("split")).map((u) => Object.keys(u)), [["prompt_tokens"], ["completion_tokens"]]);
	assert.equal(usages(await ask("invalid"))[0].prompt_tokens, -1);
	assert.deepEqual(usages(await ask({ value: { total: 5 } })), [{ total: 5 }]);
});

test("a whole reply can lack its usage or carry a wrong one", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script([{ usage: "missing" }, { usage: "null" }, { usage: "invalid" }, { usage: { value: 7 } }]);
	const ask = async () => JSON.parse((await post(sim, chat("x"))).body).usage;

	assert.deepEqual([await ask(), await ask(), (await ask()).completion_tokens, await ask()], [undefined, null, "12", 7]);
});

/* ---- status, headers, body form --------------------------------------------- */

test("the official client raises its error class for each status", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const classes = { 400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
		409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError", 500: "InternalServerError",
		503: "InternalServerError" };

	for (const [code, name] of Object.entries(classes)) {
		await sim.script({ status: Number(code) });
		await assert.rejects(sim.client().chat.completions.create(chat("x")),
			(err) => err instanceof OpenAI[name] && err.status === Number(code) && err.type !== undefined, code);
	}
	await sim.script({ status: { code: 402, message: "Pay first.", error_code: "insufficient_quota", type: "insufficient_quota" } });
	await assert.rejects(sim.client().chat.completions.create(chat("x")),
		(err) => err.status === 402 && err.code === "insufficient_quota" && /Pay first/.test(err.message));
});

test("429 names its waiting time in seconds, as a date, or absurdly", async (t) => {
	const { answer, sim } = await faulty(t, [{ status: { code: 429, retry_after: 7 } },
		{ status: { code: 429, retry_after: "date+60" } }, { status: { code: 429, retry_after: "soon" } }, { status: 429 }]);
	const retryAfter = async () => (await post(sim, stream())).headers["retry-after"];

	assert.equal(answer.headers["retry-after"], "7");
	assert.ok(Math.abs(Date.parse(await retryAfter()) - Date.now() - 60000) < 5000);
	assert.deepEqual([await retryAfter(), await retryAfter()], ["soon", undefined]);
});

test("the official client retries after a 429 and then succeeds", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script({ status: { code: 429, retry_after: 0 } });
	const reply = await sim.client({ maxRetries: 1 }).chat.completions.create(chat("again"));

	assert.equal(reply.choices[0].message.content, "again");
	assert.deepEqual((await sim.calls()).map((c) => c.outcome), ["fault", "completed"]);
});

test("error bodies can be HTML, text, empty, broken, or of a wrong type", async (t) => {
	const { answer, sim } = await faulty(t, [{ status: { code: 502, body: "html" } }, { status: { code: 500, body: "empty" } },
		{ status: { code: 500, body: "broken" } }, { status: { code: 503, body: "text" } },
		{ status: { code: 200, body: "html" } }, { status: { code: 500, content_type: "image/png" } }]);
	const next = () => post(sim, stream());

	assert.deepEqual([answer.status, answer.headers["content-type"]], [502, "text/html; charset=utf-8"]);
	assert.match(answer.body.toString(), /<h1>502/);
	const empty = await next();

	assert.deepEqual([empty.body.length, empty.headers["content-type"]], [0, undefined]);
	assert.match((await next()).body.toString(), /cut of$/);
	assert.match((await next()).headers["content-type"], /text\/plain/);
	assert.equal((await next()).status, 200);
	assert.equal((await next()).headers["content-type"], "image/png");
});

test("a redirect, a wrong content type, extra and huge headers", async (t) => {
	const { answer, sim } = await faulty(t, [{ redirect: "http://127.0.0.1:9/x" }, { content_type: "text/plain" },
		{ headers: { set: { "X-Limit": "5" }, filler_bytes: 9000 } }]);

	assert.deepEqual([answer.status, answer.headers.location], [307, "http://127.0.0.1:9/x"]);
	const plain = await post(sim, stream());

	assert.deepEqual([plain.headers["content-type"], textOf(plain)], ["text/plain", WORDS]);
	const { headers } = await post(sim, stream());

	assert.deepEqual([headers["x-limit"], headers["x-filler-2"].length], ["5", 9000 - 2 * 4096]);
});

test("a body may be framed by chunks, by length or by the end of the connection", async (t) => {
	const { answer, sim } = await faulty(t, [{ framing: "close" }, { framing: "length" }, {}]);
	const framed = await post(sim, stream());

	assert.deepEqual([answer.headers["transfer-encoding"], answer.headers["content-length"], textOf(answer)],
		[undefined, undefined, WORDS]);
	assert.deepEqual([Number(framed.headers["content-length"]), framed.headers["transfer-encoding"]],
		[framed.body.length, undefined]);
	assert.equal((await post(sim, stream())).headers["transfer-encoding"], "chunked");
});

test("a trailer follows the body", async (t) => {
	const { answer, sim } = await faulty(t, [{ trailer: "bye" }, { trailer: "bye", framing: "length" }]);

	assert.deepEqual({ ...answer.trailers }, { "x-sim-trailer": "bye" });
	assert.deepEqual({ ...(await post(sim, chat("x"))).trailers }, { "x-sim-trailer": "bye" });
});

test("a body may be gzip, or a small gzip that unpacks to much", async (t) => {
	const { answer, sim } = await faulty(t, [{ gzip: true }, { gzip: { bomb_bytes: 10000000 } }]);
	const bomb = await post(sim, stream());

	assert.equal(answer.headers["content-encoding"], "gzip");
	assert.match(gunzipSync(answer.body).toString(), /data: \[DONE\]/);
	assert.ok(bomb.body.length < 20000);
	assert.equal(gunzipSync(bomb.body).length, 10000000);
});

test("bytes may follow the end of the answer", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script({ after_end: "HTTP/1.1 999 Surprise\r\n\r\n" });
	assert.ok((await rawPost(sim, chat("x"))).endsWith("HTTP/1.1 999 Surprise\r\n\r\n"));
});

/* ---- time ---------------------------------------------------------------------- */

test("hang sends nothing, or only the headers, until the client leaves", async (t) => {
	const { answer, sim } = await faulty(t, [{ hang: true }, { hang: { headers: true } }, { hang: 50 }], stream(), { giveUpMs: 150 });
	const headers = await post(sim, stream(), { quietMs: 150 });

	assert.deepEqual([answer.error, answer.status], ["TIMEOUT", null]);
	assert.deepEqual([headers.error, headers.status, headers.body.length], ["TIMEOUT", 200, 0]);
	assert.equal(textOf(await post(sim, stream())), WORDS);
	const calls = await eventually(async () => (await sim.state()).open === 0 && sim.calls(), "calls closed");

	assert.deepEqual(calls.map((c) => c.outcome), ["client_gone", "client_gone", "completed"]);
});

test("stall falls silent after so many chunks, for ever or for a while", async (t) => {
	const { answer, sim } = await faulty(t, [{ stall: 3 }, { stall: { after_chunks: 1, ms: 60 } }], stream(), { quietMs: 150 });
	const start = performance.now();

	assert.deepEqual([answer.error, textOf(answer)], ["TIMEOUT", WORDS.slice(0, 12)]);
	assert.equal(textOf(await post(sim, stream())), WORDS);
	assert.ok(performance.now() - start >= 55);
});

test("delays of a rule replace those of the start", async (t) => {
	const start = performance.now();
	const { answer } = await faulty(t, { first_delay: 60, token_delay: 10 });

	assert.equal(textOf(answer), WORDS);
	assert.ok(performance.now() - start >= 110);
});

test("drip sends a few bytes at a time", async (t) => {
	const { answer } = await faulty(t, { drip: { ms: 1, bytes: 64 }, text: "x" });

	assert.ok(answer.chunks.length > 5);
	assert.equal(textOf(answer), "x");
});

/* ---- the connection --------------------------------------------------------------- */

test("drop closes without an answer", async (t) => {
	const { answer, sim } = await faulty(t, [{ drop: "rst" }, { drop: "fin" }]);

	assert.deepEqual([answer.error, answer.status], ["ECONNRESET", null]);
	assert.equal((await post(sim, stream())).error, "ECONNRESET");	/* what node calls a hang-up */
	assert.match(await rawPost(sim, chat("ok")), /^HTTP\/1.1 200/);
});

test("cut ends the connection after so many chunks or bytes, by FIN or by reset", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const plain = await post(sim, stream());

	for (const how of ["fin", "rst"]) {
		await sim.script([{ cut: { after_chunks: 3, how } }, { cut: { after_bytes: 100, how } }, { cut: { after_bytes: 0, how } }]);
		const [chunks, bytes, none] = [await post(sim, stream()), await post(sim, stream()), await post(sim, stream())];

		assert.deepEqual([chunks.error, textOf(chunks)], ["ECONNRESET", WORDS.slice(0, 12)], how);
		assert.deepEqual([bytes.error, bytes.body.length], ["ECONNRESET", 100], how);
		assert.deepEqual([none.error, none.status, none.body.length], ["ECONNRESET", 200, 0], how);
		assert.equal(bytes.body.toString().replace(/\d{8,}/g, ""), plain.body.subarray(0, 100).toString().replace(/\d{8,}/g, ""));
	}
	await sim.script({ cut: { after_bytes: 100 }, framing: "close" });
	const quiet = await post(sim, stream());

	assert.deepEqual([quiet.error, quiet.body.length], [null, 100], "an end that looks like a proper one");
	await sim.script({ cut: { after_bytes: 50 } });
	assert.deepEqual([(await post(sim, chat("x"))).error], ["ECONNRESET"], "a whole reply too");
});

test("writes can be of any size and split anywhere", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const text = "Привет 🎓";

	await sim.script([{ write: 1 }, { write: { at: [5, 333] } }]);
	const bytes = await post(sim, stream(text));
	const split = await post(sim, stream(text));

	assert.equal(textOf(bytes), text);
	assert.ok(bytes.chunks.length > bytes.body.length / 3, `${bytes.chunks.length} of ${bytes.body.length}`);
	assert.equal(split.chunks[0].length, 5);
	assert.equal(textOf(split), text);
	assert.ok((await rawPost(sim, stream(text))).length > 0);
});

/* ---- the event stream ---------------------------------------------------------------- */

test("the role, the finish and [DONE] can be missing", async (t) => {
	const { answer, sim } = await faulty(t, [{ no_done: true }, { no_finish: true }, { no_role: true }, { no_done: true, no_finish: true }]);

	assert.equal(readEvents(answer.body).includes("[DONE]"), false);
	const noFinish = await post(sim, stream());

	assert.equal(readEvents(noFinish.body).at(-1), "[DONE]");
	assert.ok(jsonEvents(noFinish).every((e) => e.choices[0].finish_reason === null));
	assert.equal(jsonEvents(await post(sim, stream()))[0].choices[0].delta.role, undefined);
	const neither = await post(sim, stream());

	await sim.script({ text: "", no_role: true, no_finish: true, no_done: true });
	assert.equal((await post(sim, stream())).body.length, 0);
	assert.deepEqual([neither.error, jsonEvents(neither).at(-1).choices[0].delta.content], [null, "ta"]);
});

test("an error object inside the stream reaches the official client as an error", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script({ error_event: { after_chunks: 2, message: "Overloaded midway." } });
	let text = "";

	await assert.rejects(async () => {
		for await (const chunk of await sim.client().chat.completions.create(stream()))
			text += chunk.choices[0]?.delta.content ?? "";
	}, (err) => err instanceof OpenAI.APIError && /Overloaded midway/.test(err.message));
	assert.equal(text, WORDS.slice(0, 8));
	await sim.script({ error_event: { go_on: true } });
	assert.equal(textOf(await post(sim, stream())), WORDS);
});

test("a chunk can be malformed, truncated, deep, huge, a scalar, an array or blank", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const data = async (bad_json) => {
		await sim.script({ bad_json });
		return readEvents((await post(sim, stream())).body)[3];
	};

	await assert.rejects(async () => JSON.parse(await data("malformed")), SyntaxError);
	await assert.rejects(async () => JSON.parse(await data("truncated")), SyntaxError);
	assert.equal((await data({ how: "deep", depth: 500 })).length, 1000);
	assert.ok((await data({ how: "huge", bytes: 300000 })).length > 300000);
	assert.deepEqual([await data("scalar"), await data("array"), await data("blank")], ["42", "[1,2,3]", ""]);
});

test("every SSE variant carries the same text", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const text = "Привет, мир 🎓 and all";

	for (const sse of [{ eol: "cr" }, { eol: "crlf" }, { eol: "mixed" }, { bom: true }, { comments: true }, { multiline: true },
		{ fields: true }, { no_space: true }, { eol: "mixed", bom: true, comments: true, multiline: true, fields: true, no_space: true }]) {
		await sim.script({ sse });
		const answer = await post(sim, stream(text));

		assert.equal(textOf(answer), text, JSON.stringify(sse));
		assert.equal(readEvents(answer.body).at(-1), "[DONE]", JSON.stringify(sse));
	}
	await sim.script([{ sse: { no_final_blank: true } }, { sse: { bom: true } }, { sse: { eol: "cr" } }]);
	const open = await post(sim, stream(text));

	assert.ok(open.body.toString().endsWith("data: [DONE]"));
	assert.equal(readEvents(open.body).includes("[DONE]"), false);
	assert.deepEqual([...(await post(sim, stream(text))).body.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
	assert.equal((await post(sim, stream(text))).body.includes(10), false);
});

test("odd chunks keep the text whole", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	for (const shape of KINDS.odd_chunk.params.shape.values) {
		await sim.script([{ odd_chunk: shape }, { odd_chunk: shape }]);
		const events = jsonEvents(await post(sim, stream()));
		const own = events.flatMap((e) => e.choices ?? []).filter((c) => c.index === 0)
			.map((c) => (typeof c.delta?.content === "string" ? c.delta.content : "")).join("");

		assert.equal(own, WORDS, shape);
		assert.equal(events.length, 9, shape);
		JSON.parse((await post(sim, chat("x"))).body);
	}
	await sim.script({ odd_chunk: { shape: "empty_content", times: 1000 } });
	assert.equal(jsonEvents(await post(sim, stream())).length, 1008);
});

test("extra fields stand everywhere and the official client ignores them", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	await sim.script([{ extra_fields: true }, { extra_fields: true }]);
	const done = await sim.client().chat.completions.stream(chat(WORDS)).finalChatCompletion();

	assert.equal(done.choices[0].message.content, WORDS);
	assert.ok(JSON.parse((await post(sim, chat("x"))).body).x_vendor);
});

test("invalid UTF-8 comes as raw bytes", async (t) => {
	const { answer } = await faulty(t, { invalid_utf8: "fffe" });

	assert.ok(answer.body.includes(Buffer.from([0xff, 0xfe])));
	assert.equal(textOf(answer), `${WORDS.slice(0, 4)}\ufffd\ufffd${WORDS.slice(4)}`);
});

test("characters can be escaped, and a pair split between two deltas", async (t) => {
	const { answer, sim } = await faulty(t, [{ escapes: true }, { escapes: { split_pairs: true } }], stream("Мир 🎓!"));
	const split = await post(sim, stream("Мир 🎓!"));

	assert.ok(answer.body.every((byte) => byte < 0x80));
	assert.equal(textOf(answer), "Мир 🎓!");
	assert.equal(textOf(split), "Мир 🎓!");
	assert.ok(jsonEvents(split).some((e) => e.choices[0].delta.content === "\ud83c"));
});

test("a delta can be huge, in one chunk or in a whole reply", async (t) => {
	const { answer, sim } = await faulty(t, [{ huge_delta: 300000 }, { huge_delta: 300000 }]);

	assert.deepEqual(jsonEvents(answer).map((e) => e.choices[0].delta.content?.length), [0, 300000, undefined]);
	assert.equal(JSON.parse((await post(sim, chat("x"))).body).choices[0].message.content.length, 300000);
});

test("an endless reply goes on until its bound, and stops when the client leaves", async (t) => {
	const { answer, sim } = await faulty(t, [{ endless: 200000 }, { endless: true, token_delay: 1 }]);

	assert.equal(answer.error, "ECONNRESET");
	assert.ok(answer.body.length >= 200000 && answer.body.length < 300000, String(answer.body.length));
	assert.equal((await post(sim, stream(), { giveUpMs: 100 })).error, "TIMEOUT");
	const calls = await eventually(async () => (await sim.state()).open === 0 && sim.calls(), "the endless call ended");

	assert.deepEqual(calls.map((c) => c.outcome), ["cut", "client_gone"]);
});

test("a length is right whatever the body holds", async (t) => {
	const { answer } = await faulty(t, { framing: "length", sse: { bom: true, eol: "mixed", comments: true },
		odd_chunk: { shape: "empty_content", times: 5 } });

	assert.equal(Number(answer.headers["content-length"]), answer.body.length);
	assert.deepEqual([...answer.body.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
	assert.equal(textOf(answer), WORDS);
});

test("faults combine: every line end, one byte at a time, cut before the end", async (t) => {
	const { answer } = await faulty(t, { text: "combined", sse: { eol: "mixed" }, write: 1, cut: { after_chunks: 2, how: "rst" } });

	assert.deepEqual([answer.error, textOf(answer)], ["ECONNRESET", "combined"]);
});
