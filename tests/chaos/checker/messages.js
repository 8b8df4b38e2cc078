/* INV-01 to INV-03: what was acknowledged or shown is stored, once, in its order. */

import { histories } from "./histories.js";
import { groupBy, of } from "./logs.js";

/* The sender was told for good that the message was not taken. Others ask for patience: it may have been. */
const FOR_GOOD = new Set(["turn_in_progress", "cmid_conflict", "not_found", "blank_message", "too_long", "bad_frame", "unauthorized"]);

const userIds = (logs) => new Map(of(logs, "user").map((e) => [e.user, e.id]));

function* aboutMessage(logs, { cmid, sends, answers, rows, ids }) {
	const acks = answers.filter((e) => e.ev === "ack");
	const refused = answers.length > 0 && answers.length >= sends.length && acks.length === 0
		&& answers.every((e) => FOR_GOOD.has(e.code));

	if (rows.length > 1)
		yield { cmid, text: `the message is stored ${rows.length} times` };
	if (acks.length > 0 && rows.length === 0)
		yield { cmid, text: "an acknowledged message is not stored" };
	if (refused && rows.length > 0)
		yield { cmid, text: `a refused message (${answers.at(-1).code}) is stored` };
	for (const row of rows) {
		if (row.text !== sends[0].text)
			yield { cmid, text: `the stored text is another one: ${JSON.stringify(row.text.slice(0, 80))}` };
		if (row.user_id !== ids.get(sends[0].user))
			yield { cmid, text: "it is stored for another user" };
		for (const ack of acks)
			if (ack.chat !== row.chat_id || ack.id !== row.id || ack.seq !== row.seq)
				yield { cmid, text: `acknowledged as ${ack.chat} ${ack.id} ${ack.seq}, stored as ${row.chat_id} ${row.id} ${row.seq}` };
	}
}

export function* inv01(logs) {
	const ids = userIds(logs);
	const sends = groupBy(of(logs, "send"), (e) => e.cmid);
	const answers = groupBy(of(logs, "ack", "nack").filter((e) => e.text === undefined), (e) => e.cmid);
	const userRows = logs.db.messages.filter((row) => row.sender_type === "user");
	const rows = groupBy(userRows, (row) => row.client_message_id);

	for (const [cmid, list] of sends)
		yield* aboutMessage(logs, { cmid, sends: list, answers: answers.get(cmid) ?? [], rows: rows.get(cmid) ?? [], ids });
	for (const [cmid, list] of rows)
		if (!sends.has(cmid))
			yield { cmid, text: `nobody sent what row ${list[0].id} stores` };
	for (const row of logs.db.messages)
		if (row.sender_type !== "user" && !logs.db.turns.some((turn) => turn.id === row.turn_id))
			yield { turn: row.turn_id, text: `the reply ${row.id} belongs to no turn` };
}

export function* inv02(logs) {
	const rows = new Map(logs.db.messages.map((row) => [row.id, row]));
	const shown = [
		...of(logs, "final").map((e) => ({ id: e.id, text: e.text, turn: e.turn, e })),
		...of(logs, "history").flatMap((e) => e.messages.map((m) => ({ id: m.id, text: m.text, turn: rows.get(m.id)?.turn_id, e }))),
	];

	for (const [id, list] of groupBy(shown.filter((s) => s.id), (s) => s.id)) {
		const row = rows.get(id);
		const other = list.find((s) => s.text !== list[0].text);

		if (row === undefined)
			yield { turn: list[0].turn, text: `message ${id} was shown to ${list[0].e.user} and is gone` };
		else if (other || row.text !== list[0].text)
			yield { turn: row.turn_id, text: `message ${id} has changed after it was shown: ${JSON.stringify(list[0].text.slice(0, 60))}, `
				+ `then ${JSON.stringify((other ?? row).text.slice(0, 60))}` };
	}
	yield* histories(logs);
}

function* order(chat, rows) {
	let asked = null;

	for (const [i, row] of rows.entries()) {
		if (row.seq !== i + 1)
			return yield { turn: row.turn_id, text: `chat ${chat}: place ${i + 1} has the number ${row.seq}` };
		if (row.sender_type === "user")
			asked = row.turn_id;
		else if (row.turn_id !== asked)
			yield { turn: row.turn_id, text: `chat ${chat}: the reply at ${row.seq} does not follow its question` };
		else
			asked = null;
	}
}

export function* inv03(logs) {
	const rows = logs.db.messages.toSorted((a, b) => a.seq - b.seq);
	const first = new Map();

	for (const [chat, list] of groupBy(rows, (row) => row.chat_id))
		yield* order(chat, list);
	for (const e of of(logs, "send"))
		if (!first.has(e.cmid))
			first.set(e.cmid, e.t);
	const acks = of(logs, "ack").filter((e) => e.seq !== undefined);

	for (const [, list] of groupBy(acks, (e) => e.chat))
		for (const later of list)
			for (const earlier of list)
				if (earlier.t < (first.get(later.cmid) ?? -Infinity) && earlier.seq >= later.seq && earlier.cmid !== later.cmid)
					yield { cmid: later.cmid, text: `sent after ${earlier.cmid} was acknowledged, but stored before it` };
}
