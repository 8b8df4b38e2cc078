/* PUT and DELETE of tracks over HTTP, pages of lists, and under which names the gateway is served. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { Ws, chatOf } from "../lib/ws.js";
import { exchange, secondGateway } from "./gateway-lib.js";

let stack, rest, port;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 20 });
	port = stack.ports.GATEWAY_LISTEN;
	rest = await userOf(stack);
});
after(() => stack.stop());

const put = (who, id, body) => who.put(`/api/tracks/${id}`, body);

/* ---- change ----------------------------------------------------------------------------------- */

test("a track changes what is given; null is not given; enums are read in any case", async () => {
	for (const who of [rest, await guestOf(stack)]) {
		const track = await who.createTrack();
		const changed = await put(who, track.id, { title: "  Go  ", difficulty_level: "ADVANCED", status: "Paused", estimated_duration_hours: "12", unknown: 1 });

		assert.equal(changed.status, 200, changed.text);
		assert.deepEqual([changed.body.title, changed.body.difficulty_level, changed.body.status, changed.body.estimated_duration_hours],
			["Go", "advanced", "paused", 12]);
		const nulls = Object.fromEntries(["title", "description", "skill_area", "difficulty_level", "estimated_duration_hours", "user_expectations", "status"]
			.map((name) => [name, null]));
		const same = (await put(who, track.id, nulls)).body;

		assert.deepEqual({ ...same, updated_at: changed.body.updated_at }, changed.body);
		assert.equal((await put(who, track.id, { description: "" })).body.description, "");
		assert.equal((await put(who, track.id, {})).status, 200);
		assert.equal((await who.tracks()).find((t) => t.id === track.id).title, "Go");
	}
});

test("a change that cannot be is refused by its field, and changes nothing", async () => {
	const track = await rest.createTrack();
	const before = await rest.track(track.id);

	for (const [body, field] of [[{ title: "" }, "title"], [{ title: "x".repeat(256) }, "title"], [{ title: 5 }, "title"], [{ description: [] }, "description"],
		[{ skill_area: "x".repeat(101) }, "skill_area"], [{ estimated_duration_hours: 0 }, "estimated_duration_hours"],
		[{ estimated_duration_hours: 501 }, "estimated_duration_hours"], [{ estimated_duration_hours: "many" }, "estimated_duration_hours"],
		[{ user_expectations: true }, "user_expectations"], [{ status: 1 }, "status"]]) {
		const answer = await put(rest, track.id, { description: "never", ...body });

		assert.equal(answer.status, 422, `${JSON.stringify(body)}: ${answer.text}`);
		assert.deepEqual(answer.body.detail.map((e) => e.loc), [["body", field]]);
		assert.equal(typeof answer.body.message, "string");
	}
	for (const body of [{ status: "done" }, { status: "" }, { difficulty_level: "wizard" }])
		assert.equal((await put(rest, track.id, { description: "never", ...body })).status, 400);
	for (const body of ["", "[]", "{", '{"title":"a","title":"b"}', '{"title":"\\u0000"}', '{"title":"\\ud800"}'])
		assert.equal((await put(rest, track.id, body)).status, 422);
	assert.deepEqual((await rest.track(track.id)).description, before.description);
});

test("who may not, cannot tell it from what is not there", async () => {
	const track = await rest.createTrack();
	const [other, guest] = [await userOf(stack), await guestOf(stack)];

	for (const who of [other, guest]) {
		const [foreign, unknown] = [await put(who, track.id, { title: "mine" }), await put(who, randomUUID(), { title: "mine" })];

		assert.deepEqual([foreign.status, foreign.body], [404, unknown.body]);
		const [gone, never] = [await who.delete(`/api/tracks/${track.id}`), await who.delete(`/api/tracks/${randomUUID()}`)];

		assert.deepEqual([gone.status, gone.body], [404, never.body]);
		assert.equal((await put(who, "no-id", {})).status, 400);
		assert.equal((await who.delete("/api/tracks/no-id")).status, 400);
	}
	const nobody = new Rest(stack.url);

	assert.equal((await put(nobody, track.id, {})).status, 403);
	assert.equal((await nobody.delete(`/api/tracks/${track.id}`)).status, 403);
	assert.equal((await rest.track(track.id)).title, track.title);
});

/* ---- delete ------------------------------------------------------------------------------------- */

test("a track goes while its reply streams: the turn ends at once for everybody, and nothing comes back", { timeout: 60000 }, async () => {
	const track = await rest.createTrack();
	const [one, two] = [await chatOf(stack, rest, track.session_id), await chatOf(stack, rest, track.session_id)];
	const started = await one.next("ai_delta");

	await two.restore();
	const waiting = rest.post("/api/ai/chat-response", { session_id: track.session_id, message: "too early" });
	const gone = await rest.delete(`/api/tracks/${track.id}`);

	assert.deepEqual([gone.status, gone.body.success, typeof gone.body.message], [200, true, "string"]);
	for (const ws of [one, two]) {
		const updated = await ws.next("chat_updated");

		assert.deepEqual([updated.chat_id, updated.change], [track.chat_id, "deleted"]);
		const end = await ws.next((f) => f.type === "ai_status" && f.turn_id === started.turn_id && f.state === "stopped");

		assert.equal(end.chat_id, track.chat_id);
	}
	assert.ok([404, 409].includes((await waiting).status));
	assert.equal((await rest.get(`/api/tracks/${track.id}`)).status, 404);
	assert.equal((await rest.delete(`/api/tracks/${track.id}`)).status, 404);
	await assert.rejects(one.post("hello?"), /not_found/);
	for (const table of ["chat_sessions", "chats", "turns"])
		assert.deepEqual(await stack.db(`select 1 from ${table} where ${table === "chat_sessions" ? "id" : "session_id"} = '${track.session_id}'`), [], table);
	await Promise.all([one.close(), two.close()]);
});

test("a track goes while chat is away: what it was doing ends when it comes back", { timeout: 60000 }, async () => {
	const track = await rest.createTrack();
	const ws = await chatOf(stack, rest, track.session_id);
	const { turn_id } = await ws.next("ai_delta");

	stack.daemons.chat.kill("SIGSTOP");
	assert.equal((await rest.delete(`/api/tracks/${track.id}`)).status, 200);
	stack.daemons.chat.kill("SIGCONT");
	await ws.next((f) => f.type === "ai_status" && f.turn_id === turn_id && f.state === "stopped");
	assert.deepEqual(await stack.db(`select 1 from turns where id = '${turn_id}'`), []);
	await ws.close();
});

/* ---- lists -------------------------------------------------------------------------------------- */

test("lists come in pages for who asks for them", async () => {
	const who = await guestOf(stack);
	const ids = [];

	for (let i = 0; i < 5; i++)
		ids.unshift((await who.createTrack()).id);
	assert.deepEqual((await who.tracks()).map((t) => t.id), ids);
	const first = await who.ok("GET", "/api/tracks?limit=2");

	assert.deepEqual(first.map((t) => t.id), ids.slice(0, 2));
	assert.deepEqual((await who.ok("GET", `/api/tracks?limit=2&after=${first[1].id}`)).map((t) => t.id), ids.slice(2, 4));
	assert.deepEqual(await who.ok("GET", `/api/tracks?after=${ids[4]}`), []);
	for (const path of ["/api/tracks", "/api/chat/sessions", "/api/chat/users/chats", "/api/chat/sessions/any/chats"])
		for (const [query, name] of [["limit=0", "limit"], ["limit=x", "limit"], ["limit=", "limit"], ["limit=1001", "limit"], ["limit=1.5", "limit"], ["limit=-1", "limit"],
			["after=x", "after"], ["limit=99999999999999999999", "limit"]]) {
			const answer = await who.get(`${path}?${query}`);

			assert.equal(answer.status, 422, `${path}?${query}: ${answer.text}`);
			assert.deepEqual(answer.body.detail.map((e) => e.loc), [["query", name]]);
		}
	assert.equal((await who.ok("GET", "/api/chat/sessions?limit=3")).length, 3);
	assert.equal((await who.ok("GET", "/api/chat/users/chats?limit=3")).length, 3);
});

/* ---- names ---------------------------------------------------------------------------------------- */

const get = (host, path = "/api") => exchange(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
const upgrade = (host, at = port) => exchange(at, `GET /ws/chat/x HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
	+ "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n");

test("a name that somebody else may have pointed here is not served, on any path", async () => {
	for (const host of ["localhost:8000", "127.0.0.1", "[::1]:8000", "192.168.1.7:8000", "box", "box.local"]) {
		assert.equal((await get(host)).status, 200, host);
		assert.equal((await upgrade(host)).status, 101, host);
	}
	for (const host of ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]) {
		const answer = await get(host);

		assert.equal(answer.status, 421, host);
		assert.match(answer.received, /"detail":/);
		assert.equal((await get(host, "/api/tracks")).status, 421);
		assert.equal((await get(host, "/")).status, 421);
		assert.equal((await upgrade(host)).status, 421, host);
	}
	const post = await exchange(port, "POST /api/auth/guest-login HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");

	assert.equal(post.status, 421);
});

test("ALLOWED_HOSTS says which names are served", async () => {
	const gateway = await secondGateway(stack, { ALLOWED_HOSTS: "learn.example.org,*.school.example" });

	try {
		for (const [host, status] of [["learn.example.org", 101], ["a.school.example:8000", 101], ["localhost", 101], ["box.local", 421], ["192.168.1.7", 421],
			["school.example", 421]])
			assert.equal((await upgrade(host, gateway.port)).status, status, host);
	} finally {
		await gateway.stop();
	}
});

test("a redirect to the path without its slash keeps the query", async () => {
	const answer = await rest.get("/api/tracks/?limit=2&after=%D1%8F%26x%3D1");

	assert.equal(answer.status, 307);
	assert.equal(answer.headers.get("location"), "/api/tracks?limit=2&after=%D1%8F%26x=1");
	const followed = await rest.put(`/api/chat/chats/${randomUUID()}/status/?status=archived`);

	assert.equal(followed.status, 307);
	assert.match(followed.headers.get("location"), /\/status\?status=archived$/);
});

test("every new path names its methods", async () => {
	for (const [path, allow] of [["/api/tracks/x", "GET, PUT, DELETE"], ["/api/chat/chats/x", "PATCH, DELETE"], ["/api/chat/chats/x/status", "PUT"],
		["/api/chat/sessions/x/switch-chat", "POST"], ["/api/chat/sessions/x/active-chat", "GET"], ["/api/chat/chats/x/restore", "POST"]]) {
		const answer = await rest.request("OPTIONS", path);

		assert.deepEqual([answer.status, answer.headers.get("allow")], [405, allow], path);
		assert.equal((await exchange(port, `HEAD ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).status, 405);
	}
});

test("a socket of a name that is not served never opens", async () => {
	await assert.rejects(Ws.open(`${stack.wsUrl}/ws/chat/x`, { headers: { host: "evil.example" } }), (err) => err.status === 421);
});
