/*
 * Errors find their place: the message that was refused, the reply that
 * failed, the restore that was not answered. One that fits nowhere is kept in
 * `refused`, to be said aloud.
 */

import { turnFail, turnIsRunning } from '../turn.js';
import { enterTurn, isFinished, withChat, withItem } from './chat.js';
import { acceptedByReply } from './reply.js';

export const TRIES_MAX = 4;
const PATIENCE_MS = 30_000;
/* The server could not take the message now; the same message may be sent again. */
const LATER = new Set(['busy', 'rate_limited', 'storage_unavailable', 'turn_in_progress']);
/* Even when they name a turn they are about the message, not about its reply. */
const OF_THE_MESSAGE = new Set(['turn_in_progress', 'cmid_conflict']);

export function problem(f) {
	return { code: f.code ?? 'internal', message: f.message ?? '', retryAfterMs: f.retry_after_ms ?? 0 };
}

function refuseItem(d, f, at) {
	const waits = f.retry_after_ms ?? 1000;
	const behindTurn = f.code === 'turn_in_progress' && turnIsRunning(d.turn);

	return withItem(d, f.client_message_id, (item) => {
		const tries = item.tries + (behindTurn ? 0 : 1);
		const later = LATER.has(f.code) && tries < TRIES_MAX && waits <= PATIENCE_MS;
		return later
			? { ...item, tries, state: 'waiting', notBefore: behindTurn ? at : at + waits }
			: { ...item, tries, state: 'failed', error: problem(f) };
	});
}

function onItemError(d, f, at) {
	const next = refuseItem(d, f, at);

	/* Something runs here that we have not heard of: look before sending again. */
	if (f.code === 'turn_in_progress' && !turnIsRunning(d.turn))
		return { ...next, restore: 'needed' };
	return next;
}

export function onRestoreError(d, f, at) {
	const later = LATER.has(f.code);

	return {
		...d,
		restore: later ? 'needed' : 'failed',
		restoreError: problem(f),
		restoreNotBefore: later ? at + (f.retry_after_ms ?? 2000) : 0,
	};
}

/* Stop or resume was not taken now; the reply itself runs on. */
function isRefusedAsk(d, f) {
	const asked = d.turn?.turnId === f.turn_id && (d.turn.stop === 'asked' || d.turn.resume === 'asked');

	return asked && turnIsRunning(d.turn) && LATER.has(f.code);
}

function onTurnError(d, f, at) {
	if (isFinished(d, f.turn_id))
		return d;
	if (isRefusedAsk(d, f))
		return { ...d, turn: { ...d.turn, stop: 'no', resume: 'no' } };
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnFail(next.turn, f, at) };
}

function onChatError(d, f, at) {
	const unaccepted = d.outbox.some((item) => item.cmid === f.client_message_id);

	if (unaccepted && (!f.turn_id || OF_THE_MESSAGE.has(f.code)))
		return onItemError(d, f, at);
	if (f.turn_id)
		return onTurnError(acceptedByReply(d, f), f, at);
	if (d.restore === 'asked')
		return onRestoreError(d, f, at);
	if (d.turn?.regenerate === 'asked')
		return { ...d, turn: turnFail(d.turn, f, at) };
	return d;
}

function chatOfError(state, f) {
	const all = Object.values(state.dialogues);
	const byItem = all.find((d) => d.outbox.some((item) => item.cmid === f.client_message_id));
	const byTurn = f.turn_id ? all.find((d) => d.turn?.turnId === f.turn_id) : null;

	return (byItem ?? byTurn)?.chatId ?? state.dialogues[f.chat_id]?.chatId ?? null;
}

export function onError(state, f, at) {
	const chatId = chatOfError(state, f);
	const d = state.dialogues[chatId];
	const next = withChat(state, chatId, (old) => onChatError(old, f, at));

	/* An error that belongs to nothing we asked for is still said aloud. */
	return d && (next !== state || f.turn_id) ? next : { ...state, refused: problem(f) };
}
