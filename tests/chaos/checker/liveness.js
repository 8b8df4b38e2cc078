/* INV-09: nothing is left hanging. */

import { groupBy, of, tabOf } from "./logs.js";

const ANSWER_MS = 10000;
const READY_MS = 15000;
const TURN_MS = 30000;	/* of a turn, and */
const END_MS = 20000;	/* of its end on the way to an open tab, in which nothing is done to anybody: seconds are usual */
const RECOVERY_MS = 5000;	/* a fault is felt for so long after it is over */
const ENDS = new Set(["final", "failed", "stopped"]);

/* How long between from and to somebody who had to answer stood still. */
function stoodStill(logs, from, to) {
	return logs.faults.filter((f) => f.kind === "stop" || f.kind === "slow")
		.reduce((ms, f) => ms + Math.max(0, Math.min(to, f.until ?? f.t) - Math.max(from, f.t)), 0);
}

/* How much of the time between from and to no fault explains. */
function unexplained(logs, from, to) {
	let quiet = 0, at = from;

	for (const f of logs.faults.toSorted((a, b) => a.t - b.t)) {
		quiet += Math.max(0, Math.min(f.t, to) - at);
		at = Math.max(at, Math.min(to, (f.until ?? f.t) + RECOVERY_MS));
	}
	return quiet + Math.max(0, to - at);
}

/* The bench waits for everybody's last word and last look, a minute each after all is mended. */
function* unfinished(tab, events) {
	const { cmid } = events.findLast((e) => e.ev === "send") ?? {};

	if (!events.some((e) => e.ev === "silent"))
		yield { cmid, text: `${tab} never came to an end with its last message` };
	else if (!events.some((e) => e.ev === "looked"))
		yield { cmid, text: `${tab} never got its dialogue back for the last look` };
}

/* From when on a tab waits for a turn's end, and when it stopped: it was told, it was shown another history, or its socket was gone. */
function* waits(logs, events) {
	const waiting = new Map(), told = new Set();
	const over = (fits, t) => [...waiting].filter(([turn]) => fits(turn)).map(([turn, from]) => (waiting.delete(turn), { turn, from, to: t }));

	for (const e of events) {
		const turn = e.ev === "ack" ? e.turn : e.active?.turn;

		if (ENDS.has(e.ev) && told.add(e.turn))
			yield* over((id) => id === e.turn, e.t);
		else if (e.ev === "close")
			yield* over(() => true, e.t);
		else if (e.ev === "history")
			yield* over((id) => id !== turn, e.t);
		if (turn && !waiting.has(turn) && !told.has(turn))	/* what was sent twice is acknowledged twice, also after its end */
			waiting.set(turn, e.t);
	}
	yield* over(() => true, logs.clock.end);
}

function* unended(logs, tabs) {
	const acks = groupBy(of(logs, "ack"), (e) => e.turn), ends = groupBy(of(logs, ...ENDS), (e) => e.turn);
	const ended = (turn) => Math.min(...(ends.get(turn) ?? []).map((e) => e.t));	/* Infinity: never */

	for (const [turn, list] of acks) {
		const ms = unexplained(logs, list[0].t, Math.min(ended(turn), logs.clock.end));

		if (ms > TURN_MS)
			yield { turn, text: `it ran on for ${Math.round(ms)} ms in which there was no fault` };
	}
	for (const [tab, events] of tabs)
		for (const { turn, from, to } of waits(logs, events)) {
			const ms = unexplained(logs, Math.max(from, ended(turn)), to);

			if (ms > END_MS)
				yield { turn, text: `${tab} was open and not told the end for ${Math.round(ms)} ms in which there was no fault` };
		}
}

/* An answer, or the end of the socket, by which the client knows as much. */
function answeredAt(events, send) {
	const end = events.find((e) => e.t >= send.t && (e.ev === "close" || ((e.ev === "ack" || e.ev === "nack") && e.cmid === send.cmid)));

	return end?.t ?? Infinity;
}

export function* inv09(logs) {
	for (const turn of logs.db.turns)
		if (turn.state === "running")
			yield { turn: turn.id, text: `still running ${Math.round((logs.clock.end - logs.clock.faultsEnd) / 1000)} s after the last fault` };
	if (logs.clock.ready - logs.clock.faultsEnd > READY_MS)
		yield { text: `ready only ${Math.round(logs.clock.ready - logs.clock.faultsEnd)} ms after the last fault` };
	const tabs = groupBy(logs.client.filter((e) => e.tab > 0), tabOf);

	for (const [tab, events] of tabs)
		yield* unfinished(tab, events);
	yield* unended(logs, tabs);

	for (const send of of(logs, "send")) {
		const at = answeredAt(tabs.get(tabOf(send)), send);
		const until = Math.min(at, logs.clock.end);

		if (until - send.t > ANSWER_MS + stoodStill(logs, send.t, until))
			yield { cmid: send.cmid, text: at === Infinity ? "a message was never answered" : `answered after ${Math.round(at - send.t)} ms` };
	}
}
