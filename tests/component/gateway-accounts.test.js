/* Accounts at the public door: sign-ins and their ends on REST and open sockets, on every gateway. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
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
after(async () => {
	await other?.stop();
	await stack?.stop();
}, { timeout: 60000 });

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
