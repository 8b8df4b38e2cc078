/*
 * The planning dialogue of a track. The session (socket, state) is shared
 * with whoever else has it open in this page; this view draws it, at most
 * once per animation frame.
 */

import { t } from '../i18n/index.js';
import { timeline } from '../timeline.js';
import { turnIsRunning } from '../turn.js';
import { chatBar } from '../ui/chat_bar.js';
import { composer } from '../ui/composer.js';
import { h, oncePerFrame } from '../ui/dom.js';
import { finalizer } from '../ui/finalizer.js';
import { messageList } from '../ui/message_list.js';
import { announce, toast } from '../ui/notices.js';
import { badge, heading, loadInto, trackFacts } from '../ui/page.js';
import { problemText } from '../ui/problem.js';

const SPOKEN_MAX = 1000;
/* The first plan starts by itself; after this long an empty chat is just empty. */
const WELCOME_MS = 35_000;

function listNote(dialogue, again, awaitsWelcome) {
	if (!dialogue || dialogue.messages.length > 0 || dialogue.turn || dialogue.outbox.length > 0)
		return null;
	if (dialogue.restore === 'failed') {
		return h('div', { class: 'messages-note note-bad', role: 'alert' },
			h('p', {}, t('chat.restore.failed', { reason: problemText(dialogue.restoreError) })),
			h('button', { type: 'button', class: 'button', onclick: again }, t('app.retry')));
	}
	if (dialogue.restore !== 'done')
		return h('p', { class: 'messages-note' }, t('chat.restoring'));
	return h('p', { class: 'messages-note' }, t(awaitsWelcome ? 'chat.empty.planning' : 'chat.empty'));
}

/* Speaks each answer once, when it is finished, and none that was there before. */
function speaker(session) {
	let chatId = null;
	let spoken = new Set();

	return () => {
		const d = session.dialogue();
		if (!d || d.restore !== 'done')
			return;
		const answers = d.messages.filter((m) => m.sender === 'ai' && m.id !== null);
		const fresh = chatId === d.chatId ? answers.filter((m) => !spoken.has(m.id) && m.live) : [];
		chatId = d.chatId;
		spoken = new Set(answers.map((m) => m.id));
		if (fresh.length)
			announce(t('message.answered', { text: fresh.at(-1).content.slice(0, SPOKEN_MAX) }));
	};
}

function aboutPanel(track, status, finalize) {
	return h('aside', { class: 'plan-side', 'aria-label': t('plan.about') },
		h('div', { class: 'plan-head' }, heading(track.title), status),
		h('p', { class: 'plan-about' }, track.description),
		trackFacts(track),
		h('div', { class: 'plan-actions' }, finalize.node,
			h('a', { class: 'button', href: `/tracks/${encodeURIComponent(track.id)}`, 'data-testid': 'to-track' }, t('plan.toTrack'))));
}

/** Remembers the open chat in the address, so that a reload and a link lead to it. */
function rememberChat(chatId, mainChatId) {
	const url = new URL(location.href);

	if (chatId === mainChatId)
		url.searchParams.delete('chat');
	else
		url.searchParams.set('chat', chatId);
	if (url.href !== location.href)
		history.replaceState(null, '', url.pathname + url.search);
}

function planPage(app, track, session) {
	const bar = chatBar({ onOpen: session.openChat, onCreate: session.createChat });
	const list = messageList({
		retryTurn: session.retryTurn,
		sendAgain: session.retryMessage,
		takeBack(cmid) {
			compose.takeBack(session.dialogue().outbox.find((item) => item.cmid === cmid)?.text ?? '');
			session.discardMessage(cmid);
		},
	});
	const compose = composer({
		storage: app.storage,
		onSend(text) {
			session.submit(text);
			list.follow(true);
		},
		onStop: session.stop,
	});
	const status = h('span', {}, badge('status', track.status));
	const finalize = finalizer({ app, track, session, onDone: () => status.replaceChildren(badge('status', 'active')) });
	const speak = speaker(session);
	const again = () => session.openChat(session.state().currentChatId);
	let awaitsWelcome = track.status === 'planning';
	let shownChatId = null;

	const draw = oncePerFrame((state) => {
		const d = session.dialogue();
		bar.update(state);
		list.update(d ? timeline(d, state.connection) : [], state.connection, listNote(d, again, awaitsWelcome && d?.chatId === track.chat_id));
		if (state.currentChatId !== shownChatId)
			list.follow(true);
		shownChatId = state.currentChatId;
		compose.update(state.currentChatId, { running: turnIsRunning(d?.turn ?? null), stopping: (d?.turn?.stop ?? 'no') !== 'no' });
		finalize.update(state);
		if (state.currentChatId)
			rememberChat(state.currentChatId, track.chat_id);
		if (state.refused) {
			toast(problemText(state.refused), 'error');
			session.refusedSeen();
		}
	});
	const unsubscribe = session.subscribe((state) => {
		speak();
		draw(state);
	});
	const welcomeTimer = setTimeout(() => {
		awaitsWelcome = false;
		draw(session.state());
	}, WELCOME_MS);
	draw(session.state());

	return {
		node: h('div', { class: 'plan' },
			aboutPanel(track, status, finalize),
			h('section', { class: 'plan-chat' }, bar.node, list.node, compose.node)),
		destroy() {
			unsubscribe();
			clearTimeout(welcomeTimer);
			draw.cancel();
			list.destroy();
			finalize.destroy();
		},
	};
}

export function planView({ params, query, app }) {
	const node = h('div', { class: 'plan-place' });
	let gone = false;
	let page = null;
	let session = null;

	loadInto(node, {
		load: () => app.loadTrack(params.id),
		build(track) {
			app.setTitle(t('plan.title', { title: track.title }));
			if (!track.session_id)
				return h('p', { class: 'note' }, t('plan.noSession'));
			session = app.acquireSession(track.session_id, query.get('chat') ?? track.chat_id);
			page = planPage(app, track, session);
			return page.node;
		},
		cancelled: () => gone,
		failedTitle: t('track.failed'),
	});

	return {
		title: t('chat.messages'),
		wide: true,
		node,
		destroy() {
			gone = true;
			page?.destroy();
			if (session)
				app.releaseSession(session);
		},
	};
}
