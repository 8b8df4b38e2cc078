/* A user's own model, server and key: used in every call of his, for nobody else, and shown to nobody. */

import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseOptions } from "../fakes/sim/options.js";
import { createSimulator } from "../fakes/sim/server.js";
import { release } from "../lib/release.js";
import { guestOf, Rest, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { chatOf } from "../lib/ws.js";

const CANARY = "sk-canary-6f1c0d9b-tail";
const digest = (key) => `sha256:${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;

let stack, own, ownUrl, spy;
const answers = [];	/* everything that gateway said in these tests */

/* A client whose answers are kept for the search for the canary. */
function listened(rest) {
	const { request } = rest;

	rest.request = async (...args) => {
		const answer = await request.apply(rest, args);

		answers.push(answer.text, JSON.stringify([...answer.headers]));
		return answer;
	};
	return rest;
}

const guest = async () => listened(await guestOf(stack));
const user = async () => listened(await userOf(stack));
const save = (rest, body) => rest.request("PUT", "/api/ai/user-config", body);
const chat = (rest, message = "Hello") => rest.ok("POST", "/api/ai/chat-response", { message, session_id: "own-settings" });
const lastCall = async (sim) => (await sim.calls()).calls.at(-1);

before(async () => {
	const ports = [];

	own = createSimulator(parseOptions(["--persona", "echo", "--key", CANARY, "--models", "own-model", "--listen", "127.0.0.1:0"], {}));
	ports.push(await own.listen("127.0.0.1", 0));
	ownUrl = `http://127.0.0.1:${ports[0]}/v1`;
	spy = { calls: async () => own.calls.list() };
	stack = await startStack({ simOptions: ["--models", "own-model"], env: {
		AI_ALLOWED_HOSTS: `127.0.0.1:${ports[0]}`, DEFAULT_OPENAI_API_KEY: "server-key", LOG_LEVEL: "debug", LOG_FORMAT: undefined,
		AI_TEST_RATE_PER_MINUTE: "1000",
	} });
});
after(() => release(stack, own));

describe("settings", () => {
	test("begin as the server's, for guests as well", async () => {
		const expected = { model_name: "gpt-4o-mini", base_url: stack.env.DEFAULT_OPENAI_BASE_URL, max_tokens: 2000, temperature: 0.7,
			has_custom_key: false, key_hint: null, demo_model: false };

		assert.deepEqual((await (await guest()).get("/api/ai/user-config")).body, expected);
		assert.deepEqual((await (await user()).get("/api/ai/user-config")).body, expected);
		assert.deepEqual((await listened(new Rest(stack.url)).get("/api/ai/default-config")).body, expected);
	});

	test("are kept, changed one by one, and given back", async () => {
		for (const rest of [await guest(), await user()]) {
			let answer = await save(rest, { model_name: "own-model", api_key: CANARY, base_url: ownUrl, max_tokens: 77, temperature: 0 });

			assert.equal(answer.status, 200, answer.text);
			const all = { model_name: "own-model", base_url: ownUrl, max_tokens: 77, temperature: 0, has_custom_key: true,
				key_hint: "tail", demo_model: false };
			assert.deepEqual(answer.body, all);
			answer = await save(rest, { temperature: 1.5 });
			assert.deepEqual(answer.body, { ...all, temperature: 1.5 });
			answer = await save(rest, { ...answer.body, max_tokens: null });	/* as a form sends back what it got */
			assert.deepEqual(answer.body, { ...all, temperature: 1.5 });
			assert.deepEqual((await rest.get("/api/ai/user-config")).body, answer.body);
			answer = await save(rest, { api_key: "" });
			assert.deepEqual(answer.body, { ...all, temperature: 1.5, base_url: stack.env.DEFAULT_OPENAI_BASE_URL, has_custom_key: false,
				key_hint: null });
			answer = await save(rest, { model_name: "", max_tokens: 2000, temperature: 0.7 });
			assert.deepEqual(answer.body, (await rest.get("/api/ai/default-config")).body);
		}
		assert.equal((await stack.db("select count(*)::int as n from ai_configurations where api_key_encrypted like 'alp1.%'"))[0].n, 0);
	});

	test("of a user do not show in another's", async () => {
		const anna = await user(), boris = await user();

		await save(anna, { model_name: "own-model", api_key: CANARY });
		assert.equal((await boris.get("/api/ai/user-config")).body.has_custom_key, false);
	});

	test("need a sign-in", async () => {
		const nobody = listened(new Rest(stack.url));

		assert.equal((await save(nobody, { model_name: "x" })).status, 403);
		nobody.token = "x.y.z";
		assert.equal((await save(nobody, { model_name: "x" })).status, 401);
	});
});

describe("a user's own key and model", () => {
	test("reach the server in a message, a welcome and a finalization", async () => {
		const rest = await user();

		assert.equal((await save(rest, { model_name: "own-model", api_key: CANARY, max_tokens: 900, temperature: 0.25 })).status, 200);
		const track = await rest.createTrack({ language: "en" });
		const ws = await chatOf(stack, rest, track.session_id);

		await until("the welcome", async () => (await rest.history(track.chat_id)).history.length > 0);
		let call = await lastCall(stack.sim);
		assert.equal(call.key, digest(CANARY));
		assert.equal(call.model, "own-model");
		const { response } = await ws.turn("Hello");
		assert.equal(response.model_used, "own-model");
		call = await lastCall(stack.sim);
		assert.equal(call.key, digest(CANARY));
		assert.deepEqual([call.parameters.max_tokens, call.parameters.temperature], [900, 0.25]);
		await rest.request("POST", "/api/ai/finalize-course-plan", { session_id: track.session_id, user_id: rest.user.id, skill_area: "x",
			track_id: track.id });
		call = await lastCall(stack.sim);
		assert.equal(call.key, digest(CANARY));
		assert.equal(call.model, "own-model");
		await ws.close();
	});

	test("go with a guest's work to the account that takes it over", async () => {
		const settings = { model_name: "own-model", api_key: CANARY, base_url: ownUrl, max_tokens: 700, temperature: 0.5 };
		const account = () => ({ email: `${randomUUID()}@example.org`, password: "correct horse 1", first_name: "Ada", last_name: "Lovelace" });
		const claim = async (path, body, from) => {
			const rest = listened(new Rest(stack.url));
			const { access_token, claimed } = await rest.ok("POST", `/api/auth/${path}`, { ...body, guest_token: from.token });

			rest.token = access_token;
			return { rest, claimed: claimed.ai_settings };
		};
		const from = await guest();

		await save(from, settings);
		const { body: was } = await from.get("/api/ai/user-config");
		const first = account();
		const registered = await claim("register", first, from);
		assert.equal(registered.claimed, "taken");
		assert.deepEqual((await registered.rest.get("/api/ai/user-config")).body, was);
		assert.equal((await chat(registered.rest)).model_used, "own-model");
		assert.equal((await lastCall(spy)).key, digest(CANARY), "the key opens for its new owner");

		const again = await guest();
		await save(again, { temperature: 0.1 });
		assert.equal((await claim("login", { email: first.email, password: first.password }, again)).claimed, "left", "the account has its own");
		assert.deepEqual((await registered.rest.get("/api/ai/user-config")).body, was);

		const fresh = await user();
		const third = await guest();
		await save(third, { temperature: 0.1 });
		const signedIn = await claim("login", fresh.credentials, third);
		assert.equal(signedIn.claimed, "taken");
		assert.equal((await signedIn.rest.get("/api/ai/user-config")).body.temperature, 0.1);
		assert.equal((await claim("register", account(), await guest())).claimed, "none");
	});

	test("are not used for anybody else", async () => {
		await save(await user(), { model_name: "own-model", api_key: CANARY });
		const answer = await chat(await guest());

		assert.equal(answer.model_used, "gpt-4o-mini");
		assert.equal((await lastCall(stack.sim)).key, digest("server-key"));
	});

	test("go to the user's own server, and the server's key does not", async () => {
		const rest = await guest();
		const before = (await stack.sim.calls()).calls.length;

		await save(rest, { model_name: "own-model", api_key: CANARY, base_url: `${ownUrl}/` });
		const answer = await chat(rest);
		assert.equal(answer.success, true, answer.error);
		assert.equal(answer.model_used, "own-model");
		assert.equal((await lastCall(spy)).key, digest(CANARY));
		assert.equal((await stack.sim.calls()).calls.length, before);
		assert.ok(own.calls.list().calls.every((call) => call.key !== digest("server-key")));
	});

	test("of an old row, in clear, are sealed at once and go on working", async () => {
		const rest = await user();

		await stack.db(`insert into ai_configurations (id, user_id, model_name, base_url, api_key_encrypted, max_tokens, temperature)
			values ('${randomUUID()}', '${rest.user.id}', 'own-model', '${ownUrl}', '${CANARY}', 2000, 0.7)`);
		const answer = await chat(rest);
		assert.equal(answer.success, true, answer.error);
		assert.equal((await lastCall(spy)).key, digest(CANARY));
		stack.daemons.chat.kill("SIGTERM");	/* the next one looks at once, this one in some minutes */
		await stack.daemons.chat.stop();
		await stack.daemons.chat.start();
		await until("the old key is sealed", async () => (await stack.db(
			`select api_key_encrypted as key from ai_configurations where user_id = '${rest.user.id}'`))[0].key.startsWith("alp1."));
		assert.equal((await rest.get("/api/ai/user-config")).body.key_hint, "tail");
		assert.equal((await chat(rest)).success, true);
		assert.equal((await lastCall(spy)).key, digest(CANARY));
	});

	test("sealed for one user do not open for another", async () => {
		const anna = await user(), boris = await user();

		await save(anna, { api_key: CANARY });
		await save(boris, { api_key: `${CANARY}-2` });
		await stack.db(`update ai_configurations set api_key_encrypted = (select api_key_encrypted from ai_configurations
			where user_id = '${anna.user.id}') where user_id = '${boris.user.id}'`);
		const before = (await stack.sim.calls()).calls.length;
		const answer = await chat(boris);
		assert.equal(answer.success, false);
		assert.equal((await stack.sim.calls()).calls.length, before);
	});

	test("an old row with the server's key and a foreign address asks the server's address", async () => {
		const rest = await user();
		const before = own.calls.list().calls.length;

		await stack.db(`insert into ai_configurations (id, user_id, model_name, base_url, api_key_encrypted, max_tokens, temperature)
			values ('${randomUUID()}', '${rest.user.id}', 'gpt-4o', '${ownUrl}', 'default', 2000, 0.7)`);
		assert.equal((await rest.get("/api/ai/user-config")).body.base_url, stack.env.DEFAULT_OPENAI_BASE_URL);
		const answer = await chat(rest);
		assert.equal(answer.success, true, answer.error);
		assert.equal(answer.model_used, "gpt-4o");
		assert.equal(own.calls.list().calls.length, before);
		assert.equal((await lastCall(stack.sim)).key, digest("server-key"));
	});
});

describe("a change of DATA_KEY", () => {
	test("loses no key, and seals it anew", async () => {
		const rest = await user();
		const kept = async () => (await stack.db(
			`select api_key_encrypted as key from ai_configurations where user_id = '${rest.user.id}'`))[0].key;
		const fresh = randomBytes(32).toString("hex");

		await save(rest, { api_key: CANARY });
		const first = await kept();
		const [worker] = stack.daemons.ai;
		await worker.stop();
		const next = await stack.addWorker({ DATA_KEY: fresh, DATA_KEY_OLD: stack.env.DATA_KEY });
		assert.equal((await chat(rest)).success, true);
		assert.equal((await lastCall(stack.sim)).key, digest(CANARY));
		await until("it is sealed anew", async () => await kept() !== first);
		assert.equal((await chat(rest)).success, true);
		await next.stop();
		await stack.addWorker({ DATA_KEY: fresh });
		assert.equal((await chat(rest)).success, true);
		assert.equal((await lastCall(stack.sim)).key, digest(CANARY));
	});
});

describe("the canary", () => {
	test("is in no answer, log or row", async () => {
		const dump = JSON.stringify(await stack.db("select to_jsonb(c) as row from ai_configurations c"));
		const logs = readdirSync(stack.dir).filter((name) => name.endsWith(".log") && !name.startsWith("model-sim"));

		assert.ok(logs.length >= 4);
		assert.ok(answers.length > 20);
		for (const form of [CANARY, Buffer.from(CANARY).toString("base64").slice(0, 20), Buffer.from(CANARY).toString("hex")]) {
			for (const text of answers)
				assert.ok(!text.includes(form), "in an answer");
			for (const name of logs)
				assert.ok(!readFileSync(join(stack.dir, name), "utf8").includes(form), `in ${name}`);
			assert.ok(!dump.includes(form), "in the database");
		}
		for (const daemon of stack.all.filter((d) => d.running !== false)) {
			const metrics = await fetch(`${daemon.health}/metrics`).then((a) => a.text(), () => "");

			assert.ok(!metrics.includes(CANARY));
		}
	});
});
