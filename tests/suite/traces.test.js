/* One turn's spans, from the browser's traceparent to the model's server, as a collector gets them. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Collector } from "../lib/collector.js";
import { release } from "../lib/release.js";
import { guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf, Ws } from "../lib/ws.js";

const CANARY = "canary-token-for-the-collector";
const hex = (n) => randomBytes(n).toString("hex");
const traceparentOf = (trace, span, flags = "01") => `00-${trace}-${span}-${flags}`;

let collector, stack;

before(async () => {
	collector = await new Collector().start();
	stack = await startStack({ persona: "echo", env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
		OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${CANARY} , x-scope=a%2Cb%3Dc:d` } });
});
after(() => release(stack, collector));

/* The spans of a trace as soon as all of these are there. */
function spansOf(trace, names) {
	return until(`the spans ${names.join(", ")}`, () => {
		const spans = collector.of(trace);

		return names.every((name) => spans.some((span) => span.name === name)) && spans;
	}, { ms: 20000 });
}

/* The span of that name, whose parent is the one given. */
function child(spans, parent, name) {
	const found = spans.filter((span) => span.name === name && span.parentSpanId === parent.spanId);

	assert.equal(found.length, 1, `${name} below ${parent.name}: ${JSON.stringify(spans.map((span) => [span.name, span.parentSpanId]))}`);
	assert.ok(BigInt(found[0].startTimeUnixNano) >= BigInt(parent.startTimeUnixNano) - 1000000n, `${name} begins before ${parent.name}`);
	return found[0];
}

test("a message on the socket is one tree through all daemons to the model's server", async () => {
	const [trace, browser] = [hex(16), hex(8)];
	const socket = await chatOf(stack, await guestOf(stack), "traced");
	const { response } = await socket.turn("A secret-canary-text", { traceparent: traceparentOf(trace, browser) });
	const spans = await spansOf(trace, ["turn message", "SQL turn_begin", "SQL turn_finish", "model call", "work_done", "WS chat_post"]);
	const frame = child(spans, { spanId: browser, name: "the browser", startTimeUnixNano: "0" }, "WS chat_post");
	const post = child(spans, frame, "chat_post");
	const turn = child(spans, post, "turn message");
	const begin = child(spans, turn, "turn_begin");
	const attempt = child(spans, turn, "model call");

	child(spans, begin, "SQL turn_begin");
	child(spans, child(spans, turn, "turn_finish"), "SQL turn_finish");
	child(spans, attempt, "work_done");
	assert.deepEqual([frame, post, turn, begin, attempt].map((span) => span.service),
		["alp-gateway", "alp-chat", "alp-chat", "alp-store", "alp-ai"]);
	assert.deepEqual([frame.kind, post.kind, turn.kind, attempt.kind], [2, 2, 1, 3]);
	assert.equal(turn.attributes["alp.turn.state"], "completed");
	assert.equal(turn.attributes["alp.turn.id"], response.turn_id);
	assert.equal(attempt.attributes["alp.attempt.result"], "completed");
	assert.ok(attempt.attributes["gen_ai.usage.output_tokens"] > 0);
	const told = (await stack.sim.calls()).calls.at(-1);

	assert.equal(told.trace, traceparentOf(trace, attempt.spanId), "the trace goes on at the model's server");
	assert.deepEqual(spans.filter((span) => span.status.code === 2), []);
	assert.doesNotMatch(JSON.stringify(spans), /secret-canary-text/);
	await socket.close();
});

test("a request over HTTP, with a trace of its own when the client has none", async () => {
	const rest = await guestOf(stack);
	const [trace, browser] = [hex(16), hex(8)];

	await rest.get("/api/tracks", { traceparent: traceparentOf(trace, browser) });
	const spans = await spansOf(trace, ["GET /api/tracks", "SQL track_list"]);
	const request = child(spans, { spanId: browser, name: "the browser", startTimeUnixNano: "0" }, "GET /api/tracks");

	child(spans, child(spans, request, "track_list"), "SQL track_list");
	assert.equal(request.attributes["http.response.status_code"], 200);
	await rest.get("/api/ai/default-config", { traceparent: "nonsense" });
	const own = await until("a span without a parent", () => collector.spans.find((span) => span.name === "GET /api/ai/default-config"));

	assert.equal(own.parentSpanId, undefined);
});

test("a socket that opens is a request that went well, one that is refused says why", async () => {
	const rest = await guestOf(stack);
	const [good, second, bad] = [hex(16), hex(16), hex(16)];
	const path = "GET /ws/chat/{session_id}";
	const open = (where, token, trace) => Ws.open(`${stack.wsUrl}/ws/chat/${where}`, { token, headers: { traceparent: traceparentOf(trace, hex(8)) } });

	await (await open("mine", rest.token, good)).close();
	await (await open("mine/switch", rest.token, second)).close();
	await assert.rejects(open("mine", "nonsense", bad), (err) => err.status === 401);
	for (const [trace, name, status] of [[good, path, 101], [second, `${path}/switch`, 101], [bad, path, 401]]) {
		const [span] = await spansOf(trace, [name]);

		assert.deepEqual([span.attributes["http.response.status_code"], span.attributes["http.route"], span.status.code ?? 0],
			[status, name.slice(4), 0]);
	}
});

test("who asks not to be recorded is not, and is answered", async () => {
	const rest = await guestOf(stack);
	const [trace, later] = [hex(16), hex(16)];

	assert.equal((await rest.get("/api/tracks", { traceparent: traceparentOf(trace, hex(8), "00") })).status, 200);
	await rest.get("/api/tracks", { traceparent: traceparentOf(later, hex(8)) });
	await spansOf(later, ["GET /api/tracks", "SQL track_list"]);
	assert.deepEqual(collector.of(trace), []);
});

test("the collector gets what the specification says, at its path, with its headers", () => {
	assert.deepEqual(collector.faults, []);
	assert.ok(collector.spans.length > 10);
	for (const { path, headers } of collector.requests) {
		assert.equal(path, "/v1/traces");
		assert.equal(headers["content-type"], "application/json");
		assert.equal(headers.authorization, `Bearer ${CANARY}`);
		assert.equal(headers["x-scope"], "a,b=c:d");
	}
	for (const daemon of stack.all)
		assert.ok(!daemon.lines.some((line) => line.includes(CANARY)), daemon.name);
});

test("a collector that is away costs spans, which are counted, and nothing else", async () => {
	const { gateway } = stack.daemons;
	const rest = await guestOf(stack);
	const dropped = async () => (await gateway.metrics())['alp_spans_dropped_total{reason="refused"}'] ?? 0;
	const exported = async () => (await gateway.metrics()).alp_spans_exported_total;

	collector.status = 400;
	await rest.get("/api/tracks");
	await until("what was refused is counted", async () => await dropped() > 0, { ms: 20000 });
	collector.status = 503;	/* worth another try */
	const before = collector.requests.length;
	const trace = hex(16);

	await rest.get("/api/tracks", { traceparent: traceparentOf(trace, hex(8)) });
	await until("it tried", () => collector.requests.length > before, { ms: 20000 });
	assert.equal((await rest.get("/api/tracks")).status, 200);
	collector.status = 200;
	await spansOf(trace, ["GET /api/tracks", "SQL track_list"]);
	assert.ok(await exported() > 0);
});
