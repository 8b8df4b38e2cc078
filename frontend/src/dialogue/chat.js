/* One chat of the state, and the small changes that the handlers are made of. */

import { messageFromTurn, messagesAdd } from '../message.js';
import { turnBegin } from '../turn.js';

const FINISHED_MAX = 64;

export function emptyDialogue(chatId) {
	return {
		chatId,
		info: null,
		restore: 'idle',
		restoreError: null,
		restoreNotBefore: 0,
		askedAt: 0,
		turnWhenAsked: null,
		messages: [],
		/* how many there are on the server before these */
		older: 0,
		loadingOlder: false,
		turn: null,
		outbox: [],
		finished: {},
	};
}

export function withChat(state, chatId, change) {
	if (!chatId)
		return state;
	const old = state.dialogues[chatId] ?? emptyDialogue(chatId);
	const fresh = change(old);

	return fresh === old ? state : { ...state, dialogues: { ...state.dialogues, [chatId]: fresh } };
}

export function everyChat(state, change) {
	return Object.keys(state.dialogues).reduce((s, chatId) => withChat(s, chatId, change), state);
}

export function withItem(d, cmid, change) {
	return { ...d, outbox: d.outbox.map((item) => (item.cmid === cmid ? change(item) : item)) };
}

export function without(d, cmid) {
	return { ...d, outbox: d.outbox.filter((item) => item.cmid !== cmid) };
}

export function lastMessage(d) {
	return d.messages[d.messages.length - 1] ?? null;
}

export function isFinished(d, turnId, epoch = 0) {
	return Object.hasOwn(d.finished, turnId) && epoch <= d.finished[turnId];
}

export function markFinished(d, turnId, epoch) {
	const rows = [...Object.entries(d.finished).filter(([id]) => id !== turnId), [turnId, epoch]];

	return { ...d, finished: Object.fromEntries(rows.slice(-FINISHED_MAX)) };
}

/* A turn that ended early gives way: its text stays, unless another try was asked for. */
export function settleTurn(d) {
	if (d.turn === null)
		return d;
	const keeps = d.turn.text !== '' && !d.turn.retried;
	const messages = keeps ? messagesAdd(d.messages, messageFromTurn(d.turn)) : d.messages;

	return markFinished({ ...d, messages, turn: null }, d.turn.turnId, d.turn.epoch);
}

export function enterTurn(d, turnId, at) {
	if (d.turn?.turnId === turnId)
		return d;
	const settled = settleTurn(d);
	/* a finished turn that goes on (another generation) is not finished any more */
	const { [turnId]: _, ...finished } = settled.finished;

	const replaces = d.turn?.regenerate === 'asked' ? d.turn.replaces : null;

	return { ...settled, finished, turn: turnBegin(turnId, at, { userMessageId: lastUserId(d), replaces }) };
}

export function lastUserId(d) {
	return d.messages.findLast((m) => m.sender === 'user')?.id ?? null;
}
