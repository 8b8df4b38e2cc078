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

/* The same item for the same message: a long dialogue is not compared anew with every delta. */
const known = new WeakMap();

function fromMessage(m) {
	if (!known.has(m))
		known.set(m, { key: keyOf(m), kind: m.sender, text: m.content, message: m, state: 'stored' });
	return known.get(m);
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

function dayOf(iso) {
	const date = new Date(iso ?? '');

	return Number.isNaN(date.getTime()) ? '' : `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

export function timeline(d, connection) {
	const replaced = turnIsRunning(d.turn) ? d.turn.replaces : null;

	return [
		...d.messages.filter((m) => m.id === null || m.id !== replaced).map(fromMessage),
		...(d.turn ? [fromTurn(d.turn)] : []),
		...d.outbox.map((item) => fromOutbox(item, d, connection)),
	];
}

/**
 * The same with a line of its own where a day begins. today: ISO time; a
 * dialogue that begins on that day needs no line for it.
 */
export function withDays(items, today = new Date().toISOString()) {
	const result = [];
	let day = dayOf(today);

	for (const item of items) {
		const timestamp = item.message?.timestamp ?? item.item?.timestamp ?? null;
		const its = dayOf(timestamp) || day;
		if (its !== day)
			result.push({ key: `day:${its}`, kind: 'day', timestamp });
		day = its;
		result.push(item);
	}
	return result;
}
