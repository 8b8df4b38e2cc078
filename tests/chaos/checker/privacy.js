/* INV-11 and INV-12: nobody sees what is another's; no secret is seen at all. */

import { allowed, callsByCmid, cmidOf, of, replyWords, strangers, tabOf, tabPlaces } from "./logs.js";

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

/* What one frame told one tab: of which turn and message, and in which words. */
function* told(e, place, { byTurn, sent, cmids, owners }) {
	const turn = e.turn ?? e.active?.turn, of = byTurn.get(turn), where = `${e.user} tab ${e.tab}`;

	if (of !== undefined && of !== place)
		yield { turn, text: `${where} of ${place} was told of a turn of ${of}: ${e.ev}` };
	if (e.cmid !== undefined && sent.get(e.cmid) !== place)
		yield { turn, cmid: e.cmid, text: `${where} of ${place} was told of a message of ${sent.get(e.cmid) ?? "nobody"}: ${e.ev}` };
	for (const text of [e.text, e.active?.text].filter((said) => said !== undefined)) {
		for (const stranger of e.ev === "stray" ? [] : strangers(text, place))
			yield { turn, text: `${where} of ${place} was shown ${stranger}: ${e.ev}` };
		for (const foreign of turn === undefined ? [] : foreignWords(text, cmids.get(turn), owners, where))
			yield { turn, text: foreign };
	}
	if (e.ev === "stray")
		yield { text: `${where} of ${place} got a frame with ${e.marker}: ${e.text}` };
}

export function* inv11(logs) {
	const { byChat, byTurn, sent } = places(logs);
	const owners = new Map([...callsByCmid(logs)].flatMap(([cmid, list]) => list.map((call) => [call.n, cmid])));
	const cmids = new Map(logs.db.turns.map((turn) => [turn.id, turn.client_message_id]));
	const tabs = tabPlaces(logs);

	for (const e of logs.client.filter((x) => tabs.has(tabOf(x))))
		yield* told(e, tabs.get(tabOf(e)), { byTurn, sent, cmids, owners });
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
