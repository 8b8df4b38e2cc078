/* Sign-ins, their ends, and accounts with everything of theirs: what store promises about them. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { NOBODY, begin, exchange, makeGuest, makeTrack, makeUser, startStore, uuid } from "./store-lib.js";

let store;

before(async () => {
	store = await startStore();
}, { timeout: 120000 });
after(() => store?.stop(), { timeout: 60000 });

const hash = () => createHash("sha256").update(randomBytes(32)).digest("hex");
const count = async (table, where) => Number((await store.db(`select count(*) as n from ${table} where ${where}`))[0].n);

async function signIn(who) {
	const refresh_hash = hash();
	const { signed_in } = await store.must(who, "sign_in", { sign_in_id: uuid(), refresh_hash });

	return { refresh_hash, ...signed_in };
}

const refresh = (old_hash, new_hash = hash()) =>
	store.ask(null, "sign_in_refresh", { old_hash, new_hash }).then((answer) => ({ new_hash, ...answer }));

/* Everything a gateway would learn from a cursor on. */
async function changesSince(cursor = 0, life_s = 1800) {
	const answer = await store.must(null, "auth_changes", { cursor, life_s });

	return { cursor: answer.cursor, changes: answer.changes };
}

describe("sign-ins", () => {
	it("begin with the account, once, however often it is asked", async () => {
		const wish = { user_id: uuid(), is_guest: false, email: `${uuid().slice(0, 8)}@example.org`, password_hash: "h",
			first_name: "Ada", last_name: "Love", sign_in_id: uuid(), refresh_hash: hash() };
		const first = await store.must(null, "user_create", wish);
		const again = await store.must(null, "user_create", wish);

		assert.equal(first.signed_in.sign_in_id, wish.sign_in_id);
		assert.equal(first.signed_in.token_version, 0);
		assert.deepEqual(again, first);
		assert.equal(await count("sign_ins", `user_id = '${wish.user_id}'`), 1);
		assert.equal(await count("refresh_tokens", `sign_in_id = '${wish.sign_in_id}'`), 1);
		const taken = await store.ask(null, "user_create", { ...wish, user_id: uuid(), sign_in_id: uuid(), refresh_hash: hash() });
		assert.equal(taken.rc, "conflict");
	});

	it("keep nothing of a refresh token but its hash, and refuse what is none", async () => {
		const who = await makeUser(store);

		assert.equal((await store.ask(who, "sign_in", { sign_in_id: uuid(), refresh_hash: "secret" })).field, "refresh_hash");
		assert.equal((await refresh("g".repeat(64))).field, "old_hash");
		assert.equal((await refresh(hash())).rc, "unauthorized");
		assert.equal((await store.ask({ user: uuid() }, "sign_in", { sign_in_id: uuid(), refresh_hash: hash() })).rc, "unauthorized");
	});

	it("rotate their token; the same request again gets the same answer", async () => {
		const who = await makeUser(store);
		const first = await signIn(who);
		const second = await refresh(first.refresh_hash);

		assert.equal(second.rc, "ok");
		assert.equal(second.user_id, who.user);
		assert.equal(second.signed_in.sign_in_id, first.sign_in_id);
		assert.equal((await refresh(first.refresh_hash, second.new_hash)).rc, "ok");
		assert.equal((await refresh(second.new_hash)).rc, "ok");
	});

	it("end when a token is used a second time, with all their tokens", async () => {
		const who = await makeUser(store);
		const [sign, other] = [await signIn(who), await signIn(who)];
		const { cursor } = await changesSince();
		const second = await refresh(sign.refresh_hash);
		const third = await refresh(second.new_hash);
		const reused = await refresh(second.new_hash);

		assert.deepEqual([reused.rc, reused.field], ["unauthorized", "reuse"]);
		assert.equal((await refresh(third.new_hash)).rc, "unauthorized");
		assert.equal((await refresh(other.refresh_hash)).rc, "ok", "another sign-in of the same user goes on");
		assert.deepEqual((await changesSince(cursor)).changes, [{ user_id: who.user, sign_in_id: sign.sign_in_id }]);
	});

	it("used twice at the same moment, one is the second", async () => {
		const sign = await signIn(await makeUser(store));
		const answers = await Promise.all([refresh(sign.refresh_hash), refresh(sign.refresh_hash)]);

		assert.deepEqual(answers.map(({ rc }) => rc).sort(), ["ok", "unauthorized"]);
		for (const { rc, new_hash } of answers)
			if (rc === "ok")
				assert.equal((await refresh(new_hash)).rc, "unauthorized");
	});

	it("expire, and are at most fifty per user", async () => {
		const who = await makeUser(store);
		const first = await signIn(who);

		for (let i = 0; i < 50; i++)
			await signIn(who);
		assert.equal(await count("sign_ins", `user_id = '${who.user}'`), 50);
		assert.equal((await refresh(first.refresh_hash)).rc, "unauthorized");
		const last = await signIn(who);
		await store.db(`update refresh_tokens set created_at = created_at - interval '31 days' where sign_in_id = '${last.sign_in_id}'`);
		assert.equal((await refresh(last.refresh_hash)).rc, "unauthorized");
	});

	it("end one by one or all at once, and nobody else's", async () => {
		const [who, other] = [await makeUser(store), await makeUser(store)];
		const [a, b, c] = [await signIn(who), await signIn(who), await signIn(who)];
		const foreign = await signIn(other);
		const { cursor } = await changesSince();

		await store.must(who, "sign_out", { sign_in_id: foreign.sign_in_id });
		assert.equal((await refresh(foreign.refresh_hash)).rc, "ok");
		await store.must(who, "sign_out", { sign_in_id: a.sign_in_id });
		assert.equal((await refresh(a.refresh_hash)).rc, "unauthorized");
		const next = await refresh(b.refresh_hash);
		assert.equal(next.signed_in.token_version, 0);
		await store.must(who, "sign_out", { sign_in_id: b.sign_in_id, everywhere: true });
		assert.equal((await refresh(c.refresh_hash)).rc, "unauthorized");
		assert.equal((await signIn(who)).token_version, 1);
		assert.deepEqual((await changesSince(cursor)).changes,
			[{ user_id: who.user, sign_in_id: a.sign_in_id }, { user_id: who.user, token_version: 1 }]);
	});
});

describe("changes for gateways", () => {
	it("are complete although a slow transaction commits late", async () => {
		const who = await makeUser(store);
		const { cursor } = await changesSince();
		const slow = store.db(`begin; insert into auth_changes (user_id, token_version, created_at)
			values ('${who.user}', 41, utc_clock()); select pg_sleep(1.5); commit`);

		await new Promise((resolve) => setTimeout(resolve, 300));
		const other = await signIn(who);
		await store.must(who, "sign_out", { sign_in_id: other.sign_in_id });
		const between = await changesSince(cursor);
		assert.deepEqual(between.changes, [{ user_id: who.user, sign_in_id: other.sign_in_id }]);
		await slow;
		const late = await changesSince(between.cursor);
		assert.ok(late.changes.some(({ token_version }) => token_version === 41), JSON.stringify(late));
		assert.deepEqual((await changesSince(late.cursor)).changes, []);
	});

	it("are left out when no token lives any more, and a cursor of another database begins anew", async () => {
		const who = await makeUser(store);
		const sign = await signIn(who);

		await store.must(who, "sign_out", { sign_in_id: sign.sign_in_id });
		const mine = ({ changes }) => changes.some(({ sign_in_id }) => sign_in_id === sign.sign_in_id);
		assert.ok(mine(await changesSince(2 ** 50)));
		await store.db(`update auth_changes set created_at = created_at - interval '31 minutes' where sign_in_id = '${sign.sign_in_id}'`);
		assert.ok(!mine(await changesSince(0)));
		assert.equal((await store.ask(null, "auth_changes", { cursor: -1, life_s: 5 })).field, "cursor");
		assert.equal((await store.ask(null, "auth_changes", { cursor: 0, life_s: 0 })).field, "life_s");
	});
});

/* Every table that names an owner: a new one must be removed and claimed as well. */
async function tablesOfUsers() {
	const tables = await store.db(`select c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
		join pg_namespace n on n.oid = c.relnamespace
		where a.attname = 'user_id' and c.relkind = 'r' and n.nspname = 'public' and not a.attisdropped order by 1`);

	return tables.map(({ name }) => name).filter((name) => name !== "auth_changes");
}

async function rowsOf(user) {
	const found = {};

	for (const table of await tablesOfUsers())
		found[table] = await count(table, `user_id = '${user}'`);
	return found;
}

/* A row in every table that can have one. */
async function fullAccount(who) {
	const user = who.user ?? who.guest;
	const track = await makeTrack(store, who);

	await store.must({ ...who }, "sign_in", { sign_in_id: uuid(), refresh_hash: hash() });
	await store.db(`update turns set state = 'completed' where id = '${track.turn_id}'`);
	await exchange(store, who, track.session_id, "question", "answer");
	await store.must(who, "chat_load", { chat_id: track.chat_id, restore: true });
	const [module, lesson] = [uuid(), uuid()];
	await store.db(`
		insert into course_modules (id, track_id, user_id, module_number, title) values ('${module}', '${track.track_id}', '${user}', 1, 'm');
		insert into lessons (id, module_id, user_id, lesson_number, title) values ('${lesson}', '${module}', '${user}', 1, 'l');
		insert into homework_assignments (id, lesson_id, user_id, title) values ('${uuid()}', '${lesson}', '${user}', 'h');
		insert into ai_configurations (id, user_id, api_key_encrypted) values ('${uuid()}', '${user}', 'default');
		insert into password_resets values ('${user}', '\\x${hash()}', utc_clock(), utc_clock() + interval '1 hour')`);
	return track;
}

/* The whole export: the names of its parts, and the rows with a comma behind each page. */
async function exported(who) {
	const names = [];
	let text = "";

	for (let part = 0; ; part++) {
		let page, after;

		do {
			page = await store.must(who, "user_export", { part, ...(after ? { after } : {}) });
			after = page.after;
			text += page.rows ? `${page.rows},` : "";
		} while (after);
		if (!page.name)
			return { names, text };
		names.push(page.name);
	}
}

describe("a guest who leaves", () => {
	it("takes everything along, also a running turn, and nothing of others", async () => {
		const [who, other] = [await makeGuest(store), await makeGuest(store)];
		const track = await fullAccount(who);
		const running = await begin(store, who, { session_id: track.session_id, body: "one more" });
		const before = await rowsOf(who.guest);

		for (const [table, n] of Object.entries(before))
			assert.ok(n > 0, `the test has no row in ${table}`);
		await fullAccount(other);
		const kept = await rowsOf(other.guest);
		const { cursor } = await changesSince();
		assert.equal((await store.must(who, "sign_out")).removed, true);
		for (const [table, n] of Object.entries(await rowsOf(who.guest)))
			assert.equal(n, 0, `rows are left in ${table}`);
		assert.equal(await count("users", `id = '${who.guest}'`), 0);
		assert.equal(await count("refresh_tokens", "sign_in_id not in (select id from sign_ins)"), 0);
		assert.deepEqual(await rowsOf(other.guest), kept);
		assert.deepEqual((await changesSince(cursor)).changes, [{ user_id: who.guest, token_version: 2147483647 }]);
		const progress = await store.ask(null, "turn_progress", { turn_id: running.context.turn_id, owner: "chat-1", attempt: 1, lease_ms: 1000 });
		assert.equal(progress.rc, "not_found");
		assert.equal((await store.ask(who, "track_create", { track_id: uuid(), session_id: uuid(), chat_id: uuid(), turn_id: uuid(),
			title: "t", difficulty_level: "beginner", hours: 1, language: "en" })).rc, "unauthorized");
		assert.equal((await begin(store, who, { session_id: track.session_id, body: "again" })).rc, "unauthorized");
		assert.equal((await store.must(who, "sign_out")).removed, undefined);
	});

	it("nobody is no guest who could leave", async () => {
		await store.must(null, "sign_out");
		assert.equal(await count("users", `id = '${NOBODY}'`), 1);
	});
});

describe("an account", () => {
	it("is removed with everything, when its password is still the one that was compared", async () => {
		const who = await makeUser(store);

		await fullAccount(who);
		assert.equal((await store.ask(who, "user_remove", { password_hash: "another" })).rc, "conflict");
		await store.must(who, "user_remove", { password_hash: "hash" });
		for (const [table, n] of Object.entries(await rowsOf(who.user)))
			assert.equal(n, 0, `rows are left in ${table}`);
		await store.must(who, "user_remove", { password_hash: "hash" });
		assert.equal((await store.ask(who, "user_change", { first_name: "Ada" })).rc, "unauthorized");
	});

	it("of the last administrator stays while there are others, also when two leave at the same moment", async () => {
		const remove = (who) => store.ask(who, "user_remove", { password_hash: "hash" });
		const make = async (role) => {
			const who = await makeUser(store);

			await store.db(`update users set role = '${role}' where id = '${who.user}'`);
			return who;
		};

		await store.db("update users set role = 'STUDENT'");
		const [one, two, student] = [await make("ADMIN"), await make("ADMIN"), await make("STUDENT")];
		const disabled = await make("ADMIN");
		await store.must(one, "admin_set_active", { user_id: disabled.user, is_active: false });
		const ends = await Promise.all([remove(one), remove(two)]);
		const [left] = ends[0].rc === "conflict" ? [one] : [two];
		assert.deepEqual(ends.map((end) => end.rc).sort(), ["conflict", "ok"]);
		assert.equal(ends.find((end) => end.rc === "conflict").field, "role");
		assert.equal(await count("users", "role = 'ADMIN' and is_active"), 1);
		const own = await store.ask(left, "admin_set_active", { user_id: left.user, is_active: false });
		assert.deepEqual([own.rc, own.field], ["conflict", "user_id"]);
		await store.must(student, "user_remove", { password_hash: "hash" });
		assert.equal((await remove(left)).rc, "conflict", "others are still there");
		const other = await make("ADMIN");
		const both = await Promise.all([store.ask(left, "admin_set_active", { user_id: other.user, is_active: false }),
			store.ask(other, "admin_set_active", { user_id: left.user, is_active: false })]);
		assert.deepEqual(both.map((end) => end.rc).sort(), ["forbidden", "ok"], "of two who disable one another one is left");
		const last = both[0].rc === "ok" ? left : other;
		const users = await store.db(`select id from users where not is_guest and id <> '${last.user}'`);
		for (const { id } of users)
			await store.db(`select users_remove(array['${id}'::uuid], '{}')`);
		assert.equal((await remove(last)).rc, "ok", "whoever is alone may go");
	});

	it("is exported from every table that names an owner, its secrets apart", async () => {
		const who = await makeUser(store);

		await fullAccount(who);
		const { names, text } = await exported(who);
		assert.deepEqual(names.sort(), ["users", ...await tablesOfUsers()].sort());
		assert.ok(!/password_hash|api_key|"hash"/.test(text));
		assert.equal((await store.ask(who, "user_export", { part: -1 })).field, "part");
	});

	it("is exported with its times as the API writes them, and the others as they are", async () => {
		const who = await makeUser(store);

		await fullAccount(who);
		await store.db(`update users set created_at = '2026-01-02 03:04:05.1' where id = '${who.user}'`);
		const { names, text } = await exported(who);
		const rows = JSON.parse(`[${text.slice(0, -1)}]`);
		const columns = await store.db(`select distinct attname as name from pg_attribute where atttypid in ('timestamp'::regtype, 'timestamptz'::regtype)
			and attrelid in (select unnest(array['${names.join("','")}'])::regclass)`);
		const times = rows.flatMap((row) => columns.filter(({ name }) => row[name] != null).map(({ name }) => row[name]));

		assert.ok(times.length > names.length, `${times.length} times`);
		for (const time of times)
			assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
		const user = rows.find(({ email }) => email);
		assert.equal(user.created_at, "2026-01-02T03:04:05.100000Z");
		assert.ok("completed_at" in rows.find((row) => "module_number" in row), "none is null");
		assert.equal(rows.find((row) => "module_number" in row).completed_at, null);
		assert.ok(!rows.some((row) => "lease_until" in row));
	});

	it("claims a guest's settings as a whole, with the very key that was sealed for it", async () => {
		const key = (n) => `alp1.${n}`.padEnd(120, "A");
		const settings = async (who) => {
			const { api_key, settings: s } = await store.must(who, "settings_get", { with_key: true });

			return { api_key, ...s };
		};
		const claim = async (who, guest, more = {}) =>
			(await store.must(who, "sign_in", { sign_in_id: uuid(), refresh_hash: hash(), guest_id: guest.guest, ...more })).signed_in.claimed_settings;
		const make = async () => {
			const guest = await makeGuest(store);
			const [{ id }] = await store.db(`select gen_random_uuid() as id`);

			await store.db(`insert into ai_configurations (id, user_id, model_name, base_url, api_key_encrypted, key_hint, max_tokens, temperature)
				values ('${id}', '${guest.guest}', 'm', 'https://x.example/v1', '${key("old")}', 'tail', 300, 0.2)`);
			return guest;
		};
		let [who, guest] = [await makeUser(store), await make()];

		assert.equal(await claim(who, guest, { guest_key: key("old"), guest_key_moved: key("new") }), "taken");
		assert.deepEqual(await settings(who), { api_key: key("new"), model: "m", base_url: "https://x.example/v1", max_tokens: 300, temperature: "0.2" });
		assert.equal(await claim(who, guest, { guest_key: key("old"), guest_key_moved: key("new") }), undefined, "once");
		for (const more of [{}, { guest_key: key("old") }, { guest_key: key("before"), guest_key_moved: key("new") }]) {
			[who, guest] = [await makeUser(store), await make()];
			assert.equal(await claim(who, guest, more), "left", JSON.stringify(more));
			assert.deepEqual(await settings(who), { api_key: undefined });
		}
	});

	it("claims everything of a guest but his sign-ins", async () => {
		const [who, guest] = [await makeUser(store), await makeGuest(store)];

		await fullAccount(guest);
		const had = await rowsOf(guest.guest);
		const { signed_in: claimed } = await store.must(who, "sign_in", { sign_in_id: uuid(), refresh_hash: hash(), guest_id: guest.guest });
		const has = await rowsOf(who.user);
		assert.deepEqual([claimed.claimed_tracks, claimed.claimed_chats], [1, 1]);
		for (const [table, n] of Object.entries(await rowsOf(guest.guest)))
			assert.equal(n, 0, `rows are left in ${table}`);
		for (const [table, n] of Object.entries(had))
			assert.equal(has[table], table === "sign_ins" ? 1 : ["ai_configurations", "password_resets"].includes(table) ? 0 : n, table);
		const other = await makeUser(store);
		const nothing = await store.must(other, "sign_in", { sign_in_id: uuid(), refresh_hash: hash(), guest_id: guest.guest });
		assert.equal(nothing.signed_in.claimed_tracks ?? 0, 0);
		assert.equal((await store.must(other, "sign_in", { sign_in_id: uuid(), refresh_hash: hash(), guest_id: who.user })).signed_in.claimed_tracks ?? 0, 0,
			"an account is no guest");
		assert.deepEqual(await rowsOf(who.user), has);
	});
});
