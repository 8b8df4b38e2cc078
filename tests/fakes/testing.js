/*
 * What the tests here share: simulators of their own on free ports, a script,
 * and HTTP answers as they were on the wire.
 */

import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { parseOptions } from "./sim/options.js";
import { createSimulator } from "./sim/server.js";

const DEADLINE_MS = 15000;

/* Starts a simulator in this process with command line arguments; it ends with the test. */
export async function simulator(t, ...args) {
	const options = parseOptions(["--listen", "127.0.0.1:0", ...args], {});
	const sim = createSimulator(options);
	const port = await sim.listen("127.0.0.1", 0);
	const url = `http://127.0.0.1:${port}`;
	const json = async (path, init) => (await fetch(url + path, init)).json();

	t.after(() => sim.close());
	return {
		port, url,
		client: (options = {}) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "test-key", maxRetries: 0, ...options }),
		script: (rules) => json("/__sim/script", { method: "POST", body: JSON.stringify(rules) }),
		calls: async (since = 0) => (await json(`/__sim/calls?since=${since}`)).calls,
		state: () => json("/__sim"),
		reset: () => json("/__sim", { method: "DELETE" }),
	};
}

export function chat(text, more = {}) {
	return { model: "gpt-4o-mini", messages: [{ role: "user", content: text }], ...more };
}

/*
 * Posts a completion and collects the answer until its end, however it ends:
 * { status, headers, trailers, body (Buffer), chunks, error } where error is the
 * code of a broken connection. It is "TIMEOUT" after giveUpMs in all, or after
 * quietMs without a byte once the headers are there.
 */
export function post(sim, body, { path = "/v1/chat/completions", headers = {}, giveUpMs = DEADLINE_MS, quietMs = null } = {}) {
	return new Promise((resolve) => {
		const answer = { status: null, headers: {}, trailers: {}, chunks: [], error: null };
		const req = request(sim.url + path, { method: "POST", agent: false,
			headers: { "Content-Type": "application/json", ...headers } });
		const finish = (error = null) => {
			clearTimeout(timer);
			req.destroy();
			resolve({ ...answer, error: answer.error ?? error, body: Buffer.concat(answer.chunks) });
		};
		let timer = setTimeout(() => finish("TIMEOUT"), giveUpMs);
		const listen = () => {
			if (quietMs === null)
				return;
			clearTimeout(timer);
			timer = setTimeout(() => finish("TIMEOUT"), quietMs);
		};

		req.on("error", (err) => finish(err.code));
		req.on("response", (res) => {
			Object.assign(answer, { status: res.statusCode, headers: res.headers });
			listen();
			res.on("data", (part) => {
				answer.chunks.push(part);
				listen();
			});
			res.on("error", (err) => finish(err.code));
			res.on("end", () => {
				answer.trailers = res.trailers;
				finish();
			});
		});
		req.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
	});
}

/* Everything the server sends on a raw connection to one request, until it closes or stays silent for quietMs. */
export async function rawPost(sim, body, quietMs = 300) {
	const socket = connect(sim.port, "127.0.0.1");
	const text = JSON.stringify(body);
	const parts = [];

	await once(socket, "connect");
	socket.on("data", (part) => parts.push(part));
	socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: sim\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
	for (let seen = -1; seen !== parts.length; ) {
		seen = parts.length;
		await Promise.race([sleep(quietMs), once(socket, "close").catch(() => {})]);
	}
	socket.destroy();
	return Buffer.concat(parts).toString();
}

/* The events of a stream as the WHATWG rules read them; an unfinished last one is dropped. */
export function readEvents(bytes) {
	const text = new TextDecoder().decode(bytes);	/* drops a BOM, replaces invalid bytes */
	const events = [];
	let data = [];

	for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
		if (line === "") {
			if (data.length)
				events.push(data.join("\n"));
			data = [];
		} else if (line.startsWith("data:")) {
			data.push(line.slice(5).replace(/^ /, ""));
		}
	}
	return events;
}

/* The parsed JSON events of an answer, without [DONE]. */
export function jsonEvents(answer) {
	return readEvents(answer.body).filter((data) => data !== "[DONE]").map((data) => JSON.parse(data));
}

export function textOf(answer) {
	return jsonEvents(answer).map((event) => event.choices?.[0]?.delta?.content ?? "").join("");
}

/* Waits until check() is truthy and returns that; fails with the message after the deadline. */
export async function eventually(check, message) {
	for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await sleep(10)) {
		const value = await check();

		if (value)
			return value;
	}
	throw new Error(`not within ${DEADLINE_MS} ms: ${message}`);
}
