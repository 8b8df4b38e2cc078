/* What only reads is one statement and one round trip to the database, for many rows as for one. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { manyRows } from "../lib/many_rows.js";
import { PgProxy } from "../lib/pg-proxy.js";
import { sharedCluster } from "../lib/pg.js";
import { release } from "../lib/release.js";
import { begin, finish, makeUser, startStore, uuid } from "./store-lib.js";

const EXECUTE = 0x45, SYNC = 0x53, QUERY = 0x51;
const FEW = { tracks: 1, messages: 1 }, MANY = { tracks: 200, messages: 10000 };

let proxy, store, few, many;

/* The module of whose track is taught, with so many lessons. */
async function taught({ who, track }, lessons) {
	const [module] = (await store.must(who, "track_get", { track_id: track })).track.modules;
	const { context } = await begin(store, who, { kind: "summary", track_id: track, module_id: module.id, language: "en" });

	await finish(store, context.turn_id, { reply: "the summary", message_type: "summary" });
	await store.db(`insert into lessons (id, module_id, user_id, lesson_number, title, content_type, created_at, updated_at)
		select gen_random_uuid(), '${module.id}', '${who.user}', n, 'Lesson ' || n, 'THEORY', utc_now(), utc_now()
		from generate_series(1, ${lessons}) n`);
	const [lesson] = (await store.must(who, "lesson_list", { module_id: module.id })).lessons;

	return { module: module.id, lesson: lesson.id };
}

/* A finalization of the track's own chat: its modules are those the track has already, and so many new ones. */
async function finalized({ who, track, session }, n) {
	const { context } = await begin(store, who, { kind: "finalize", session_id: session, track_id: track, body: "a plan" });

	await finish(store, context.turn_id, {
		reply: "done", message_type: "finalization",
		"blob:modules": JSON.stringify(Array.from({ length: n }, (_, i) => ({
			title: `Module ${i}`, description: "", estimated_duration_hours: 5, learning_objectives: ["it"],
		}))),
	});
	return context.turn_id;
}

async function somebody(size) {
	const who = await makeUser(store);
	const made = manyRows(who.user, size);

	await store.db(made.sql);
	const { email } = (await store.must(who, "user_get")).user;
	const { history } = await store.must(who, "chat_load", { chat_id: made.chat, limit: 1 });

	return {
		who, ...made, email, reply: history[0].id, ...await taught({ who, ...made }, size.tracks),
		turn: await finalized({ who, ...made }, size.tracks > 1 ? 100 : 1),
	};
}

before(async () => {
	proxy = await PgProxy.start(await sharedCluster());
	store = await startStore({ through: (url) => proxy.url(url) });
	[few, many] = [await somebody(FEW), await somebody(MANY)];
	await store.db(`update users set role = 'ADMIN' where id in ('${few.who.user}', '${many.who.user}')`);
});
after(() => release(store, proxy));

/* What goes to the server for one question: { answer, statements, trips }. */
async function counted(who, name, body) {
	const seen = { [EXECUTE]: 0, [QUERY]: 0, [SYNC]: 0 };

	proxy.onMessage = (type) => {
		if (type in seen)
			seen[type]++;
	};
	const answer = await store.must(who, name, body);

	proxy.onMessage = () => {};
	return { answer, statements: seen[EXECUTE] + seen[QUERY], trips: seen[SYNC] };
}

describe("one statement, for one and for many", () => {
	for (const [name, body, rows = () => 1, what = ""] of [
		["user_by_email", ({ email }) => ({ email })],
		["user_get", () => ({})],
		["user_export", () => ({ part: 2 }), (a) => a.rows.length],
		["admin_users", ({ who }) => ({ limit: who === few.who ? 1 : 100 }), (a) => a.users.length],
		["auth_changes", () => ({ cursor: 0, life_s: 60 })],
		["settings_get", () => ({})],
		["track_list", () => ({}), (a) => a.tracks.length],
		["track_get", ({ track }) => ({ track_id: track }), (a) => a.track.modules.length],
		["session_list", () => ({}), (a) => a.sessions.length],
		["session_active", ({ session }) => ({ session_id: session })],
		["session_chats", ({ session }) => ({ session_id: session }), (a) => a.chats.length],
		["user_chats", () => ({}), (a) => a.sessions.length],
		["usage", ({ chat }) => ({ chat_id: chat })],
		["usage", ({ session }) => ({ session_id: session }), undefined, "of a session"],
		["figures", () => ({})],
		["chat_load", ({ chat }) => ({ chat_id: chat }), (a) => a.history.length],
		["chat_load", ({ session }) => ({ session_id: session }), (a) => a.history.length, "of a session"],
		["chat_load", ({ chat }) => ({ chat_id: chat, restore: true }), (a) => a.history.length, "to come back"],
		["chat_load", ({ session, chat }) => ({ session_id: session, chat_id: chat, activate: true }), (a) => a.history.length, "to switch to it"],
		["chat_load", ({ module }) => ({ module_id: module }), (a) => a.history.length, "of a module"],
		["chat_load", ({ chat, reply }) => ({ chat_id: chat, versions_of: reply }), (a) => a.history.length, "with all versions of a reply"],
		["turn_load", ({ turn }) => ({ turn_id: turn }), (a) => a.outcome.modules.length],
		["lesson_list", ({ module }) => ({ module_id: module }), (a) => a.lessons.length],
		["lesson_get", ({ lesson }) => ({ lesson_id: lesson })],
	])
		it([name, what].filter(Boolean).join(" "), async () => {
			const one = await counted(few.who, name, body(few));
			const all = await counted(many.who, name, body(many));

			assert.ok(rows(all.answer) >= rows(one.answer) && rows(one.answer) >= 1, `${rows(one.answer)} and ${rows(all.answer)} rows`);
			for (const { statements, trips } of [one, all])
				assert.deepEqual({ statements, trips }, { statements: 1, trips: 1 });
		});

	it("many are many: 200 tracks with their modules, 10,000 messages, 200 lessons", async () => {
		const { tracks } = await store.must(many.who, "track_list");

		assert.equal(tracks.length, MANY.tracks);
		assert.ok(tracks.every((track) => track.modules.length >= 5));
		assert.equal((await store.must(many.who, "user_chats")).sessions.length, MANY.tracks);
		assert.equal((await store.must(many.who, "chat_load", { chat_id: many.chat })).history.length, MANY.messages);
		assert.equal((await store.must(many.who, "lesson_list", { module_id: many.module })).lessons.length, MANY.tracks);
	});

	it("what is not there costs no more", async () => {
		for (const [name, body] of [
			["track_get", { track_id: uuid() }], ["chat_load", { chat_id: uuid() }], ["chat_load", { session_id: uuid() }],
			["chat_load", { session_id: few.session, chat_id: many.chat }], ["lesson_list", { module_id: uuid() }],
		]) {
			let executed = 0;

			proxy.onMessage = (type) => {
				executed += type === EXECUTE ? 1 : 0;
			};
			assert.equal((await store.ask(few.who, name, body)).rc, "not_found", name);
			proxy.onMessage = () => {};
			assert.equal(executed, 1, name);
		}
	});
});
