/* What only reads costs one round trip to the database, and as many statements for many rows as for one. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { manyRows } from "../lib/many_rows.js";
import { PgProxy } from "../lib/pg-proxy.js";
import { sharedCluster } from "../lib/pg.js";
import { makeUser, startStore } from "./store-lib.js";

const EXECUTE = 0x45, SYNC = 0x53;
const FEW = { tracks: 1, messages: 1 }, MANY = { tracks: 200, messages: 10000 };

let proxy, store, few, many;

async function somebody(size) {
	const who = await makeUser(store);
	const made = manyRows(who.user, size);

	await store.db(made.sql);
	return { who, ...made };
}

before(async () => {
	proxy = await PgProxy.start(await sharedCluster());
	store = await startStore({ through: (url) => proxy.url(url) });
	[few, many] = [await somebody(FEW), await somebody(MANY)];
});
after(async () => {
	await store.stop();
	await proxy.stop();
});

/* What goes to the server for one question: { answer, statements, trips }. */
async function counted(who, name, body) {
	const seen = { [EXECUTE]: 0, [SYNC]: 0 };

	proxy.onMessage = (type) => {
		if (type in seen)
			seen[type]++;
	};
	const answer = await store.must(who, name, body);

	proxy.onMessage = () => {};
	return { answer, statements: seen[EXECUTE], trips: seen[SYNC] };
}

describe("statements for one and for many", () => {
	/* most: of statements, all in the one round trip. */
	for (const [name, most, body, rows] of [
		["track_list", 2, () => ({}), (a) => a.tracks.length],
		["track_get", 2, ({ track }) => ({ track_id: track }), (a) => a.track.modules.length],
		["session_list", 1, () => ({}), (a) => a.sessions.length],
		["session_chats", 2, ({ session }) => ({ session_id: session }), (a) => a.chats.length],
		["user_chats", 1, () => ({}), (a) => a.sessions.length],
		["chat_load", 3, ({ chat }) => ({ chat_id: chat }), (a) => a.history.length],
		["user_get", 2, () => ({}), () => 1],
	])
		it(`${name}: the same, at most ${most}, in one round trip`, async () => {
			const one = await counted(few.who, name, body(few));
			const all = await counted(many.who, name, body(many));

			assert.ok(rows(all.answer) >= rows(one.answer) && rows(one.answer) >= 1, `${rows(one.answer)} and ${rows(all.answer)} rows`);
			assert.deepEqual([one.statements, one.trips], [all.statements, all.trips]);
			assert.ok(all.statements >= 1 && all.statements <= most, `${all.statements} statements`);
			assert.equal(all.trips, 1);
		});

	it("many are many: 200 tracks with their modules, 10,000 messages", async () => {
		const { tracks } = await store.must(many.who, "track_list");

		assert.equal(tracks.length, MANY.tracks);
		assert.ok(tracks.every((track) => track.modules.length === 5));
		assert.equal((await store.must(many.who, "user_chats")).sessions.length, MANY.tracks);
		assert.equal((await store.must(many.who, "chat_load", { chat_id: many.chat })).history.length, MANY.messages);
	});
});
