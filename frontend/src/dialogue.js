/*
 * The whole state of a session's dialogues, and the one pure function that
 * changes it: reduce(state, event, at). An event is either a frame of the
 * server, as it came, or something local (`local.*`). `at` is a monotonic
 * time in milliseconds. What the server must be told next is not done here
 * but derived from the state: see outgoing.js.
 *
 * Per chat:
 *   restore   idle | needed | asked | done | failed: is the history ours yet
 *   messages  stored messages, oldest first
 *   turn      the running reply, or one that ended without being completed
 *   outbox    what the person sent and the server has not accepted:
 *             waiting (to be sent) | sending | failed (not sent, text kept)
 *   finished  epoch of each completed turn, so that a late frame is known
 */

import {
	isPiece, messageFromHistory, messageFromOutbox, messageFromResponse, messageFromTurn, messagesAdd, messagesRestore,
} from './message.js';
import {
	turnBegin, turnDelta, turnFail, turnFromSnapshot, turnIsRunning, turnLost, turnReset, turnStatus,
} from './turn.js';

const ACK_MS = 10_000;
const SILENCE_MS = 15_000;
const ASKS_MAX = 2;
const TRIES_MAX = 4;
const PATIENCE_MS = 30_000;
const FINISHED_MAX = 64;
/* The server could not take the message now; the same message may be sent again. */
const LATER = new Set(['busy', 'rate_limited', 'storage_unavailable', 'turn_in_progress']);

export function emptyState(chatId = null) {
	return {
		connection: 'connecting',
		currentChatId: chatId,
		dialogues: chatId ? { [chatId]: { ...emptyDialogue(chatId), restore: 'needed' } } : {},
		chats: [],
		chatsStale: true,
		finalized: 0,
		refused: null,
	};
}

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
		turn: null,
		outbox: [],
		finished: {},
	};
}

export function currentDialogue(state) {
	return state.dialogues[state.currentChatId] ?? null;
}

/* ---- small changes ------------------------------------------------------ */

function withChat(state, chatId, change) {
	if (!chatId)
		return state;
	const old = state.dialogues[chatId] ?? emptyDialogue(chatId);
	const fresh = change(old);

	return fresh === old ? state : { ...state, dialogues: { ...state.dialogues, [chatId]: fresh } };
}

function everyChat(state, change) {
	return Object.keys(state.dialogues).reduce((s, chatId) => withChat(s, chatId, change), state);
}

function withItem(d, cmid, change) {
	return { ...d, outbox: d.outbox.map((item) => (item.cmid === cmid ? change(item) : item)) };
}

function without(d, cmid) {
	return { ...d, outbox: d.outbox.filter((item) => item.cmid !== cmid) };
}

function lastMessage(d) {
	return d.messages[d.messages.length - 1] ?? null;
}

function isFinished(d, turnId, epoch = 0) {
	return turnId in d.finished && epoch <= d.finished[turnId];
}

function markFinished(d, turnId, epoch) {
	const rows = [...Object.entries(d.finished).filter(([id]) => id !== turnId), [turnId, epoch]];

	return { ...d, finished: Object.fromEntries(rows.slice(-FINISHED_MAX)) };
}

/* A turn that ended early gives way: its text stays, unless another try was asked for. */
function settleTurn(d) {
	if (d.turn === null)
		return d;
	const keeps = d.turn.text !== '' && !d.turn.retried;
	const messages = keeps ? messagesAdd(d.messages, messageFromTurn(d.turn)) : d.messages;

	return markFinished({ ...d, messages, turn: null }, d.turn.turnId, d.turn.epoch);
}

function enterTurn(d, turnId, at) {
	if (d.turn?.turnId === turnId)
		return d;
	const settled = settleTurn(d);
	/* a finished turn that goes on (another generation) is not finished any more */
	const { [turnId]: _, ...finished } = settled.finished;

	return { ...settled, finished, turn: turnBegin(turnId, at, { userMessageId: lastUserId(d) }) };
}

function lastUserId(d) {
	return d.messages.findLast((m) => m.sender === 'user')?.id ?? null;
}

/* ---- frames about a reply ----------------------------------------------- */

function isAnswered(d, messageId) {
	const i = d.messages.findIndex((m) => m.id === messageId);

	return i >= 0 && d.messages[i + 1]?.sender === 'ai';
}

function onAccepted(d, f, at) {
	const item = d.outbox.find((x) => x.cmid === f.client_message_id);
	const stored = d.messages.some((m) => m.id === f.message_id);
	let next = item ? without(d, item.cmid) : d;

	if (!stored && !item)
		return { ...d, restore: d.restore === 'idle' ? 'idle' : 'needed' };
	if (!stored) {
		/* the turn's first events may overtake the acknowledgement */
		next = d.turn?.turnId === f.turn_id ? next : settleTurn(next);
		next = { ...next, messages: messagesAdd(next.messages, messageFromOutbox(item, f.message_id)) };
	}
	if (isFinished(next, f.turn_id) || isAnswered(next, f.message_id))
		return next;
	next = enterTurn(next, f.turn_id, at);
	return { ...next, turn: { ...next.turn, userMessageId: f.message_id } };
}

function onStatus(d, f, at) {
	if (isFinished(d, f.turn_id, f.attempt ?? 0))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnStatus(next.turn, f, at) };
}

function onDelta(d, f, at) {
	if (isFinished(d, f.turn_id, f.epoch))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnDelta(next.turn, f, at) };
}

function onReset(d, f, at) {
	if (isFinished(d, f.turn_id, f.epoch))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnReset(next.turn, f, at) };
}

/* The reply came although the acknowledgement did not: the message is stored. */
function acceptedByReply(d, f) {
	const item = d.outbox.find((x) => x.cmid === f.client_message_id);

	if (!item)
		return d;
	return {
		...without(d, item.cmid),
		messages: [...d.messages, messageFromOutbox(item, null)],
		restore: 'needed',
	};
}

function onResponse(d, f) {
	const ours = d.turn !== null && (!f.turn_id || d.turn.turnId === f.turn_id);
	const acked = acceptedByReply(d, f);
	const next = { ...acked, messages: messagesAdd(acked.messages, messageFromResponse(f)), turn: ours ? null : d.turn };

	return f.turn_id ? markFinished(next, f.turn_id, f.epoch ?? d.turn?.epoch ?? 0) : next;
}

/* ---- errors --------------------------------------------------------------- */

function problem(f) {
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

function onRestoreError(d, f, at) {
	const later = LATER.has(f.code);

	return {
		...d,
		restore: later ? 'needed' : 'failed',
		restoreError: problem(f),
		restoreNotBefore: later ? at + (f.retry_after_ms ?? 2000) : 0,
	};
}

function onTurnError(d, f, at) {
	if (isFinished(d, f.turn_id))
		return d;
	const next = enterTurn(d, f.turn_id, at);

	return { ...next, turn: turnFail(next.turn, f, at) };
}

function onChatError(d, f, at) {
	if (d.outbox.some((item) => item.cmid === f.client_message_id))
		return onItemError(d, f, at);
	if (f.turn_id)
		return onTurnError(d, f, at);
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

function onError(state, f, at) {
	const chatId = chatOfError(state, f);
	const d = state.dialogues[chatId];
	const next = withChat(state, chatId, (old) => onChatError(old, f, at));

	/* An error that belongs to nothing we asked for is still said aloud. */
	return d && (next !== state || f.turn_id) ? next : { ...state, refused: problem(f) };
}

/* ---- restore -------------------------------------------------------------- */

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

function onRestored(state, f, at) {
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

/* ---- local events ---------------------------------------------------------- */

function onConnection(state, { state: connection }) {
	const next = { ...state, connection };

	if (connection === 'open')
		return next;
	return everyChat(next, (d) => ({
		...d,
		restore: d.restore === 'idle' ? 'idle' : 'needed',
		restoreNotBefore: 0,
		outbox: d.outbox.map((item) => (item.state === 'sending' ? { ...item, state: 'waiting' } : item)),
		turn: d.turn && {
			...d.turn,
			resume: 'no',
			/* not repeatable: the restored state tells whether it arrived */
			regenerate: d.turn.regenerate === 'asked' ? 'no' : d.turn.regenerate,
			stop: d.turn.stop === 'asked' ? 'needed' : d.turn.stop,
		},
	}));
}

function onOpenChat(state, { chatId }) {
	return withChat({ ...state, currentChatId: chatId }, chatId, (d) => ({ ...d, restore: 'needed', restoreNotBefore: 0 }));
}

function newItem({ cmid, text, timestamp = null }) {
	return { cmid, text, timestamp, state: 'waiting', tries: 0, sentAt: 0, notBefore: 0, error: null };
}

function onSubmit(d, event) {
	return { ...d, restore: d.restore === 'idle' ? 'needed' : d.restore, outbox: [...d.outbox, newItem(event)] };
}

function onRetryMessage(d, { cmid, freshCmid }) {
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

function onRetryTurn(d, at) {
	const turn = retriable(d, at);

	if (turn === null)
		return d;
	return {
		...d,
		turn: { ...turn, state: 'waiting', error: null, regenerate: 'needed', retried: true, heardAt: at, asksUnanswered: 0 },
	};
}

function onStop(d) {
	return turnIsRunning(d.turn) ? { ...d, turn: { ...d.turn, stop: 'needed' } } : d;
}

function onSent(state, { frame }, at) {
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

function onTick(state, at) {
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

/* ---- the reducer -------------------------------------------------------------- */

const perChat = (handler) => (state, f, at) => withChat(state, f.chat_id ?? state.currentChatId, (d) => handler(d, f, at));
const local = (handler) => (state, e, at) => withChat(state, e.chatId, (d) => handler(d, e, at));

const handlers = {
	accepted: perChat(onAccepted),
	ai_status: perChat(onStatus),
	ai_delta: perChat(onDelta),
	ai_reset: perChat(onReset),
	ai_response: perChat(onResponse),
	error: onError,
	chat_restored: onRestored,
	chat_updated: (state) => ({ ...state, chatsStale: true }),
	finalization_complete: (state, f) => withChat(
		{ ...state, finalized: state.finalized + 1 }, f.chat_id ?? null,
		(d) => (d.restore === 'idle' ? d : { ...d, restore: 'needed' })),
	'local.connection': onConnection,
	'local.open_chat': onOpenChat,
	'local.chats': (state, { chats }) => ({ ...state, chats, chatsStale: false }),
	'local.submit': local(onSubmit),
	'local.retry_message': local(onRetryMessage),
	'local.discard_message': local((d, e) => without(d, e.cmid)),
	'local.retry_turn': local((d, e, at) => onRetryTurn(d, at)),
	'local.stop': local(onStop),
	'local.refused_seen': (state) => ({ ...state, refused: null }),
	'local.sent': onSent,
	'local.tick': (state, e, at) => onTick(state, at),
};

/** Unknown types change nothing: a newer server may send more. */
export function reduce(state, event, at) {
	const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : null;

	return handler ? handler(state, event, at) : state;
}
