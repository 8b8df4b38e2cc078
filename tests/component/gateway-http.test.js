/* The public HTTP of one gateway: whatever is sent gets a clear answer, and the process lives. */

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { Rest, guestOf, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { release } from "../lib/release.js";
import { Raw, exchange, secondGateway } from "./gateway-lib.js";

const ORIGIN = "http://localhost:3000";
let stack, guest, port, dist, pid;

function makePage() {
	dist = mkdtempSync(join(tmpdir(), "alp-dist-"));
	mkdirSync(join(dist, "assets"));
	const script = "console.log('a page');\n".repeat(5000);

	writeFileSync(join(dist, "index.html"), "<!doctype html><title>page</title>");
	writeFileSync(join(dist, "assets/app-1a2b.js"), script);
	writeFileSync(join(dist, "assets/app-1a2b.js.gz"), gzipSync(script));
	writeFileSync(join(dist, "assets/app-1a2b.js.br"), brotliCompressSync(script));
	writeFileSync(join(dist, "assets/huge-3c4d.js"), "x".repeat(24 << 20));
	writeFileSync(join(dist, "docs.html"), "<!doctype html><title>docs</title>");
	writeFileSync(join(dist, "openapi.json"), "{}");
	writeFileSync(join(dist, ".env"), "SECRET=1");
	return script;
}

let script;

before(async () => {
	script = makePage();
	stack = await startStack({ sim: false, workers: 0, env: { STATIC_DIR: dist, LOGIN_RATE_PER_MINUTE: "1000" } });
	port = stack.ports.GATEWAY_LISTEN;
	pid = stack.daemons.gateway.pid;
	guest = await guestOf(stack);
});

after(async () => {
	try {
		assert.equal(stack.daemons.gateway.pid, pid, "the gateway lived through all of it");
	} finally {
		await stack.stop();
		rmSync(dist, { recursive: true, force: true });
	}
});

const alive = async () => assert.equal((await new Rest(stack.url).get("/livez")).status, 200);

/* ---- bodies ------------------------------------------------------------------------ */

/* Every route with a body: a good one, and the fields it cannot do without. */
const BODIES = {
	"/api/auth/register": { needs: ["email", "password", "first_name", "last_name"],
		good: { email: "ada@example.org", password: "correct horse 1", first_name: "Ada", last_name: "Lovelace" } },
	"/api/auth/login": { needs: ["email", "password"], good: { email: "ada@example.org", password: "correct horse 1" } },
	"/api/tracks": { needs: ["title", "description", "difficulty_level", "estimated_duration_hours", "user_expectations"],
		good: { title: "Python", description: "d", difficulty_level: "beginner", estimated_duration_hours: 30, user_expectations: "u" } },
	"/api/chat/sessions": { needs: ["track_id", "session_name"], good: { track_id: randomUUID(), session_name: "s" } },
	"/api/chat/chats": { needs: ["session_id"], good: { session_id: randomUUID() } },
	"/api/ai/welcome-message": { needs: ["session_id", "user_id", "skill_area", "user_expectations", "difficulty_level", "duration_hours"],
		good: { session_id: "s", user_id: "u", skill_area: "Python", user_expectations: "e", difficulty_level: "beginner", duration_hours: 30 } },
	"/api/ai/chat-response": { needs: ["message", "session_id"], good: { session_id: "s", message: "m" } },
	"/api/ai/finalize-course-plan": { needs: ["session_id", "user_id", "skill_area", "track_id"],
		good: { session_id: "s", user_id: "u", skill_area: "Python", track_id: randomUUID() } },
};

const LONG = "x".repeat(200_000);
/* What no body may be, whatever the route. */
const BROKEN = {
	"nothing": "",
	"no JSON": "hello",
	"cut JSON": '{"a":',
	"two documents": "{} {}",
	"a doubled key": '{"message":"a","message":"b"}',
	"deep nesting": `${'{"a":'.repeat(100)}1${"}".repeat(100)}`,
	"U+0000": '{"message":"a\\u0000b","title":"a\\u0000b","email":"a\\u0000b","session_id":"\\u0000"}',
	"a lone surrogate": '{"message":"\\ud800"}',
	"invalid UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
	"a raw control character": '{"message":"a\nb"}',
	"a BOM": "\ufeff{}",
};
const NO_OBJECT = { "a list": "[]", "null": "null", "a number": "5", "a string": '"x"' };

function assert422(answer, what) {
	assert.equal(answer.status, 422, `${what}: ${answer.text}`);
	assert.ok(Array.isArray(answer.body.detail) && answer.body.detail.length > 0, what);
	for (const entry of answer.body.detail) {
		assert.equal(typeof entry.type, "string");
		assert.equal(entry.loc[0], "body");
		assert.equal(typeof entry.msg, "string");
	}
	assert.equal(typeof answer.body.message, "string");
	assert.equal(answer.headers.get("cache-control"), "no-store");
}

for (const [path, { needs, good }] of Object.entries(BODIES)) {
	test(`${path} refuses every body it cannot read`, async () => {
		for (const [what, body] of Object.entries({ ...BROKEN, ...NO_OBJECT }))
			assert422(await guest.post(path, body), `${path} with ${what}`);
		await alive();
	});

	test(`${path} names each missing, mistyped or oversized field`, async () => {
		for (const field of needs) {
			const { [field]: _, ...without } = good;
			const missing = await guest.post(path, without);

			assert422(missing, `${path} without ${field}`);
			assert.deepEqual(missing.body.detail.map((e) => [e.type, e.loc[1]]), [["missing", field]]);
			assert.ok(missing.body.message.includes(field));
			for (const wrong of [{}, [], true, null, typeof good[field] === "number" ? "many" : 12]) {
				const answer = await guest.post(path, { ...good, [field]: wrong });

				assert422(answer, `${path} with ${field}=${JSON.stringify(wrong)}`);
				assert.deepEqual(answer.body.detail.map((e) => e.loc[1]), [field]);
			}
			const long = await guest.post(path, { ...good, [field]: LONG });
			assert.ok([400, 422].includes(long.status), `${path} with a long ${field}: ${long.status} ${long.text}`);
			assert.ok(!long.text.includes("xxxxx"), "what was sent is not sent back");
		}
		await alive();
	});
}

test("blanks alone are no message and no title, whatever alphabet they are of", async () => {
	const tutor = { user_id: "u", session_id: "s", module_id: "1", track_id: "t", track_title: "T", module_title: "M" };

	for (const blank of [" ", "\t\n", "\u00a0\u2003", "\u0085\u1680\u2000\u200a", "\u2028\u2029\u202f\u205f\u3000"]) {
		const said = await guest.post("/api/ai/chat-response", { session_id: "s", message: blank });

		assert422(said, JSON.stringify(blank));
		assert.deepEqual(said.body.detail[0].loc, ["body", "message"]);
		assert422(await guest.post("/api/ai/module-chat", { ...tutor, message: blank }), JSON.stringify(blank));
		assert422(await guest.post("/api/tracks", { ...BODIES["/api/tracks"].good, title: blank }), JSON.stringify(blank));
	}
	const { body } = await guest.post("/api/tracks", { ...BODIES["/api/tracks"].good, title: "\u3000\u00a0\u00e0 la carte \u2003" });

	assert.equal(body.title, "\u00e0 la carte");
});

test("a password is never repeated, wherever it stands", async () => {
	const secret = "sesame-0pen-sesame";

	for (const body of [{ email: secret, password: secret }, { email: "x", password: secret, first_name: "" }, { password: { secret } },
		`{"password":"${secret}",`])
		assert.ok(!(await guest.post("/api/auth/register", body)).text.includes(secret));
	assert.ok(!stack.daemons.gateway.log.includes(secret));
});

test("the byte where a document breaks is named", async () => {
	const { body } = await guest.post("/api/ai/chat-response", '{"message": "a", oops}');

	assert.equal(body.detail[0].type, "json_invalid");
	assert.deepEqual(body.detail[0].loc, ["body", 17]);
});

test("a body needs to be JSON by its type, when it has one", async () => {
	const body = JSON.stringify(BODIES["/api/auth/login"].good);

	assert.equal((await guest.post("/api/auth/login", body, { "content-type": "text/plain" })).status, 415);
	assert.equal((await guest.post("/api/auth/login", body, { "content-type": "application/x-www-form-urlencoded" })).status, 415);
	for (const other of ["text/notjson", "text/plain; a=application/json", "application/jsonp"])
		assert.equal((await guest.post("/api/auth/login", body, { "content-type": other })).status, 415, other);
	for (const json of ["application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"])
		assert.equal((await guest.post("/api/auth/login", body, { "content-type": json })).status, 401, json);
});

test("a problem is sent to who likes one at least as much as plain JSON", async () => {
	const type = async (accept) => (await guest.get("/api/nothing", { accept })).headers.get("content-type");

	for (const yes of ["application/problem+json", "Application/Problem+JSON", "application/json, application/problem+json", "application/problem+json;q=0.2, */*;q=0.1"])
		assert.equal(await type(yes), "application/problem+json", yes);
	for (const no of ["application/problem+json;q=0, application/json", "application/json, application/problem+json;q=0.5", "*/*", "application/*"])
		assert.equal(await type(no), "application/json", no);
});

test("more than the largest body is refused", async () => {
	const huge = { message: "x".repeat(300_000), session_id: "s" };

	assert.equal((await guest.post("/api/ai/chat-response", huge)).status, 413);
	assert.equal((await guest.post("/api/ai/chat-response", { ...huge, message: "x".repeat(32_001) })).status, 422);
	await alive();
});

/* ---- framing --------------------------------------------------------------------------- */

const post = (headers, body = "") => `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;
const FRAMES = {
	"a chunked body": [post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), 411],
	"no length": [post(""), 411],
	"a length and chunks": [post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}"), 400],
	"two lengths": [post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}x"), 400],
	"a signed length": [post("Content-Length: +2\r\n", "{}"), 400],
	"a negative length": [post("Content-Length: -2\r\n", "{}"), 400],
	"a length that is no number": [post("Content-Length: two\r\n", "{}"), 400],
	"a length beyond all bounds": [post("Content-Length: 99999999999999999999\r\n", "{}"), 400],
	"a body of ten megabytes": [post("Content-Length: 10000000\r\n", "{}"), 413],
	"an unknown method": ["BREW /api HTTP/1.1\r\nHost: x\r\n\r\n", 405],
	"an unknown method of a page": ["BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405],
	"an unknown method of nothing": ["BREW /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404],
	"a method in small letters": ["get /api HTTP/1.1\r\nHost: x\r\n\r\n", 405],
	"no HTTP at all": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
	"a version that is none": ["GET /api HTTP/9.9\r\nHost: x\r\n\r\n", 505],
	"a CONNECT": ["CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"an address with its host": ["GET http://x/api HTTP/1.1\r\nHost: x\r\n\r\n", 200],
	"a path with a NUL": ["GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"a path with a line's end": ["GET /api/health%0d%0afoo HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"a broken escape": ["GET /api?x=%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"an argument with a NUL": ["GET /api/tracks?limit=%00 HTTP/1.1\r\nHost: x\r\n\r\n", 422],
	"no host": ["GET /api HTTP/1.1\r\n\r\n", 400],
	"no host, of old": ["GET /api HTTP/1.0\r\n\r\n", 200],
	"two hosts": ["GET /api HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400],
	"a blank before the colon": [post("Content-Length : 2\r\n", "{}"), 400],
	"a folded line": [post("X-F: 1\r\n Content-Length: 2\r\n", "{}"), 400],
	"an expectation nobody can meet": [post("Expect: more\r\nContent-Length: 2\r\n", "{}"), 417],
	"an address that is too long": [`GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 414],
	"a path with a semicolon": ["GET /api/chat/sessions/a;b/chats HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"a path with an ampersand": ["GET /api/chat/sessions/a&b/chats HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"a path of broken UTF-8": ["GET /api/tracks/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", 400],
	"a climbing path": ["GET /../../../../etc/passwd.txt HTTP/1.1\r\nHost: x\r\n\r\n", 404],
	"a coded climbing path": ["GET /assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd.txt HTTP/1.1\r\nHost: x\r\n\r\n", 404],
};

for (const [what, [bytes, expected]] of Object.entries(FRAMES)) {
	test(`${what} is answered ${expected || "by an end"}`, async () => {
		const { status, received } = await exchange(port, bytes);

		assert.ok(status === expected || (expected === 403 && status === 0), `${status}: ${received.slice(0, 300)}`);
		await alive();
	});
}

test("a head that is too large ends the connection", async () => {
	const { status } = await exchange(port, `GET /api HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(20_000)}\r\n\r\n`);

	assert.equal(status, 431);
	const many = Array.from({ length: 2000 }, (_, i) => `X-${i}: ${i}\r\n`).join("");
	assert.equal((await exchange(port, `GET /api HTTP/1.1\r\nHost: x\r\n${many}\r\n`)).status, 431);
	await alive();
});

test("a header swallows no other, whatever its name, and no request hides in another", async () => {
	const get = (more) => `GET /api/auth/me HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
	const token = `Authorization: Bearer ${guest.token}\r\n`;

	for (const name of ["X-Auth", "Auth", "If", "X-Real", "Content", "A", "Get", "Http", "Sec-WebSocket"]) {
		assert.equal((await exchange(port, get(`${name}: t\r\n${token}`))).status, 200, name);
		assert.equal((await exchange(port, get(`${token}${name}: t\r\n`))).status, 200, name);
		const raw = await Raw.open(port);
		const hidden = "GET /api HTTP/1.1\r\nHost: x\r\n\r\n";

		raw.send(get(`${token}${name}: x\r\nContent-Length: ${hidden.length}\r\n`) + hidden + get(token));
		await raw.status(2);
		raw.end();
		await raw.untilClosed();
		assert.equal(raw.received.match(/HTTP\/1\.[01] \d{3}/g).length, 2, `${name}: ${raw.received}`);
	}
});

test("a client that waits for the word to send its body gets it", async () => {
	const raw = await Raw.open(port);

	raw.send(post("Expect: 100-continue\r\nContent-Length: 2\r\n"));
	assert.equal(await raw.status(1), 100);
	raw.send("{}");
	assert.equal(await raw.status(2), 422);
	raw.end();
	assert.equal((await exchange(port, post("Expect: 100-continue\r\nContent-Length: 10000000\r\n"))).status, 413);
});

test("an upgrade to something unknown on a kept connection harms nothing", async () => {
	for (const kind of ["junk", "h2c", "TLS/1.0", "websocketx", ""]) {
		const raw = await Raw.open(port);

		raw.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n");
		assert.equal(await raw.status(1), 200);
		raw.send(`GET /api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${kind}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`);
		assert.equal(await raw.status(2), 200, kind);
		raw.end();
		await alive();
	}
});

test("requests sent all at once are answered one after another", async () => {
	const raw = await Raw.open(port);

	raw.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
	assert.equal(await raw.status(3), 200);
	/* the second comes while the first waits for the store */
	raw.send("GET /api/health HTTP/1.1\r\nHost: x\r\n\r\nGET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	assert.equal(await raw.status(4), 200);
	assert.equal(await raw.status(5), 404);
	const login = JSON.stringify({ email: "nobody@example.org", password: "x" });
	raw.send(`POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: ${login.length}\r\n\r\n${login}GET /api HTTP/1.1\r\nHost: x\r\n\r\n`);
	assert.equal(await raw.status(6), 401);
	assert.ok([200, 0].includes(await raw.status(7)), "answered, or the connection ends and the client asks again");
	raw.end();
	await alive();
});

test("a client that leaves before its answer is not missed", async () => {
	for (let i = 0; i < 20; i++) {
		const raw = await Raw.open(port);
		const login = JSON.stringify({ email: "nobody@example.org", password: "x" });

		raw.send(`POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: ${login.length}\r\n\r\n${login.slice(0, i % 2 ? undefined : 10)}`);
		raw.end();
	}
	await alive();
});

test("a head or a body that does not come is answered 408", { timeout: 60000 }, async () => {
	const [silent, slow, cut] = await Promise.all([Raw.open(port), Raw.open(port), Raw.open(port)]);
	let dripping = true;

	cut.send(post("Content-Length: 50\r\n", '{"email":'));
	(async () => {
		for (const c of "GET /api HTTP/1.1\r\nHost: x\r\nX-Slow: ") {
			if (!dripping)
				return;
			slow.send(c);
			await new Promise((resolve) => setTimeout(resolve, 500));
		}
	})();
	const [nothing, dripped, half] = await Promise.all([silent.status(1, 30000), slow.status(1, 30000), cut.status(1, 30000)]);

	dripping = false;
	assert.deepEqual([nothing, half], [408, 408]);
	assert.ok([408, 0].includes(dripped), "who goes on writing may have the answer swept away by the reset");
	await Promise.all([silent.untilClosed(), slow.untilClosed(), cut.untilClosed()]);
});

/* ---- routes ---------------------------------------------------------------------------------- */

test("unknown paths, wrong methods and trailing slashes are told apart", async () => {
	const rest = new Rest(stack.url);

	assert.deepEqual((await rest.get("/api/nothing")).body, { detail: "Not Found" });
	assert.deepEqual((await rest.get("/ws/other")).body, { detail: "Not Found" });
	const wrong = await rest.delete("/api/tracks");
	assert.equal(wrong.status, 405);
	assert.deepEqual(wrong.body, { detail: "Method Not Allowed" });
	assert.equal(wrong.headers.get("allow"), "GET, POST");
	const head = await exchange(port, "HEAD /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert.equal(head.status, 405);
	assert.ok(head.received.endsWith("\r\n\r\n"), "no body follows the head of a HEAD");
	const slash = await rest.get("/api/tracks/");
	assert.equal(slash.status, 307);
	assert.equal(slash.headers.get("location"), "/api/tracks");
	const injected = await rest.get("/api/tracks/a%0d%0aX-Evil:%201/");
	assert.equal(injected.headers.get("x-evil"), null);
});

test("errors are problem details for who asks for them", async () => {
	const rest = new Rest(stack.url);
	const accept = { accept: "application/problem+json" };
	const missing = await rest.get("/api/nothing", accept);

	assert.equal(missing.headers.get("content-type"), "application/problem+json");
	assert.deepEqual(missing.body, { type: "about:blank", title: "Not Found", status: 404, detail: "Not Found" });
	const invalid = await rest.post("/api/auth/login", {}, accept);
	assert.equal(invalid.body.status, 422);
	assert.equal(invalid.body.errors.length, 2);
	assert.equal(typeof invalid.body.detail, "string");
});

test("people are addressed in their language", async () => {
	const rest = new Rest(stack.url);
	const login = (language) => rest.post("/api/auth/login", { email: "nobody@example.org", password: "x" }, { "accept-language": language });

	assert.equal((await login("en-US,en;q=0.9")).body.detail, "Wrong e-mail address or password");
	assert.equal((await login("ru")).body.detail, "Неверный адрес или пароль");
	assert.equal((await login("*")).body.detail, "Неверный адрес или пароль");
});

/* ---- who calls --------------------------------------------------------------------------------- */

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function forged(header, claims, key = stack.env.SECRET_KEY, hash = "sha256") {
	const signing = `${b64(header)}.${b64(claims)}`;

	return `${signing}.${createHmac(hash, key).update(signing).digest("base64url")}`;
}

test("only a token of ours that is valid now lets anyone in", async () => {
	const now = Math.floor(Date.now() / 1000);
	const claims = { sub: randomUUID(), iss: "ai-learning-platform", aud: "api", type: "access", sid: randomUUID(), ver: 1,
		iat: now, nbf: now, exp: now + 60 };
	const hs256 = { alg: "HS256", typ: "JWT" };
	const bad = {
		"expired": forged(hs256, { ...claims, exp: now - 1 }),
		"of another key": forged(hs256, claims, "another key that is long enough to be one"),
		"unsigned": `${b64({ alg: "none" })}.${b64(claims)}.`,
		"with HS512": forged({ alg: "HS512", typ: "JWT" }, claims, stack.env.SECRET_KEY, "sha512"),
		"of another type": forged(hs256, { ...claims, type: "refresh" }),
		"for another audience": forged(hs256, { ...claims, aud: "other" }),
		"with no real subject": forged(hs256, { ...claims, sub: "admin" }),
		"changed": `${guest.token.slice(0, -3)}abc`,
		"too long": "a".repeat(9000),
		"not even one": "..",
	};

	assert.equal((await new Rest(stack.url, forged(hs256, claims)).get("/api/tracks")).status, 200);
	for (const [what, token] of Object.entries(bad))
		for (const path of ["/api/tracks", "/api/auth/me", "/api/chat/users/chats"]) {
			const answer = await new Rest(stack.url).get(path, { authorization: `Bearer ${token}` });

			assert.equal(answer.status, 401, `${what}: ${answer.text}`);
			assert.equal(answer.headers.get("www-authenticate"), "Bearer");
		}
	const optional = await new Rest(stack.url).post("/api/ai/chat-response", { message: "m", session_id: "s" },
		{ authorization: `Bearer ${bad.expired}` });
	assert.equal(optional.status, 401);
});

test("a missing token is 403, another scheme too", async () => {
	const rest = new Rest(stack.url);

	for (const [method, path] of [["GET", "/api/auth/me"], ["GET", "/api/tracks"], ["POST", "/api/tracks"], ["GET", `/api/tracks/${randomUUID()}`],
		["GET", "/api/chat/sessions"], ["GET", "/api/chat/users/chats"], ["POST", "/api/auth/ws-ticket"], ["GET", "/api/ai/user-config"],
		["GET", `/api/chat/chats/${randomUUID()}/history`], ["POST", "/api/chat/chats"]]) {
		const answer = await rest.request(method, path, method === "POST" ? {} : undefined);

		assert.equal(answer.status, 403, path);
		assert.deepEqual(answer.body, { detail: "Not authenticated" });
	}
	const basic = await rest.get("/api/tracks", { authorization: "Basic YTpi" });
	assert.equal(basic.status, 403);
	assert.deepEqual(basic.body, { detail: "Invalid authentication credentials" });
	const history = {};
	const optional = await rest.post("/api/ai/module-chat-history", history, { authorization: "Basic YTpi" });
	const nobody = await rest.post("/api/ai/module-chat-history", history);
	assert.deepEqual([optional.status, optional.body], [nobody.status, nobody.body], "where a sign-in is optional he is nobody");
	assert.notEqual(optional.status, 403);
});

test("signing in sets the socket's cookie, which REST never reads", async () => {
	const rest = new Rest(stack.url);
	const answer = await rest.post("/api/auth/guest-login");
	const [cookie, refresh] = answer.headers.getSetCookie();

	assert.match(refresh, /^refresh_token=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/api\/auth; Max-Age=2592000$/);
	assert.match(cookie, /^access_token=[\w.-]+; HttpOnly; SameSite=Lax; Path=\/; Max-Age=1800$/);
	assert.equal((await rest.get("/api/tracks", { cookie: cookie.split(";")[0] })).status, 403);
	const foreign = await rest.post("/api/auth/guest-login", undefined, { origin: "http://evil.example" });
	assert.equal(foreign.status, 200);
	assert.deepEqual(foreign.headers.getSetCookie(), []);
	const out = await rest.post("/api/auth/logout");
	assert.match(out.headers.getSetCookie()[0], /^access_token=; .*Max-Age=0$/);
	assert.match(out.headers.getSetCookie()[1], /^refresh_token=; .*Max-Age=0$/);
});

test("a guest needs no body and no length, and stays the same guest", async () => {
	const { status, received } = await exchange(port, "POST /api/auth/guest-login HTTP/1.1\r\nHost: x\r\n\r\n");

	assert.equal(status, 200, received);
	const { user } = guest;
	assert.match(user.id, /^guest_[0-9a-f]{32}$/);
	assert.equal(user.email, `${user.id.slice(0, 14)}@guest.com`);
	assert.equal(user.first_name, "Гость");
	assert.equal(user.is_guest, true);
	assert.deepEqual((await guest.get("/api/auth/me")).body, user);
});

test("accounts: registered once, whatever the case, and entered by their password only", async () => {
	const email = `Ada.${randomUUID()}@Example.org`;
	const user = await userOf(stack, { email });

	assert.equal((await user.get("/api/auth/me")).body.id, user.user.id);
	const again = await new Rest(stack.url).post("/api/auth/register", { email: email.toUpperCase(), password: "correct horse 1", first_name: "Ada", last_name: "Lovelace" });
	assert.equal(again.status, 400, again.text);
	assert.equal(typeof again.body.detail, "string");
	const login = (password, address = email) => new Rest(stack.url).post("/api/auth/login", { email: address, password });
	assert.equal((await login("correct horse 1")).status, 200);
	const [wrong, unknown] = [await login("correct horse 2"), await login("correct horse 1", "nobody@example.org")];
	assert.deepEqual([wrong.status, unknown.status], [401, 401]);
	assert.deepEqual(wrong.body, unknown.body);
	for (const password of ["short1", "onlyletters", "1234567890"])
		assert422(await new Rest(stack.url).post("/api/auth/register", { email: "b@example.org", password, first_name: "Bo", last_name: "Li" }), password);
});

/* ---- data ------------------------------------------------------------------------------------------ */

test("ids of others and of nothing look alike", async () => {
	const track = await guest.createTrack();
	const other = await guestOf(stack);

	for (const [mine, unknown] of [[`/api/tracks/${track.id}`, `/api/tracks/${randomUUID()}`],
		[`/api/chat/sessions/${track.session_id}/chats`, `/api/chat/sessions/${randomUUID()}/chats`],
		[`/api/chat/chats/${track.chat_id}/messages`, `/api/chat/chats/${randomUUID()}/messages`],
		[`/api/chat/chats/${track.chat_id}/history`, `/api/chat/chats/${randomUUID()}/history`]]) {
		assert.equal((await guest.get(mine)).status, 200, mine);
		const [foreign, nothing] = [await other.get(mine), await other.get(unknown)];
		assert.deepEqual([foreign.status, nothing.status], [404, 404], mine);
		assert.deepEqual(foreign.body, nothing.body);
	}
	assert.equal((await guest.get("/api/tracks/not-a-uuid")).status, 400);
	assert.deepEqual((await guest.get("/api/chat/sessions/test-session/chats")).body, []);
	assert.equal((await guest.get(`/api/chat/chats/${track.chat_id}/history?session_id=${track.session_id}`)).status, 200);
	assert.equal((await guest.get(`/api/chat/chats/${track.chat_id}/history?session_id=${randomUUID()}`)).status, 404);
});

test("a track takes what the seed's example leaves out, and keeps within bounds", async () => {
	const seed = { title: "Изучение Python", description: "Основы программирования", difficulty_level: "Beginner",
		estimated_duration_hours: "30", user_expectations: "Хочу освоить основы" };
	const { status, body } = await guest.post("/api/tracks", seed);

	assert.equal(status, 200);
	assert.equal(body.skill_area, seed.title);
	assert.equal(body.difficulty_level, "beginner");
	assert.equal(body.status, "planning");
	assert.deepEqual(body.modules, []);
	assert.ok(body.session_id && body.chat_id);
	assert.equal((await guest.post("/api/tracks", { ...seed, difficulty_level: "hard" })).status, 400);
	assert.equal((await guest.post("/api/tracks", { ...seed, title: "Ж".repeat(255) })).status, 200);
	for (const wrong of [{ title: "Ж".repeat(256) }, { title: "   " }, { estimated_duration_hours: -1 }, { estimated_duration_hours: 501 },
		{ skill_area: "x".repeat(101) }, { language: "de" }])
		assert422(await guest.post("/api/tracks", { ...seed, ...wrong }), JSON.stringify(wrong));
	assert.equal((await guest.post("/api/tracks", seed, { "idempotency-key": "a b" })).status, 400);
	const key = randomUUID();
	const twice = await Promise.all([guest.post("/api/tracks", seed, { "idempotency-key": key }), guest.post("/api/tracks", seed, { "idempotency-key": key })]);
	assert.equal(twice[0].body.id, twice[1].body.id);
});

/* ---- the page ------------------------------------------------------------------------------------------ */

test("the page's files come compressed and cached, its own paths are the page", async () => {
	const rest = new Rest(stack.url);
	const page = await rest.get("/");

	assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
	assert.equal(page.headers.get("cache-control"), "no-cache");
	assert.match(page.headers.get("content-security-policy"), /^default-src 'self'; .*frame-ancestors 'none'/);
	assert.equal((await rest.get("/tracks/17/plan")).text, page.text);
	for (const known of [page.headers.get("etag"), `"x", W/${page.headers.get("etag")}`, "*"])
		assert.equal((await rest.get("/", { "if-none-match": known })).status, 304, known);
	for (const path of ["/docs", "/openapi.json", "/assets/app-1a2b.js"]) {
		const slashed = await rest.get(`${path}/?a=b%26c`);

		assert.deepEqual([slashed.status, slashed.headers.get("location")], [307, `${path}?a=b%26c`]);
	}
	for (const coding of ["br", "gzip", "identity"]) {
		const answer = await rest.get("/assets/app-1a2b.js", { "accept-encoding": coding });

		assert.equal(answer.headers.get("content-encoding"), coding === "identity" ? null : coding);
		assert.equal(answer.headers.get("vary"), "Accept-Encoding");
		assert.equal(answer.headers.get("cache-control"), "public, max-age=31536000, immutable");
		assert.equal(answer.text, script);
	}
	const head = await rest.request("HEAD", "/assets/app-1a2b.js");
	assert.equal(head.status, 200);
	assert.equal(head.text, "");
	for (const path of ["/missing.js", "/assets/app-1a2b.js.gz", "/.env", "/assets/"]) {
		const { status, text } = await rest.get(path);
		assert.ok(status === 404 || (path === "/assets/" && text === page.text), `${path}: ${status}`);
	}
	const refused = await rest.post("/tracks", {});
	assert.deepEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD"]);
});

test("a page of a new version is another one, though it has the old one's size and time", async () => {
	const rest = new Rest(stack.url);
	const file = join(dist, "docs.html");
	const { size, mtime } = statSync(file);
	const old = await rest.get("/docs");
	const known = { "if-none-match": old.headers.get("etag") };

	assert.equal((await rest.get("/docs", known)).status, 304);
	writeFileSync(file, old.text.replace("docs", "more"));
	utimesSync(file, mtime, mtime);
	assert.equal(statSync(file).size, size);
	const page = await rest.get("/docs", known);
	assert.deepEqual([page.status, page.text], [200, old.text.replace("docs", "more")]);
	writeFileSync(file, old.text);
	assert.equal((await rest.get("/docs", known)).status, 304, "the same content, the same tag");
});

test("a connection is kept over files and answers alike", async () => {
	const raw = await Raw.open(port);

	for (let i = 0; i < 3; i++) {
		raw.send(`${i === 1 ? "HEAD" : "GET"} /assets/app-1a2b.js HTTP/1.1\r\nHost: x\r\n\r\nGET /api HTTP/1.1\r\nHost: x\r\n\r\n`);
		assert.equal(await raw.status(2 * i + 2), 200);
	}
	raw.end();
});

test("a reader that does not read costs no time, however much it asks for", async () => {
	const raw = await Raw.open(port);
	const cpu = async () => (await stack.daemons.gateway.metrics()).process_cpu_seconds_total;

	raw.socket.pause();
	raw.send("GET /assets/huge-3c4d.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50));
	await alive();
	const before = await cpu();
	await new Promise((resolve) => setTimeout(resolve, 2000));
	assert.ok(await cpu() - before < 0.5, "the loop sleeps");
	raw.socket.resume();
	await raw.wait("the file comes", (r) => r.received.length > 24 << 20);
	raw.end();
	await alive();
});

/* Takes some bytes and lets the rest wait. */
async function take(raw, bytes) {
	const goal = raw.received.length + bytes;

	raw.socket.resume();
	await raw.wait("some of the file", (r) => r.received.length >= goal);
	raw.socket.pause();
}

test("a slow reader gets all of a file, one that takes nothing is given up", async (t) => {
	const stall = 3000;
	const gateway = await secondGateway(stack, { HTTP_STALL_MS: String(stall) });

	t.after(() => release(gateway));
	const [slow, still] = [await Raw.open(gateway.port), await Raw.open(gateway.port)];

	for (const raw of [slow, still]) {
		raw.socket.pause();
		raw.send("GET /assets/huge-3c4d.js HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	/* What the kernel holds of it comes after a cut as well: most of the file is still with the server when it would be. */
	for (const until = Date.now() + 2 * stall + 500; Date.now() < until;) {
		await take(slow, 256 << 10);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
	await gateway.daemon.waitEvent("http.stalled");
	slow.socket.resume();
	await slow.wait("the file comes", (r) => r.received.length > 24 << 20);
	assert.ok(slow.received.length > 24 << 20, `${slow.received.length} bytes, then the end`);
	still.socket.resume();
	await still.untilClosed();
	assert.ok(still.received.length < 24 << 20);
	slow.end();
});

/* ---- browsers ---------------------------------------------------------------------------------------------- */

test("pages of listed origins may read answers, others may not", async () => {
	const rest = new Rest(stack.url);
	const preflight = (origin) => rest.request("OPTIONS", "/api/tracks", undefined, {
		origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" });
	const yes = await preflight(ORIGIN);

	assert.equal(yes.status, 200);
	assert.equal(yes.text, "OK");
	assert.equal(yes.headers.get("access-control-allow-origin"), ORIGIN);
	assert.equal(yes.headers.get("access-control-allow-credentials"), "true");
	assert.equal(yes.headers.get("access-control-allow-headers"), "authorization,content-type");
	assert.equal(yes.headers.get("access-control-max-age"), "600");
	assert.match(yes.headers.get("vary"), /Origin/);
	assert.equal((await preflight("http://evil.example")).status, 400);
	const served = await rest.get("/api", { origin: "http://evil.example" });
	assert.equal(served.status, 200);
	assert.equal(served.headers.get("access-control-allow-origin"), null);
	assert.equal((await rest.get("/api/nothing", { origin: ORIGIN })).headers.get("access-control-allow-origin"), ORIGIN);
	assert.equal((await rest.request("OPTIONS", "/api/tracks")).status, 405);
});

test("every answer carries the headers that protect a browser", async () => {
	const rest = new Rest(stack.url);

	for (const path of ["/", "/api", "/api/nothing", "/api/tracks", "/assets/app-1a2b.js"]) {
		const { headers } = await rest.get(path);

		assert.equal(headers.get("x-content-type-options"), "nosniff", path);
		assert.match(headers.get("content-security-policy"), /(^|; )connect-src 'self'(;|$)/, "sockets of its own origin, and no others");
		assert.ok(headers.get("referrer-policy"), path);
		assert.equal(headers.get("cross-origin-opener-policy"), "same-origin", path);
		assert.equal(headers.get("cross-origin-resource-policy"), "same-origin", path);
		assert.equal(headers.get("server"), null, path);
	}
});

/* ---- probes --------------------------------------------------------------------------------------------------- */

test("probes are public and tell what is needed", async () => {
	const rest = new Rest(stack.url);

	assert.equal((await rest.get("/readyz")).status, 200);
	const health = (await rest.get("/healthz")).body;
	assert.deepEqual(Object.keys(health.dependencies), ["chat", "store", "database", "sign-ins"]);
	assert.ok(health.connections >= 1);
	assert.deepEqual((await rest.get("/api/health")).body, { status: "degraded", service: "ai-learning-platform", version: health.version,
		database: "up", services: { gateway: "up", chat: "up", store: "up", ai: "down" }, workers: 0 }, "no worker runs here");
	assert.equal((await rest.get("/startupz")).status, 200);
	assert.equal((await rest.get("/metrics")).headers.get("content-type"), "text/html; charset=utf-8", "metrics are not public");
});
