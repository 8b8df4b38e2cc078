/*
 * The messages of a session's open chat and the field to write in: what the
 * planning page and the module's tutor share. Drawn at most once per
 * animation frame.
 */

import { t } from '../i18n/index.js';
import { timeline, withDays } from '../timeline.js';
import { turnIsRunning } from '../turn.js';
import { composer } from './composer.js';
import { h, oncePerFrame, WRITING_MS } from './dom.js';
import { messageList } from './message_list.js';
import { announce, toast } from './notices.js';
import { problemText } from './problem.js';
import { skeleton } from './page.js';

const SPOKEN_MAX = 1000;

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

function noteOf(d, shown, again, emptyText) {
	if (!d || shown.length > 0)
		return null;
	if (d.restore === 'failed') {
		return h('div', { class: 'messages-note note-bad', role: 'alert' },
			h('p', {}, t('chat.restore.failed', { reason: problemText(d.restoreError) })),
			h('button', { type: 'button', class: 'button', onclick: again }, t('app.retry')));
	}
	return d.restore === 'done' ? h('p', { class: 'messages-note' }, emptyText(d)) : h('div', { class: 'messages-note' }, skeleton('chat'));
}

/**
 * emptyText(d): what to say in a chat without messages; items(all): those to
 * show; onDraw(state): after each drawing.
 */
export function dialoguePanel({ app, session, emptyText, items = (all) => all, onDraw = () => {} }) {
	const list = messageList({
		retryTurn: session.retryTurn,
		loadOlder: () => session.loadOlder().catch((error) => toast(t('chat.earlier.failed', { reason: error.message }), 'error')),
		regenerate: session.regenerate,
		sendAgain: session.retryMessage,
		edit: (text) => compose.edit(text),
		versions: async (id) => (await app.api.history(session.state().currentChatId, { versions_of: id })).history,
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
	const speak = speaker(session);
	const again = () => session.openChat(session.state().currentChatId);
	let shownChatId = null;

	const draw = oncePerFrame((state) => {
		const d = session.dialogue();
		const fresh = state.currentChatId !== shownChatId;

		if (fresh)
			list.clear();
		const shown = d ? items(timeline(d, state.connection)) : [];
		list.showEarlier(d?.older ?? 0, d?.loadingOlder ?? false);
		list.update(withDays(shown), state.connection, noteOf(d, shown, again, emptyText));
		if (fresh)
			list.follow(true);
		shownChatId = state.currentChatId;
		compose.update(state.currentChatId, {
			running: turnIsRunning(d?.turn ?? null),
			stopping: (d?.turn?.stop ?? 'no') !== 'no',
			queued: d?.outbox.some((item) => item.state !== 'failed') ?? false,
		});
		onDraw(state);
		if (state.refused) {
			toast(problemText(state.refused), 'error');
			session.refusedSeen();
		}
	}, WRITING_MS);
	const unsubscribe = session.subscribe((state) => {
		speak();
		draw(state);
	});
	draw(session.state());

	return {
		list: list.node,
		composer: compose.node,
		/** Puts text into the field, for the person to send. */
		suggest: compose.takeBack,
		follow: list.follow,
		redraw: () => draw(session.state()),
		destroy() {
			unsubscribe();
			draw.cancel();
			list.destroy();
		},
	};
}
