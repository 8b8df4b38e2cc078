/* INV-04 to INV-06: one end, text of one attempt, and no more calls than there were faults. */

import { callsByCmid, groupBy, of, replyWords, wordsAsked } from "./logs.js";

const TERMINAL = ["completed", "failed", "cancelled", "interrupted"];
const CALLS_MAX = 3;
const CANCEL_MS = 2000;
const SLACK_MS = 1000;	/* a fault may be felt this long after it has ended */

export function* inv04(logs) {
	const replies = groupBy(logs.db.messages.filter((row) => row.sender_type !== "user"), (row) => row.turn_id);
	const seen = groupBy(of(logs, "final", "failed", "stopped").filter((e) => e.turn), (e) => e.turn);

	for (const turn of logs.db.turns) {
		const rows = replies.get(turn.id) ?? [];
		const states = new Set((seen.get(turn.id) ?? []).map((e) => e.ev === "final" ? e.state : e.ev === "failed" ? "failed" : "cancelled"));

		if (rows.length > 1)
			yield { turn: turn.id, text: `${rows.length} replies are stored` };
		if (turn.state === "completed" && rows.length === 0)
			yield { turn: turn.id, text: "completed without a reply" };
		if (states.size > 1)
			yield { turn: turn.id, text: `clients saw several ends: ${[...states].join(", ")}` };
		if (states.size === 1 && !states.has(turn.state))
			yield { turn: turn.id, text: `clients saw the end "${[...states][0]}", stored is "${turn.state}"` };
		if (![...TERMINAL, "running"].includes(turn.state))
			yield { turn: turn.id, text: `unknown state ${turn.state}` };
	}
}

export function* inv05(logs) {
	const questions = new Map(logs.db.messages.filter((row) => row.sender_type === "user").map((row) => [row.turn_id, row.text]));
	const states = new Map(logs.db.turns.map((turn) => [turn.id, turn.state]));

	for (const row of logs.db.messages.filter((r) => r.sender_type !== "user" && questions.has(r.turn_id))) {
		const words = replyWords(row.text);
		const asked = wordsAsked(questions.get(row.turn_id));

		if (words === null || Number.isNaN(asked))
			yield { turn: row.turn_id, text: `not what the simulator says: ${JSON.stringify(row.text.slice(0, 80))}` };
		else if (new Set(words.map((w) => w.call)).size > 1)
			yield { turn: row.turn_id, text: `words of several attempts: ${[...new Set(words.map((w) => w.call))].join(", ")}` };
		else if (words.some((w, i) => w.index !== i))
			yield { turn: row.turn_id, text: "the words are not one run from the first on" };
		else if (states.get(row.turn_id) === "completed" && words.length !== asked)
			yield { turn: row.turn_id, text: `completed with ${words.length} of ${asked} words` };
	}
}

/* system texts aside, the context is the newest part of the dialogue up to the question. */
function contextFault(call, dialogue) {
	const said = call.messages.filter((m) => m.role === "user" || m.role === "assistant").map((m) => m.content);
	const start = dialogue.length - said.length;

	if (start < 0)
		return `${said.length} texts were sent, the dialogue has ${dialogue.length}`;
	const wrong = said.findIndex((text, i) => text !== dialogue[start + i]);

	return wrong < 0 ? null : `text ${wrong + 1} of ${said.length} is not the chat's: ${JSON.stringify(said[wrong].slice(0, 60))}`;
}

export function* inv06(logs) {
	const calls = callsByCmid(logs);
	const ends = new Map();
	const dialogues = groupBy(logs.db.messages.toSorted((a, b) => a.seq - b.seq), (row) => row.chat_id);
	const asked = new Map(logs.db.messages.filter((row) => row.sender_type === "user").map((row) => [row.turn_id, row.seq]));

	for (const e of of(logs, "final", "failed", "stopped").filter((x) => x.turn))
		ends.set(e.turn, Math.min(e.t, ends.get(e.turn) ?? Infinity));
	const turns = new Set(logs.db.turns.map((row) => row.client_message_id));

	for (const [cmid, [call]] of calls)
		if (cmid !== null && !turns.has(cmid))
			yield { cmid, text: `call ${call.n} was made for a message that has no turn` };
	for (const turn of logs.db.turns.filter((row) => calls.has(row.client_message_id))) {
		const list = calls.get(turn.client_message_id);
		const [from, to] = [list[0].asked, Math.max(...list.map((c) => c.ended ?? c.asked))];
		const met = logs.faults.filter((f) => f.t <= to && (f.until ?? f.t) >= from - SLACK_MS);
		const faults = met.length;
		const stopped = turn.state === "cancelled" ? ends.get(turn.id) ?? Infinity : Infinity;
		const dialogue = dialogues.get(turn.chat_id)?.filter((row) => row.seq <= (asked.get(turn.id) ?? Infinity)).map((row) => row.text) ?? [];

		if (list.length > CALLS_MAX || list.length > 1 + faults)
			yield { turn: turn.id, text: `${list.length} calls to the model, ${faults} faults hit it` };
		if (turn.state !== "cancelled" && list.some((c) => c.asked > (ends.get(turn.id) ?? Infinity)))
			yield { turn: turn.id, text: "the model was asked after the turn had ended" };
		if (list.some((c) => (c.ended ?? c.asked) > stopped + CANCEL_MS))
			yield { turn: turn.id, text: "the model's stream was open more than 2 s after the stop" };
		for (const call of list) {
			const fault = contextFault(call, dialogue);

			if (fault !== null)
				yield { turn: turn.id, text: `call ${call.n}: ${fault}` };
		}
	}
}
