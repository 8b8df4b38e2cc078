/*
 * Learning a module: its summary, written once, and its tutor to talk with.
 * Both live in the module's own chat, in the session of the track.
 */

import { fileName } from '../export.js';
import { streamedAnswer } from '../sse.js';
import { t } from '../i18n/index.js';
import { isCompleted, nextModule } from '../unlock.js';
import { confirmDialog } from '../ui/dialog.js';
import { dialoguePanel } from '../ui/dialogue_panel.js';
import { download } from '../ui/download.js';
import { h, setAttribute, setText } from '../ui/dom.js';
import { submitButton } from '../ui/field.js';
import { objectives } from '../ui/module_list.js';
import { loadModule, lockedPage, moduleCrumbs, moduleHref } from '../ui/module_page.js';
import { toast } from '../ui/notices.js';
import { badge, heading, loadInto, progressBar } from '../ui/page.js';
import { summaryOf, summaryPanel, summaryTurn } from '../ui/summary_panel.js';
import { tabs } from '../ui/tabs.js';

const HINTS = ['more', 'example', 'apply', 'check'];

function orderFor(app, track, module) {
	return { track_id: track.id, module_id: module.id, session_id: track.session_id, user_id: app.auth.user().id };
}

function completion(app, track, module) {
	const button = submitButton(t(isCompleted(module) ? 'learn.completed' : 'learn.complete'), { type: 'button', 'data-testid': 'complete-module' });

	async function press() {
		if (!await confirmDialog({
			title: t('learn.complete.title'), text: t('learn.complete.text', { title: module.title }), yes: t('learn.complete'), danger: false,
		}))
			return;
		button.setBusy(true);
		try {
			await app.api.completeModule(orderFor(app, track, module));
			const fresh = await app.loadTrack(track.id);
			const next = nextModule(fresh.modules);
			toast(next ? t('learn.complete.next', { title: next.title }) : t('track.done'));
			app.navigate(`/tracks/${encodeURIComponent(track.id)}`);
		} catch (error) {
			toast(t('learn.complete.failed', { reason: error.message }), 'error');
			button.setBusy(false);
		}
	}

	button.node.disabled = isCompleted(module);
	button.node.addEventListener('click', press);
	return button.node;
}

function sidePanel(app, track, module, getSummary) {
	const save = h('button', {
		type: 'button', class: 'button button-small', 'data-testid': 'download-summary', disabled: true,
		onclick: () => download(fileName(module.title, 'md'), getSummary(), 'text/markdown'),
	}, t('learn.download'));
	let begun = module.status !== 'not_started';
	const status = h('span', {}, badge('module', module.status));
	const printIt = h('button', { type: 'button', class: 'button button-small', disabled: true, onclick: () => print() }, t('learn.print'));

	return {
		node: h('aside', { class: 'plan-side', 'aria-label': t('learn.about') },
			moduleCrumbs(track, module),
			h('div', { class: 'plan-head' }, heading(module.title), status),
			h('p', { class: 'plan-about' }, module.description),
			progressBar(module.progress, t('module.progress')),
			objectives(module.learning_objectives, 'h2'),
			h('div', { class: 'plan-actions' }, completion(app, track, module), save, printIt,
				h('a', { class: 'button button-small', href: moduleHref(track, module) }, t('learn.lessons')))),
		update() {
			/* whoever has the summary has begun; the server keeps it so */
			if (!begun && getSummary() !== '') {
				begun = true;
				status.replaceChildren(badge('module', 'in_progress'));
			}
			save.disabled = printIt.disabled = getSummary() === '';
		},
	};
}

function hintChips(suggest) {
	return h('div', { class: 'hints', role: 'group', 'aria-label': t('learn.hints') }, HINTS.map((name) => h('button', {
		type: 'button', class: 'chip hint', 'data-testid': `hint-${name}`, onclick: () => suggest(t(`learn.hint.${name}.text`)),
	}, t(`learn.hint.${name}`))));
}

function rememberTab(name) {
	const url = new URL(location.href);

	if (name === 'summary')
		url.searchParams.delete('tab');
	else
		url.searchParams.set('tab', name);
	history.replaceState(null, '', url.pathname + url.search);
}

/* Everything but the summary and what belongs to lessons: those have pages of their own. */
function tutorItems(session) {
	return (items) => {
		const d = session.dialogue();
		const summary = summaryOf(d);
		const writing = summaryTurn(d);
		return items.filter((item) => !(item.message && (item.message === summary || item.message.messageType === 'lesson'))
			&& !(item.turn && item.turn === writing));
	};
}

function learnPage(app, { track, module }, session, selected) {
	const order = orderFor(app, track, module);
	let error = null;
	let seen = 0;
	let tab = selected;
	let tutorId = null;
	let gone = false;
	const tutor = () => (tutorId !== null && session.state().currentChatId === tutorId ? session.dialogue() : null);

	function found(chatId) {
		if (gone || !chatId || chatId === tutorId)
			return;
		tutorId = chatId;
		session.openChat(chatId);
	}

	/* The stream tells which chat it is; from then on the socket shows how it stands, and what went wrong. */
	async function start() {
		error = null;
		draw();
		try {
			const answer = await streamedAnswer(await app.api.startModule(order), (event) => found(event.chat_id));
			found(answer.chat_id);
		} catch (problem) {
			error = tutorId === null ? problem : null;
		}
		if (!gone)
			draw();
	}

	session.openChat(null);
	const summary = summaryPanel({ retryTurn: session.retryTurn, start });
	const getSummary = () => summaryOf(tutor())?.content ?? '';
	const side = sidePanel(app, track, module, getSummary);
	const panel = dialoguePanel({ app, session, items: tutorItems(session), emptyText: () => t('learn.chat.empty'), onDraw: draw });
	const summaryPane = h('div', { class: 'tab-pane summary-pane', tabindex: '0' }, summary.node);
	const chatPane = h('div', { class: 'tab-pane chat-pane' }, panel.list, hintChips(panel.suggest), panel.composer);
	const connection = h('span', { class: 'connection', role: 'status', 'data-testid': 'connection-state' });
	const full = h('button', { type: 'button', class: 'button button-small button-quiet', 'aria-pressed': 'false', 'data-testid': 'full-screen', onclick: toggleFull }, t('learn.full'));
	const bar = tabs({
		label: t('learn.tabs'), selected,
		tabs: [
			{ name: 'summary', text: t('learn.summary'), panel: summaryPane, testid: 'tab-summary' },
			{ name: 'chat', text: t('learn.chat'), panel: chatPane, testid: 'tab-chat' },
		],
		onChange(name) {
			tab = name;
			rememberTab(name);
			panel.follow(true);
			draw();
		},
	});
	const node = h('div', { class: 'plan learn' }, side.node,
		h('section', { class: 'plan-chat', 'aria-label': module.title }, h('div', { class: 'learn-bar' }, bar.node, connection, full), summaryPane, chatPane));

	function toggleFull() {
		const on = node.classList.toggle('learn-full');
		full.setAttribute('aria-pressed', String(on));
	}

	function draw() {
		const state = session.state();
		const d = tutor();
		const answers = d?.messages.filter((m) => m.sender === 'ai').length ?? 0;
		summary.update(d, state.connection, error);
		side.update();
		setText(connection, t(`connection.${state.connection}`));
		setAttribute(connection, 'data-state', state.connection);
		seen = tab === 'chat' || seen === 0 ? answers : seen;
		bar.mark('chat', answers > seen);
	}

	start();
	return {
		node,
		destroy() {
			gone = true;
			panel.destroy();
		},
	};
}

export function learnView({ params, query, app }) {
	const node = h('div', { class: 'plan-place' });
	let gone = false;
	let page = null;
	let session = null;

	loadInto(node, {
		kind: 'chat',
		load: () => loadModule(app, params),
		build(found) {
			app.setTitle(found.module.title);
			if (found.lock.state !== 'open')
				return lockedPage(found.track, found.module, found.lock);
			session = app.acquireSession(found.track.session_id, null);
			page = learnPage(app, found, session, query.get('tab') === 'chat' ? 'chat' : 'summary');
			return page.node;
		},
		cancelled: () => gone,
		failedTitle: t('module.failed'),
	});

	return {
		title: t('learn.title'),
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
