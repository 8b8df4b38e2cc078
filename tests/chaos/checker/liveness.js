/* INV-09: nothing is left hanging. */

import { groupBy, of } from "./logs.js";

const ANSWER_MS = 10000;
const READY_MS = 15000;

/* How long between from and to somebody who had to answer stood still. */
function stoodStill(logs, from, to) {
	return logs.faults.filter((f) => f.kind === "stop" || f.kind === "slow")
		.reduce((ms, f) => ms + Math.max(0, Math.min(to, f.until ?? f.t) - Math.max(from, f.t)), 0);
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
	const tabs = groupBy(logs.client, (e) => `${e.user} ${e.tab}`);

	for (const send of of(logs, "send")) {
		const at = answeredAt(tabs.get(`${send.user} ${send.tab}`), send);
		const until = Math.min(at, logs.clock.end);

		if (until - send.t > ANSWER_MS + stoodStill(logs, send.t, until))
			yield { cmid: send.cmid, text: at === Infinity ? "a message was never answered" : `answered after ${Math.round(at - send.t)} ms` };
	}
}
