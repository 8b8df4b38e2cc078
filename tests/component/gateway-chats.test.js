/* Chats over HTTP and both sockets: status, switch, rename, delete and undo; every socket of a session hears of it. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { release } from "../lib/release.js";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { Ws, chatOf } from "../lib/ws.js";
import { secondGateway } from "./gateway-lib.js";

let stack, second;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 2 });
	second = await secondGateway(stack);
	second.env = stack.env;
});
after(() => release(second, stack));

/* A session whose welcome is over: { rest, track, ws }. */
async function session(sign = guestOf) {
	const rest = await sign(stack);
	const track = await rest.createTrack();
	const ws = await chatOf(stack, rest, track.session_id);

	await until("the welcome is over", async () => (await ws.restore()).message_count === 1, { ms: 30000 });
	return { rest, track, ws };
}

const chat = (id) => `/api/chat/chats/${id}`;
const listed = async (rest, track) => (await rest.ok("GET", `/api/chat/sessions/${track.session_id}/chats`)).map((c) => c.id);
const detailAt = (answer) => answer.body.detail.map((e) => e.loc);

test("create, rename, archive, delete and restore reach every socket of the session, at every gateway", async () => {
	const { rest, track, ws } = await session();
	const other = await Ws.open(`${second.wsUrl}/ws/chat/${track.session_id}`, { token: rest.token });
	const told = async (change, chat_id, more = {}) => {
		for (const socket of [ws, other]) {
			const frame = await socket.next("chat_updated");

			assert.deepEqual([frame.session_id, frame.chat_id, frame.change], [track.session_id, chat_id, change]);
			for (const [key, value] of Object.entries(more))
				assert.equal(frame[key], value);
		}
	};
	const made = await rest.ok("POST", "/api/chat/chats", { session_id: track.session_id, chat_name: "Second" });

	await told("created", made.id, { chat_name: "Second", chat_type: "planning", status: "active" });
	const renamed = await rest.patch(chat(made.id), { chat_name: "  Другое имя  " });

	assert.deepEqual([renamed.status, renamed.body.id, renamed.body.chat_name], [200, made.id, "Другое имя"]);
	await told("renamed", made.id, { chat_name: "Другое имя" });
	assert.equal((await rest.put(`${chat(made.id)}/status?status=archived`)).body.success, true);
	await told("archived", made.id, { status: "archived" });
	assert.equal((await rest.put(`${chat(made.id)}/status?status=active`)).status, 200);
	await told("restored", made.id);
	const deleted = await rest.delete(chat(made.id));

	assert.deepEqual([deleted.status, deleted.body.success], [200, true]);
	await told("deleted", made.id);
	assert.deepEqual(await listed(rest, track), [track.chat_id]);
	for (const answer of [await rest.get(`${chat(made.id)}/history`), await rest.get(`${chat(made.id)}/messages`), await rest.patch(chat(made.id), { chat_name: "x" }),
		await rest.delete(chat(made.id)), await rest.put(`${chat(made.id)}/status?status=active`)])
		assert.equal(answer.status, 404);
	const restored = await rest.post(`${chat(made.id)}/restore`);

	assert.deepEqual([restored.status, restored.body.id, restored.body.status], [200, made.id, "active"]);
	await told("restored", made.id);
	assert.deepEqual((await listed(rest, track)).sort(), [track.chat_id, made.id].sort());
	await Promise.all([ws.close(), other.close()]);
});

test("a chat deleted while its reply is written: the reply is stopped and kept for the undo", async () => {
	const { rest, track, ws } = await session();
	const { turn_id } = await ws.post("Tell me everything, at length");

	await ws.next((f) => f.type === "ai_delta" && f.turn_id === turn_id);
	await rest.ok("DELETE", chat(track.chat_id));
	const end = await ws.next((f) => f.turn_id === turn_id && (f.type === "ai_response" || f.state === "stopped"));

	await assert.rejects(ws.post("still there?", { chat_id: track.chat_id }), /not_found/);
	await rest.ok("POST", `${chat(track.chat_id)}/restore`);
	const { history } = await rest.history(track.chat_id);

	if (end.type === "ai_response")
		assert.equal(history.at(-1).content, end.message);
	assert.equal((await ws.turn("and on")).response.chat_id, track.chat_id);
	await ws.close();
});

test("an archived chat is read, takes no message by any way and cannot be switched to", async () => {
	const { rest, track, ws } = await session();

	await rest.ok("PUT", `${chat(track.chat_id)}/status?status=archived`);
	await assert.rejects(ws.post("hello", { chat_id: track.chat_id }), /not_found/);
	const answer = await rest.post("/api/ai/chat-response", { session_id: track.session_id, chat_id: track.chat_id, message: "hello" });

	assert.equal(answer.status, 404);
	const { history } = await rest.history(track.chat_id);

	ws.send({ type: "regenerate", message_id: history[0].id });
	assert.equal((await ws.next("error")).code, "not_found");
	assert.equal((await ws.restore()).has_existing_chat, false);
	assert.equal((await ws.restore({ chat_id: track.chat_id })).message_count, 1);
	const next = await ws.turn("a new beginning");

	assert.notEqual(next.response.chat_id, track.chat_id);
	const sw = await Ws.open(`${stack.wsUrl}/ws/chat/${track.session_id}/switch`, { token: rest.token });

	assert.equal((await rest.post(`/api/chat/sessions/${track.session_id}/switch-chat`, { chat_id: track.chat_id })).status, 404);
	sw.send({ command: "switch_chat", chat_id: track.chat_id });
	assert.equal((await sw.next("error")).code, "not_found");
	assert.equal((await rest.ok("GET", `/api/chat/sessions/${track.session_id}/active-chat`)).active_chat_id, next.response.chat_id);
	sw.send({ command: "restore_history", chat_id: track.chat_id });
	assert.equal((await sw.next("history_restored")).chat_info.status, "archived");
	await Promise.all([ws.close(), sw.close()]);
});

test("the active chat follows switch, restore and message; is_active follows the sockets", async () => {
	const { rest, track, ws } = await session();
	const active = async () => rest.ok("GET", `/api/chat/sessions/${track.session_id}/active-chat`);
	const made = await rest.ok("POST", "/api/chat/chats", { session_id: track.session_id, chat_type: "discussion" });

	assert.deepEqual(await active(), { success: true, session_id: track.session_id, active_chat_id: track.chat_id, is_active: true });
	const switched = await rest.ok("POST", `/api/chat/sessions/${track.session_id}/switch-chat`, { chat_id: made.id });

	assert.deepEqual([switched.success, switched.chat_info.chat_id, switched.chat_info.chat_type, switched.history, switched.message_count],
		[true, made.id, "discussion", [], 0]);
	assert.equal((await active()).active_chat_id, made.id);
	const sw = await Ws.open(`${stack.wsUrl}/ws/chat/${track.session_id}/switch`, { token: rest.token });

	sw.send({ command: "switch_chat", chat_id: track.chat_id });
	assert.equal((await sw.next("chat_switched")).message_count, 1);
	assert.equal((await active()).active_chat_id, track.chat_id);
	await ws.turn("hello", { chat_id: made.id });
	assert.equal((await active()).active_chat_id, made.id);
	await Promise.all([ws.close(), sw.close()]);
	await until("the socket is gone", async () => (await active()).is_active === false);
	assert.equal((await active()).active_chat_id, made.id, "kept without a socket");
});

test("after a switch back to the first chat what names no chat goes there, by HTTP and by both sockets", async () => {
	const { rest, track, ws } = await session();
	const made = await rest.ok("POST", "/api/chat/chats", { session_id: track.session_id });
	const say = async () => (await rest.ok("POST", "/api/ai/chat-response", { session_id: track.session_id, message: "And now?" })).chat_id;
	const meant = async () => new Set([await say(), (await ws.turn("And here?")).response.chat_id, (await ws.restore()).chat_id,
		(await rest.ok("POST", `/api/chat/sessions/${track.session_id}/restore-existing-chat`)).chat_id]);

	assert.deepEqual(await meant(), new Set([made.id]));
	const switched = await rest.ok("POST", `/api/chat/sessions/${track.session_id}/switch-chat`, { chat_id: track.chat_id });

	assert.deepEqual([switched.chat_info.chat_id, switched.chat_info.chat_type], [track.chat_id, "planning"]);
	assert.deepEqual(await meant(), new Set([track.chat_id]));
	const sw = await Ws.open(`${stack.wsUrl}/ws/chat/${track.session_id}/switch`, { token: rest.token });

	sw.send({ command: "switch_chat", chat_id: made.id });
	assert.equal((await sw.next("chat_switched")).chat_info.chat_type, "planning");
	assert.deepEqual(await meant(), new Set([made.id]));
	await rest.ok("POST", `/api/chat/sessions/${track.session_id}/switch-chat`, { chat_id: track.chat_id });
	await rest.ok("DELETE", chat(track.chat_id));
	assert.deepEqual(await meant(), new Set([made.id]));
	await Promise.all([ws.close(), sw.close()]);
});

test("a chat of another session cannot be switched to, nor a foreign one; malformed ids are told from temporary ones", async () => {
	const { rest, track, ws } = await session(userOf);
	const other = await rest.createTrack();
	const stranger = await userOf(stack);
	const guest = await guestOf(stack);
	const to = (who, session_id, body) => who.post(`/api/chat/sessions/${session_id}/switch-chat`, body).then((a) => a.status);

	assert.equal(await to(rest, track.session_id, { chat_id: other.chat_id }), 404);
	assert.equal(await to(rest, other.session_id, { chat_id: track.chat_id }), 404);
	assert.equal(await to(rest, track.session_id, { chat_id: randomUUID() }), 404);
	assert.equal(await to(rest, randomUUID(), { chat_id: track.chat_id }), 404);
	assert.equal(await to(rest, track.session_id, { chat_id: "chat_12345" }), 400);
	assert.equal(await to(guest, "local-session", { chat_id: "chat_12345" }), 404);
	assert.equal(await to(stranger, track.session_id, { chat_id: track.chat_id }), 404);
	for (const body of [{}, { chat_id: 5 }, { chat_id: "" }, { chat_id: null }])
		assert.equal(await to(rest, track.session_id, body), 422);
	assert.equal((await stranger.get(`/api/chat/sessions/${track.session_id}/active-chat`)).status, 404);
	assert.deepEqual(await guest.ok("GET", "/api/chat/sessions/local-session/active-chat"),
		{ success: true, session_id: "local-session", active_chat_id: null, is_active: false });
	for (const who of [stranger, guest])
		for (const answer of [await who.patch(chat(track.chat_id), { chat_name: "mine" }), await who.delete(chat(track.chat_id)), await who.post(`${chat(track.chat_id)}/restore`),
			await who.put(`${chat(track.chat_id)}/status?status=archived`), await who.put(`/api/chat/sessions/${track.session_id}/status?status=x`),
			await who.get(`${chat(track.chat_id)}/history`)])
			assert.equal(answer.status, 404);
	for (const answer of [await rest.patch(chat("x"), { chat_name: "a" }), await rest.delete(chat("x")), await rest.post(`${chat("x")}/restore`),
		await rest.put(`${chat("x")}/status?status=archived`), await rest.put("/api/chat/sessions/x/status?status=y")])
		assert.equal(answer.status, 400);
	assert.equal((await guest.delete(chat("temp_1"))).status, 404);
	await ws.close();
});

test("a status is asked for in the query: missing, empty, too long and broken ones are refused by name", async () => {
	const { rest, track, ws } = await session();

	for (const path of [`${chat(track.chat_id)}/status`, `/api/chat/sessions/${track.session_id}/status`]) {
		for (const query of ["", "?status=", `?status=${"s".repeat(21)}`, "?other=1", "?status=%ff%fe", "?Status=a"]) {
			const answer = await rest.put(path + query);

			assert.equal(answer.status, 422, `${path}${query}: ${answer.text}`);
			assert.deepEqual(detailAt(answer), [["query", "status"]]);
		}
		assert.equal((await rest.put(`${path}?status=%D0%BD%D0%B0%20%D0%BF%D0%B0%D1%83%D0%B7%D0%B5`)).status, 200);
	}
	assert.equal((await rest.ok("GET", "/api/chat/sessions"))[0].status, "на паузе");
	for (const body of [{}, { chat_name: "" }, { chat_name: "   " }, { chat_name: "x".repeat(256) }, { chat_name: 1 }]) {
		const answer = await rest.patch(chat(track.chat_id), body);

		assert.equal(answer.status, 422);
		assert.deepEqual(detailAt(answer), [["body", "chat_name"]]);
	}
	await ws.close();
});

test("a history comes in pages, by message", async () => {
	const { rest, track, ws } = await session();

	for (let i = 0; i < 3; i++)
		await ws.turn(`question ${i}`);
	const all = await rest.history(track.chat_id);

	assert.deepEqual([all.message_count, all.older, all.chat_info.message_count], [7, 0, 7]);
	const seen = [];

	for (let before = ""; ;) {
		const page = await rest.ok("GET", `${chat(track.chat_id)}/history?limit=3${before}`);

		seen.unshift(...page.history);
		if (page.older === 0)
			break;
		before = `&before=${page.history[0].seq}`;
	}
	assert.deepEqual(seen, all.history);
	const rows = await rest.ok("GET", `${chat(track.chat_id)}/messages?limit=2`);

	assert.deepEqual(rows.map((m) => m.id), all.history.slice(-2).map((m) => m.id));
	for (const [query, name] of [["limit=0", "limit"], ["before=0", "before"], ["before=x", "before"], ["limit=1001", "limit"]])
		for (const kind of ["history", "messages"])
			assert.deepEqual(detailAt(await rest.get(`${chat(track.chat_id)}/${kind}?${query}`)), [["query", name]]);
	assert.equal((await rest.get(`${chat(track.chat_id)}/history?session_id=${track.session_id}`)).status, 200);
	assert.equal((await rest.get(`${chat(track.chat_id)}/history?session_id=${randomUUID()}`)).status, 404);
	await ws.close();
});

test("users/chats keeps sessions without a track, and counts messages", async () => {
	const rest = await guestOf(stack);
	const ws = await chatOf(stack, rest, "my-own-session");

	await ws.turn("hello");
	const [own] = await rest.ok("GET", "/api/chat/users/chats");

	assert.deepEqual([own.track_id, own.track_title, own.session_name], ["", "", "my-own-session"]);
	assert.equal(own.chats[0].message_count, 2);
	assert.match(own.chats[0].last_message_at, /Z$/);
	const sw = await Ws.open(`${stack.wsUrl}/ws/chat/my-own-session/switch`, { token: rest.token });

	await rest.createTrack();
	sw.send({ command: "get_user_chats" });
	const { chats, success } = await sw.next("user_chats");

	assert.deepEqual([chats.map((s) => s.session_id), success], [[own.session_id], true], "of this session only, also by a client's own name");
	await rest.ok("PATCH", chat(own.chats[0].chat_id), { chat_name: "renamed" });
	assert.equal((await ws.next("chat_updated")).session_id, "my-own-session");
	await Promise.all([ws.close(), sw.close()]);
});

test("the switch socket refuses by name, and goes on", async () => {
	const { rest, track, ws } = await session();
	const foreign = await (await guestOf(stack)).createTrack();
	const sw = await Ws.open(`${stack.wsUrl}/ws/chat/${track.session_id}/switch`, { token: rest.token, headers: { "accept-language": "en" } });

	for (const [frame, code, pattern] of [
		[{ command: "switch_chat" }, "bad_frame", /chat_id/], [{ command: "restore_history" }, "bad_frame", /chat_id/],
		[{ command: "switch_chat", chat_id: null }, "bad_frame", /chat_id/], [{ command: "switch_chat", chat_id: 5 }, "bad_frame", /chat_id/],
		[{ command: "switch_chat", chat_id: "chat_12345" }, "not_found", /./], [{ command: "switch_chat", chat_id: randomUUID() }, "not_found", /./],
		[{ command: "restore_history", chat_id: foreign.chat_id }, "not_found", /./], [{ command: "switch_chat", chat_id: foreign.chat_id }, "not_found", /./],
		[{ command: "dance" }, "bad_frame", /Unknown command: dance/], [{}, "bad_frame", /Unknown command/], [{ command: 5 }, "bad_frame", /command/],
		[{ command: "get_user_chats", user_id: 5 }, "bad_frame", /user_id/], ["[]", "bad_frame", /./], ["{", "bad_frame", /./], ["null", "bad_frame", /./]]) {
		sw.send(frame);
		const error = await sw.next("error");

		assert.equal(error.code, code, JSON.stringify(frame));
		assert.match(error.message, pattern);
		assert.deepEqual([error.success, error.session_id], [false, track.session_id]);
	}
	sw.send({ command: "restore_history", chat_id: track.chat_id, user_id: "user-123", extra: { ignored: true } });
	const restored = await sw.next("history_restored");

	assert.deepEqual([restored.success, restored.message_count, restored.chat_info.chat_type], [true, 1, "planning"]);
	sw.send(Buffer.from("{}"));
	assert.equal((await sw.next("error")).code, "bad_frame");
	assert.equal((await sw.closed).code, 1003);
	await ws.close();
});

test("a frame's wrong member is named, what is unknown is ignored", async () => {
	const { ws, track } = await session();

	for (const [frame, name] of [[{ message: 5 }, "message"], [{ message: "a", chat_id: {} }, "chat_id"], [{ message: "a", user_id: 1 }, "user_id"],
		[{ type: [], message: "a" }, "type"], [{ message: "a", client_message_id: [] }, "client_message_id"], [{ type: "restore_chat", chat_id: 1 }, "chat_id"],
		[{ type: "restore_chat", limit: 0 }, "limit"], [{ type: "restore_chat", limit: "all" }, "limit"],
		[{ type: "regenerate" }, "message_id"]]) {
		ws.send(frame);
		const error = await ws.next("error");

		assert.equal(error.code, "bad_frame");
		assert.ok(error.message.endsWith(name), error.message);
	}
	const restored = await ws.restore({ user_id: null, chat_id: null, more: [1, 2, 3] });

	assert.deepEqual([restored.chat_id, restored.success, restored.active_turn], [track.chat_id, true, null]);
	await ws.close();
});

test("a restored page learns of the running reply and its kind", async () => {
	const rest = await guestOf(stack);
	const track = await rest.createTrack();
	const ws = await chatOf(stack, rest, track.session_id);
	const { active_turn: first } = await ws.restore();

	if (first !== null) {
		assert.equal(first.kind, "welcome");
		await ws.next((frame) => frame.type === "ai_response" && frame.turn_id === first.turn_id, 60000);
	}
	const { turn_id } = await ws.post("What now?");
	const { active_turn: running } = await ws.restore();

	if (running !== null)
		assert.deepEqual([running.turn_id, running.kind], [turn_id, "message"]);
	await ws.close();
});

test("a chat of nobody is nobody's to rename", async () => {
	const nobody = new Rest(stack.url);

	for (const answer of [await nobody.patch(chat(randomUUID()), { chat_name: "x" }), await nobody.delete(chat(randomUUID())), await nobody.post(`${chat(randomUUID())}/restore`),
		await nobody.put(`${chat(randomUUID())}/status?status=a`), await nobody.get("/api/chat/sessions/x/active-chat"),
		await nobody.post("/api/chat/sessions/x/switch-chat", { chat_id: randomUUID() })])
		assert.equal(answer.status, 403);
});
