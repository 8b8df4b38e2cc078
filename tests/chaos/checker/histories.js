/* INV-02, of histories: each is a whole stretch of its chat, up to everything that was known before it was asked for. */

import { groupBy, of, tabOf, tabPlaces } from "./logs.js";

/* Of each place: what its tabs were told is stored, and when: { t, id, seq, turn }. */
function knownByPlace(logs) {
	const places = tabPlaces(logs);
	const told = [...of(logs, "ack", "final"), ...of(logs, "history").flatMap((e) => e.messages.map((m) => ({ ...e, ...m })))]
		.filter((e) => e.seq !== undefined && places.has(tabOf(e)));

	return groupBy(told, (e) => places.get(tabOf(e)));
}

/* Only the newest are shown: `older` are left out, and the rest is numbered on from there. */
function* oneStretch({ messages, older = 0 }) {
	const at = messages.findIndex((m, i) => m.seq !== older + i + 1);

	if (at >= 0)
		yield `place ${older + at + 1} has the number ${messages[at].seq}`;
}

function* lacks({ messages, older = 0 }, asked, known) {
	const lost = known.find((k) => k.t < asked && k.seq > older && messages[k.seq - older - 1]?.id !== k.id);

	if (lost)
		yield `message ${lost.id} is not at ${lost.seq}, though ${lost.user} tab ${lost.tab} knew it before this was asked for`;
}

/* After the last look nothing happens any more, save the end of a turn that ran on, which the tab is told. */
function* unlikeRows({ messages, older = 0, active }, later, rows) {
	const told = new Set([active?.turn, ...later.map((e) => e.turn)]);
	const wrong = rows.filter((row) => row.seq > older).find((row) => {
		const m = messages[row.seq - older - 1];

		return m ? m.id !== row.id || m.text !== row.text || m.sender !== row.sender_type : !told.has(row.turn_id);
	});

	if (wrong)
		yield `the last look is not what is stored at ${wrong.seq}`;
}

export function* histories(logs) {
	const places = tabPlaces(logs), known = knownByPlace(logs);
	const rows = groupBy(logs.db.messages, (row) => row.chat_id);

	for (const [tab, events] of groupBy(logs.client, tabOf)) {
		const last = events.findLastIndex((e) => e.ev === "history");
		let asked = -Infinity;

		for (const [i, e] of events.entries()) {
			if (e.ev === "restore")
				asked = e.t;
			if (e.ev !== "history")
				continue;
			for (const text of [...oneStretch(e), ...lacks(e, asked, known.get(places.get(tab)) ?? []),
				...i === last ? unlikeRows(e, events.slice(i + 1), rows.get(e.chat) ?? []) : []])
				yield { turn: e.active?.turn, text: `the history that ${tab} was shown: ${text}` };
		}
	}
}
