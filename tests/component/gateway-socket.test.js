/* The sockets of one gateway: who may open one, and what is said to whatever is sent. */

import assert from "node:assert/strict";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Rest, guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { Ws, chatOf } from "../lib/ws.js";
import { Raw, exchange, secondGateway } from "./gateway-lib.js";

const ORIGIN = "http://localhost:3000";
let stack, guest, track, port, pid;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 2 });
	port = stack.ports.GATEWAY_LISTEN;
	pid = stack.daemons.gateway.pid;
	guest = await guestOf(stack);
	track = await guest.createTrack();
	const ws = await open();
	await until("the welcome is over", async () => (await ws.restore()).message_count === 1, { ms: 30000 });
	await ws.close();
});

after(async () => {
	try {
		assert.equal(stack.daemons.gateway.pid, pid, "the gateway lived through all of it");
	} finally {
		await stack.stop();
	}
});

const url = (path) => `${stack.wsUrl}${path}`;
const open = (who = { token: guest.token }) => Ws.open(url(`/ws/chat/${track.session_id}`), who);
const refused = (path, who, status) => assert.rejects(Ws.open(url(path), who), (err) => err.status === status
	|| assert.fail(`${err.status ?? err.message} instead of ${status}`));

/* ---- the door ------------------------------------------------------------------------------ */

test("only the two paths of a session open a socket", async () => {
	for (const path of ["/ws", "/ws/chat", "/ws/chat/", "/ws/other/1", "/api", "/", "/ws/chat/a/b", "/ws/chat/a/switch/b", `/ws/chat/${"x".repeat(300)}`])
		await refused(path, { token: guest.token }, 403);
	for (const path of ["/ws/chat/test-session", "/ws/chat/test-session/switch", "/ws/chat/%D1%81%D0%B5%D1%81%D1%81%D0%B8%D1%8F"])
		await (await Ws.open(url(path))).close();
});

test("the caller is the header's, the cookie's from a known page, or the ticket's", async () => {
	const cookie = `access_token=${guest.token}`;
	const path = `/ws/chat/${track.session_id}`;
	const sees = async (ws) => {
		const { has_existing_chat: has } = await ws.restore();

		await ws.close();
		return has;
	};

	assert.equal(await sees(await open()), true);
	assert.equal(await sees(await open({ cookie, origin: ORIGIN })), true);
	assert.equal(await sees(await open({ cookie, origin: stack.url })), true, "the page that gateway serves itself");
	await refused(path, { cookie, origin: "http://evil.example" }, 403);
	await refused(path, { cookie }, 403);
	await refused(path, { cookie: "access_token=broken", origin: ORIGIN }, 401);
	await refused(path, { token: "broken" }, 401);
	await refused(path, { headers: { authorization: "Basic YTpi" } }, 401);
	const { ticket } = await guest.ok("POST", "/api/auth/ws-ticket");
	assert.equal(await sees(await Ws.open(url(`${path}?ticket=${ticket}`))), true);
	await refused(`${path}?ticket=${ticket}`, {}, 401);
	await refused(`${path}?ticket=x`, {}, 401);
	assert.ok(!stack.daemons.gateway.log.includes(ticket), "no secret in the log");
});

test("nobody opens what somebody owns, and a stranger sees nothing of it", async () => {
	const other = await guestOf(stack);

	for (const who of [{}, { token: other.token }]) {
		const ws = await open(who);

		ws.send({ type: "restore_chat", user_id: guest.user.id });
		const answer = await ws.next((f) => f.type === "chat_restored" || f.type === "error");
		assert.ok(answer.type === "error" ? answer.code === "not_found" : !answer.has_existing_chat && answer.history.length === 0, JSON.stringify(answer));
		await assert.rejects(ws.post("Hello", { chat_id: track.chat_id, user_id: guest.user.id }), /not_found/);
		await ws.close();
	}
});

const upgrade = (more, path = "/ws/chat/x") => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
const KEY = `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n`;

test("a broken handshake is refused", async () => {
	assert.equal((await exchange(port, upgrade(`${KEY}Sec-WebSocket-Version: 8\r\n`))).status, 426);
	assert.equal((await exchange(port, upgrade(`${KEY}`))).status, 426);
	assert.equal((await exchange(port, upgrade("Sec-WebSocket-Version: 13\r\n"))).status, 400);
	assert.equal((await exchange(port, upgrade("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"))).status, 400);
	assert.equal((await exchange(port, upgrade(`${KEY}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: foo\r\n`))).status, 400);
	assert.equal((await exchange(port, upgrade(`${KEY}Sec-WebSocket-Version: 13\r\n`, "/ws/nothing"))).status, 403);
	assert.equal((await exchange(port, `POST${upgrade(`${KEY}Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n`).slice(3)}`)).status, 404);
	assert.equal((await exchange(port, upgrade(`${KEY}Sec-WebSocket-Version: 13\r\n`))).status, 101);
});

test("an upgrade on a connection that served requests before is refused or works, whatever it asks for", async () => {
	for (const path of ["/ws/chat/x", "/ws/nothing"]) {
		const raw = await Raw.open(port);

		raw.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n");
		assert.equal(await raw.status(1), 200);
		raw.send(upgrade(`${KEY}Sec-WebSocket-Version: 13\r\n`, path));
		assert.equal(await raw.status(2), path === "/ws/chat/x" ? 101 : 403);
		raw.end();
	}
});

/* ---- frames ----------------------------------------------------------------------------------- */

const REFUSED = {
	"no JSON": ["hello", "bad_frame"],
	"cut JSON": ['{"message":', "bad_frame"],
	"a list": ["[]", "bad_frame"],
	"null": ["null", "bad_frame"],
	"a number": ["5", "bad_frame"],
	"a doubled key": ['{"message":"a","message":"b"}', "bad_frame"],
	"deep nesting": [`{"message":${"[".repeat(100)}${"]".repeat(100)}}`, "bad_frame"],
	"U+0000": ['{"message":"a\\u0000b"}', "bad_frame"],
	"a lone surrogate": ['{"message":"\\ud800"}', "bad_frame"],
	"nothing in it": ["{}", "blank_message"],
	"a blank message": [{ message: " \n\t " }, "blank_message"],
	"an unknown type without a message": [{ type: "dance" }, "blank_message"],
	"a message of another type": [{ message: 5 }, "bad_frame"],
	"a message that is a list": [{ message: ["a"] }, "bad_frame"],
	"a type that is a number": [{ type: 5, message: "a" }, "bad_frame"],
	"a type that is too long": [{ type: "t".repeat(21), message: "a" }, "bad_frame"],
	"too long a message": [{ message: "ж".repeat(32_001) }, "too_long"],
	"a chat id of another type": [{ message: "a", chat_id: 5 }, "bad_frame"],
	"a chat id that is too long": [{ message: "a", chat_id: "x".repeat(201) }, "bad_frame"],
	"an unknown chat": [{ message: "a", chat_id: randomUUID() }, "not_found"],
	"a message id that is no UUID": [{ message: "a", client_message_id: "one" }, "bad_frame"],
	"a message id that is a number": [{ message: "a", client_message_id: 1 }, "bad_frame"],
	"a stop of nothing": [{ type: "stop" }, "bad_frame"],
	"a stop of an unknown turn": [{ type: "stop", turn_id: randomUUID() }, "not_found"],
	"a resume of nothing": [{ type: "resume" }, "bad_frame"],
	"a resume from before the start": [{ type: "resume", turn_id: randomUUID(), epoch: 1, offset: -1 }, "bad_frame"],
	"a resume from nowhere": [{ type: "resume", turn_id: randomUUID(), epoch: "x", offset: 0 }, "bad_frame"],
	"a resume of an unknown turn": [{ type: "resume", turn_id: randomUUID(), epoch: 1, offset: 0 }, "not_found"],
	"a regenerate of nothing": [{ type: "regenerate" }, "bad_frame"],
	"a regenerate of an unknown message": [{ type: "regenerate", message_id: randomUUID() }, "not_found"],
	"a restore of an unknown chat": [{ type: "restore_chat", chat_id: randomUUID() }, "not_found"],
	"a restore of a chat id of another type": [{ type: "restore_chat", chat_id: {} }, "bad_frame"],
};

test("what cannot be understood gets an error with its code, and the socket goes on serving", async () => {
	const ws = await open();

	for (const [what, [frame, code]] of Object.entries(REFUSED)) {
		ws.send(frame);
		const error = await ws.next("error");

		assert.equal(error.code, code, `${what}: ${JSON.stringify(error)}`);
		assert.equal(typeof error.message, "string");
		assert.equal(error.session_id, track.session_id);
	}
	const id = randomUUID();
	ws.send({ message: "  ", client_message_id: id, chat_id: track.chat_id });
	const named = await ws.next("error");
	assert.equal(named.client_message_id, id);
	assert.equal(named.chat_id, track.chat_id);
	assert.equal((await ws.restore()).has_existing_chat, true);
	await ws.close();
});

test("errors are told in the language of the page", async () => {
	const ws = await open({ token: guest.token, headers: { "accept-language": "en" } });

	ws.send({ message: "" });
	assert.equal((await ws.next("error")).message, "The message must not be blank");
	ws.send({ message: "", language: "ru" });
	assert.equal((await ws.next("error")).message, "Сообщение не может быть пустым");
	await ws.close();
});

test("names are as long as over HTTP in every alphabet: 200 characters, 20 of a type", async () => {
	const letters = (n) => "ж".repeat(n);
	const path = (n) => `/ws/chat/${encodeURIComponent(letters(n))}`;
	const [ws, other] = [await Ws.open(url(path(200)), { token: guest.token }), await Ws.open(url(path(200)), { token: guest.token })];

	await (await Ws.open(url(`${path(200)}/switch`), { token: guest.token })).close();
	await refused(path(201), { token: guest.token }, 403);
	const { response } = await ws.turn("hello", { type: letters(20) });
	assert.equal((await other.next("ai_response")).chat_id, response.chat_id);
	assert.equal((await guest.ok("GET", `/api/chat/sessions/${encodeURIComponent(letters(200))}/active-chat`)).active_chat_id, response.chat_id);
	assert.equal((await ws.restore({ chat_id: letters(200) })).chat_id, response.chat_id, "a name of the page: the planning chat");
	for (const frame of [{ message: "a", type: letters(21) }, { message: "a", chat_id: letters(201) }, { type: "restore_chat", chat_id: letters(201) }]) {
		ws.send(frame);
		assert.equal((await ws.next("error")).code, "bad_frame");
	}
	await Promise.all([ws.close(), other.close()]);
});

test("a ping is answered with what it carried", async () => {
	const ws = await open();

	for (const t of [17, 1.5, 0.7, -3e-9, 9007199254740991, 1732636123456.789, 0.30000000000000004, 1e300, "mark", "ё\n".repeat(1000), "", null]) {
		ws.send({ type: "ping", t });
		assert.deepEqual(await ws.next("pong"), { type: "pong", t });
	}
	await ws.close();
});

test("a binary message is refused and ends the socket with 1003", async () => {
	const ws = await open();

	ws.send(Buffer.from([1, 2, 3]));
	assert.equal((await ws.next("error")).code, "bad_frame");
	assert.equal((await ws.closed).code, 1003);
});

test("a message over the limit ends the socket with 1009, however it is cut", async () => {
	for (const parts of [1, 7]) {
		const ws = await open();
		const piece = "x".repeat(Math.ceil(70_000 / parts));

		for (let i = 0; i < parts; i++)
			ws.socket.send(piece, { fin: i === parts - 1, binary: false });
		assert.equal((await ws.closed).code, 1009);
	}
	const ws = await open();
	ws.send(JSON.stringify({ message: "x".repeat(31_000), padding: "y".repeat(30_000), chat_id: randomUUID() }));
	assert.equal((await ws.next("error")).code, "not_found", "just under it is read");
	await ws.close();
});

test("a message in many pieces is one message", async () => {
	const ws = await open();
	const text = JSON.stringify({ type: "ping", t: "ж".repeat(20) });
	const bytes = Buffer.from(text);

	for (let i = 0; i < bytes.length; i++)
		ws.socket.send(bytes.subarray(i, i + 1), { fin: i === bytes.length - 1, binary: false });
	assert.deepEqual(await ws.next("pong"), { type: "pong", t: "ж".repeat(20) });
	await ws.close();
});

test("invalid UTF-8 ends the socket with 1007", async () => {
	const ws = await open();

	ws.socket.send(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), { binary: false });
	assert.equal((await ws.closed).code, 1007);
});

test("a flood of messages ends the socket with 1008, and nobody else's", async () => {
	const [ws, calm] = [await open(), await open()];

	for (let i = 0; i < 2000; i++)
		ws.send({ type: "ping", t: i });
	assert.equal((await ws.closed).code, 1008);
	calm.send({ type: "ping", t: 1 });
	await calm.next("pong");
	await calm.close();
});

test("a reader that does not read is let go with 1013, and others are served meanwhile", { timeout: 120000 }, async () => {
	const [slow, calm] = [await open(), await open()];
	const sockets = async () => (await stack.daemons.gateway.metrics()).alp_sockets;

	for (const letter of ["ж", "щ", "ю"]) {
		const { turn_id: id } = await calm.post(letter.repeat(32_000));

		calm.send({ type: "stop", turn_id: id });
		await calm.next((f) => f.turn_id === id && (f.type === "ai_response" || f.state === "stopped"));
	}
	const before = await sockets();
	slow.socket._socket.pause();
	/* The kernel's buffers take some megabytes before ours fill: a long history is asked for again and again. */
	await until("it is let go", async () => {
		slow.send({ type: "restore_chat" });
		return await sockets() < before;
	}, { ms: 60000 });
	assert.equal((await calm.restore()).has_existing_chat, true);
	slow.socket._socket.resume();
	assert.ok([1013, 1006].includes((await slow.closed).code));
	await calm.close();
});

/* ---- the second socket of a session ------------------------------------------------------------------ */

test("the switch socket switches, lists and restores, and names what it does not know", async () => {
	const planning = await open();

	await planning.turn("Hello");
	const second = await guest.ok("POST", "/api/chat/chats", { session_id: track.session_id, chat_name: "Second" });
	const ws = await Ws.open(url(`/ws/chat/${track.session_id}/switch`), { token: guest.token });

	ws.send({ command: "switch_chat", chat_id: second.id, user_id: guest.user.id });
	const switched = await ws.next("chat_switched");
	assert.deepEqual([switched.chat_id, switched.message_count, switched.history, switched.success], [second.id, 0, [], true]);
	ws.send({ command: "restore_history", chat_id: track.chat_id });
	const restored = await ws.next("history_restored");
	assert.ok(restored.message_count >= 2);
	assert.equal(restored.history.length, restored.message_count);
	ws.send({ command: "get_user_chats" });
	const { chats } = await ws.next("user_chats");
	assert.deepEqual(chats.map((s) => s.session_id), [track.session_id]);
	assert.equal(chats[0].chats.length, 2);
	for (const [frame, pattern] of [[{ command: "dance" }, /.+/], [{}, /.+/], [{ command: "switch_chat" }, /chat_id/],
		[{ command: "switch_chat", chat_id: randomUUID() }, /.+/], ["[]", /.+/], ["nonsense", /.+/]]) {
		ws.send(frame);
		assert.match((await ws.next("error")).message, pattern);
	}
	await Promise.all([ws.close(), planning.close()]);
});

/* ---- life and end ----------------------------------------------------------------------------------------- */

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/* A guest's own token, as if it had been issued to live for so many seconds. */
function shortToken(seconds) {
	const now = Math.floor(Date.now() / 1000);
	const claims = JSON.parse(Buffer.from(guest.token.split(".")[1], "base64url"));
	const signing = `${b64({ alg: "HS256", typ: "JWT" })}.${b64({ ...claims, iat: now, exp: now + seconds })}`;

	return `${signing}.${createHmac("sha256", stack.env.SECRET_KEY).update(signing).digest("base64url")}`;
}

describe("time passes", { concurrency: true }, () => {
	test("a signed-in socket ends with 4401 when its sign-in does", { timeout: 60000 }, async () => {
		const token = shortToken(5);
		const ws = await open({ token });

		assert.equal((await ws.restore()).has_existing_chat, true);
		assert.equal((await ws.closed).code, 4401);
		assert.equal((await new Rest(stack.url, token).get("/api/tracks")).status, 401);
	});

	test("sockets are pinged at least every 25 s", { timeout: 60000 }, async () => {
		const ws = await open();
		const start = performance.now();

		await new Promise((resolve) => ws.socket.once("ping", resolve));
		assert.ok(performance.now() - start < 25000);
		await ws.close();
	});

	test("a peer that answers no ping is let go within 45 s, one that does stays", { timeout: 90000 }, async () => {
		const quiet = await open();
		const raw = await Raw.open(port);
		const start = performance.now();

		raw.send(upgrade(`${KEY}Sec-WebSocket-Version: 13\r\n`));
		assert.equal(await raw.status(1), 101);
		await raw.untilClosed(60000);
		const seconds = (performance.now() - start) / 1000;
		assert.ok(seconds > 20 && seconds <= 46, `${seconds} s`);
		quiet.send({ type: "ping", t: 1 });
		await quiet.next("pong");
		await quiet.close();
	});
});

test("too many connections of one address are turned away, and room is made again", async () => {
	const gateway = await secondGateway(stack, { CONNECTIONS_PER_ADDRESS: "5" });

	try {
		const held = await Promise.all(Array.from({ length: 5 }, () => Raw.open(gateway.port)));
		const more = await Raw.open(gateway.port);

		await more.untilClosed();
		assert.equal(more.received, "");
		held[0].end();
		await until("there is room again", async () => (await exchange(gateway.port, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")).status === 200);
		for (const raw of held)
			raw.end();
	} finally {
		await gateway.stop();
	}
});

test("too many sockets of one person are refused, others are let in, and room is made again", async () => {
	const gateway = await secondGateway(stack, { SOCKETS_PER_USER: "3" });
	const open = (who, path = "full") => Ws.open(`${gateway.wsUrl}/ws/chat/${path}`, who);
	const other = await new Rest(gateway.url).guest();

	try {
		const sockets = [await open({ token: guest.token }), await open({ token: guest.token }), await open({ token: guest.token }, "full/switch")];

		await assert.rejects(open({ token: guest.token }, "elsewhere"), { status: 429 });
		sockets.push(await open({ token: other.token }), await open({}, "nobody"));
		await sockets[0].close();
		sockets.push(await until("there is room again", () => open({ token: guest.token })));
		for (const ws of sockets.slice(1))
			await ws.close();
	} finally {
		await gateway.stop();
	}
});

test("a gateway that ends tells its sockets to come back, answers what is in work and closes its door", async () => {
	const gateway = await secondGateway(stack);
	const rest = new Rest(gateway.url);
	const ws = await Ws.open(`${gateway.wsUrl}/ws/chat/x`, { token: guest.token });
	const work = rest.post("/api/auth/register", { email: `${randomUUID()}@example.org`, password: "correct horse 1", first_name: "Ada", last_name: "Lovelace" });

	await until("the password is being hashed", async () => (await (await fetch(`${gateway.daemon.health}/healthz`)).json()).passwords_waiting > 0);
	const stopping = gateway.stop();
	assert.equal((await ws.closed).code, 1012);
	const answer = await work;
	assert.equal(answer.status, 200);
	assert.equal(answer.headers.get("connection"), "close");
	await stopping;
	await assert.rejects(rest.get("/api"));
});
