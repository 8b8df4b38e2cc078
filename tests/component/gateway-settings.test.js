/* What the settings and the test of a connection refuse, and what they say. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { parseOptions } from "../fakes/sim/options.js";
import { createSimulator } from "../fakes/sim/server.js";
import { release } from "../lib/release.js";
import { guestOf, Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { secondGateway } from "./gateway-lib.js";

const KEY = "sk-canary-7c2f11d0-own";

/* Every way in which somebody has tried to name what is inside. */
const INSIDE = [
	"http://api.example.org/v1", "ftp://api.example.org/", "file:///etc/passwd", "gopher://api.example.org/", "api.example.org/v1",
	"https://", "https:///v1", "https://user@api.example.org/v1", "https://user:pw@api.example.org/v1",
	"https://api.example.org/v1?x=1", "https://api.example.org/v1#x", "https://api.example.org\\@127.0.0.1/",
	"https://api.example.org:22/v1", "https://api.example.org:80/v1", "https://api.example.org:65536/v1",
	"https://api.example.org/%0d%0a", "https://localhost/v1", "https://LOCALHOST./v1", "https://a.localhost/v1",
	"https://metadata.google.internal/v1", "https://gateway/v1", "https://127.0.0.1/v1", "https://127.1/v1", "https://0x7f.1/v1",
	"https://2130706433/v1", "https://017700000001/v1", "https://%31%32%37.0.0.1/v1", "https://0/v1", "https://10.0.0.1/v1",
	"https://172.16.0.1/v1", "https://192.168.0.1/v1", "https://100.64.0.1/v1", "https://169.254.169.254/v1",
	"https://2852039166/v1", "https://224.0.0.1/v1", "https://[::1]/v1", "https://[::ffff:127.0.0.1]/v1",
	"https://[::ffff:7f00:1]/v1", "https://[64:ff9b::7f00:1]/v1", "https://[2002:7f00:1::]/v1", "https://[fd00:ec2::254]/v1",
	"https://[fe80::1]/v1", `https://api.example.org/${"v".repeat(300)}`,
];

let stack, own, ownUrl, ownPort;

before(async () => {
	own = createSimulator(parseOptions(["--persona", "echo", "--key", KEY, "--models", "own-model", "--listen", "127.0.0.1:0"], {}));
	ownPort = await own.listen("127.0.0.1", 0);
	ownUrl = `http://127.0.0.1:${ownPort}/v1`;
	stack = await startStack({ env: { DEFAULT_OPENAI_API_KEY: "server-key", AI_TEST_RATE_PER_MINUTE: "1000",
		AI_ALLOWED_HOSTS: `127.0.0.1:${ownPort}` } });
});
after(() => release(stack, own));

const test = (body, rest = new Rest(stack.url), headers = {}) => rest.post("/api/ai/test-connection", body, headers);

describe("PUT /api/ai/user-config", () => {
	it("names the field that is wrong and keeps nothing", async () => {
		const rest = await guestOf(stack);
		const cases = [
			["model_name", 5], ["model_name", "m".repeat(101)], ["base_url", 5], ["base_url", "x".repeat(256)], ["api_key", 5],
			["api_key", "two words"], ["api_key", "line\nbreak"], ["api_key", "ключ"], ["api_key", "k".repeat(4097)],
			["max_tokens", 0], ["max_tokens", -1], ["max_tokens", 16385], ["max_tokens", 1.5], ["max_tokens", "many"], ["max_tokens", true],
			["temperature", -0.1], ["temperature", 2.1], ["temperature", "hot"], ["temperature", "nan"], ["temperature", "0x1"],
			["temperature", []],
		];

		for (const [field, value] of cases) {
			const { status, body, text } = await rest.put("/api/ai/user-config", { [field]: value });

			assert.equal(status, 422, `${field} ${value}`);
			assert.deepEqual(body.detail.map((d) => d.loc), [["body", field]], text);
			assert.ok(body.message.startsWith(field));
		}
		for (const body of ["", "[]", "null", "{", '{"max_tokens":1,"max_tokens":2}'])
			assert.equal((await rest.put("/api/ai/user-config", body, { "content-type": "application/json" })).status, 422, body);
		assert.equal((await stack.db("select count(*)::int as n from ai_configurations"))[0].n, 0);
	});

	it("refuses every address inside, in every notation", async () => {
		const rest = await guestOf(stack);

		for (const base_url of INSIDE) {
			const { status, body, text } = await rest.put("/api/ai/user-config", { base_url, api_key: KEY });

			assert.equal(status, 422, base_url);
			assert.deepEqual(body.detail[0].loc, ["body", "base_url"]);
			assert.ok(!text.includes(KEY));
		}
		assert.equal((await rest.get("/api/ai/user-config")).body.has_custom_key, false);
	});

	it("takes an address only together with its key", async () => {
		const rest = await guestOf(stack);
		const refused = async (body) => {
			const answer = await rest.put("/api/ai/user-config", body);

			assert.equal(answer.status, 422, answer.text);
			assert.deepEqual(answer.body.detail[0].loc, ["body", "base_url"]);
		};

		await refused({ base_url: "https://api.example.org/v1" });
		await refused({ base_url: "https://api.example.org/v1", api_key: "" });
		assert.equal((await rest.put("/api/ai/user-config", { api_key: KEY })).status, 200);
		await refused({ base_url: "https://api.example.org/v1" });	/* a stolen session could send the key anywhere */
		await refused({ base_url: "https://api.example.org/v1", api_key: "" });
		assert.equal((await rest.put("/api/ai/user-config", { base_url: "https://api.example.org/v1/", api_key: KEY })).status, 200);
		assert.equal((await rest.put("/api/ai/user-config", { base_url: "https://api.example.org/v1" })).status, 200);
		await refused({ base_url: "https://other.example.org/v1" });
		const { body } = await rest.put("/api/ai/user-config", { base_url: "" });
		assert.equal(body.base_url, stack.env.DEFAULT_OPENAI_BASE_URL);
		assert.equal(body.has_custom_key, true);
	});

	it("hints at no key that is short", async () => {
		const rest = await guestOf(stack);
		const { body } = await rest.put("/api/ai/user-config", { api_key: "short-key-1" });

		assert.equal(body.has_custom_key, true);
		assert.equal(body.key_hint, null);
	});
});

describe("POST /api/ai/test-connection", () => {
	it("tries the server's own settings with an empty form, without a sign-in", async () => {
		for (const form of [{}, { api_key: "", base_url: "", model_name: "" }, { base_url: `${stack.env.DEFAULT_OPENAI_BASE_URL}/` }]) {
			const { status, body } = await test(form);

			assert.equal(status, 200);
			assert.equal(body.success, true, body.error);
			assert.equal(body.model_used, "gpt-4o-mini");
			assert.ok(body.tokens_used > 0);
			assert.equal(body.error, null);
			assert.ok(body.message.length > 0);
			assert.deepEqual(Object.keys(body).sort(), ["error", "message", "model_used", "success", "tokens_used"]);
		}
		assert.equal((await stack.db("select count(*)::int as n from turns"))[0].n, 0);
	});

	it("tries a server and key of the caller's own", async () => {
		const { body } = await test({ api_key: KEY, base_url: ownUrl, model_name: "own-model" });

		assert.equal(body.success, true, body.error);
		assert.equal(body.model_used, "own-model");
	});

	it("uses what the caller has stored where the form is empty, for the address it belongs to only", async () => {
		const rest = await guestOf(stack);
		const tried = async (form) => {
			const { status, body } = await test(form, rest);

			assert.equal(status, 200);
			return body.success ? body.model_used : body.error;
		};

		assert.equal(await tried({}), "gpt-4o-mini", "nothing is stored yet");
		assert.equal((await rest.put("/api/ai/user-config", { model_name: "own-model", api_key: KEY, base_url: ownUrl })).status, 200);
		for (const form of [{}, { api_key: "", base_url: "", model_name: "" }, { base_url: `${ownUrl}/`, model_name: "own-model", api_key: "" }])
			assert.equal(await tried(form), "own-model", JSON.stringify(form));
		assert.match(await tried({ model_name: "no-such-model" }), /модели/);
		assert.match(await tried({ api_key: "another-key-entirely" }), /не принял ключ/);
		assert.match(await tried({ base_url: "https://api.example.org/v1" }), /свой ключ/, "a stored key goes to its own address only");
		assert.equal(await tried({ base_url: stack.env.DEFAULT_OPENAI_BASE_URL, model_name: "gpt-4o-mini" }), "gpt-4o-mini",
			"the server's address gets the server's key");
		rest.token = "x.y.z";
		assert.equal((await test({}, rest)).status, 401);
	});

	it("never sends the server's key to a caller's address", async () => {
		let heard = 0;
		const spy = createServer((req, res) => {
			heard++;
			res.end("{}");
		}).listen(0, "127.0.0.1");

		await once(spy, "listening");
		const before = own.calls.list().calls.length;
		for (const base_url of [ownUrl, "https://api.example.org/v1", `http://127.0.0.1:${spy.address().port}/v1`]) {
			const { status, body } = await test({ base_url });

			assert.equal(status, 200);
			assert.equal(body.success, false);
			assert.match(body.error, /свой ключ/);
			assert.equal(body.model_used, null);
			assert.equal(body.tokens_used, null);
		}
		assert.equal(own.calls.list().calls.length, before);
		assert.equal(heard, 0);
		spy.close();
	});

	it("refuses every address inside", async () => {
		for (const base_url of INSIDE.filter((url) => url.length <= 255)) {
			const { status, body } = await test({ base_url, api_key: KEY }, new Rest(stack.url), { "accept-language": "en" });

			assert.equal(status, 200, base_url);
			assert.equal(body.success, false, base_url);
			assert.match(body.error, /not allowed/);
		}
	});

	it("tells the class of a failure in the caller's language, and no word of the server's", async () => {
		const cases = [
			[{ status: { code: 401, message: "canary-upstream" } }, /ключ/, /key/],
			[{ status: { code: 429, message: "canary-upstream" } }, /подождать/, /wait/],
			[{ status: { code: 500, message: "canary-upstream" } }, /ошибка/, /failed/],
			[{ status: { code: 200, body: "html", message: "canary-upstream" } }, /модель/, /model/],
			[{ redirect: true }, /модель/, /model/],
		];

		for (const [rule, ru, en] of cases)
			for (const [language, pattern] of [["ru", ru], ["en", en]]) {
				await stack.sim.script(rule);
				const { status, body, text } = await test({}, new Rest(stack.url), { "accept-language": language });

				assert.equal(status, 200);
				assert.equal(body.success, false);
				assert.match(body.error, pattern);
				assert.ok(!text.includes("canary-upstream"));
			}
		const wrong = await test({ api_key: "another-key-entirely", base_url: ownUrl, model_name: "own-model" });
		assert.match(wrong.body.error, /не принял ключ/);
		const unknown = await test({ model_name: "no-such-model" });
		assert.match(unknown.body.error, /модели/);
	});

	it("refuses a malformed form", async () => {
		for (const form of [{ api_key: 5 }, { base_url: [] }, { model_name: {} }, { api_key: "two words" }])
			assert.equal((await test(form)).status, 422);
	});

	it("is limited per address", async () => {
		const gateway = await secondGateway(stack, { AI_TEST_RATE_PER_MINUTE: "2" });
		const statuses = [];
		let last;

		for (let i = 0; i < 4; i++) {
			last = await test({}, new Rest(gateway.url));
			statuses.push(last.status);
		}
		assert.deepEqual(statuses, [200, 200, 429, 429]);
		assert.ok(Number(last.headers.get("retry-after")) > 0);
		await gateway.stop();
	});
});
