/* Accounts at the public door: sign-ins and their ends on REST and open sockets, on every gateway. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { release } from "../lib/release.js";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until, within } from "../lib/until.js";
import { Ws } from "../lib/ws.js";
import { secondGateway } from "./gateway-lib.js";

const REVOKED_MS = 5000;

let stack, other;

before(async () => {
	stack = await startStack({ workers: 1 });
	other = await secondGateway(stack);
}, { timeout: 120000 });
after(() => release(other, stack), { timeout: 60000 });

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
const cookieOf = (answer, name) => answer.headers.getSetCookie().map((text) => text.split(";")[0]).find((text) => text.startsWith(`${name}=`));
const socketOf = (rest, url = stack.wsUrl) => Ws.open(`${url}/ws/chat/some-session`, { token: rest.token });

/* The same person with a token of his own. */
async function again(rest) {
	return new Rest(stack.url).login(rest.credentials);
}

async function gone(rest, url = rest.url) {
	await until("the token is refused", async () =>
		(await new Rest(url, rest.token).get("/api/auth/me")).status === 401, { ms: REVOKED_MS });
}

/* 422 naming the field. */
function assertField(answer, field) {
	assert.equal(answer.status, 422, answer.text);
	assert.deepEqual(answer.body.detail[0].loc, ["body", field]);
	assert.equal(typeof answer.body.message, "string");
}

describe("a sign-in", () => {
	it("answers an access token, a refresh token, and how long the first lives", async () => {
		const rest = new Rest(stack.url);
		const { body } = await rest.post("/api/auth/guest-login");
		const { sub, sid, ver, iat, nbf, exp, iss, aud, type } = claims(body.access_token);

		assert.equal(body.expires_in, 1800);
		assert.match(body.refresh_token, /^[\w-]{43}$/);
		assert.deepEqual([sub, ver, iss, aud, type], [body.user.id, 0, "ai-learning-platform", "api", "access"]);
		assert.match(sid, /^[0-9a-f-]{36}$/);
		assert.ok(nbf === iat && exp === iat + 1800);
	});

	it("goes on with its refresh token, in the body or as a cookie of a page we know", async () => {
		const rest = new Rest(stack.url);
		const first = await rest.post("/api/auth/guest-login");
		const second = await rest.ok("POST", "/api/auth/refresh", { refresh_token: first.body.refresh_token });

		assert.deepEqual(second.user, first.body.user);
		assert.equal(claims(second.access_token).sid, claims(first.body.access_token).sid);
		assert.notEqual(second.refresh_token, first.body.refresh_token);
		assert.equal((await new Rest(stack.url, second.access_token).get("/api/auth/me")).status, 200);
		const cookie = `refresh_token=${second.refresh_token}`;
		const foreign = await rest.post("/api/auth/refresh", undefined, { cookie, origin: "http://evil.example" });
		assert.equal(foreign.status, 403);
		assert.equal((await rest.post("/api/auth/refresh", undefined, { cookie })).status, 403, "a browser names the page it is on");
		const third = await rest.post("/api/auth/refresh", undefined, { cookie, origin: "http://localhost:3000" });
		assert.equal(third.status, 200, third.text);
		assert.equal(cookieOf(third, "refresh_token"), `refresh_token=${third.body.refresh_token}`);
	});

	it("ends on every gateway when a refresh token comes a second time", async () => {
		const user = await userOf(stack);
		const { body: first } = await new Rest(stack.url).post("/api/auth/login", user.credentials);
		const socket = await socketOf({ token: first.access_token }, other.wsUrl);
		const second = await user.ok("POST", "/api/auth/refresh", { refresh_token: first.refresh_token });

		assert.equal((await user.post("/api/auth/refresh", { refresh_token: first.refresh_token })).status, 401);
		assert.equal((await user.post("/api/auth/refresh", { refresh_token: second.refresh_token })).status, 401);
		await Promise.all([gone({ token: second.access_token, url: stack.url }), gone({ token: first.access_token, url: other.url })]);
		assert.equal((await within(REVOKED_MS, "the socket closes", socket.closed)).code, 4401);
		assert.equal((await user.get("/api/auth/me")).status, 200, "another sign-in of the same user goes on");
	});

	it("is refused for what is no refresh token of ours", async () => {
		const user = await userOf(stack);

		for (const token of ["x", "a".repeat(43), user.token])
			assert.notEqual((await user.post("/api/auth/refresh", { refresh_token: token })).status, 200, token);
		assert.equal((await user.post("/api/auth/refresh")).status, 401);
		assertField(await user.post("/api/auth/refresh", { refresh_token: 5 }), "refresh_token");
		assertField(await user.post("/api/auth/refresh", { refresh_token: "" }), "refresh_token");
		const refresh = (await new Rest(stack.url).post("/api/auth/login", user.credentials)).body.refresh_token;
		assert.equal((await new Rest(stack.url, refresh).get("/api/auth/me")).status, 401, "it opens nothing by itself");
	});
});

describe("signing out", () => {
	it("ends this sign-in at once here, within seconds elsewhere, and its sockets", async () => {
		const user = await userOf(stack);
		const second = await again(user);
		const sockets = [await socketOf(user), await socketOf(user, other.wsUrl)];
		const kept = await socketOf(second);

		await user.ok("POST", "/api/auth/logout");
		assert.equal((await user.get("/api/auth/me")).status, 401);
		await gone(user, other.url);
		for (const socket of sockets)
			assert.equal((await within(REVOKED_MS, "the socket closes", socket.closed)).code, 4401);
		await assert.rejects(socketOf(user), { status: 401 });
		assert.equal((await second.get("/api/auth/me")).status, 200);
		assert.equal(kept.close_code, undefined);
		await kept.close();
	});

	it("everywhere ends all sign-ins", async () => {
		const user = await userOf(stack);
		const second = await again(user);

		assertField(await user.post("/api/auth/logout", { everywhere: "yes" }), "everywhere");
		await user.ok("POST", "/api/auth/logout", { everywhere: true });
		assert.equal((await second.get("/api/auth/me")).status, 401);
		await gone(second, other.url);
		assert.equal((await (await again(user)).get("/api/auth/me")).status, 200);
	});

	it("without a sign-in is no error, and leaves nothing", async () => {
		const answer = await new Rest(stack.url).post("/api/auth/logout");

		assert.deepEqual([answer.status, answer.body.success], [200, true]);
		assert.equal((await new Rest(stack.url, "nonsense").post("/api/auth/logout")).status, 200);
	});

	it("ends by its refresh token when the access token has run out", async () => {
		const cookie = (user) => ({ cookie: `refresh_token=${user.refreshToken}`, origin: "http://localhost:3000" });
		const stale = new Rest(stack.url, "a.b.c");
		const ways = [
			(user) => stale.post("/api/auth/logout", undefined, cookie(user)),
			(user) => new Rest(stack.url).post("/api/auth/logout", {}, cookie(user)),
			(user) => stale.post("/api/auth/logout", { refresh_token: user.refreshToken }),
		];

		for (const way of ways) {
			const user = await userOf(stack);
			const second = await again(user);
			const socket = await socketOf(user);
			const answer = await way(user);

			assert.deepEqual([answer.status, answer.body.success], [200, true], answer.text);
			assert.match(cookieOf(answer, "refresh_token"), /^refresh_token=$/);
			assert.equal((await new Rest(stack.url).post("/api/auth/refresh", { refresh_token: user.refreshToken })).status, 401);
			assert.equal((await user.get("/api/auth/me")).status, 401, "its access token as well, had it lived");
			assert.equal((await within(REVOKED_MS, "the socket closes", socket.closed)).code, 4401);
			assert.equal((await second.get("/api/auth/me")).status, 200, "this sign-in only");
		}
	});

	it("everywhere, by a refresh token; twice is no error", async () => {
		const user = await userOf(stack);
		const second = await again(user);
		const out = () => new Rest(stack.url).post("/api/auth/logout", { refresh_token: user.refreshToken, everywhere: true });

		assert.equal((await out()).status, 200);
		assert.equal((await second.get("/api/auth/me")).status, 401);
		assert.equal((await out()).status, 200);
	});

	it("is not ended by the cookie from a page of another origin, nor by what is no refresh token", async () => {
		const user = await userOf(stack);
		const rest = new Rest(stack.url);

		for (const origin of [{ origin: "http://evil.example" }, {}])
			assert.equal((await rest.post("/api/auth/logout", undefined, { cookie: `refresh_token=${user.refreshToken}`, ...origin })).status, 200);
		assert.equal((await rest.post("/api/auth/logout", { refresh_token: "x".repeat(43) })).status, 200);
		assertField(await rest.post("/api/auth/logout", { refresh_token: "" }), "refresh_token");
		assert.equal((await user.get("/api/auth/me")).status, 200);
		assert.equal((await rest.post("/api/auth/refresh", { refresh_token: user.refreshToken })).status, 200);
	});

	it("removes a guest with everything", async () => {
		const guest = await guestOf(stack);
		const track = await guest.createTrack();

		await guest.ok("POST", "/api/auth/logout");
		assert.equal((await guest.get("/api/tracks")).status, 401);
		await gone(guest, other.url);
		assert.deepEqual(await stack.db(`select id from learning_tracks where id = '${track.id}'`), []);
	});

	it("is known to a gateway that starts later", async () => {
		const user = await userOf(stack);

		await user.ok("POST", "/api/auth/logout");
		const late = await secondGateway(stack);
		try {
			assert.equal((await new Rest(late.url, user.token).get("/api/auth/me")).status, 401);
		} finally {
			await late.stop();
		}
	});

	it("a ticket taken before opens nothing after", async () => {
		const user = await userOf(stack);
		const { ticket } = await user.ok("POST", "/api/auth/ws-ticket");

		await user.ok("POST", "/api/auth/logout");
		await assert.rejects(Ws.open(`${stack.wsUrl}/ws/chat/x?ticket=${ticket}`), { status: 401 });
	});
});

describe("one's own account", () => {
	it("changes its names, and nothing else", async () => {
		const user = await userOf(stack);
		const changed = await user.ok("PATCH", "/api/auth/me", { first_name: "  Grace ", role: "admin", email: "x@example.org", is_active: false });

		assert.deepEqual(changed, { ...user.user, first_name: "Grace" });
		assert.deepEqual(await user.ok("GET", "/api/auth/me"), changed);
		assert.equal((await user.ok("PATCH", "/api/auth/me", { last_name: "Hopper" })).first_name, "Grace");
		assertField(await user.request("PATCH", "/api/auth/me", { first_name: "G" }), "first_name");
		assertField(await user.request("PATCH", "/api/auth/me", { last_name: "x".repeat(101) }), "last_name");
		assertField(await user.request("PATCH", "/api/auth/me", { last_name: 5 }), "last_name");
		const guest = await guestOf(stack);
		assert.equal((await guest.ok("PATCH", "/api/auth/me", { first_name: "Ann" })).first_name, "Ann");
	});

	it("changes its password; all other sign-ins end", async () => {
		const user = await userOf(stack);
		const second = await again(user);
		const path = "/api/auth/password";
		const wish = { current_password: user.credentials.password, new_password: "other horse 2" };

		assertField(await user.post(path, { ...wish, current_password: "wrong horse 1" }), "current_password");
		assertField(await user.post(path, { ...wish, new_password: "short1" }), "new_password");
		assertField(await user.post(path, { new_password: "other horse 2" }), "current_password");
		const signed = await user.ok("POST", path, wish);
		assert.equal((await user.get("/api/auth/me")).status, 401);
		assert.equal((await second.get("/api/auth/me")).status, 401);
		await gone(second, other.url);
		assert.equal((await new Rest(other.url, signed.access_token).get("/api/auth/me")).status, 200);
		assert.equal((await user.post("/api/auth/login", user.credentials)).status, 401);
		assert.equal((await user.post("/api/auth/login", { ...user.credentials, password: "other horse 2" })).status, 200);
		const [{ password_hash: hash }] = await stack.db(`select password_hash from users where id = '${user.user.id}'`);
		assert.match(hash, /^\$argon2id\$/);
		assert.equal((await (await guestOf(stack)).post(path, wish)).status, 403);
	});

	it("is removed with everything, also a reply that is being written", async () => {
		const user = await userOf(stack);
		const track = await user.createTrack();
		const socket = await Ws.open(`${other.wsUrl}/ws/chat/${track.session_id}`, { token: user.token });

		await stack.sim.script([{ match: "a slow one", first_delay: { ms: 60000 } }]);
		await until("the welcome is there", async () =>
			(await stack.db(`select 1 as x from turns where state = 'running' and user_id = '${user.user.id}'`)).length === 0);
		await socket.post("a slow one");
		assertField(await user.request("DELETE", "/api/auth/me"), "password");
		assertField(await user.request("DELETE", "/api/auth/me", { password: "wrong horse 1" }), "password");
		assert.equal((await user.get("/api/auth/me")).status, 200);
		const answer = await user.request("DELETE", "/api/auth/me", { password: user.credentials.password });
		assert.deepEqual([answer.status, answer.body.success], [200, true], answer.text);
		assert.equal((await user.get("/api/auth/me")).status, 401);
		assert.equal((await user.post("/api/auth/login", user.credentials)).status, 401);
		assert.equal((await within(REVOKED_MS, "the socket closes", socket.closed)).code, 4401);
		for (const [table, column] of [["users", "id"], ["learning_tracks", "user_id"], ["chats", "user_id"], ["chat_messages", "user_id"], ["turns", "user_id"]])
			assert.deepEqual(await stack.db(`select 1 as x from ${table} where ${column} = '${user.user.id}'`), [], table);
		await until("the turn ends in chat as well", async () => (await stack.daemons.chat.metrics()).alp_turns === 0
			|| /turn\.removed/.test(stack.daemons.chat.tail(200)));
		assert.equal((await new Rest(stack.url).register({ ...user.credentials })).user.email, user.credentials.email, "the address is free");
	});

	it("is downloaded as one document, without secrets and without others' rows", async () => {
		const [user, stranger] = [await userOf(stack), await userOf(stack, { first_name: "Stranger" })];
		const track = await user.createTrack({ title: "A title with \"quotes\" and ж" });

		await stranger.createTrack({ title: "Strange" });
		await stack.db(`insert into chat_messages (id, chat_id, user_id, seq, sender_type, message_content, "timestamp")
			select gen_random_uuid(), '${track.chat_id}', '${user.user.id}', 1000 + n, 'user', 'text ' || n || repeat('ж', 2000), utc_clock()
			from generate_series(1, 1200) n`);
		const answer = await user.get("/api/auth/me/export");
		const all = JSON.parse(answer.text);
		assert.equal(answer.status, 200);
		assert.match(answer.headers.get("content-disposition"), /^attachment; filename="/);
		assert.deepEqual(all.users.map(({ id }) => id), [user.user.id]);
		assert.deepEqual(all.learning_tracks.map(({ title }) => title), ["A title with \"quotes\" and ж"]);
		const texts = all.chat_messages.filter(({ seq }) => seq > 1000).map(({ message_content }) => Number(message_content.match(/\d+/)[0]));
		assert.deepEqual([...texts].sort((a, b) => a - b), Array.from({ length: 1200 }, (_, i) => i + 1));
		assert.ok(all.sign_ins.length > 0 && all.chats.length > 0 && all.turns.length > 0 && Array.isArray(all.lessons));
		assert.ok(!/password_hash|api_key|Strange|argon2/.test(answer.text));
		assert.equal((await (await guestOf(stack)).get("/api/auth/me/export")).status, 200);
		assert.equal((await new Rest(stack.url).get("/api/auth/me/export")).status, 403);
	});

	it("of an old database enters with its bcrypt hash, which is renewed", async () => {
		const user = await userOf(stack);
		/* "correct horse 1", made by the original's library */
		const hash = execFileSync("python3", ["-c", "import crypt; print(crypt.crypt('correct horse 1', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1024)))"])
			.toString().trim();

		await stack.db(`update users set password_hash = '${hash}' where id = '${user.user.id}'`);
		assert.equal((await user.post("/api/auth/login", { ...user.credentials, password: "wrong horse 1" })).status, 401);
		assert.equal((await user.post("/api/auth/login", user.credentials)).status, 200);
		await until("the hash is renewed", async () => /^\$argon2id\$/.test(
			(await stack.db(`select password_hash from users where id = '${user.user.id}'`))[0].password_hash));
		assert.equal((await user.post("/api/auth/login", user.credentials)).status, 200);
	});
});

describe("administrators", () => {
	let admin;

	before(async () => {
		admin = await userOf(stack, { first_name: "Root" });
		await stack.db(`update users set role = 'ADMIN' where id = '${admin.user.id}'`);
	});

	it("list accounts, page by page, and search", async () => {
		const mark = `x${Date.now()}`;
		const users = [];

		for (let i = 0; i < 5; i++)
			users.unshift(await userOf(stack, { email: `${mark}-${i}@example.org`, first_name: "Per%cent" }));
		const seen = [];
		for (let after = ""; after !== null;) {
			const page = await admin.ok("GET", `/api/admin/users?query=${mark.toUpperCase()}&limit=2${after && `&after=${after}`}`);

			assert.ok(page.users.length <= 2);
			seen.push(...page.users);
			after = page.next;
		}
		assert.deepEqual(seen, users.map(({ user }) => user));
		assert.equal((await admin.ok("GET", `/api/admin/users?query=${mark}_`)).users.length, 0, "_ is only itself");
		assert.equal((await admin.ok("GET", "/api/admin/users?query=r%25c")).users.every((user) => user.first_name === "Per%cent"), true);
		for (const [query, name] of [["limit=0", "limit"], ["limit=x", "limit"], ["limit=201", "limit"], ["after=x", "after"], [`query=${"x".repeat(201)}`, "query"]]) {
			const answer = await admin.get(`/api/admin/users?${query}`);

			assert.deepEqual([answer.status, answer.body.detail?.[0]?.loc], [422, ["query", name]], answer.text);
		}
	});

	it("disable and enable: sign-in, tokens and sockets follow within seconds", async () => {
		const user = await userOf(stack);
		const socket = await socketOf(user, other.wsUrl);
		const path = `/api/admin/users/${user.user.id}/active`;
		const disabled = await admin.ok("PUT", path, { is_active: false });

		assert.equal((await user.get("/api/tracks")).status, 401, "where it was done, at once");
		assert.deepEqual(disabled, { ...user.user, is_active: false });
		assert.deepEqual(await admin.ok("PUT", path, { is_active: false }), disabled);
		const login = await user.post("/api/auth/login", user.credentials);
		assert.equal(login.status, 400, login.text);
		assert.equal((await user.post("/api/auth/login", { ...user.credentials, password: "wrong horse 1" })).status, 401);
		await Promise.all([gone(user), gone(user, other.url)]);
		assert.equal((await within(REVOKED_MS, "the socket closes", socket.closed)).code, 4401);
		await admin.ok("PUT", path, { is_active: true });
		await user.login();
		assert.equal((await user.get("/api/auth/me")).status, 200);
	});

	it("are refused what makes no sense, and others everything", async () => {
		const [user, guest] = [await userOf(stack), await guestOf(stack)];
		const path = (id) => `/api/admin/users/${id}/active`;
		const guestId = guest.user.id.replace("guest_", "").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

		assert.equal((await admin.put(path(admin.user.id), { is_active: false })).status, 409);
		for (const id of [crypto.randomUUID(), "nonsense", guestId])
			assert.equal((await admin.put(path(id), { is_active: false })).status, 404, id);
		assertField(await admin.put(path(user.user.id), { is_active: "no" }), "is_active");
		assertField(await admin.put(path(user.user.id), {}), "is_active");
		for (const who of [user, guest])
			for (const id of [user.user.id, admin.user.id, crypto.randomUUID(), "nonsense"])
				assert.equal((await who.put(path(id), { is_active: false })).status, 403, id);
		assert.equal((await user.get("/api/admin/users")).status, 403);
		assert.equal((await new Rest(stack.url).get("/api/admin/users")).status, 403);
	});
});
