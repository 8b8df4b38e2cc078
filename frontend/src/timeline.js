/*
 * What the message list shows, top to bottom, derived from one chat's state.
 * Keys are stable while an item changes its nature (outbox to stored, stream
 * to finished), so the list keeps its nodes.
 */

import { turnIsRunning } from './turn.js';

function keyOf(m) {
	if (m.sender === 'user' && m.clientMessageId)
		return `cmid:${m.clientMessageId}`;
	if (m.sender === 'ai' && m.turnId)
		return `turn:${m.turnId}`;
	return `id:${m.id}`;
}

function fromMessage(m) {
	return { key: keyOf(m), kind: m.sender, text: m.content, message: m, state: 'stored' };
}

function fromTurn(turn) {
	return { key: `turn:${turn.turnId}`, kind: 'ai', text: turn.text, turn, state: turn.state };
}

function fromOutbox(item, d, connection) {
	let state = item.state;

	if (state === 'waiting' && connection !== 'open')
		state = 'offline';
	else if (state === 'waiting' && turnIsRunning(d.turn))
		state = 'queued';
	return { key: `cmid:${item.cmid}`, kind: 'user', text: item.text, item, state };
}

export function timeline(d, connection) {
	return [
		...d.messages.map(fromMessage),
		...(d.turn ? [fromTurn(d.turn)] : []),
		...d.outbox.map((item) => fromOutbox(item, d, connection)),
	];
}
