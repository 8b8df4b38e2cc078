/* The worker in good weather: what is asked, what comes back, what it costs. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { release } from "../lib/release.js";
import { until } from "../lib/until.js";
import { startAi } from "./ai-lib.js";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const POEM = "Ёлка 🎄 — «пример» naïve Ω≈ç√ 👩‍👩‍👧 conclusion";

const contiguous = (deltas) => assert.deepEqual(deltas.map((d) => d.offset ?? 0), deltas.map((_, i) => i));

describe("a worker", () => {
	let bench;

	before(async () => {
		bench = await startAi();
	});
	after(() => bench.stop());

	it("streams pieces that add up to the text it tells at the end", async () => {
		bench.sim.script.add({ token_delay: 15, text: POEM });
		const work = bench.work({});
		const { done, text, ends } = await bench.end(work);
		const deltas = await bench.pieces(work, ends, text);

		assert.equal(done.result, "completed");
		assert.equal(done.finish_reason, "stop");
		assert.equal(text, POEM);
		assert.equal(deltas.map((d) => d.piece).join(""), POEM);
		assert.ok(deltas.length > 2, `${deltas.length} pieces`);
		contiguous(deltas);
		assert.ok(deltas.every((d) => d.piece.length > 0));
		await until("all but the last are published", () => bench.chat.of("ai_delta", work.key).length >= deltas.length - 1);
		assert.ok(bench.chat.of("ai_delta", work.key).every((m) => m.body.worker === done.worker));
		assert.ok(done.total_us >= done.first_token_us && done.first_token_us > 0);
	});

	it("answers whole when not asked to stream", async () => {
		const work = bench.work({ content: POEM, stream: false });
		const { done, text, ends } = await bench.end(work);

		assert.equal(done.result, "completed");
		assert.equal(text, POEM);
		assert.equal(ends, String(Buffer.byteLength(POEM)));
		assert.equal((await bench.pieces(work, ends, text))[0].piece, POEM);
		assert.equal(done.usage.estimated, undefined);
		assert.ok(done.usage.prompt_tokens > 0 && done.usage.completion_tokens > 0);
	});

	it("asks for exactly what chat wants", async () => {
		const messages = [{ role: "system", content: "Answer with json." }, { role: "user", content: "Жду \"JSON\"\n" }];

		await bench.run({ messages, model: "gpt-4o", temperature: 0.25, max_tokens: 77, format: { type: "json_object" } });
		await bench.run({ messages, stream: false });
		const [first, second] = (await bench.calls()).slice(-2);

		assert.deepEqual(first.messages, messages);
		assert.deepEqual(first.parameters, { model: "gpt-4o", stream: true, stream_options: { include_usage: true },
			temperature: 0.25, max_tokens: 77, response_format: { type: "json_object" } });
		assert.deepEqual(second.parameters, { model: "gpt-4o-mini", stream: false });
	});

	it("counts tokens as the server does and knows what they cost", async () => {
		const { done } = await bench.run({ content: "four words of text" });
		const [call] = (await bench.calls()).slice(-1);

		assert.equal(done.model, "gpt-4o-mini");
		assert.equal(done.usage.prompt_tokens, call.prompt_tokens);
		assert.equal(done.usage.completion_tokens, call.sent_tokens);
		assert.equal(done.usage.cost_nano, call.prompt_tokens * 150 + call.sent_tokens * 600);
		assert.equal(done.usage.currency, "USD");
	});

	it("counts cached tokens at their own price", async () => {
		const usage = { prompt_tokens: 1000, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 400 } };

		bench.sim.script.add({ usage: { value: usage } });
		const { done } = await bench.run({});

		assert.equal(done.usage.cached_tokens, 400);
		assert.equal(done.usage.cost_nano, 600 * 150 + 400 * 75 + 10 * 600);
	});

	for (const mode of ["early", "late", "split", "repeated", "running", "in_finish"]) {
		it(`counts usage once when it comes ${mode}`, async () => {
			bench.sim.script.add({ usage: mode, tokens: 12 });
			const { done } = await bench.run({});
			const [call] = (await bench.calls()).slice(-1);

			assert.equal(done.result, "completed");
			assert.equal(done.usage.prompt_tokens, call.prompt_tokens);
			assert.equal(done.usage.completion_tokens, call.sent_tokens);
			assert.equal(done.usage.estimated, undefined);
		});
	}

	for (const mode of ["missing", "null", "invalid"]) {
		for (const stream of [true, false]) {
			it(`estimates and says so when usage is ${mode}, ${stream ? "streamed" : "whole"}`, async () => {
				bench.sim.script.add({ usage: mode, text: "x".repeat(40) + "ы".repeat(22) });
				const { done } = await bench.run({ stream });

				assert.equal(done.result, "completed");
				assert.equal(done.usage.estimated, true);
				assert.equal(done.usage.completion_tokens, 20);
				assert.ok(done.usage.prompt_tokens > 0);
			});
		}
	}

	it("tells the text so far when it is asked to, equal to the pieces", async () => {
		bench.sim.script.add({ stall: { after_chunks: 4 }, text: POEM.repeat(3) });
		const work = bench.work({});

		await until("pieces", () => bench.chat.of("ai_delta", work.key).length >= 1);
		bench.control("refetch", work);
		const told = await bench.chat.wait("the text", (m) => m.event === "work_text" && m.body.turn_id === work.turn_id);
		const soFar = Buffer.from(told.blob).subarray(told.body.text[0], told.body.text[0] + told.body.text[1]).toString();

		bench.control("cancel", work);
		const { done, text, ends } = await bench.end(work);

		/* More may have been published since it was told: all of it is compared with the end. */
		contiguous(await bench.pieces(work, ends, text));
		assert.equal(done.result, "cancelled");
		assert.ok(POEM.repeat(3).startsWith(text) && text.startsWith(soFar) && soFar.length > 0);
		assert.ok(`${ends},`.startsWith(`${told.body.ends},`), `${told.body.ends} of ${ends}`);
		assert.equal(Number(told.body.ends.split(",").at(-1)), Buffer.byteLength(soFar));
	});

	it("ignores a cancel and a refetch of what it does not have", async () => {
		const before = bench.chat.of("work_text").length;

		bench.control("cancel", { turn_id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", attempt: 1 });
		bench.control("refetch", { turn_id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", attempt: 1 });
		assert.equal((await bench.run({})).done.result, "completed");
		assert.equal(bench.chat.of("work_text").length, before);
	});

	it("runs 64 attempts at once, each with its own text", async () => {
		bench.sim.script.add({ times: 64, match: "number", first_delay: 1500, token_delay: 5 });
		const works = Array.from({ length: 64 }, (_, i) => bench.work({ content: `this is number ${i}, and only that` }));

		await until("all are asked", () => bench.sim.calls.open >= 64, { ms: 20000 });
		const ends = await Promise.all(works.map((work) => bench.end(work, { ms: 30000 })));

		ends.forEach(({ done, text }, i) => {
			assert.equal(done.result, "completed");
			assert.equal(text, `this is number ${i}, and only that`);
		});
	});

	it("beats while it has attempts, and once when it has none any more", async () => {
		bench.sim.script.add({ stall: { after_chunks: 1 } });
		const work = bench.work({});

		await bench.chat.wait("a beat", (m) => m.event === "work_beat" && m.body.attempts?.split(",").includes(work.key),
			{ ms: 5000 });
		bench.control("cancel", work);
		await bench.end(work);
		const from = bench.chat.of("work_beat").length;

		await bench.run({});
		await until("a beat that names nothing", () => bench.chat.of("work_beat").slice(from).some((m) => !m.body.attempts));
	});

	it("shows what it does in health and metrics", async () => {
		const health = await until("all is told", async () => {
			const answer = await bench.health();

			return answer.busy === 0 && answer.unconfirmed === 0 && answer;
		});
		const metrics = await bench.ai.metrics();

		assert.equal(health.slots, 64);
		assert.equal(health.pulls, 8);
		assert.equal(health.dependencies.chat, "up");
		assert.ok(metrics["alp_ai_attempts_total{result=\"completed\"}"] > 60);
		assert.ok(metrics["alp_ai_attempts_total{result=\"cancelled\"}"] >= 2);
		assert.ok(metrics["alp_ai_tokens_total{kind=\"completion\",model=\"gpt-4o-mini\"}"] > 0);
		assert.ok(metrics["alp_ai_upstream_answers_total{status=\"2xx\"}"] > 60);
		assert.ok(metrics["alp_ai_first_token_seconds_count{model=\"gpt-4o-mini\"}"] > 60);
	});
});

describe("the request as it is on the wire", () => {
	const seen = [];
	let server, bench;

	/* Answers well, or streams an answer whose connection never ends. */
	function answer(req, res, body) {
		if (!body.includes("never end"))
			return res.writeHead(200, { "Content-Type": "application/json" })
				.end(JSON.stringify({ choices: [{ message: { content: "ok" }, finish_reason: "stop" }] }));
		res.writeHead(200, { "Content-Type": "text/event-stream" });
		return res.write("data: {\"choices\":[{\"delta\":{\"content\":\"ok\"}}]}\n\ndata: [DONE]\n\n");
	}

	before(async () => {
		server = createServer(async (req, res) => {
			seen.push({ headers: req.headers, port: req.socket.remotePort, url: req.url, version: req.httpVersion });
			answer(req, res, Buffer.concat(await req.toArray()).toString());
		}).listen(0, "127.0.0.1");
		await once(server, "listening");
		bench = await startAi({ DEFAULT_OPENAI_BASE_URL: `http://127.0.0.1:${server.address().port}/v1/`,
			HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9" });
	});
	after(() => release(bench, { stop: () => server.closeAllConnections() }, server));

	it("carries key and trace, reuses its connection and heeds no proxy", async () => {
		const long = "x".repeat(5000);

		assert.equal((await bench.run({ traceparent: TRACE })).text, "ok");
		assert.equal((await bench.run({ content: long, traceparent: `${TRACE}\r\nX-Evil: 1` })).text, "ok");
		assert.equal(seen[0].url, "/v1/chat/completions");
		assert.equal(seen[0].version, "1.1");
		assert.equal(seen[0].headers.authorization, `Bearer ${bench.canary}`);
		assert.equal(seen[0].headers.traceparent, TRACE);
		assert.equal(seen[0].headers["accept-encoding"], undefined);
		assert.equal(seen[1].headers.expect, undefined);
		assert.equal(seen[1].headers["x-evil"], undefined);
		assert.equal(seen[1].port, seen[0].port);
	});

	it("does not wait for an end of the connection behind the end mark", async () => {
		const { done, text } = await bench.run({ content: "never end" });

		assert.equal(done.result, "completed");
		assert.equal(text, "ok");
		assert.ok(done.total_us < 2000000, `${done.total_us}`);
	});
});
