/* A restored chat: the history the server has, and the reply that runs there. */

import { messageFromHistory, messagesBefore, messagesRestore } from '../message.js';
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

/** page: {history, older} as REST answers it, or null when it could not be read. */
export function onOlder(d, { page }) {
	if (page === null)
		return { ...d, loadingOlder: false };
	return {
		...d,
		loadingOlder: false,
		older: page.older ?? 0,
		messages: messagesBefore(d.messages, (page.history ?? []).map(messageFromHistory)),
	};
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
		const messages = messagesRestore(d.messages, history);
		const next = {
			...d,
			info: f.chat_info ?? d.info,
			restore: 'done',
			restoreError: null,
			messages,
			/* what was loaded before it is still there, and what is before that was counted then */
			older: history.length > 0 && messages[0].id !== history[0].id ? d.older : f.older ?? 0,
			outbox: d.outbox.filter((item) => !here.has(item.cmid)),
		};
		return { ...next, turn: turnAfterRestore(next, f.active_turn, at) };
	});
}
