/* Guests become accounts while a reply is being written; the first account; what guests may store. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until, within } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

let stack;

before(async () => {
	stack = await startStack({ workers: 1, tokenDelayMs: 60, env: { GUEST_TRACKS_MAX: "2", GUEST_CHATS_MAX: "3", GUEST_MESSAGES_MAX: "6", GUEST_SESSIONS_MAX: "4",
		GUESTS_PER_ADDRESS: "12" } });
}, { timeout: 120000 });
after(() => stack?.stop(), { timeout: 60000 });

const idOf = (guest) => guest.user.id.slice(6).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
const one = async (sql) => (await stack.db(sql))[0];

async function quiet(sessionId) {
	await until("the reply has ended", async () =>
		(await stack.db(`select 1 as x from turns where session_id = '${sessionId}' and state = 'running'`)).length === 0, { ms: 30000 });
}

async function rowsOf(user) {
	const tables = await stack.db(`select c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
		where a.attname = 'user_id' and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
			and c.relname <> 'auth_changes' and not a.attisdropped`);
	const rows = {};

	for (const { name } of tables)
		rows[name] = Number((await one(`select count(*) as n from ${name} where user_id = '${user}'`)).n);
	return rows;
}

describe("the first account", () => {
	it("is the administrator, also when two register at the same moment", async () => {
		const users = await Promise.all([userOf(stack), userOf(stack), userOf(stack)]);

		assert.deepEqual(users.map(({ user }) => user.role).sort(), ["admin", "student", "student"]);
	});
});

describe("a guest who registers", () => {
	it("keeps everything; a reply that is being written is stored for the account and reaches its socket", async () => {
		const guest = await guestOf(stack);
		const track = await guest.createTrack();

		await quiet(track.session_id);
		const before = await chatOf(stack, guest, track.session_id);
		const counts = await rowsOf(idOf(guest));
		const long = `words ${"and more of them ".repeat(90)}`;
		const accepted = await before.post(long);
		await before.next((frame) => frame.type === "ai_delta" && frame.turn_id === accepted.turn_id);
		const email = `${randomUUID()}@example.org`;
		const answer = await new Rest(stack.url).ok("POST", "/api/auth/register",
			{ email, password: "correct horse 1", first_name: "Ada", last_name: "Lovelace", guest_token: guest.token });
		assert.deepEqual(answer.claimed, { tracks: 1, chats: 1, ai_settings: "none" });
		assert.equal((await one(`select state from turns where id = '${accepted.turn_id}'`)).state, "running", "the reply is still being written");

		const user = Object.assign(new Rest(stack.url, answer.access_token), { user: answer.user });
		assert.equal((await within(5000, "the guest's socket closes", before.closed)).code, 4401);
		const after = await chatOf(stack, user, track.session_id);
		const restored = await after.restore();
		assert.equal(restored.active_turn?.turn_id, accepted.turn_id, JSON.stringify(restored.active_turn));
		await after.next((frame) => frame.type === "ai_delta" && frame.turn_id === accepted.turn_id);
		const response = await after.next((frame) => frame.type === "ai_response" && frame.turn_id === accepted.turn_id, 60000);
		const stored = await one(`select user_id, message_content from chat_messages where id = '${response.message_id}'`);
		assert.deepEqual(stored, { user_id: user.user.id, message_content: response.message });

		assert.equal((await guest.get("/api/tracks")).status, 401);
		assert.equal(Number((await one(`select count(*) as n from users where id = '${idOf(guest)}'`)).n), 0);
		for (const [table, n] of Object.entries(await rowsOf(idOf(guest))))
			assert.equal(n, 0, `rows are left in ${table}`);
		const now = await rowsOf(user.user.id);
		for (const table of ["learning_tracks", "chat_sessions", "chats", "lessons"])
			assert.equal(now[table], counts[table], table);
		const mine = await user.tracks();
		assert.deepEqual(mine.map(({ id, session_id, chat_id }) => [id, session_id, chat_id]), [[track.id, track.session_id, track.chat_id]]);
		assert.equal((await user.history(track.chat_id)).history.length, restored.history.length + 1);
		assert.equal((await after.turn("and on it goes")).response.session_id, track.session_id);
		await after.close();
	});

	it("or signs in, with his token as the header, once; names that both use do not collide", async () => {
		const user = await userOf(stack);
		const guest = await guestOf(stack);

		for (const who of [user, guest])
			await who.ok("POST", "/api/ai/chat-response", { message: "hello", session_id: "my-session" });
		const track = await guest.createTrack();
		const login = () => guest.ok("POST", "/api/auth/login", user.credentials);
		const [first, second] = [await login(), await login()];
		assert.deepEqual(first.claimed, { tracks: 1, chats: 2, ai_settings: "none" });
		assert.equal(second.claimed, undefined, "the guest is gone, his token means nothing");
		const tracks = await new Rest(stack.url, first.access_token).tracks();
		assert.deepEqual(tracks.map(({ id }) => id), [track.id]);
		const sessions = await new Rest(stack.url, first.access_token).ok("GET", "/api/chat/sessions");
		assert.equal(sessions.length, 3);
	});

	it("names no guest: refused in the body, of no meaning in the header", async () => {
		const user = await userOf(stack);

		for (const guest_token of ["nonsense", user.token]) {
			const answer = await new Rest(stack.url).post("/api/auth/login", { ...user.credentials, guest_token });

			assert.deepEqual([answer.status, answer.body.detail?.[0]?.loc], [422, ["body", "guest_token"]], answer.text);
		}
		const answer = await user.ok("POST", "/api/auth/login", user.credentials);
		assert.equal(answer.claimed, undefined);
	});

	it("two accounts at once: one of them gets the work, whole", async () => {
		const guest = await guestOf(stack);
		const users = [await userOf(stack), await userOf(stack)];

		await guest.createTrack();
		const claimed = await Promise.all(users.map((user) =>
			new Rest(stack.url).post("/api/auth/login", { ...user.credentials, guest_token: guest.token })));
		assert.deepEqual(claimed.map(({ body }) => body.claimed?.tracks ?? 0).sort(), [0, 1]);
	});
});

describe("what guests may store", () => {
	it("has a bound for tracks, sessions, chats, messages and guests, said with 429 and a clear text", async () => {
		const guest = await guestOf(stack);
		const [track] = [await guest.createTrack(), await guest.createTrack()];
		const full = (answer) => {
			assert.equal(answer.status, 429, answer.text);
			assert.match(answer.body.detail, /зарегистрируйтесь/);
			assert.ok(answer.headers.get("retry-after"));
		};

		full(await guest.post("/api/tracks", { title: "One more", description: "", difficulty_level: "beginner", estimated_duration_hours: 5, user_expectations: "" }));
		assert.equal((await guest.tracks()).length, 2);
		await guest.ok("POST", "/api/chat/chats", { session_id: track.session_id, chat_type: "discussion" });
		full(await guest.post("/api/chat/chats", { session_id: track.session_id, chat_type: "discussion" }));
		await Promise.all((await guest.tracks()).map(({ session_id }) => quiet(session_id)));
		const socket = await chatOf(stack, guest, track.session_id);
		const refused = await (async () => {
			for (let i = 0; i < 4; i++)
				await socket.turn(`message ${i}`);
			return null;
		})().catch((err) => err);
		assert.equal(refused?.frame?.code, "rate_limited", String(refused));
		/* Nor is anything written that he did not ask for with a message. */
		const reply = (await guest.history(track.chat_id)).history.at(-1);
		socket.send({ type: "regenerate", message_id: reply.id });
		assert.equal((await socket.next("error")).code, "rate_limited");
		await socket.close();
		for (let i = 0; i < 2; i++)
			await guest.ok("POST", "/api/chat/sessions", { track_id: track.id, session_name: `session ${i}` });
		full(await guest.post("/api/chat/sessions", { track_id: track.id, session_name: "one more" }));
		assert.equal((await guest.ok("GET", "/api/chat/sessions")).length, 4);
		const user = await userOf(stack);
		for (let i = 0; i < 3; i++)
			await user.createTrack();
		let answer;
		for (let i = 0; i < 13 && answer?.status !== 429; i++)
			answer = await new Rest(stack.url).post("/api/auth/guest-login");
		full(answer);
	});
});
