/* The socket client takes what was waited for and keeps the rest. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { WebSocketServer } from "ws";
import { Ws } from "./ws.js";

let http;
let url;

/* Answers a frame {reply: [...]} with those frames; /no refuses the handshake. */
before(async () => {
	const sockets = new WebSocketServer({ noServer: true });

	http = createServer();
	http.on("upgrade", (request, socket, head) => {
		if (request.url === "/no")
			return socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
		return sockets.handleUpgrade(request, socket, head, (ws) => ws.on("message", (data) => {
			const { reply, close } = JSON.parse(data);

			reply?.forEach((frame) => ws.send(JSON.stringify(frame)));
			if (close)
				ws.close(close);
		}));
	});
	await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
	url = `ws://127.0.0.1:${http.address().port}`;
});

after(() => {
	http.closeAllConnections();
	http.close();
});

test("a frame that was waited for is taken, the others stay in order", async () => {
	const ws = await Ws.open(url);

	ws.send({ reply: [{ type: "a", n: 1 }, { type: "b" }, { type: "a", n: 2 }] });
	assert.deepEqual(await ws.next("b"), { type: "b" });
	assert.equal((await ws.next("a")).n, 1);
	assert.equal((await ws.next((frame) => frame.n === 2)).n, 2);
	await assert.rejects(ws.next("a", 50), /a frame a: not within 50 ms[\s\S]*received, not taken:\s+none/);
	assert.equal(ws.frames.length, 3);
	assert.equal((await ws.close()).code, 1000);
});

test("of two frames that come at once and both fit, the second one is left", async () => {
	const ws = await Ws.open(url);

	const first = ws.next((frame) => frame.type === "a");

	ws.send({ reply: Array.from({ length: 50 }, (_, n) => ({ type: "a", n })) });
	assert.equal((await first).n, 0);
	for (let n = 1; n < 50; n++)
		assert.equal((await ws.next("a")).n, n);
	await ws.close();
});

test("waiting ends when the server closes, with its code", async () => {
	const ws = await Ws.open(url);

	ws.send({ close: 4401 });
	await assert.rejects(ws.next("x"), /closed \(4401\)/);
	assert.equal((await ws.closed).code, 4401);
});

test("a refused handshake has its status", async () => {
	await assert.rejects(Ws.open(`${url}/no`), (err) => err.status === 403);
});

test("deltas must be numbered without a gap", async () => {
	const ws = await Ws.open(url);
	const delta = (offset) => ({ type: "ai_delta", turn_id: "t", epoch: 1, offset, text: "x" });

	ws.send({ reply: [delta(0), delta(2), { type: "end" }] });
	await ws.next("end");
	assert.throws(() => ws.deltas("t", 1), /delta 1 of turn t has offset 2/);
	await ws.close();
});
