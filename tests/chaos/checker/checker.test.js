/* The checker finds a planted defect of every kind, and nothing in a run in which all is well. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readLogs, saveLogs } from "../saved_logs.js";
import { cleanRun } from "./example.js";
import { INVARIANTS, check, report, summary } from "./index.js";

const drop = (list, fits) => list.splice(list.findIndex(fits), 1)[0];
const last = (logs, ev, n = -1) => logs.client.filter((e) => e.ev === ev).at(n);
const reply = (logs) => logs.db.messages.find((m) => m.sender_type === "assistant");
const question = (logs) => logs.db.messages.find((m) => m.sender_type === "user");
const turnOf = (logs, row) => logs.db.turns.find((t) => t.id === row.turn_id);
const bobs = (logs) => logs.db.messages.filter((m) => m.user_id === logs.db.users[1].id);

/* Who sees what is ada's. */
const BOB = { t: 91000, user: "user2", tab: 1 };

/* The one that is asked for while a reply is made. */
const lostHistory = (logs) => logs.client.find((e) => e.ev === "history" && e.active);

/* A text that is changed wherever it is known, so that only the rule about it is broken. */
function everywhere(logs, from, to) {
	for (const m of logs.db.messages.filter((row) => row.text === from))
		m.text = to;
	for (const e of logs.client) {
		if (e.text === from)
			e.text = to;
		for (const m of (e.messages ?? []).filter((x) => x.text === from))
			m.text = to;
	}
}

/* invariant, what was planted, how */
const PLANTED = [
	["INV-01", "an acknowledged message is lost", (l) => drop(l.db.messages, (m) => m.sender_type === "user")],
	["INV-01", "a message is stored twice", (l) => l.db.messages.push({ ...question(l), id: "double", seq: 99 })],
	["INV-01", "a message is stored changed", (l) => { question(l).text += "!"; }],
	["INV-01", "a message is stored in another chat", (l) => { question(l).chat_id = l.db.chats[1].id; }],
	["INV-01", "a message is stored for another user", (l) => { question(l).user_id = l.db.users[1].id; }],
	["INV-01", "a refused message is stored", (l) => l.db.messages.push({ ...question(l), id: "refused", client_message_id: last(l, "nack").cmid })],
	["INV-01", "a message that nobody sent", (l) => l.db.messages.push({ ...question(l), id: "ghost", client_message_id: "ghost", seq: 99 })],
	["INV-01", "a reply that no turn made", (l) => l.db.messages.push({ ...reply(l), id: "ghost", turn_id: "ghost", seq: 99 })],
	["INV-02", "a message that was shown is gone", (l) => drop(l.db.messages, (m) => m.id === last(l, "final").id)],
	["INV-02", "a reply changes after it was shown", (l) => { reply(l).text += "and more"; }],
	["INV-02", "a history shows another text than before", (l) => { last(l, "history").messages[1].text = "c1w0 "; }],
	["INV-02", "a history lacks a message in the middle", (l) => last(l, "history").messages.splice(1, 1)],
	["INV-02", "a history lacks the newest", (l) => last(l, "history").messages.pop()],
	["INV-02", "a history lacks what was acknowledged before it was asked for", (l) => { lostHistory(l).messages.pop(); }],
	["INV-02", "a history has a message twice", (l) => last(l, "history").messages.splice(1, 0, last(l, "history").messages[1])],
	["INV-02", "a history is out of order", (l) => last(l, "history").messages.reverse()],
	["INV-02", "a history is empty", (l) => { last(l, "history").messages = []; }],
	["INV-02", "a history leaves out more than it says", (l) => { last(l, "history").messages.shift(); }],
	["INV-02", "the last look shows another's name over a message", (l) => { last(l, "history").messages[0].sender = "assistant"; }],
	["INV-03", "a hole in the sequence", (l) => { for (const m of l.db.messages.filter((x) => x.seq > 2)) m.seq += 1; }],
	["INV-03", "two questions' replies change places", (l) => {
		const [a, b] = bobs(l).filter((m) => m.sender_type === "assistant");

		[a.seq, b.seq] = [b.seq, a.seq];
	}],
	["INV-03", "a later message is stored before an acknowledged one", (l) => {
		const acks = l.client.filter((e) => e.ev === "ack" && e.chat === l.db.chats[1].id);

		[acks[0].seq, acks[1].seq] = [acks[1].seq, acks[0].seq];
	}],
	["INV-04", "two replies of a turn", (l) => l.db.messages.push({ ...reply(l), id: "second", seq: 99 })],
	["INV-04", "completed without a reply", (l) => drop(l.db.messages, (m) => m.sender_type === "assistant")],
	["INV-04", "clients see two ends", (l) => l.client.push({ ...last(l, "final"), ev: "failed", code: "ai_unavailable" })],
	["INV-04", "another end is stored than was told", (l) => { turnOf(l, reply(l)).state = "interrupted"; }],
	["INV-05", "the texts of two attempts are joined", (l) => everywhere(l, reply(l).text, reply(l).text.replace("c1w2 ", "c9w2 "))],
	["INV-05", "a word is missing in the middle", (l) => everywhere(l, reply(l).text, reply(l).text.replace("c1w2 ", ""))],
	["INV-05", "completed, but cut short", (l) => everywhere(l, reply(l).text, reply(l).text.replace("c1w3 ", ""))],
	["INV-05", "text that no model said", (l) => everywhere(l, reply(l).text, "Sorry!")],
	["INV-06", "a call without a fault", (l) => l.sim.push({ ...l.sim[0] })],
	["INV-06", "four calls of a turn", (l) => {
		for (let i = 0; i < 4; i++)
			l.faults.push({ t: l.sim[0].asked, kind: "kill", target: "ai-1", hit: true });
		l.sim.push({ ...l.sim[0] }, { ...l.sim[0] }, { ...l.sim[0] });
	}],
	["INV-06", "a call after the end", (l) => { l.sim[0].asked = l.sim[0].ended = 50000; }],
	["INV-06", "the stream goes on after a stop", (l) => {
		const turn = l.db.turns.find((t) => t.state === "cancelled");

		l.sim.find((c) => c.messages.at(-1).content.includes(turn.client_message_id)).ended += 5000;
	}],
	["INV-06", "a call for a message that has no turn", (l) => {
		const [call] = l.sim;

		l.sim.push({ ...call, n: 90, messages: [{ role: "user", content: `@msg=${last(l, "nack").cmid}` }] });
	}],
	["INV-06", "the context lacks a message", (l) => l.sim.at(-1).messages.splice(2, 1)],
	["INV-06", "the context has a message twice", (l) => l.sim[0].messages.push(l.sim[0].messages.at(-1))],
	["INV-07", "a piece is missing", (l) => drop(l.client, (e) => e.ev === "delta" && e.offset === 1)],
	["INV-07", "a piece comes twice", (l) => l.client.splice(l.client.findIndex((e) => e.ev === "delta" && e.offset === 1), 0,
		l.client.find((e) => e.ev === "delta" && e.offset === 1))],
	["INV-07", "a piece has another text", (l) => { last(l, "delta").text = "c1w9 "; }],
	["INV-07", "a piece is half a character", (l) => { last(l, "delta").text = "\ud83d"; }],
	["INV-07", "another attempt without a reset", (l) => drop(l.client, (e) => e.ev === "reset")],
	["INV-07", "the last pieces never come", (l) => drop(l.client, (e) => e.ev === "delta" && e.offset === 3)],
	["INV-07", "the snapshot lies about its place", (l) => { l.client.find((e) => e.active).active.offset = 1; }],
	["INV-07", "the end shows another text than is stored", (l) => { last(l, "final").text += "!"; }],
	...["failed", "stopped"].map((ev) => ["INV-07", `${ev}, and what was shown is nowhere`, (l) => {
		const { turn, cmid } = last(l, "final");

		drop(l.db.messages, (m) => m.turn_id === turn && m.sender_type === "assistant");
		for (const e of l.client.filter((x) => x.ev === "final" && x.turn === turn))
			Object.assign(e, { ev, code: "ai_unavailable", cmid, text: undefined });
	}]),
	["INV-08", "an end was told that is not stored", (l) => { last(l, "final").id = "nowhere"; }],
	["INV-08", "an end was told for another turn", (l) => { last(l, "final").turn = l.db.turns[0].id; }],
	["INV-09", "a turn is left running", (l) => { l.db.turns[0].state = "running"; }],
	["INV-09", "a message is never answered", (l) => l.client.push({ ...last(l, "send"), cmid: "unheard", t: 70000 })],
	["INV-09", "a message is answered late", (l) => { last(l, "send").t -= 15000; }],
	["INV-09", "a tab never comes to an end", (l) => drop(l.client, (e) => e.ev === "silent")],
	["INV-09", "a last look is never answered", (l) => drop(l.client, (e) => e.ev === "looked")],
	["INV-09", "an end does not come to an open tab", (l) => {
		const at = l.client.findIndex((e) => e.ev === "final" && e.tab === 2), [end] = l.client.splice(at, 1);

		for (const e of l.client.slice(at))
			e.t += 30000;
		l.client.splice(l.client.findIndex((e) => e.ev === "silent" && e.tab === 2), 0, { ...end, t: end.t + 30000 });
	}],
	["INV-09", "a turn runs on though nothing is done to anybody", (l) => {
		const [first] = l.client.filter((e) => e.ev === "final");

		for (const e of l.client.slice(l.client.indexOf(first)))
			e.t += 41000;
	}],
	["INV-09", "ready too late", (l) => { l.clock.ready += 20000; }],
	["INV-10", "tokens are counted twice", (l) => { l.db.attempts[0].prompt_tokens *= 2; }],
	["INV-10", "a completed turn is not accounted", (l) => { Object.assign(l.db.attempts[0], { prompt_tokens: null, completion_tokens: null }); }],
	["INV-10", "two attempts account one call", (l) => {
		const [first] = l.db.attempts.filter((row) => row.prompt_tokens === null);

		Object.assign(first, l.db.attempts.find((row) => row.turn_id === first.turn_id && row.attempt === 2), { attempt: 1 });
	}],
	["INV-10", "negative tokens", (l) => { l.db.attempts[0].completion_tokens = -1; }],
	["INV-10", "another user pays", (l) => { l.db.attempts[0].user_id = l.db.users[1].id; }],
	["INV-10", "the reply's number is not the ledger's", (l) => { reply(l).tokens_used = 1; }],
	["INV-11", "a reply made for another turn is shown", (l) => {
		const [a, b] = [1, 2].map((n) => l.client.find((e) => e.ev === "final" && e.user === `user${n}`));

		a.text = b.text;
	}],
	["INV-11", "a user is told of another's turn", (l) => l.client.push({ ...last(l, "delta"), ...BOB })],
	["INV-11", "a user is told that another's message was accepted", (l) => l.client.push({ ...last(l, "ack"), ...BOB })],
	["INV-11", "a user is shown another's message", (l) => l.client.push({ ...last(l, "ack"), turn: undefined, cmid: undefined,
		text: question(l).text, ...BOB })],
	...["reset", "failed", "stopped"].map((ev) => ["INV-11", `a user is told of another's turn: ${ev}`, (l) =>
		l.client.push({ ...BOB, ev, turn: question(l).turn_id, epoch: 9 })]),
	["INV-11", "a refusal goes to another", (l) => l.client.push({ ...last(l, "nack"), user: "user1", t: 91000 })],
	["INV-11", "a tab of one dialogue is told of another's", (l) => {
		for (const e of l.client.filter((x) => x.user === "user1" && x.tab === 2 && x.ev === "open"))
			e.place = "place1x1";
	}],
	["INV-11", "a snapshot has the words of another's turn", (l) => {
		const e = l.client.find((x) => x.active);

		e.active.text = `c${l.sim[0].n}w0 `;
	}],
	["INV-11", "a frame that nobody reads has another's marker", (l) => l.client.push({ ...BOB, ev: "stray", marker: "user1", text: "{}" })],
	["INV-11", "a history has another user's message", (l) => {
		l.client.findLast((e) => e.ev === "history" && e.user === BOB.user).messages[0].text = question(l).text;
	}],
	["INV-11", "a context carries another chat", (l) => { l.sim.at(-1).messages[0].content += " @user2 @place2x0"; }],
	["INV-11", "a row carries another chat", (l) => { question(l).text += " @place2x0"; }],
	["INV-11", "the model is asked with another key", (l) => { l.key = "k"; l.sim[0].key = "other"; }],
	["INV-12", "a secret in a log", (l) => { l.outputs[0].text += " key=canary-bus-key"; }],
	["INV-12", "a secret in base64", (l) => { l.outputs[0].text += Buffer.from("canary-bus-key").toString("base64"); }],
	["INV-13", "a chat without its session", (l) => { l.db.chats[0].session_id = "nowhere"; }],
	["INV-13", "a message that is another owner's", (l) => { question(l).user_id = "nobody"; }],
	["INV-13", "two planning chats", (l) => l.db.chats.push({ ...l.db.chats[0], id: "second" })],
	["INV-13", "a module twice", (l) => l.db.modules.push({ track_id: 1, module_number: 1 }, { track_id: 1, module_number: 1 })],
	["INV-14", "descriptors leak", (l) => { l.resources.after.processes.chat.fds += 100; }],
	["INV-14", "threads leak", (l) => { l.resources.after.processes.chat.threads += 10; }],
	["INV-14", "memory leaks", (l) => { l.resources.after.processes.chat.kb *= 4; }],
	["INV-14", "database sessions leak", (l) => { l.resources.after.sessions += 20; }],
	["INV-14", "a daemon is gone", (l) => { delete l.resources.after.processes.chat; }],
	["INV-14", "a core", (l) => l.resources.cores.push("core.1")],
	["INV-14", "a sanitizer's report", (l) => l.resources.reports.push("heap-use-after-free")],
];

test("a run in which all is well raises no alarm", () => {
	const logs = cleanRun();

	assert.deepEqual(check(logs), { invalid: [], violations: [] });
	assert.equal(report(logs, check(logs)), "");
	assert.equal(summary(logs).hits, "1 of 1");
});

for (const [inv, what, plant] of PLANTED) {
	test(`${inv}: ${what}`, () => {
		const logs = cleanRun();

		plant(logs);
		const result = check(logs);

		assert.ok(result.violations.some((v) => v.inv === inv), `found: ${JSON.stringify(result.violations)}`);
		assert.match(report(logs, result), new RegExp(`^${inv} \\(seed 7\\): `, "m"));
	});
}

test("under a sanitizer the size of a process says nothing", () => {
	const logs = cleanRun();

	logs.resources.sanitized = true;
	logs.resources.after.processes.chat.kb *= 4;
	assert.deepEqual(check(logs).violations, []);
});

test("every invariant has planted defects", () => {
	for (const inv of Object.keys(INVARIANTS))
		assert.ok(PLANTED.some(([name]) => name === inv), inv);
	assert.equal(Object.keys(INVARIANTS).length, 14);
});

test("a violation is told with its seed and the turn's time line", () => {
	const logs = cleanRun();

	drop(logs.client, (e) => e.ev === "reset");
	const text = report(logs, check(logs));

	assert.match(text, /^INV-07 \(seed 7\): user1 tab 1: a piece of epoch 2 without a reset/);
	assert.match(text, /send/);
	assert.match(text, /call 3 begins/);
	assert.match(text, /FAULT kill ai-1/);
	assert.match(text, /in the database/);
});

test("a run without a log proves nothing", () => {
	for (const name of ["client", "sim", "faults", "processes", "db", "outputs", "secrets", "resources"]) {
		const logs = cleanRun();

		delete logs[name];
		assert.match(check(logs).invalid.join(), new RegExp(name));
	}
	for (const plant of [(l) => { l.client = []; }, (l) => { delete l.clock.end; }, (l) => { delete l.db.turns; }]) {
		const logs = cleanRun();

		plant(logs);
		assert.equal(check(logs).invalid.length, 1);
	}
});

test("kills that hit nothing do not count", () => {
	const logs = cleanRun();

	for (let i = 0; i < 3; i++)
		logs.faults.push({ t: 50000, kind: "kill", target: "store", hit: false });
	assert.match(check(logs).invalid.join(), /only 1 of 4 kills/);
	logs.faults.at(-1).hit = true;
	assert.deepEqual(check(logs).invalid, []);
});

test("a run that was kept is read as it was", async (t) => {
	const dir = mkdtempSync(join(tmpdir(), "alp-saved-"));

	t.after(() => rmSync(dir, { recursive: true }));
	saveLogs(join(dir, "logs.jsonl"), cleanRun());
	assert.deepEqual(await readLogs(join(dir, "logs.jsonl")), JSON.parse(JSON.stringify(cleanRun())));
});
