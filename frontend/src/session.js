/*
 * One open session: joins the socket, the reducer and the storage of this
 * tab. Views read `state()`, subscribe, and call the verbs; they never see a
 * frame. Unaccepted messages survive a reload in sessionStorage.
 */

import { currentDialogue, emptyState, reduce } from './dialogue.js';
import { outgoing, PAGE } from './outgoing.js';
import { createSocket } from './socket.js';
import { traceparent } from './trace.js';
import { loadOutbox, saveOutbox } from './unsent.js';
import { uuid } from './uuid.js';

const TICK_MS = 1000;
/* A server that refuses again right after a fresh sign-in is not asked in circles. */
const RENEW_APART_MS = 5000;

function socketUrl(sessionId) {
	const url = new URL(`/ws/chat/${encodeURIComponent(sessionId)}`, location.href);

	url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
	return url.href;
}

function outboxChanged(before, after) {
	return Object.values(after.dialogues).some((d) => d.outbox !== before.dialogues[d.chatId]?.outbox);
}

/**
 * api: as in api.js; renew(): a promise of whether the sign-in could be
 * renewed; onUnauthorized(): it was lost; storage: sessionStorage; language():
 * the one the server should speak. The caller closes it.
 */
export function openSession({
	sessionId, chatId, api, storage, onUnauthorized, language, trace = traceparent, renew = async () => false,
	socket: makeSocket = createSocket, url = socketUrl(sessionId), now = () => performance.now(),
}) {
	const listeners = new Set();
	let state = emptyState(chatId);
	let loadingChats = false;
	let renewedAt = -Infinity;

	for (const { chatId: home, ...item } of loadOutbox(storage, sessionId))
		state = reduce(state, { type: 'local.submit', chatId: home, ...item }, now());

	const socket = makeSocket({
		url,
		onState(connection, code) {
			dispatch({ type: 'local.connection', state: connection, code });
			if (connection === 'refused' && code === 4401)
				signInAgain();
			if (connection === 'open')
				loadChats();
		},
		onFrame(frame) {
			if (!String(frame.type).startsWith('local.'))
				dispatch(frame);
			if (frame.type === 'error' && frame.code === 'unauthorized')
				signInAgain();
		},
		/* A refused upgrade looks like a dead network; REST tells them apart, and a 401 there leads to sign-in. */
		onFailedOpen: () => api.me().catch(() => null),
	});

	/* The cookie of the socket is renewed with the token; a network that is down is no refusal. */
	async function signInAgain() {
		const tried = now() - renewedAt < RENEW_APART_MS;

		renewedAt = now();
		if (!tried && await renew().catch(() => true))
			socket.connect();
		else
			onUnauthorized();
	}

	function pump() {
		for (const frame of outgoing(state, now())) {
			if (!socket.send({ ...frame, language: language(), traceparent: trace() }))
				return;
			state = reduce(state, { type: 'local.sent', frame }, now());
		}
	}

	function dispatch(event) {
		const before = state;

		state = reduce(state, event, now());
		pump();
		if (state === before)
			return;
		if (outboxChanged(before, state))
			saveOutbox(storage, sessionId, state);
		if (state.chatsStale && !before.chatsStale)
			loadChats();
		for (const listener of listeners)
			listener(state);
	}

	async function loadChats() {
		if (loadingChats)
			return;
		loadingChats = true;
		try {
			dispatch({ type: 'local.chats', chats: await api.chats(sessionId) });
		} catch {
			/* The list only feeds the selector; it is asked for again at the next reconnect or change. */
		} finally {
			loadingChats = false;
		}
	}

	/* Rejects when they cannot be read; what is there stays. */
	async function loadOlder() {
		const { chatId: home, messages, older, loadingOlder } = currentDialogue(state);
		const before = messages.find((m) => m.seq !== null)?.seq ?? null;
		let page = null;

		if (older === 0 || loadingOlder || before === null)
			return;
		dispatch({ type: 'local.load_older', chatId: home });
		try {
			page = await api.history(home, { before, limit: PAGE });
		} finally {
			dispatch({ type: 'local.older', chatId: home, page });
		}
	}

	const timer = setInterval(() => dispatch({ type: 'local.tick' }), TICK_MS);
	socket.connect();

	const inCurrent = (type, more) => dispatch({ type, chatId: state.currentChatId, ...more });

	return {
		sessionId,
		state: () => state,
		dialogue: () => currentDialogue(state),
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		submit: (text) => inCurrent('local.submit', { cmid: uuid(), text, timestamp: new Date().toISOString() }),
		stop: () => inCurrent('local.stop'),
		finalizing: (on) => dispatch({ type: 'local.finalizing', on }),
		regenerate: () => inCurrent('local.regenerate'),
		retryTurn: () => inCurrent('local.retry_turn'),
		retryMessage: (cmid) => inCurrent('local.retry_message', { cmid, freshCmid: uuid() }),
		discardMessage: (cmid) => inCurrent('local.discard_message', { cmid }),
		loadOlder,
		refusedSeen: () => dispatch({ type: 'local.refused_seen' }),
		openChat: (id) => dispatch({ type: 'local.open_chat', chatId: id }),
		async createChat({ name, type }) {
			const chat = await api.createChat({ session_id: sessionId, chat_name: name || undefined, chat_type: type });
			dispatch({ type: 'local.chats', chats: [chat, ...state.chats.filter((c) => c.id !== chat.id)] });
			dispatch({ type: 'local.open_chat', chatId: chat.id });
			return chat;
		},
		/** A change of the list that this page made itself; the server tells the others. */
		chatsChanged: loadChats,
		close() {
			clearInterval(timer);
			listeners.clear();
			socket.close();
		},
	};
}
