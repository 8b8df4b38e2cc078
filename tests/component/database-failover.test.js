/* FD-02: two servers, the second follows the first and takes its place. DATABASE_URL names both, as libpq understands it. */

import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { Cluster } from "../lib/pg.js";
import { release } from "../lib/release.js";
import { until } from "../lib/until.js";
import { begin, exchange, finish, makeGuest, startStore, turnWish } from "./store-lib.js";

const READY_MS = 60000;
const FAILOVER_MS = 30000;

let first, second, store;

/* libpq takes the one that can be written to. */
const ofBoth = (url) => url.replace(/host=[^&]*/, `host=${[first, second].map((c) => encodeURIComponent(c.socket)).join(",")}`)
	.concat("&target_session_attrs=read-write");

before(async () => {
	first = await Cluster.start();
	second = await first.standby();
	store = await startStore({ cluster: first, ready: false, through: ofBoth });
	await store.daemon.waitReady(READY_MS);
});
after(async () => {
	if (store)
		store.database.drop = async () => {};	/* it goes with its servers */
	await release(store, second, first);
});

/* Asks until it is answered with something else than "not now". */
async function answered(ask) {
	let answer;

	await until("an answer", async () => {
		answer = await ask();
		return !["busy", "storage_unavailable", "unavailable", "unknown"].includes(answer.rc);
	}, { ms: FAILOVER_MS });
	assert.equal(answer.rc, "ok", JSON.stringify(answer));
	return answer;
}

it("FD-02: a standby takes the place of a server that dies: nothing acknowledged is lost, and the store goes there by itself", async () => {
	const guest = await makeGuest(store);
	const history = async () => (await answered(() => store.ask(guest, "chat_load", { session_id: "failover" }))).history
		.map((message) => message.content);

	await exchange(store, guest, "failover", "before", "answer");
	const running = await begin(store, guest, { session_id: "failover", body: "in the middle" });
	await first.kill();
	const wish = turnWish({ session_id: "meanwhile", body: "while nobody is there" });
	const refused = await store.ask(guest, "turn_begin", wish);

	assert.notEqual(refused.rc, "ok");
	await second.promote();
	const finished = await answered(() => finish(store, running.context.turn_id, { reply: "its answer" }));
	assert.equal(finished.outcome.reply, "its answer");
	await answered(() => store.ask(guest, "turn_begin", wish));
	assert.deepEqual(await history(), ["before", "answer", "in the middle", "its answer"]);
	await exchange(store, guest, "failover", "after", "another answer");
	assert.deepEqual((await history()).slice(-2), ["after", "another answer"]);
});
