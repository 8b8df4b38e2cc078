/* What the server tells of a reply: accepted, its state, its text, its end. */

import { isReply, messageFromAccepted, messageFromOutbox, messageFromResponse, messagesAdd, messagesReplace } from '../message.js';
import { turnDelta, turnReset, turnStatus } from '../turn.js';
import { enterTurn, isFinished, lastMessage, markFinished, settleTurn, without } from './chat.js';

function isAnswered(d, messageId) {
	const i = d.messages.findIndex((m) => m.id === messageId);

	return i >= 0 && d.messages[i + 1]?.sender === 'ai';
}

export function onAccepted(d, f, at) {
	const item = d.outbox.find((x) => x.cmid === f.client_message_id);
	const stored = d.messages.some((m) => m.id === f.message_id);
	let next = item ? without(d, item.cmid) : d;

	if (!stored && !item && !f.message)
		return { ...d, restore: d.restore === 'idle' ? 'idle' : 'needed' };
	if (!stored) {
		const message = item ? messageFromOutbox(item, f.message_id) : messageFromAccepted(f);
		/* the turn's first events may overtake the acknowledgement */
		next = d.turn?.turnId === f.turn_id ? next : settleTurn(next);
		next = { ...next, messages: messagesAdd(next.messages, message) };
	}
	if (isFinished(next, f.turn_id) || isAnswered(next, f.message_id))
		return next;
	next = enterTurn(next, f.turn_id, at);
	return { ...next, turn: { ...next.turn, userMessageId: f.message_id } };
}

export function onStatus(d, f, at) {
	if (isFinished(d, f.turn_id, f.attempt ?? 0))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnStatus(next.turn, f, at) };
}

export function onDelta(d, f, at) {
	if (isFinished(d, f.turn_id, f.epoch))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnDelta(next.turn, f, at) };
}

export function onReset(d, f, at) {
	if (isFinished(d, f.turn_id, f.epoch))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnReset(next.turn, f, at) };
}

/* The reply came although the acknowledgement did not: the message is stored. */
export function acceptedByReply(d, f) {
	const item = d.outbox.find((x) => x.cmid === f.client_message_id);

	if (!item)
		return d;
	return {
		...without(d, item.cmid),
		messages: [...d.messages, messageFromOutbox(item, null)],
		restore: 'needed',
	};
}

/*
 * Two replies in a row: the second is a new version of the first, which another
 * tab asked for. The history has the last word on that.
 */
function replacedBy(d, message, turn) {
	const last = lastMessage(d);
	const here = d.messages.some((m) => m.id === message.id || (m.turnId !== null && m.turnId === message.turnId));

	if (turn?.replaces && d.messages.some((m) => m.id === turn.replaces))
		return turn.replaces;
	const alike = isReply(last) && isReply(message) && last.messageType === message.messageType;

	return !here && alike && message.turnId !== null ? last.id : null;
}

function withReply(d, message, turn) {
	const oldId = replacedBy(d, message, turn);

	if (oldId === null || oldId === message.id)
		return { ...d, messages: messagesAdd(d.messages, message) };
	return {
		...d,
		messages: messagesReplace(d.messages, oldId, message),
		restore: turn?.replaces || d.restore === 'idle' ? d.restore : 'needed',
	};
}

export function onResponse(d, f) {
	const ours = d.turn !== null && (!f.turn_id || d.turn.turnId === f.turn_id);
	const acked = acceptedByReply(d, f);
	const next = { ...withReply(acked, messageFromResponse(f), ours ? d.turn : null), turn: ours ? null : d.turn };

	return f.turn_id ? markFinished(next, f.turn_id, f.epoch ?? d.turn?.epoch ?? 0) : next;
}

/* The announcement is a message of the dialogue; without its id it is read with the history. */
export function onFinalized(d, f) {
	if (f.message_id)
		return onResponse(d, f);
	return d.restore === 'idle' ? d : { ...d, restore: 'needed' };
}
