/*
 * The load: turns through the product, and the same answers straight from the
 * simulator. Both sides are driven from this process, so what they share
 * cancels out in the difference.
 */

import { Agent, request } from "node:http";
import { Ws } from "../lib/ws.js";

const TURNS_PER_SESSION = 20;	/* then a new dialogue: the history stays that of a real one */
const QUESTION = "Could you make the second module a little shorter, please?";

export function percentile(sorted, p) {
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
}

/* Runs `work` (resolves to milliseconds) n times in all, `width` at once. */
async function run(width, n, work) {
	const times = [];
	let left = n;
	const start = performance.now();

	await Promise.all(Array.from({ length: width }, async (_, lane) => {
		while (left-- > 0)
			times.push(await work(lane));
	}));
	const seconds = (performance.now() - start) / 1000;

	times.sort((a, b) => a - b);
	return { perSecond: n / seconds, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/* One exchange over HTTP, to the last byte; resolves to milliseconds. */
function exchange(agent, url, { method = "GET", headers, body }) {
	return new Promise((resolve, reject) => {
		const start = performance.now();
		const call = request(url, { agent, method, headers }, (answer) => {
			answer.on("data", () => {});
			answer.on("end", () => (answer.statusCode === 200 ? resolve(performance.now() - start)
				: reject(new Error(`${method} ${url}: ${answer.statusCode}`))));
		});

		call.on("error", reject);
		call.end(body);
	});
}

/* As alp-ai asks for a completion. */
const completion = (agent, url, body) => exchange(agent, `${url}/chat/completions`, { method: "POST", body, headers: {
	"content-type": "application/json", authorization: "Bearer sim", "content-length": Buffer.byteLength(body) } });

/* n times the same GET, over kept connections. */
export async function reads(url, token, width, n) {
	const agent = new Agent({ keepAlive: true, maxSockets: width });
	const get = () => exchange(agent, url, { headers: token ? { authorization: `Bearer ${token}` } : {} });

	await run(width, width * 4, get);
	const result = await run(width, n, get);

	agent.destroy();
	return result;
}

export async function direct(url, width, n) {
	const agent = new Agent({ keepAlive: true, maxSockets: width });
	const body = JSON.stringify({ model: "gpt-4o-mini", stream: true, stream_options: { include_usage: true },
		messages: [{ role: "user", content: QUESTION }] });

	await run(width, width, () => completion(agent, url, body));
	const result = await run(width, n, () => completion(agent, url, body));

	agent.destroy();
	return result;
}

/* One lane: a socket on a session of its own, renewed after some turns. */
class Lane {
	constructor(stack, token, name) {
		Object.assign(this, { stack, token, name, turns: 0, sessions: 0 });
	}

	async open() {
		await this.ws?.close();
		this.turns = 0;
		this.ws = await Ws.open(`${this.stack.wsUrl}/ws/chat/bench-${this.name}-${this.sessions++}`, { token: this.token });
	}

	async turn() {
		if (!this.ws || ++this.turns > TURNS_PER_SESSION)
			await this.open();
		this.ws.frames.length = 0;
		const start = performance.now();

		this.ws.send({ message: QUESTION });
		const end = await this.ws.next((frame) => frame.type === "ai_response" || frame.type === "error", 60000);

		if (end.type === "error")
			throw new Error(`a turn failed: ${JSON.stringify(end)}`);
		const ms = performance.now() - start;

		await this.ws.next("accepted", 60000);
		return ms;
	}
}

export async function through(stack, token, width, n, onStart) {
	const lanes = Array.from({ length: width }, (_, i) => new Lane(stack, token, `${width}-${i}-${Date.now()}`));

	await Promise.all(lanes.map((lane) => lane.turn()));	/* warm: sockets, database plans, provider connections */
	onStart?.();
	const result = await run(width, n, (lane) => lanes[lane].turn());

	await Promise.all(lanes.map((lane) => lane.ws.close()));
	return result;
}
