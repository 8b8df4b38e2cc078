/*
 * The whole state of a session's dialogues, and the one pure function that
 * changes it: reduce(state, event, at). An event is either a frame of the
 * server, as it came, or something local (`local.*`). `at` is a monotonic
 * time in milliseconds. What the server must be told next is not done here
 * but derived from the state: see outgoing.js.
 *
 * Per chat:
 *   restore   idle | needed | asked | done | failed: is the history ours yet
 *   messages  stored messages, oldest first; `older` more are on the server
 *   turn      the running reply, or one that ended without being completed
 *   outbox    what the person sent and the server has not accepted:
 *             waiting (to be sent) | sending | failed (not sent, text kept)
 *   finished  epoch of each completed turn, so that a late frame is known
 */

import { emptyDialogue, withChat, without } from './dialogue/chat.js';
import { onError } from './dialogue/errors.js';
import {
	onConnection, onFinalizing, onOpenChat, onRegenerate, onRetryMessage, onRetryTurn, onSent, onStop, onSubmit, onTick,
} from './dialogue/local.js';
import { onAccepted, onDelta, onFinalized, onReset, onResponse, onStatus } from './dialogue/reply.js';
import { onOlder, onRestored } from './dialogue/restore.js';

export function emptyState(chatId = null) {
	return {
		connection: 'connecting',
		currentChatId: chatId,
		dialogues: chatId ? { [chatId]: { ...emptyDialogue(chatId), restore: 'needed' } } : {},
		chats: [],
		chatsStale: true,
		/* asked for by this page and not answered yet */
		finalizing: false,
		/* how often the server said that modules were made */
		finalized: 0,
		refused: null,
		/* chats that were deleted while this page was open */
		gone: [],
	};
}

export function currentDialogue(state) {
	return state.dialogues[state.currentChatId] ?? null;
}

/* A turn that begins without a message while modules are being made is the one that makes them. */
function withKind(next, before, f, finalizing) {
	if (next.turn === null || next.turn.turnId === before.turn?.turnId)
		return next;
	const kind = f.kind ?? (finalizing && f.type === 'ai_status' ? 'finalize' : 'reply');
	return { ...next, turn: { ...next.turn, kind } };
}

const perChat = (handler) => (state, f, at) => withChat(state, f.chat_id ?? state.currentChatId,
	(d) => withKind(handler(d, f, at), d, f, state.finalizing));
const local = (handler) => (state, e, at) => withChat(state, e.chatId, (d) => handler(d, e, at));

const handlers = {
	accepted: perChat(onAccepted),
	ai_status: perChat(onStatus),
	ai_delta: perChat(onDelta),
	ai_reset: perChat(onReset),
	ai_response: perChat(onResponse),
	error: onError,
	chat_restored: onRestored,
	chat_updated: (state, f) => ({ ...state, chatsStale: true, gone: f.change === 'deleted' ? [...state.gone, f.chat_id] : state.gone.filter((id) => id !== f.chat_id) }),
	finalization_complete: (state, f) =>
		withChat({ ...state, finalized: state.finalized + 1 }, f.chat_id ?? null, (d) => onFinalized(d, f)),
	'local.connection': onConnection,
	'local.open_chat': onOpenChat,
	'local.chats': (state, { chats }) => ({ ...state, chats, chatsStale: false }),
	'local.finalizing': onFinalizing,
	'local.submit': local(onSubmit),
	'local.retry_message': local(onRetryMessage),
	'local.discard_message': local((d, e) => without(d, e.cmid)),
	'local.retry_turn': local((d, e, at) => onRetryTurn(d, at)),
	'local.regenerate': local((d, e, at) => onRegenerate(d, at)),
	'local.load_older': local((d) => ({ ...d, loadingOlder: true })),
	'local.older': local(onOlder),
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
