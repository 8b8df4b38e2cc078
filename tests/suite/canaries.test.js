/*
 * What people write, and every secret, is nowhere that operators look: logs at
 * debug level, metrics, health, spans. Each of them is a canary here; the run
 * goes through what is done every day and through what is refused.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Collector } from "../lib/collector.js";
import { release } from "../lib/release.js";
import { Rest, guestOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { Ws, chatOf } from "../lib/ws.js";

const word = (what) => `canary-${what}-${randomUUID().slice(0, 8)}`;
const canaries = {};
const canary = (what, text = word(what)) => (canaries[what] = text);

let stack, collector, rest;

before(async () => {
	collector = await new Collector().start();
	stack = await startStack({ persona: "echo", env: { LOG_LEVEL: "debug", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
		OTEL_EXPORTER_OTLP_HEADERS: `x-key=${canary("collector-key")}`, DEFAULT_OPENAI_API_KEY: canary("server-key", `sk-${word("server")}`) } });
	for (const name of ["SECRET_KEY", "BUS_KEY", "DATA_KEY"])
		canary(name, stack.env[name]);
});
after(() => release(stack, collector));

async function accounts() {
	const email = `${canary("mailbox", word("mailbox").toLowerCase())}@example.org`;
	const password = `${canary("password")} 1Aa`;
	const stranger = new Rest(stack.url);

	rest = await new Rest(stack.url).register({ email, password, first_name: canary("first-name"), last_name: canary("last-name") });
	canary("access-token", rest.token);
	assert.equal((await stranger.post("/api/auth/login", { email, password: canary("wrong-password") })).status, 401);
	const signedIn = await stranger.post("/api/auth/login", { email, password });

	canary("refresh-token", /refresh_token=([^;]+)/.exec(signedIn.headers.get("set-cookie") ?? "")?.[1] ?? signedIn.body.refresh_token);
	assert.equal((await stranger.get("/api/auth/me", { authorization: `Bearer ${canary("bad-token")}` })).status, 401);
	const { token } = (await rest.post(`/api/admin/users/${rest.user.id}/password-reset`)).body;	/* the first one is an administrator */

	assert.equal((await stranger.post("/api/auth/reset-password", { token: canary("bad-link"), new_password: canary("refused-password", `${word("refused")} 1Aa`) })).status, 400);
	assert.equal((await stranger.post("/api/auth/reset-password", { token: canary("link", token), new_password: canary("new-password", `${word("new")} 1Aa`) })).status, 200);
	await rest.login({ email, password: canaries["new-password"] });
	canary("ticket", (await rest.ok("POST", "/api/auth/ws-ticket")).ticket);
}

async function dialogue() {
	await rest.createTrack({ title: canary("title"), description: canary("description"), user_expectations: canary("expectations") });
	const socket = await Ws.open(`${stack.wsUrl}/ws/chat/${canary("session-name")}?ticket=${canaries.ticket}`);

	await socket.turn(canary("message"));
	socket.send(`{"message": "${canary("broken-frame")}`);
	await socket.next("error");
	socket.send({ message: "x", client_message_id: canary("bad-id") });
	await socket.next((frame) => frame.type === "error");
	await socket.close();
	assert.equal((await rest.post("/api/tracks", { title: [canary("bad-field")] })).status, 422);
	await rest.get(`/api/tracks/${canary("path")}?q=${canary("query")}`);
}

async function ownKey() {
	const answer = await rest.put("/api/ai/user-config", { api_key: canary("own-key", `sk-${word("own")}`), model_name: canary("own-model") });

	assert.equal(answer.status, 200, answer.text);
	await rest.post("/api/ai/test-connection", { api_key: canary("tested-key", `sk-${word("tested")}`) });
	const guest = await chatOf(stack, await guestOf(stack), canary("guest-session"));

	await guest.turn(`[[fail]] ${canary("guest-message")}`).catch(() => {});
	await guest.close();
}

test("no text and no secret is where operators look", async () => {
	await accounts();
	await dialogue();
	await ownKey();
	await until("the spans are told", () => collector.spans.some(({ name }) => name === "SQL turn_finish"), { ms: 20000 });
	const pages = await Promise.all(stack.all.flatMap((daemon) => ["/metrics", "/healthz", "/readyz"].map(async (path) =>
		[`${daemon.name} ${path}`, await (await fetch(daemon.health + path)).text()])));
	const public_ = await Promise.all(["/api/health", "/healthz", "/readyz"].map(async (path) => [path, await (await fetch(stack.url + path)).text()]));
	const seen = [...pages, ...public_, ["spans", JSON.stringify(collector.spans)],
		...stack.all.map((daemon) => [`log of ${daemon.name}`, daemon.lines.join("\n")])];

	assert.ok(stack.daemons.chat.lines.some((line) => line.includes('"level":"debug"')), "it was a run at debug level");
	for (const [what, text] of Object.entries(canaries)) {
		assert.ok(text?.length >= 8, `${what} has a value`);
		for (const [where, page] of seen)
			assert.ok(!page.includes(text), `${what} is in ${where}: ${page.split("\n").find((line) => line.includes(text))?.slice(0, 300)}`);
	}
});
