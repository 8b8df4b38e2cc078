/* People of an old database: they sign in with their old passwords, find their work, and go on with it. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { OLD_USER, TWIN, id, makeOldDatabase } from "../lib/old_database.js";
import { Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { Ws } from "../lib/ws.js";

const LONG = `${"a".repeat(80)}1`;	/* bcrypt reads 72 bytes of it */
/* Of 12, 10, 4 and 5 rounds. */
const HASHES = {
	[OLD_USER.id]: "$2b$12$abcdefghijklmnopqrstuu44/VXeHCUAyEMBDhIxZ.TYwu9ErHFGe",
	[TWIN.id]: "$2b$10$abcdefghijklmnopqrstuuw07rbJz2xlrHB2AIArSgxwxF4XPqMU2",
	[id(7)]: "$2a$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe",
	[id(8)]: "$2y$05$abcdefghijklmnopqrstuuKURVr5VXLP.ZHV8bLb1JLhRO79SvmkG",
};
const MORE = `insert into users (id, email, password_hash, first_name, last_name, role, is_active) values
	('${id(7)}', 'long@example.org', '${HASHES[id(7)]}', 'Long', 'Password', null, true),
	('${id(8)}', 'russian@example.org', '${HASHES[id(8)]}', 'Анна', 'О', null, true),
	('${id(9)}', 'gone@example.org', '${HASHES[OLD_USER.id]}', 'Gone', 'G', 'STUDENT', false);
	update users set is_active = true where id = '${TWIN.id}';
	update chat_messages set message_content = 'long ' || left(message_content, 1000) where id = '${id(65)}';
	insert into learning_tracks (id, user_id, title) values ('${id(19)}', '${TWIN.id}', 'Twin''s');
	delete from ai_configurations where id = '${id(6)}';	/* his own server is not to be reached from a test */`;

let stack;
const rest = () => new Rest(stack.url);
const hashOf = async (user) => (await stack.db(`select password_hash from users where id = '${user}'`))[0].password_hash;

before(async () => {
	stack = await startStack({ persona: "demo", tokenDelayMs: 0,
		prepare: (url) => makeOldDatabase(url, "before chat_id", { hashes: HASHES, more: MORE }) });
});
after(() => stack?.stop());

describe("somebody of an old database", () => {
	for (const [who, email, password, user] of [
		["cost 12", OLD_USER.email, OLD_USER.password, OLD_USER.id], ["cost 10, an address that differs in case", TWIN.email, TWIN.password, TWIN.id],
		["$2a$, a long password", "long@example.org", LONG, id(7)], ["$2y$, a Russian password", "russian@example.org", "пароль 3", id(8)],
	])
		it(`signs in (${who}) and gets a hash of today`, async () => {
			const wrong = await rest().post("/api/auth/login", { email, password: `x${password}` });

			assert.equal(wrong.status, 401);
			assert.equal(await hashOf(user), HASHES[user]);
			const first = await rest().login({ email, password });

			assert.equal(first.user.id, user);
			await until("the hash is renewed", async () => (await hashOf(user)).startsWith("$argon2id$"));
			const renewed = await hashOf(user);

			assert.equal((await rest().login({ email, password })).user.id, user);
			assert.equal(await hashOf(user), renewed);
		});

	it("does not sign in when he is disabled", async () => {
		assert.equal((await rest().post("/api/auth/login", { email: "gone@example.org", password: OLD_USER.password })).status, 400);
		assert.equal(await hashOf(id(9)), HASHES[OLD_USER.id]);
	});

	it("finds all of his tracks and dialogues, and nobody else's", async () => {
		const me = await rest().login(OLD_USER);
		const tracks = await me.tracks();

		assert.deepEqual(tracks.map((t) => t.id).sort(), [id(10), id(11)]);
		assert.deepEqual((await me.track(id(10))).modules.map((m) => m.title).sort(), ["M", "N"]);
		assert.equal((await me.get(`/api/tracks/${id(19)}`)).status, 404);
		const [{ id: chat }] = await stack.db(`select id from chats where session_id = '${id(40)}'`);
		const text = JSON.stringify(await me.history(chat));

		for (const part of ["the plan", "same time", "also same", "never", "очень длинный текст"])
			assert.ok(text.includes(part), part);
	});

	it("goes on in the old dialogue over the socket", async () => {
		const me = await rest().login(OLD_USER);
		const ws = await Ws.open(`${stack.wsUrl}/ws/chat/${id(42)}`, { token: me.token });

		ws.send({ type: "restore_chat" });
		const restored = await ws.next("chat_restored");

		assert.deepEqual(restored.history.map((m) => m.content), ["answer", "only a question"]);
		ws.send({ message: "Добавь модуль про тестирование", chat_id: restored.chat_id });
		const answer = await ws.next("ai_response");

		assert.equal(answer.chat_id, restored.chat_id);
		assert.match(answer.message, /тестировани/i);
		await ws.close();
	});
});
