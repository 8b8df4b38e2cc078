/* INV-11 and INV-12: nobody sees what is another's; no secret is seen at all. */

import { MARKER, callsByCmid, cmidOf, of, replyWords } from "./logs.js";

const PLACE = /^place(\d+)x\d+$/;

/* The markers of a dialogue: its place and its user. */
const allowed = (place) => new Set([place, `user${PLACE.exec(place)[1]}`]);
const strangers = (text, place) => [...text.matchAll(MARKER)].map(([, m]) => m).filter((m) => !allowed(place).has(m));

/* The dialogue of each chat and turn, as its own messages say. */
function places(logs) {
	const byChat = new Map(), byTurn = new Map(), sent = new Map(of(logs, "send").map((e) => [e.cmid, e.place]));

	for (const turn of logs.db.turns) {
		const place = sent.get(turn.client_message_id);

		if (place) {
			byTurn.set(turn.id, place);
			byChat.set(turn.chat_id, byChat.get(turn.chat_id) ?? place);
		}
	}
	return { byChat, byTurn, sent };
}

/* A reply's words carry their call's number: it must have been asked for this turn. */
function* foreignWords(text, cmid, owners, where) {
	for (const call of new Set((replyWords(text) ?? []).map((w) => w.call)))
		if (owners.has(call) && owners.get(call) !== cmid)
			yield `${where}: words of call ${call}, which was made for ${owners.get(call)}`;
}

export function* inv11(logs) {
	const { byChat, byTurn, sent } = places(logs);
	const owners = new Map([...callsByCmid(logs)].flatMap(([cmid, list]) => list.map((call) => [call.n, cmid])));
	const cmids = new Map(logs.db.turns.map((turn) => [turn.id, turn.client_message_id]));

	for (const e of of(logs, "delta", "final")) {
		for (const text of foreignWords(e.text, cmids.get(e.turn), owners, `${e.user} tab ${e.tab}`))
			yield { turn: e.turn, text };
		if (byTurn.has(e.turn) && !allowed(byTurn.get(e.turn)).has(e.user))
			yield { turn: e.turn, text: `${e.user} was told of a turn of ${byTurn.get(e.turn)}` };
	}
	for (const e of of(logs, "history"))
		for (const m of e.messages)
			if (byChat.has(e.chat) && (strangers(m.text, byChat.get(e.chat)).length > 0 || !allowed(byChat.get(e.chat)).has(e.user)))
				yield { text: `the history that ${e.user} was shown has ${m.text.slice(0, 60)}` };
	for (const call of logs.sim) {
		const place = sent.get(cmidOf(call.messages.findLast((m) => m.role === "user")?.content ?? ""));

		for (const m of place ? call.messages : [])
			for (const stranger of strangers(m.content, place))
				yield { cmid: cmidOf(call.messages.at(-1).content), text: `call ${call.n} of ${place} carried ${stranger}` };
		if (logs.key && call.key !== logs.key)
			yield { text: `call ${call.n} was made with another key` };
	}
	for (const row of logs.db.messages.filter((r) => byChat.has(r.chat_id))) {
		for (const stranger of strangers(row.text, byChat.get(row.chat_id)))
			yield { turn: row.turn_id, text: `row ${row.id} of ${byChat.get(row.chat_id)} has ${stranger}` };
		for (const text of row.sender_type === "user" ? [] : foreignWords(row.text, cmids.get(row.turn_id), owners, `row ${row.id}`))
			yield { turn: row.turn_id, text };
	}
}

/* As it is, and in the forms in which a text travels. */
const forms = (secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64").replace(/=+$/, ""),
	Buffer.from(secret).toString("hex")];

export function* inv12(logs) {
	for (const { name, text } of logs.outputs)
		for (const { name: secret, value } of logs.secrets)
			if (forms(value).some((form) => text.includes(form)))
				yield { text: `${name} tells ${secret}` };
}
