/* A forgotten password at the public door: an administrator's link, its only use, and what ends with it. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { release } from "../lib/release.js";
import { Rest, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until, within } from "../lib/until.js";
import { Ws } from "../lib/ws.js";
import { secondGateway } from "./gateway-lib.js";

const REVOKED_MS = 5000;
const NEW = "other horse 2";

let stack, other, admin;

before(async () => {
	stack = await startStack({ sim: false, workers: 0 });
	other = await secondGateway(stack, { LOGIN_RATE_PER_MINUTE: "3" });
	admin = await userOf(stack, { first_name: "Root" });
	await stack.db(`update users set role = 'ADMIN' where id = '${admin.user.id}'`);
}, { timeout: 120000 });
after(() => release(other, stack), { timeout: 60000 });

const link = (id) => admin.post(`/api/admin/users/${id}/password-reset`);
const reset = (body, url = stack.url) => new Rest(url).post("/api/auth/reset-password", body);
const signIn = (who, password) => new Rest(stack.url).post("/api/auth/login", { email: who.credentials.email, password });

describe("a link to set a new password", () => {
	it("sets it once; old password, tokens and sockets are good no more, on every gateway", async () => {
		const user = await userOf(stack);
		const socket = await Ws.open(`${other.wsUrl}/ws/chat/some-session`, { token: user.token });
		const { refresh_token } = (await signIn(user, user.credentials.password)).body;
		const made = await link(user.user.id);
		assert.equal(made.status, 201, made.text);
		assert.equal(made.headers.get("cache-control"), "no-store");
		assert.deepEqual(Object.keys(made.body).sort(), ["expires_at", "token"]);
		assert.equal((await user.get("/api/auth/me")).status, 200, "nothing has changed yet");

		const { token } = made.body;
		const done = await reset({ token, new_password: NEW });
		assert.deepEqual([done.status, done.body.success], [200, true], done.text);
		assert.deepEqual(done.headers.getSetCookie(), [], "nobody is signed in by it");
		assert.equal((await user.get("/api/auth/me")).status, 401);
		assert.equal((await user.post("/api/auth/refresh", { refresh_token })).status, 401);
		await until("the other gateway refuses the token", async () =>
			(await new Rest(other.url, user.token).get("/api/auth/me")).status === 401, { ms: REVOKED_MS });
		assert.equal((await within(REVOKED_MS, "the socket closes", socket.closed)).code, 4401);
		assert.equal((await signIn(user, user.credentials.password)).status, 401);
		const signed = await signIn(user, NEW);
		assert.equal(signed.status, 200);
		assert.equal((await new Rest(stack.url, signed.body.access_token).get("/api/auth/me")).status, 200);
		const [{ password_hash: hash }] = await stack.db(`select password_hash from users where id = '${user.user.id}'`);
		assert.match(hash, /^\$argon2id\$/);

		const again = await reset({ token, new_password: "third horse 3" });
		const unknown = await reset({ token: "x".repeat(43), new_password: "third horse 3" });
		assert.deepEqual([again.status, again.text], [400, unknown.text]);
		assert.equal((await signIn(user, NEW)).status, 200);

		/* the diary says what happened and to whom, and neither token nor password */
		const { gateway } = stack.daemons;
		const id = user.user.id.slice(0, 8);
		await gateway.waitEvent("auth.reset_link", (line) => line.user === id && line.by === admin.user.id.slice(0, 8));
		await gateway.waitEvent("auth.password_reset", (line) => line.user === id && line.address === "127.0.0.1");
		await gateway.waitEvent("auth.reset_refused", (line) => line.address === "127.0.0.1");
		for (const secret of [token, NEW])
			assert.ok(!gateway.tail(10000).includes(secret));
	});

	it("is not used up by a password that is refused", async () => {
		const user = await userOf(stack);
		const { token } = (await link(user.user.id)).body;

		for (const new_password of ["short1", "lettersonly", "1234567890", "x1".repeat(513), 5, null]) {
			const answer = await reset({ token, new_password });

			assert.deepEqual([answer.status, answer.body.detail?.[0]?.loc], [422, ["body", "new_password"]], answer.text);
		}
		for (const bad of ["", 5, "x".repeat(201)])
			assert.deepEqual((await reset({ token: bad, new_password: NEW })).body.detail?.[0]?.loc, ["body", "token"]);
		assert.equal((await reset({ token, new_password: NEW })).status, 200);
	});

	it("of two that use it at once lets one in", async () => {
		const user = await userOf(stack);
		const { token } = (await link(user.user.id)).body;
		const words = ["first horse 1", "second horse 2", "third horse 3"];
		const answers = await Promise.all(words.map((new_password) => reset({ token, new_password })));
		const entered = await Promise.all(words.map((password) => signIn(user, password)));

		assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400]);
		assert.deepEqual(entered.map(({ status }) => status === 200), answers.map(({ status }) => status === 200));
	});

	it("is for administrators to make, for accounts that are open", async () => {
		const [user, closed] = [await userOf(stack), await userOf(stack)];

		await admin.ok("PUT", `/api/admin/users/${closed.user.id}/active`, { is_active: false });
		assert.equal((await link(closed.user.id)).status, 409);
		for (const id of ["nonsense", crypto.randomUUID()])
			assert.equal((await link(id)).status, 404, id);
		for (const id of [user.user.id, admin.user.id, "nonsense"]) {
			assert.equal((await user.post(`/api/admin/users/${id}/password-reset`)).status, 403, id);
			assert.equal((await new Rest(stack.url).post(`/api/admin/users/${id}/password-reset`)).status, 403, id);
		}
		/* his own as well: his sign-ins end like anybody's */
		const own = (await link(admin.user.id)).body;
		assert.equal((await reset({ token: own.token, new_password: NEW })).status, 200);
		assert.equal((await admin.get("/api/auth/me")).status, 401);
		await admin.login({ ...admin.credentials, password: NEW });
		assert.equal((await admin.get("/api/admin/users")).status, 200);
	});

	it("cannot be guessed fast", async () => {
		const guess = () => reset({ token: "g".repeat(43), new_password: NEW }, other.url);
		const answers = await Promise.all([1, 2, 3, 4, 5].map(guess));
		const late = answers.find(({ status }) => status === 429);

		assert.ok(answers.filter(({ status }) => status === 400).length >= 3);
		assert.match(late?.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
	});
});
