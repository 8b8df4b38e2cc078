/* What the person does, what the connection does, and what the clock says. */

import { isPiece, isReply } from '../message.js';
import { turnIsRunning, turnLost } from '../turn.js';
import { everyChat, lastMessage, settleTurn, withChat, withItem } from './chat.js';
import { TRIES_MAX } from './errors.js';

const ACK_MS = 10_000;
const SILENCE_MS = 15_000;
const ASKS_MAX = 2;
const CLOSED_TOO_BIG = 1009;

/* Sent on a connection that is gone: once more, unless it was closed for this very message. */
function takenBack(item, code) {
	if (item.state !== 'sending')
		return item;
	return code === CLOSED_TOO_BIG
		? { ...item, state: 'failed', error: { code: 'too_long', message: '', retryAfterMs: 0 } }
		: { ...item, state: 'waiting' };
}

export function onConnection(state, { state: connection, code }) {
	const next = { ...state, connection };

	if (connection === 'open')
		return next;
	return everyChat(next, (d) => ({
		...d,
		restore: d.restore === 'idle' ? 'idle' : 'needed',
		restoreNotBefore: 0,
		outbox: d.outbox.map((item) => takenBack(item, code)),
		turn: d.turn && {
			...d.turn,
			resume: 'no',
			/* not repeatable: the restored state tells whether it arrived */
			regenerate: d.turn.regenerate === 'asked' ? 'no' : d.turn.regenerate,
			stop: d.turn.stop === 'asked' ? 'needed' : d.turn.stop,
		},
	}));
}

/* How it ended is said at the button, not in the dialogue. */
export function onFinalizing(state, { on }) {
	const next = { ...state, finalizing: on };

	if (on)
		return next;
	return everyChat(next, (d) => (d.turn?.kind === 'finalize' && !turnIsRunning(d.turn) ? settleTurn(d) : d));
}

export function onOpenChat(state, { chatId }) {
	return withChat({ ...state, currentChatId: chatId }, chatId, (d) => ({ ...d, restore: 'needed', restoreNotBefore: 0 }));
}

function newItem({ cmid, text, timestamp = null }) {
	return { cmid, text, timestamp, state: 'waiting', tries: 0, sentAt: 0, notBefore: 0, error: null };
}

export function onSubmit(d, event) {
	return { ...d, restore: d.restore === 'idle' ? 'needed' : d.restore, outbox: [...d.outbox, newItem(event)] };
}

export function onRetryMessage(d, { cmid, freshCmid }) {
	return withItem(d, cmid, (item) => ({
		...newItem(item),
		/* the server holds another text under this id: this is a new intent */
		cmid: item.error?.code === 'cmid_conflict' ? freshCmid : cmid,
	}));
}

/* What another try is asked for: the turn that ended early, or a reply stored as a piece. */
function retriable(d, at) {
	const last = lastMessage(d);

	if (d.turn !== null)
		return turnIsRunning(d.turn) ? null : d.turn;
	return last && isPiece(last) ? turnLost(last.id, at) : null;
}

function askAgain(d, turn, at) {
	return {
		...d,
		turn: { ...turn, state: 'waiting', error: null, regenerate: 'needed', retried: true, heardAt: at, asksUnanswered: 0 },
	};
}

export function onRetryTurn(d, at) {
	const turn = retriable(d, at);

	return turn === null ? d : askAgain(d, turn, at);
}

/* Another version of the newest reply; the old one stays until the new one is complete. */
export function onRegenerate(d, at) {
	const last = lastMessage(d);

	if (turnIsRunning(d.turn) || !isReply(last))
		return d;
	return askAgain(d, turnLost(last.id, at, { replaces: last.id }), at);
}

export function onStop(d) {
	return turnIsRunning(d.turn) ? { ...d, turn: { ...d.turn, stop: 'needed' } } : d;
}

export function onSent(state, { frame }, at) {
	const turnAsked = (field) => (d) => ({ ...d, turn: { ...d.turn, [field]: 'asked', heardAt: at } });

	switch (frame.type) {
	case 'restore_chat':
		return withChat(state, frame.chat_id, (d) => ({ ...d, restore: 'asked', turnWhenAsked: d.turn?.turnId ?? null, askedAt: at }));
	case 'resume':
		return withChat(state, frame.chat_id, (d) => {
			const asked = turnAsked('resume')(d);
			return { ...asked, turn: { ...asked.turn, asksUnanswered: d.turn.asksUnanswered + 1 } };
		});
	case 'stop':
		return withChat(state, frame.chat_id, turnAsked('stop'));
	case 'regenerate':
		return withChat(state, frame.chat_id, turnAsked('regenerate'));
	default:
		return withChat(state, frame.chat_id, (d) =>
			withItem(d, frame.client_message_id, (item) => ({ ...item, state: 'sending', sentAt: at })));
	}
}

/* ---- time ------------------------------------------------------------------- */

function tickItem(item, at) {
	if (item.state !== 'sending' || at - item.sentAt < ACK_MS)
		return item;
	const tries = item.tries + 1;

	return tries < TRIES_MAX
		? { ...item, tries, state: 'waiting' }
		: { ...item, tries, state: 'failed', error: { code: 'no_answer', message: '', retryAfterMs: 0 } };
}

/* Silence is never waited out: ask for the turn, and then for the whole chat. */
function tickTurn(d, at) {
	if (d.restore !== 'done' || !turnIsRunning(d.turn) || at - d.turn.heardAt < SILENCE_MS)
		return d;
	if (d.turn.asksUnanswered >= ASKS_MAX || d.turn.regenerate !== 'no')
		return { ...d, restore: 'needed', turn: { ...d.turn, heardAt: at, asksUnanswered: 0, regenerate: 'no' } };
	return { ...d, turn: { ...d.turn, resume: 'needed', heardAt: at } };
}

export function onTick(state, at) {
	if (state.connection !== 'open')
		return state;
	return everyChat(state, (d) => {
		const outbox = d.outbox.some((item) => tickItem(item, at) !== item)
			? d.outbox.map((item) => tickItem(item, at)) : d.outbox;
		const restore = d.restore === 'asked' && at - d.askedAt >= ACK_MS ? 'needed' : d.restore;
		const next = outbox === d.outbox && restore === d.restore ? d : { ...d, outbox, restore };
		return tickTurn(next, at);
	});
}
