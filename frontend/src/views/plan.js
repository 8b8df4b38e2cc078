/*
 * The planning dialogue of a track. The session (socket, state) is shared
 * with whoever else has it open in this page.
 */

import { t } from '../i18n/index.js';
import { chatBar } from '../ui/chat_bar.js';
import { dialoguePanel } from '../ui/dialogue_panel.js';
import { h } from '../ui/dom.js';
import { firstHint } from '../ui/first_hint.js';
import { finalizer } from '../ui/finalizer.js';
import { badge, crumbs, heading, loadInto, trackFacts } from '../ui/page.js';
import { planSteps } from '../ui/plan_steps.js';

/* The first plan starts by itself; after this long an empty chat is just empty. */
const WELCOME_MS = 35_000;

function aboutPanel(track, status, steps, finalize) {
	return h('aside', { class: 'plan-side', 'aria-label': t('plan.about') },
		crumbs(['/tracks', t('nav.tracks')], [`/tracks/${encodeURIComponent(track.id)}`, track.title]),
		h('div', { class: 'plan-head' }, heading(track.title), status),
		h('p', { class: 'plan-about' }, track.description),
		trackFacts(track),
		steps.node,
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
	const bar = chatBar({ app, session, mainChatId: track.chat_id });
	const status = h('span', {}, badge('status', track.status));
	const steps = planSteps(track);
	const finalize = finalizer({
		app, track, session,
		onDone() {
			status.replaceChildren(badge('status', 'active'));
			steps.finalized();
		},
	});
	let awaitsWelcome = track.status === 'planning';
	const panel = dialoguePanel({
		app, session,
		emptyText: (d) => t(awaitsWelcome && d.chatId === track.chat_id ? 'chat.empty.planning' : 'chat.empty'),
		onDraw(state) {
			bar.update(state);
			steps.update(state);
			finalize.update(state);
			if (state.gone.includes(state.currentChatId) && state.currentChatId !== track.chat_id)
				session.openChat(track.chat_id);
			else if (state.currentChatId)
				rememberChat(state.currentChatId, track.chat_id);
		},
	});
	const welcomeTimer = setTimeout(() => {
		awaitsWelcome = false;
		panel.redraw();
	}, WELCOME_MS);

	return {
		node: h('div', { class: 'plan' },
			aboutPanel(track, status, steps, finalize),
			h('section', { class: 'plan-chat', 'aria-label': t('chat.messages') }, bar.node, firstHint(), panel.list, finalize.near, panel.composer)),
		destroy() {
			clearTimeout(welcomeTimer);
			panel.destroy();
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
		kind: 'chat',
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
