/* A forgotten password: what store promises about the link that sets a new one, and the operator's way to one. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildDir } from "../lib/daemon.js";
import { makeGuest, makeUser, startStore, uuid } from "./store-lib.js";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let store, admin;

before(async () => {
	store = await startStore({ env: { PASSWORD_RESET_TTL_MINUTES: "7" } });
	admin = await makeUser(store);	/* the first one */
}, { timeout: 120000 });
after(() => store?.stop(), { timeout: 60000 });

const hash = () => createHash("sha256").update(randomBytes(32)).digest("hex");
const make = (user_id, token_hash = hash(), who = admin) =>
	store.ask(who, "password_reset_make", { user_id, token_hash }).then((answer) => ({ token_hash, ...answer }));
const use = (token_hash, new_hash = `new-${uuid()}`) =>
	store.ask(null, "password_reset", { token_hash, new_hash }).then((answer) => ({ new_hash, ...answer }));
const hashOf = async (who) => (await store.db(`select password_hash from users where id = '${who.user}'`))[0].password_hash;
const count = async (table, where) => Number((await store.db(`select count(*) as n from ${table} where ${where}`))[0].n);

async function refused(token_hash, why) {
	const { rc, field, message } = await use(token_hash);

	assert.deepEqual([rc, field, message], ["not_found", "token", "no such link, or it is good no more"], why);
}

describe("a link to set a new password", () => {
	it("is good once: the password changes, and every sign-in of that user ends", async () => {
		const [who, other] = [await makeUser(store), await makeUser(store)];

		for (const one of [who, who, other])
			await store.must(one, "sign_in", { sign_in_id: uuid(), refresh_hash: hash() });
		const { cursor } = await store.must(null, "auth_changes", { cursor: 0, life_s: 1800 });
		const made = await make(who.user);
		const late = Date.parse(made.expires_at) - Date.now();
		assert.match(made.expires_at, ISO);
		assert.ok(late > 6 * 60000 && late <= 8 * 60000, made.expires_at);
		assert.equal(await hashOf(who), "hash", "making one changes nothing");
		assert.equal(await count("sign_ins", `user_id = '${who.user}'`), 2);

		const used = await use(made.token_hash);
		assert.deepEqual([used.rc, used.user_id, used.token_version], ["ok", who.user, 1]);
		assert.equal(await hashOf(who), used.new_hash);
		assert.equal(await count("sign_ins", `user_id = '${who.user}'`), 0);
		assert.equal(await count("sign_ins", `user_id = '${other.user}'`), 1);
		assert.deepEqual((await store.must(null, "auth_changes", { cursor, life_s: 1800 })).changes, [{ user_id: who.user, token_version: 1 }]);
		await refused(made.token_hash, "a second time");
		assert.equal(await hashOf(who), used.new_hash);
	});

	it("answers the same request again the same, until the password is another", async () => {
		const who = await makeUser(store);
		const { token_hash, expires_at } = await make(who.user);

		assert.equal((await make(who.user, token_hash)).expires_at, expires_at);
		const used = await use(token_hash);
		assert.deepEqual(await use(token_hash, used.new_hash), used);
		assert.equal((await make(who.user, token_hash)).rc, "ok");
		await refused(token_hash, "it does not come alive by being made again");
		await store.must(who, "password_change", { old_hash: used.new_hash, new_hash: "third", sign_in_id: uuid(), refresh_hash: hash() });
		assert.equal((await use(token_hash, used.new_hash)).rc, "not_found");
		assert.equal(await hashOf(who), "third");
	});

	it("used at the same moment with several passwords, sets one of them", async () => {
		for (let round = 0; round < 5; round++) {
			const who = await makeUser(store);
			const { token_hash } = await make(who.user);
			const answers = await Promise.all([1, 2, 3, 4].map(() => use(token_hash)));

			assert.deepEqual(answers.map(({ rc }) => rc).sort(), ["not_found", "not_found", "not_found", "ok"]);
			assert.equal(await hashOf(who), answers.find(({ rc }) => rc === "ok").new_hash);
		}
	});

	it("is the newest only, and ends with a change of the password, of the account's state, and with time", async () => {
		const who = await makeUser(store);
		const [old, fresh] = [await make(who.user), await make(who.user)];

		await refused(old.token_hash, "replaced");
		await store.must(who, "password_change", { old_hash: "hash", new_hash: "chosen", sign_in_id: uuid(), refresh_hash: hash() });
		await refused(fresh.token_hash, "the password was changed meanwhile");
		assert.equal(await hashOf(who), "chosen");

		const disabled = await make(who.user);
		await store.must(admin, "admin_set_active", { user_id: who.user, is_active: false });
		await refused(disabled.token_hash, "disabled");
		await store.must(admin, "admin_set_active", { user_id: who.user, is_active: true });
		await refused(disabled.token_hash, "enabled again");

		const slow = await make(who.user);
		await store.db(`update password_resets set expires_at = utc_clock() - interval '1 second' where user_id = '${who.user}'`);
		await refused(slow.token_hash, "too late");
		assert.equal(await hashOf(who), "chosen");
		await store.db("select auth_purge(30, 30, 100)");
		assert.equal(await count("password_resets", `user_id = '${who.user}'`), 0, "what ran out is removed");
		assert.equal((await use((await make(who.user)).token_hash)).rc, "ok");
	});

	it("is made by administrators, for accounts that may sign in, also their own", async () => {
		const [who, closed, guest] = [await makeUser(store), await makeUser(store), await makeGuest(store)];
		const own = await make(admin.user);

		await store.must(admin, "admin_set_active", { user_id: closed.user, is_active: false });
		for (const someone of [who, closed, guest, null])
			assert.deepEqual([(await make(who.user, hash(), someone)).rc, (await make(uuid(), hash(), someone)).rc], ["forbidden", "forbidden"]);
		assert.equal((await make(closed.user)).rc, "conflict");
		for (const nobody of [uuid(), guest.guest])
			assert.equal((await make(nobody)).rc, "not_found");
		assert.equal(await count("password_resets", `user_id in ('${who.user}', '${closed.user}', '${guest.guest}')`), 0);
		assert.equal((await use(own.token_hash, "hash")).rc, "ok");
		for (const bad of ["", "x", "G".repeat(64)])
			assert.deepEqual([(await make(who.user, bad)).field, (await use(bad)).field], ["token_hash", "token_hash"]);
		assert.equal((await use(hash(), "x".repeat(256))).field, "new_hash");
		await refused(hash(), "nobody made it");
	});
});

/* alp-store --password-reset, with the settings of the store that runs: { code, stdout, stderr }. */
function tool(args, settings = {}) {
	const env = { PATH: process.env.PATH, DATABASE_URL: store.url, BUS_KEY: store.key, ...settings };

	return new Promise((resolve) => {
		execFile(join(buildDir("debug"), "services/store/alp-store"), args, { env, cwd: store.dir, timeout: 60000 },
			(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, stdout, stderr }));
	});
}

describe("alp-store --password-reset", () => {
	const LINK = /^\/reset#([\w-]{43})\n$/;

	it("prints a link for the account that would sign in with the address", async () => {
		const email = `Operator-${uuid().slice(0, 8)}@example.org`;
		const who = await makeUser(store, { email });
		const { code, stdout, stderr } = await tool(["--password-reset", email.toLowerCase()], { PASSWORD_RESET_TTL_MINUTES: "5" });

		assert.deepEqual([code, LINK.test(stdout)], [0, true], stdout + stderr);
		assert.match(stderr, /good once, until \d{4}-.*Z/);
		const [, token] = LINK.exec(stdout);
		const [row] = await store.db(`select encode(hash, 'hex') as hash, (expires_at - created_at)::text as life from password_resets where user_id = '${who.user}'`);
		assert.equal(row.life, "00:05:00");
		assert.ok(!JSON.stringify(await store.db("select * from password_resets")).includes(token), "the token itself is stored nowhere");
		assert.equal((await use(row.hash)).rc, "ok");
	});

	it("says what is wrong, and makes nothing", async () => {
		const [closed, guest] = [await makeUser(store), await makeGuest(store)];
		const emailOf = async (id) => (await store.db(`select email from users where id = '${id}'`))[0].email;
		const before = await count("password_resets", "true");

		await store.must(admin, "admin_set_active", { user_id: closed.user, is_active: false });
		for (const [args, settings, what] of [
			[["--password-reset", "nobody@example.org"], {}, /no account with this address/],
			[["--password-reset", await emailOf(guest.guest)], {}, /no account with this address/],
			[["--password-reset", await emailOf(closed.user)], {}, /the account is disabled/],
			[["--password-reset", "a@example.org"], { PASSWORD_RESET_TTL_MINUTES: "0" }, /PASSWORD_RESET_TTL_MINUTES: 1 to 10080 was expected/],
			[["--password-reset", "a@example.org"], { DATABASE_URL: "postgresql://127.0.0.1:1/none" }, /refused/i],
		]) {
			const { code, stdout, stderr } = await tool(args, settings);

			assert.deepEqual([code, stdout], [1, ""], stderr);
			assert.match(stderr, what);
		}
		assert.equal((await tool(["--password-reset"])).code, 2, "whose?");
		assert.match((await tool(["--help"])).stdout, /--password-reset EMAIL/);
		assert.equal(await count("password_resets", "true"), before);
	});
});
