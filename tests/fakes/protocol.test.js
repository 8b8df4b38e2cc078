/*
 * The simulator speaks the protocol: the official client is the judge.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { chat, post, simulator, textOf } from "./testing.js";

test("the official client reads a whole reply", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const reply = await sim.client().chat.completions.create(chat("Hello, world!"));

	assert.equal(reply.object, "chat.completion");
	assert.equal(reply.choices[0].message.role, "assistant");
	assert.equal(reply.choices[0].message.content, "Hello, world!");
	assert.equal(reply.choices[0].finish_reason, "stop");
	assert.equal(reply.usage.completion_tokens, 4);
	assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + 4);
	assert.equal(reply.usage.prompt_tokens_details.cached_tokens, 0);
	assert.match(reply._request_id, /^req_/);
});

test("the official client reads a streamed reply with its usage at the end", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const stream = await sim.client().chat.completions.create(chat("Привет, мир! 🎓",
		{ stream: true, stream_options: { include_usage: true } }));
	const chunks = [];

	for await (const chunk of stream)
		chunks.push(chunk);
	assert.deepEqual(chunks[0].choices[0].delta, { role: "assistant", content: "", refusal: null });
	assert.equal(chunks.map((c) => c.choices[0]?.delta.content ?? "").join(""), "Привет, мир! 🎓");
	assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
	assert.deepEqual(chunks.at(-1).choices, []);
	assert.equal(chunks.at(-1).usage.completion_tokens, chunks.length - 3);
	assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
	assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
});

test("without include_usage a stream has no usage", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const answer = await post(sim, chat("hi", { stream: true }));

	assert.match(answer.headers["content-type"], /^text\/event-stream/);
	assert.ok(!answer.body.includes("usage"));
	assert.ok(answer.body.toString().endsWith("data: [DONE]\n\n"));
});

test("the client's stream helper accumulates the same completion", async (t) => {
	const sim = await simulator(t, "--persona", "bench", "--tokens", "50");
	const done = await sim.client().chat.completions.stream(chat("go")).finalChatCompletion();

	assert.equal(done.choices[0].message.content.length, 200);
	assert.equal(done.choices[0].finish_reason, "stop");
});

test("models are listed and found, unknown ones are not", async (t) => {
	const sim = await simulator(t, "--models", "my-model");
	const client = sim.client();
	const ids = (await client.models.list()).data.map((m) => m.id);

	assert.ok(ids.includes("gpt-4o-mini") && ids.includes("my-model"));
	assert.equal((await client.models.retrieve("my-model")).object, "model");
	await assert.rejects(client.models.retrieve("nope"), OpenAI.NotFoundError);
	await assert.rejects(client.chat.completions.create(chat("hi", { model: "nope" })),
		(err) => err instanceof OpenAI.NotFoundError && err.code === "model_not_found");
});

test("routes work without the version prefix", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const client = sim.client({ baseURL: sim.url });

	assert.equal((await client.chat.completions.create(chat("hi"))).choices[0].message.content, "hi");
	assert.ok((await client.models.list()).data.length > 0);
});

test("max_tokens ends a reply with finish_reason length", async (t) => {
	const sim = await simulator(t, "--persona", "bench");
	const client = sim.client();

	for (const limit of [{ max_tokens: 3 }, { max_completion_tokens: 3 }]) {
		const reply = await client.chat.completions.create(chat("go", limit));

		assert.equal(reply.choices[0].finish_reason, "length");
		assert.equal(reply.usage.completion_tokens, 3);
	}
	const exact = await client.chat.completions.create(chat("go", { max_tokens: 20 }));

	assert.equal(exact.choices[0].finish_reason, "stop");
});

test("a stop sequence ends the text before it", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const reply = await sim.client().chat.completions.create(chat("one two three", { stop: ["two"] }));

	assert.equal(reply.choices[0].message.content, "one ");
});

test("response_format gives JSON, and json_object wants the word in the messages", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const client = sim.client();
	const reply = await client.chat.completions.create(chat("as JSON", { response_format: { type: "json_object" } }));
	const schema = { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } };
	const shaped = await client.chat.completions.create(chat("hi", { response_format: schema }));

	assert.deepEqual(JSON.parse(reply.choices[0].message.content), { reply: "as JSON" });
	assert.deepEqual(JSON.parse(shaped.choices[0].message.content), { reply: "hi" });
	await assert.rejects(client.chat.completions.create(chat("hi", { response_format: { type: "json_object" } })),
		OpenAI.BadRequestError);
});

test("a started key is demanded, and never shown whole", async (t) => {
	const sim = await simulator(t, "--key", "sk-right-key-0123456789");
	const wrong = "sk-wrong-key-9876543210";

	await sim.client({ apiKey: "sk-right-key-0123456789" }).chat.completions.create(chat("hi"));
	await assert.rejects(sim.client({ apiKey: wrong }).chat.completions.create(chat("hi")),
		(err) => err instanceof OpenAI.AuthenticationError && err.code === "invalid_api_key" && !err.message.includes(wrong));
	await assert.rejects(sim.client({ apiKey: wrong }).models.list(), OpenAI.AuthenticationError);
	assert.equal((await post(sim, chat("hi"))).status, 401);
	const calls = await sim.calls();

	assert.deepEqual(calls.map((c) => c.outcome), ["completed", "refused", "refused"]);
	assert.match(calls[0].key, /^sha256:[0-9a-f]{12}$/);
	assert.notEqual(calls[0].key, calls[1].key);
	assert.ok(!JSON.stringify(calls).includes("wrong-key"));
});

const REFUSED = [
	["no messages", { messages: undefined }, "messages", "missing_required_parameter"],
	["messages of the wrong type", { messages: "hi" }, "messages", "invalid_type"],
	["empty messages", { messages: [] }, "messages", "empty_array"],
	["a message that is not an object", { messages: [1] }, "messages[0]", "invalid_type"],
	["a message without a role", { messages: [{ content: "x" }] }, "messages[0].role", "missing_required_parameter"],
	["an unknown role", { messages: [{ role: "boss", content: "x" }] }, "messages[0].role", "invalid_value"],
	["a user message without content", { messages: [{ role: "user" }] }, "messages[0].content", "missing_required_parameter"],
	["null content", { messages: [{ role: "user", content: null }] }, "messages[0].content", "invalid_type"],
	["content of the wrong type", { messages: [{ role: "user", content: 5 }] }, "messages[0].content", "invalid_type"],
	["a hot temperature", { temperature: 3 }, "temperature", "decimal_above_max_value"],
	["a temperature in words", { temperature: "warm" }, "temperature", "invalid_type"],
	["no tokens at all", { max_tokens: 0 }, "max_tokens", "integer_below_min_value"],
	["half a token", { max_tokens: 1.5 }, "max_tokens", "invalid_type"],
	["both token limits", { max_tokens: 5, max_completion_tokens: 5 }, "max_tokens", "invalid_parameter_combination"],
	["several choices", { n: 2 }, "n", "integer_above_max_value"],
	["stream in words", { stream: "yes" }, "stream", "invalid_type"],
	["stream options without a stream", { stream_options: { include_usage: true } }, "stream_options", null],
	["an unknown format", { response_format: { type: "xml" } }, "response_format.type", "invalid_value"],
	["an unknown parameter", { max_token: 5 }, "max_token", "unknown_parameter"],
];

test("wrong requests are refused in OpenAI's shape, naming the field", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	for (const [what, more, param, code] of REFUSED) {
		const answer = await post(sim, chat("hi", more));
		const { error } = JSON.parse(answer.body);

		assert.equal(answer.status, 400, what);
		assert.deepEqual([error.type, error.param, error.code], ["invalid_request_error", param, code], what);
		assert.ok(error.message.length > 10, what);
	}
});

test("a body that is no JSON object is a 400 and the server lives", async (t) => {
	const sim = await simulator(t, "--persona", "echo");

	for (const body of ["", "{", "[]", "null", "42", Buffer.from([0x22, 0xff, 0x22])])
		assert.equal((await post(sim, body)).status, 400);
	const large = await post(sim, "x".repeat(17 * 1024 * 1024));

	assert.ok(large.status === 413 || large.error !== null);	/* the answer may lose the race against the closing connection */
	assert.equal((await post(sim, chat("still here"))).status, 200);
});

test("a prompt beyond the context window is refused", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const { error } = JSON.parse((await post(sim, chat("word ".repeat(110000)))).body);

	assert.equal(error.code, "context_length_exceeded");
});

test("unknown paths and methods get OpenAI's errors", async (t) => {
	const sim = await simulator(t);
	const get = async (path) => {
		const res = await fetch(sim.url + path);

		return [res.status, (await res.json()).error.code];
	};

	assert.deepEqual(await get("/v1/chat/completions"), [405, "method_not_supported"]);
	assert.deepEqual(await get("/v1/nothing"), [404, "unknown_url"]);
	assert.deepEqual(await get("/v1/models/%ff"), [400, null]);
});

test("one connection serves many calls", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const first = await fetch(`${sim.url}/v1/models`);

	assert.match(first.headers.get("keep-alive"), /timeout=120/);
});

test("a long dialogue costs cached tokens, the same each time", async (t) => {
	const sim = await simulator(t, "--persona", "echo");
	const messages = [{ role: "user", content: "word ".repeat(2000) }, { role: "assistant", content: "ok" },
		{ role: "user", content: "go on" }];
	const ask = async () => (await sim.client().chat.completions.create({ model: "gpt-4o", messages })).usage;
	const usage = await ask();

	assert.ok(usage.prompt_tokens_details.cached_tokens >= 1024);
	assert.equal(usage.prompt_tokens_details.cached_tokens % 128, 0);
	assert.ok(usage.prompt_tokens_details.cached_tokens < usage.prompt_tokens);
	assert.deepEqual(await ask(), usage);
});

test("tokens flow at the asked-for pace", async (t) => {
	const sim = await simulator(t, "--persona", "bench", "--tokens", "10", "--token-delay-ms", "20", "--first-delay-ms", "30");
	const start = performance.now();
	const answer = await post(sim, chat("go", { stream: true }));
	const took = performance.now() - start;

	assert.equal(textOf(answer).length, 40);
	assert.ok(took >= 225, `took ${took} ms`);
	assert.ok(answer.chunks.length >= 3, `${answer.chunks.length} writes`);	/* a busy machine joins what is overdue */
});

test("without a delay a whole stream is one write", async (t) => {
	const sim = await simulator(t, "--persona", "bench", "--tokens", "100");
	const answer = await post(sim, chat("go", { stream: true }));

	assert.ok(answer.chunks.length <= 2, `${answer.chunks.length} writes`);
});
