/* A restored chat: the history the server has, and the reply that runs there. */

import { messageFromHistory, messagesRestore } from '../message.js';
import { turnFromSnapshot, turnIsRunning, turnLost } from '../turn.js';
import { isFinished, lastMessage, lastUserId, withChat } from './chat.js';
import { onRestoreError, problem } from './errors.js';

function newerThanSnapshot(d) {
	return turnIsRunning(d.turn) && d.turn.turnId !== d.turnWhenAsked;
}

/* The server says nothing runs. What ended early and has no answer yet can be retried. */
function turnAfterSilence(d, at) {
	const last = lastMessage(d);

	if (newerThanSnapshot(d))
		return d.turn;
	if (last?.sender === 'user' && d.turn !== null && !turnIsRunning(d.turn))
		return d.turn;
	if (last?.sender === 'user')
		return turnLost(last.id, at, { state: 'interrupted' });
	return d.turn !== null && d.messages.length === 0 && !turnIsRunning(d.turn) ? d.turn : null;
}

function turnAfterRestore(d, active, at) {
	if (!active || isFinished(d, active.turn_id, active.epoch))
		return turnAfterSilence(d, at);
	if (newerThanSnapshot(d) && d.turn.turnId !== active.turn_id)
		return d.turn;
	return { ...turnFromSnapshot(d.turn, active, at), userMessageId: lastUserId(d) };
}

function noSuchChat(d) {
	return d.restore === 'asked' ? { ...d, restore: 'failed', restoreError: problem({ code: 'not_found' }) } : d;
}

export function onRestored(state, f, at) {
	const chatId = f.chat_id ?? null;

	if (!chatId)
		return withChat(state, state.currentChatId, noSuchChat);
	const opened = state.currentChatId ? state : { ...state, currentChatId: chatId };
	return withChat(opened, chatId, (d) => {
		if (f.success === false)
			return onRestoreError(d, { code: 'internal' }, at);
		const history = (f.history ?? []).map(messageFromHistory);
		const here = new Set(history.map((m) => m.clientMessageId));
		const next = {
			...d,
			info: f.chat_info ?? d.info,
			restore: 'done',
			restoreError: null,
			messages: messagesRestore(d.messages, history),
			outbox: d.outbox.filter((item) => !here.has(item.cmid)),
		};
		return { ...next, turn: turnAfterRestore(next, f.active_turn, at) };
	});
}
