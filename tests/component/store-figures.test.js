/* What is counted: every call to the model once, by chat, by session and over everything of one owner. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { begin, exchange, finish, makeGuest, makeTrack, makeUser, startStore, uuid } from "./store-lib.js";

let store;

before(async () => {
	store = await startStore();
});
after(() => store.stop());

const usage = async (who, names) => (await store.must(who, "usage", names)).usage;
const figures = async (who) => (await store.must(who, "figures")).figures;

/* Welcome (18 tokens), a question with its answer (18), a finalization (18): everything finish() says. */
async function dialogue(who) {
	const made = await makeTrack(store, who);

	await begin(store, who, { kind: "welcome", session_id: made.session_id });
	await finish(store, made.turn_id);
	await exchange(store, who, made.session_id, "q", "a");
	return made;
}

async function finalize(who, made) {
	const wish = await begin(store, who, { kind: "finalize", session_id: made.session_id, track_id: made.track_id });

	return finish(store, wish.context.turn_id, { "blob:modules": JSON.stringify([{ title: "M" }]) });
}

describe("usage", () => {
	it("of a chat and of a session counts every call once, also those that failed", async () => {
		const who = await makeUser(store);
		const made = await dialogue(who);
		const other = (await store.must(who, "chat_create", { chat_id: uuid(), session_id: made.session_id, chat_type: "discussion" })).chat.id;

		await begin(store, who, { session_id: made.session_id, chat_id: other }).then(async ({ context }) => {
			await store.must(null, "turn_attempt", { turn_id: context.turn_id, owner: "chat-1", attempt: 2, lease_ms: 10000, reason: "cut",
				usage: { prompt_tokens: 100, completion_tokens: 5, cost_nano: 700, currency: "USD" } });
			await finish(store, context.turn_id, { attempt: 2 });
		});
		const planning = { chat_type: "planning", chats: 1, messages: 3, total_tokens: 36, cost: { amount: 0.00001, currency: "USD" } };
		const discussion = { chat_type: "discussion", chats: 1, messages: 2, total_tokens: 123, cost: { amount: 0.0000057, currency: "USD" } };

		assert.deepEqual(await usage(who, { chat_id: made.chat_id }), { messages: 3, prompt_tokens: 22, cached_tokens: 4, completion_tokens: 14,
			total_tokens: 36, cost: planning.cost, seconds: 0.000042, by_type: [planning] });
		assert.deepEqual((await usage(who, { chat_id: other })).by_type, [discussion]);
		assert.deepEqual(await usage(who, { session_id: made.session_id }), { messages: 5, prompt_tokens: 133, cached_tokens: 6, completion_tokens: 26,
			total_tokens: 159, cost: { amount: 0.0000157, currency: "USD" }, seconds: 0.000063, by_type: [discussion, planning] });
		await store.must(who, "chat_change", { chat_id: other, action: "delete" });
		assert.deepEqual((await usage(who, { session_id: made.session_id })).by_type, [planning]);
		assert.equal((await store.ask(who, "usage", { chat_id: other })).rc, "not_found");
	});

	it("of messages from before there was a ledger is what they say of themselves", async () => {
		const who = await makeUser(store);
		const made = await dialogue(who);

		await store.db(`delete from attempts where turn_id in (select id from turns where chat_id = '${made.chat_id}');
			update chat_messages set turn_id = null, prompt_tokens = null, cached_tokens = null, completion_tokens = null, cost_nano = null, currency = null,
				total_us = null, tokens_used = case when seq = 1 then null else tokens_used end where chat_id = '${made.chat_id}'`);
		const { total_tokens, cost, seconds, messages } = await usage(who, { chat_id: made.chat_id });

		assert.deepEqual([total_tokens, cost, seconds, messages], [18, null, 0, 3]);
	});

	it("is the caller's own; of nothing it is nothing", async () => {
		const [a, b] = [await makeUser(store), await makeGuest(store)];
		const made = await dialogue(a);

		for (const names of [{ chat_id: made.chat_id }, { session_id: made.session_id }, { session_id: uuid() }, { chat_id: uuid() }, { session_id: "no-such-name" }])
			assert.equal((await store.ask(b, "usage", names)).rc, "not_found", JSON.stringify(names));
		const session_id = uuid();

		await store.must(a, "session_create", { session_id, track_id: made.track_id, session_name: "empty" });
		assert.deepEqual(await usage(a, { session_id }), { messages: 0, prompt_tokens: 0, cached_tokens: 0, completion_tokens: 0, total_tokens: 0, cost: null,
			seconds: 0, by_type: [] });
		await exchange(store, b, "a-name", "q", "a");
		assert.equal((await usage(b, { session_id: "a-name" })).total_tokens, 18);
	});
});

describe("figures", () => {
	it("of somebody who did nothing are zero", async () => {
		const none = await figures(await makeUser(store));

		assert.deepEqual(none, { total: { chats: 0, messages: 0, total_tokens: 0, cost: null }, tokens_by_chat_type: [],
			planning_activity: { sessions: 0, chats: 0, messages: 0, replies: 0, total_tokens: 0 }, planning_by_day: [], response_time_ms: [], tokens_by_stage: [],
			dialogue_length: { finished: 0, average_seconds: null, median_seconds: null }, returns: { restores: 0, to_unfinished: 0, unfinished_chats: 0 },
			tracks: { created: 0, with_modules: 0, completed: 0, finalizations: 0 }, tracks_by_skill_area: [] });
	});

	it("count the newest 100 returns to a chat, and no more are kept", async () => {
		const who = await makeUser(store);
		const [chat, other] = [await dialogue(who), await dialogue(who)];
		const back = ({ chat_id }) => store.must(who, "chat_load", { chat_id, restore: true });
		const ids = async ({ chat_id }) => (await store.db(`select id::int from restore_events where chat_id = '${chat_id}' order by id`)).map((row) => row.id);

		for (const { chat_id, session_id } of [chat, other])
			await store.db(`insert into restore_events (user_id, session_id, chat_id, messages, running, created_at)
				select '${who.user}', '${session_id}', '${chat_id}', 1, false, utc_clock() from generate_series(1, 99)`);
		await back(chat);
		const kept = await ids(chat);

		assert.equal(kept.length, 100);
		await back(chat);
		await back(chat);
		const now = await ids(chat);

		assert.deepEqual([now.length, now.slice(0, 98)], [100, kept.slice(2)]);
		await Promise.all(Array.from({ length: 8 }, () => back(chat)));
		await back(chat);
		assert.equal((await ids(chat)).length, 100);
		assert.equal((await ids(other)).length, 99);
		assert.equal((await figures(who)).returns.restores, 199);
	});

	it("are the sums of what is there, and of nobody else", async () => {
		const [who, other] = [await makeUser(store), await makeUser(store)];
		const [first, second] = [await dialogue(who), await dialogue(who)];

		await finalize(other, await dialogue(other));
		await store.must(who, "chat_load", { chat_id: first.chat_id, restore: true });
		await store.must(who, "chat_load", { chat_id: second.chat_id, restore: true });
		await finalize(who, first);
		await store.must(who, "chat_load", { chat_id: first.chat_id, restore: true });
		await store.db(`update chats set created_at = '2026-01-02 10:00' where id = '${second.chat_id}'`);
		const f = await figures(who);

		assert.deepEqual(f.total, { chats: 2, messages: 7, total_tokens: 90, cost: { amount: 0.000025, currency: "USD" } });
		assert.deepEqual(f.tokens_by_chat_type, [{ chat_type: "planning", chats: 2, messages: 5, total_tokens: 90, average_tokens: 18 }]);
		assert.deepEqual(f.planning_activity, { sessions: 2, chats: 2, messages: 7, replies: 5, total_tokens: 90 });
		assert.deepEqual(f.planning_by_day.map((d) => [d.chats, d.messages, d.total_tokens]), [[1, 3, 54], [1, 2, 36]]);
		assert.equal(f.planning_by_day[1].day, "2026-01-02");
		assert.deepEqual(f.tokens_by_stage.map((s) => [s.stage, s.messages]), [["discussion", 2], ["finalization", 1], ["welcome", 2]]);
		assert.deepEqual(f.response_time_ms.map((s) => [s.stage, s.replies, s.median]), [["discussion", 2, 0.021], ["finalization", 1, 0.021], ["welcome", 2, 0.021]]);
		assert.equal(f.dialogue_length.finished, 1);
		assert.ok(f.dialogue_length.average_seconds > 0);
		assert.deepEqual(f.returns, { restores: 3, to_unfinished: 2, unfinished_chats: 2 });
		assert.deepEqual(f.tracks, { created: 2, with_modules: 1, completed: 0, finalizations: 1 });
		assert.deepEqual(f.tracks_by_skill_area, [{ skill_area: "Programming", tracks: 2, with_modules: 1, share: 0.5 }]);
	});
});
