/*
 * docs/asyncapi.yaml and the sockets are the same: everything a client may say
 * is said, every frame that is described is received, and every frame that is
 * received keeps to its description.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { EventStream } from "../lib/sse.js";
import { chatOf, Ws } from "../lib/ws.js";
import { asyncapi, faults, frameFaults, heard, operations, pointer, resolved, told } from "./spec.js";
import { World, furnish, requestFor } from "./world.js";

let world, session, user;
const sockets = [];	/* { channel, ws } */
const said = { session: new Set(), switch: new Set() };

before(async () => {
	world = await World.start({ furnished: [] });
	user = await furnish(world.user);
	session = user.things.session;
});
after(() => world?.stop());

async function open(channel, rest = user, id = session) {
	const ws = channel === "session" ? await chatOf(world.stack, rest, id)
		: await Ws.open(`${world.stack.wsUrl}/ws/chat/${id}/switch`, { token: rest.token });

	sockets.push({ channel, ws });
	return ws;
}

/* Says something that the description knows. */
function say(channel, ws, name, frame) {
	const node = asyncapi.channels[channel].messages[name].$ref.split("/").at(-1);
	const wrong = faults(`asyncapi.yaml${pointer("components", "messages", node, "payload")}`, frame);

	assert.equal(wrong, "", `${name} as the test says it`);
	said[channel].add(name);
	ws.send(frame);
}

const script = (...rules) => world.stack.sim.script(rules);

test("a dialogue: restore, message, another tab, ping", async () => {
	const [first, second] = [await open("session"), await open("session")];

	say("session", first, "restore_chat", { type: "restore_chat", user_id: user.user.id });
	assert.ok((await first.next("chat_restored")).message_count > 0);
	const client_message_id = randomUUID();

	say("session", first, "message", { message: "What is a list?", type: "question", client_message_id });
	const accepted = await first.next("accepted");
	const reply = await first.next("ai_response");

	assert.equal((await second.next("accepted")).message, "What is a list?");
	assert.equal((await second.next("ai_response")).message, reply.message);
	say("session", first, "resume", { type: "resume", turn_id: accepted.turn_id, epoch: reply.epoch, offset: 0 });
	say("session", first, "ping", { type: "ping", t: 7 });
	assert.equal((await first.next("pong")).t, 7);
	say("session", first, "regenerate", { type: "regenerate", message_id: reply.message_id });
	await first.next((frame) => frame.type === "ai_response" && frame.message_id !== reply.message_id);
});

test("a reply that is stopped, restored while it is written, and lost to another attempt", async () => {
	const ws = await open("session");

	await script({ match: "slowly", token_delay: { ms: 40 }, tokens: { count: 400 } });
	const { turn_id } = await ws.post("slowly, please");

	await ws.next("ai_delta");
	const late = await open("session");

	late.send({ type: "restore_chat" });
	const restored = await late.next("chat_restored");

	assert.equal(restored.active_turn.turn_id, turn_id);
	say("session", ws, "stop", { type: "stop", turn_id });
	const stopped = await ws.next((frame) => frame.turn_id === turn_id && (frame.type === "ai_response" || frame.state === "stopped"));

	assert.ok(stopped.finish_reason === "stopped" || stopped.state === "stopped", JSON.stringify(stopped));
	await script({ match: "try twice", status: { code: 503 } }, { match: "try twice" });
	await ws.turn("try twice");
	await world.quiet();
});

/* What was shown of an attempt is dropped when its worker is gone. */
test("a worker that dies in the middle of a reply", async () => {
	const ws = await open("session");
	const [worker] = world.stack.daemons.ai;

	world.stack.expectExit(/^ai/);
	await script({ match: "die", token_delay: { ms: 100 }, tokens: { count: 60 } }, { match: "die" });
	const { turn_id } = await ws.post("die in the middle");

	await ws.next("ai_delta");
	worker.kill("SIGKILL");
	assert.equal((await ws.next("ai_reset", 30000)).turn_id, turn_id);
	await ws.next((frame) => frame.type === "ai_response" && frame.turn_id === turn_id, 60000);
});

test("what is refused", async () => {
	const ws = await open("session");
	const code = async (frame) => {
		ws.send(frame);
		return (await ws.next("error")).code;
	};

	assert.equal(await code("hello"), "bad_frame");
	assert.equal(await code({ message: " " }), "blank_message");
	assert.equal(await code({ message: "x".repeat(32001) }), "too_long");
	assert.equal(await code({ message: "x", client_message_id: "x" }), "bad_frame");
	assert.equal(await code({ message: "x", chat_id: randomUUID() }), "not_found");
	assert.equal(await code({ type: "stop", turn_id: randomUUID() }), "not_found");
	await script({ match: "no luck", status: { code: 400 }, times: 3 });
	await ws.post("no luck");
	assert.match((await ws.next("error")).code, /^ai_/);
});

test("a finalization reaches every tab", async () => {
	const ws = await open("session");
	const { modules } = await user.finalize({ session_id: session, track_id: user.things.track, skill_area: "Python" });

	assert.equal((await ws.next("finalization_complete")).modules_created, modules.length);
});

test("what is done to a chat reaches every tab", async () => {
	const ws = await open("session");
	const chat = await user.ok("POST", "/api/chat/chats", { session_id: session, chat_name: "Questions", chat_type: "discussion" });
	const path = `/api/chat/chats/${chat.id}`;

	await user.ok("PATCH", path, { chat_name: "Answers" });
	await user.ok("PUT", `${path}/status?status=archived`);
	await user.ok("DELETE", path);
	await user.ok("POST", `${path}/restore`);
	for (const change of ["created", "renamed", "archived", "deleted", "restored"])
		await ws.next((frame) => frame.type === "chat_updated" && frame.chat_id === chat.id && frame.change === change);
});

test("the commands of the switch socket", async () => {
	const ws = await open("switch");
	const { chat } = user.things;

	say("switch", ws, "get_user_chats", { command: "get_user_chats", user_id: user.user.id });
	assert.equal((await ws.next("user_chats")).chats[0].session_id, session);
	say("switch", ws, "switch_chat", { command: "switch_chat", chat_id: chat, user_id: user.user.id });
	assert.equal((await ws.next("chat_switched")).chat_id, chat);
	say("switch", ws, "restore_history", { command: "restore_history", chat_id: chat });
	assert.equal((await ws.next("history_restored")).chat_id, chat);
	ws.send({ command: "dance" });
	await ws.next("error");
});

/* ---- the same over HTTP ------------------------------------------------------------------- */

for (const op of operations.filter((o) => resolved(o.raw.responses[200])?.content["text/event-stream"])) {
	test(`${op.id} as a stream tells the frames of the socket`, async () => {
		const request = requestFor(op, user.things);
		const stream = await EventStream.post(user, request.path, request.body);

		assert.deepEqual([stream.status, stream.type.split(";")[0]], [200, "text/event-stream"], JSON.stringify(stream.body));
		assert.equal(await stream.ended, null);
		for (const { type, frame } of stream.events) {
			assert.equal(type, frame.type);
			assert.equal(frameFaults("session", frame), "", JSON.stringify(frame).slice(0, 600));
		}
		assert.equal(stream.events.at(-1).type, "ai_response");
	});
}

/* ---- the balance ------------------------------------------------------------------------- */

for (const channel of ["session", "switch"]) {
	test(`every frame of the ${channel} socket is as described`, () => {
		for (const { ws } of sockets.filter((s) => s.channel === channel))
			for (const frame of ws.frames)
				assert.equal(frameFaults(channel, frame), "", JSON.stringify(frame).slice(0, 600));
	});

	test(`everything of the ${channel} socket was said and received`, () => {
		const seen = new Set(sockets.filter((s) => s.channel === channel).flatMap(({ ws }) => ws.frames.map((frame) => frame.type)));

		assert.deepEqual(told(channel).filter((type) => !seen.has(type)), []);
		assert.deepEqual(heard(channel).map((m) => m.name).filter((name) => !said[channel].has(name)), []);
	});
}
