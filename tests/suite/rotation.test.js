/*
 * New secrets while people talk: deploy/ops/rotate.sh changes .env, the daemons that
 * use it are started again, and nobody loses anything.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { guestOf, Rest, userOf } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { Talker } from "../lib/talker.js";
import { until } from "../lib/until.js";

const NAMES = ["SECRET_KEY", "DATA_KEY", "BUS_KEY"];
const LIMIT_MS = 120000;
const OWN_KEY = "sk-of-a-user-0123456789";
const digest = `sha256:${createHash("sha256").update(OWN_KEY).digest("hex").slice(0, 12)}`;
const secrets = Object.fromEntries(NAMES.map((name) => [name, randomBytes(32).toString("hex")]));

let stack, envFile, talkers, talks;

const settings = () => Object.fromEntries(readFileSync(envFile, "utf8").split("\n").filter(Boolean).map((line) => line.split("=")));
const signedWith = (token, key) => {
	const [head, body, signature] = token.split(".");

	return createHmac("sha256", key).update(`${head}.${body}`).digest("base64url") === signature;
};

/* rotate.sh: { code, out }. */
function rotate(...args) {
	return new Promise((resolve) => {
		execFile(join(ROOT, "deploy/ops/rotate.sh"), args, { cwd: stack.dir, env: { PATH: process.env.PATH } },
			(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, out: stdout + stderr }));
	});
}

async function rotated(...args) {
	const { code, out } = await rotate(...args);

	assert.equal(code, 0, out);
	for (const value of Object.values(settings()))
		assert.ok(value === "" || !out.includes(value), "a secret is printed");
	assert.equal(statSync(envFile).mode & 0o777, 0o600);
	return settings();
}

/* Drained and started again, all at once. */
const again = (...daemons) => Promise.all(daemons.map((daemon) => daemon.crash("SIGTERM", 40000)));
const allGoOn = () => Promise.all(talkers.map((talker) => talker.goesOn(40000)));

before(async () => {
	stack = await startStack({ persona: "echo", tokenDelayMs: 1, workers: 2,
		env: Object.fromEntries(NAMES.map((name) => [name, undefined])),
		envFile: NAMES.map((name) => `${name}=${secrets[name]}\n`).join("") });
	envFile = join(stack.dir, ".env");
	chmodSync(envFile, 0o600);
	const [guest, user, keyed] = await Promise.all([guestOf(stack), userOf(stack), userOf(stack)]);

	await keyed.ok("PUT", "/api/ai/user-config", { api_key: OWN_KEY });
	talkers = [["guest", guest], ["user", user], ["keyed", keyed]].map(([name, rest]) => new Talker(stack, rest, name));
	talks = talkers.map((talker) => talker.talk());
	talks.forEach((talk) => talk.catch(() => {}));	/* seen at the end */
});
after(async () => {
	for (const talker of talkers ?? [])
		talker.running = false;
	await Promise.allSettled(talks ?? []);
	await stack?.stop();
});

test("a wrong name, a file without it, no file: refused, nothing is changed", async () => {
	const before = readFileSync(envFile, "utf8");

	assert.match((await rotate("DATABASE_URL")).out, /usage/);
	assert.match((await rotate("--end", "BUS_KEY")).out, /BUS_KEY has no earlier value/);
	assert.match((await rotate("SECRET_KEY", "nothing.env")).out, /nothing.env is not there/);
	assert.equal(readFileSync(envFile, "utf8"), before);
});

test("SECRET_KEY: who is signed in stays so, new tokens are signed with the new one", { timeout: LIMIT_MS }, async () => {
	const [, { rest: user }] = talkers;
	const old = user.token;

	await allGoOn();
	const now = await rotated("SECRET_KEY");

	assert.equal(now.SECRET_KEY_OLD, secrets.SECRET_KEY);
	assert.notEqual(now.SECRET_KEY, secrets.SECRET_KEY);
	await again(stack.daemons.gateway);
	await allGoOn();
	assert.equal((await user.get("/api/tracks")).status, 200);
	const fresh = await new Rest(stack.url).login(user.credentials);

	assert.ok(signedWith(old, secrets.SECRET_KEY));
	assert.ok(signedWith(fresh.token, now.SECRET_KEY));
});

test("DATA_KEY: a user's key goes on working, and is sealed anew", { timeout: LIMIT_MS }, async () => {
	const kept = async () => (await stack.db("select api_key_encrypted as key from ai_configurations"))[0].key;
	const keyed = talkers[2];
	const first = await kept();
	const uses = async () => (await stack.sim.calls()).calls.filter(({ key }) => key === digest).length;

	await allGoOn();
	assert.equal((await rotated("DATA_KEY")).DATA_KEY_OLD, secrets.DATA_KEY);
	await again(...stack.daemons.ai);
	await allGoOn();
	await until("it is sealed anew", async () => await kept() !== first, { ms: 20000 });
	assert.equal((await rotated("--end", "DATA_KEY")).DATA_KEY_OLD, "");
	await again(...stack.daemons.ai);
	const before = await uses();

	await keyed.goesOn(40000);
	await keyed.goesOn(40000);
	assert.ok(await uses() > before, "with the user's own key");
});

test("BUS_KEY: all daemons take it at once, dialogues go on", { timeout: LIMIT_MS }, async () => {
	const now = await rotated("BUS_KEY");

	assert.notEqual(now.BUS_KEY, secrets.BUS_KEY);
	assert.equal(now.BUS_KEY_OLD, undefined);
	await again(...stack.all);
	await stack.waitReady();
	await allGoOn();
});

test("nothing was lost, nothing doubled, no turn has failed", { timeout: LIMIT_MS }, async () => {
	for (const talker of talkers)
		talker.running = false;
	await Promise.all(talks);
	for (const talker of talkers) {
		assert.deepEqual(talker.sent.filter(({ reply }) => reply === null), []);
		await talker.check();
	}
});

test("after --end an old token is refused, and a refresh gives a new one", { timeout: LIMIT_MS }, async () => {
	const user = new Rest(stack.url);
	const signedIn = await user.ok("POST", "/api/auth/login", talkers[1].rest.credentials);

	user.token = signedIn.access_token;
	await rotated("SECRET_KEY");
	assert.equal((await rotated("--end", "SECRET_KEY")).SECRET_KEY_OLD, "");
	await again(stack.daemons.gateway);
	assert.equal((await user.get("/api/tracks")).status, 401);
	user.token = (await user.ok("POST", "/api/auth/refresh", { refresh_token: signedIn.refresh_token })).access_token;
	assert.equal((await user.get("/api/tracks")).status, 200);
});

test("two rotations in a row keep both; a gateway with a bad old key does not start and says which", async () => {
	await rotated("SECRET_KEY");
	assert.equal((await rotated("SECRET_KEY")).SECRET_KEY_OLD.split(",").length, 2);
	const { SECRET_KEY: secret, BUS_KEY: bus } = settings();
	const refused = await new Promise((resolve) => {
		execFile(stack.daemons.gateway.command[0], [], { cwd: "/", timeout: 20000, env: { PATH: process.env.PATH, SECRET_KEY: secret,
			BUS_KEY: bus, SECRET_KEY_OLD: "your-secret-key-here" } }, (err, stdout, stderr) => resolve({ code: err?.code, out: stdout + stderr }));
	});

	assert.equal(refused.code, 1);
	assert.match(refused.out, /^[^\n]*SECRET_KEY_OLD[^\n]*\n$/);
	assert.ok(!refused.out.includes("your-secret"));
});
