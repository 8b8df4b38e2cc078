/* INV-07 and INV-08: what a tab is told piece by piece is what is stored. */

import { groupBy, of, tabOf } from "./logs.js";

const SLACK_MS = 5000;	/* a fault may be felt this long after it has ended */

const isBroken = (text) => text.includes("�") || /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

/* What was durable when chat died is less than was shown; a tab that came meanwhile was shown none of it. */
const isBeginning = (a, b) => a.startsWith(b) || b.startsWith(a);

/* The reference: what a tab shows of a turn. Mends itself after a fault, so that one fault is told once. */
class Shown {
	constructor(epoch, next, text) {
		Object.assign(this, { epoch, next, text });
	}
}

/* An end without a reply: what is shown then is kept as one. kept: the turns of which there is a reply, or need not be. */
function* gone(turns, { turn, ev }, kept) {
	const shown = turns.get(turn);

	turns.delete(turn);
	if (shown?.text && !kept.has(turn))
		yield `${ev}, and what was shown is not kept: ${JSON.stringify(shown.text.slice(-60))}`;
}

const STEPS = {
	open(turns) {
		turns.clear();	/* what is shown anew comes from its restore */
	},
	resume(turns, e) {
		if (e.text !== undefined)
			turns.set(e.turn, new Shown(e.epoch, e.offset, e.text));
	},
	history(turns, { active, chat }) {
		for (const [turn, shown] of turns)
			if (shown.chat === chat)
				turns.delete(turn);
		if (active)
			turns.set(active.turn, Object.assign(new Shown(active.epoch, active.offset, active.text), { chat }));
	},
	*reset(turns, { turn, epoch }) {
		const shown = turns.get(turn);

		if (shown && epoch <= shown.epoch)
			yield `reset to epoch ${epoch} after ${shown.epoch}`;
		turns.set(turn, new Shown(epoch, 0, ""));
	},
	*delta(turns, { turn, chat, epoch, offset, text }) {
		const shown = turns.get(turn) ?? new Shown(epoch, 0, "");

		/* Nothing was shown, so nothing has to be taken back: the next attempt may begin without a word. */
		if (shown.text === "" && epoch > shown.epoch && offset === 0)
			shown.epoch = epoch;
		if (epoch !== shown.epoch)
			yield `a piece of epoch ${epoch} without a reset, shown was ${shown.epoch}`;
		else if (offset !== shown.next)
			yield `offset ${offset} where ${shown.next} was due`;
		if (isBroken(text))
			yield `a piece is no whole text: ${JSON.stringify(text.slice(0, 40))}`;
		turns.set(turn, Object.assign(new Shown(epoch, offset + 1, shown.text + text), { chat }));
	},
	*final(turns, { turn, epoch, text, state }, kept, lossy) {
		const shown = turns.get(turn);

		turns.delete(turn);
		if (shown?.text === "" && epoch > shown.epoch)
			shown.epoch = epoch;
		if (shown && shown.epoch !== epoch)
			yield `the end is of epoch ${epoch}, shown was ${shown.epoch}`;
		else if (shown && shown.text !== text && !(lossy.has(turn) && state !== "completed" && isBeginning(shown.text, text)))
			yield `the pieces are not the reply: ${JSON.stringify(shown.text.slice(-60))}, ${JSON.stringify(text.slice(-60))}`;
	},
	failed: gone,
	stopped: gone,
};

/* The turns whose text chat may have lost with a worker's: it, the store or the link between them was at fault meanwhile. */
function mayLoseText(logs) {
	const lossy = logs.faults.filter((f) => /^(chat|store|postgres)/.test(f.target));

	return new Set([...groupBy(logs.client.filter((e) => e.turn), (e) => e.turn)].filter(([, list]) =>
		lossy.some((f) => f.t <= list.at(-1).t && (f.until ?? f.t) + SLACK_MS >= list[0].t)).map(([turn]) => turn));
}

export function* inv07(logs) {
	const lossy = mayLoseText(logs);
	const kept = new Set([...logs.db.messages.filter((row) => row.sender_type !== "user").map((row) => row.turn_id), ...lossy]);

	for (const [tab, events] of groupBy(logs.client, tabOf)) {
		const turns = new Map();

		for (const e of events)
			for (const text of STEPS[e.ev]?.(turns, e, kept, lossy) ?? [])
				yield { turn: e.turn, text: `${tab}: ${text}` };
	}
	const rows = new Map(logs.db.messages.map((row) => [row.id, row.text]));

	for (const e of of(logs, "final"))
		if (rows.has(e.id) && rows.get(e.id) !== e.text)
			yield { turn: e.turn, text: `${e.user} tab ${e.tab}: the reply shown is not the one that is stored` };
}

export function* inv08(logs) {
	const rows = new Map(logs.db.messages.map((row) => [row.id, row]));

	for (const e of of(logs, "final")) {
		const row = rows.get(e.id);

		if (row === undefined || row.sender_type === "user" || row.turn_id !== e.turn || row.chat_id !== e.chat || row.seq !== e.seq)
			yield { turn: e.turn, text: `the end that ${e.user} tab ${e.tab} saw (message ${e.id}, ${e.seq}) is not in the database` };
	}
}
