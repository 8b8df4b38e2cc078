/* Pieces that several views share. */

import { formatDate, hasText, t } from '../i18n/index.js';
import { freshId, h } from './dom.js';

export function heading(text, ...more) {
	return h('h1', { tabindex: '-1' }, text, ...more);
}

export function badge(group, status) {
	const key = `${group}.${status}`;

	return h('span', { class: 'badge', 'data-status': status }, hasText(key) ? t(key) : status);
}

const SHAPES = {
	lines: ['wide', 'half', 'full', 'full', 'half'],
	cards: ['card', 'card', 'card'],
	rows: ['row', 'row', 'row', 'row'],
	chat: ['left', 'right', 'left'],
};

/** Grey shapes where something will be; kind: lines | cards | rows | chat. */
export function skeleton(kind = 'lines') {
	return h('div', { class: `skeleton skeleton-${kind}`, role: 'status', 'data-testid': 'skeleton' },
		h('span', { class: 'visually-hidden' }, t('app.loading')),
		SHAPES[kind].map((shape) => h('span', { class: `bone bone-${shape}`, 'aria-hidden': 'true' })));
}

/** What could not be loaded, and a way to try again. */
export function failure(error, again, title) {
	return h('div', { class: 'note note-bad', role: 'alert', 'data-testid': 'load-failed' },
		title && heading(title),
		h('p', {}, t('app.failed', { reason: error.message })),
		h('button', { type: 'button', class: 'button', onclick: again }, t('app.retry')));
}

/** An empty list: why, and what to do about it. */
export function emptyState({ title, text, action }) {
	return h('div', { class: 'card empty' }, title && h('h2', {}, title), h('p', {}, text), action);
}

/** percent: 0 to 100 */
export function progressBar(percent, label = t('track.progress')) {
	const id = freshId('progress');
	const value = Math.max(0, Math.min(100, Math.round(Number(percent) || 0)));

	return h('div', { class: 'progress' },
		h('span', { class: 'progress-label', id }, label),
		h('span', { class: 'progress-value' }, `${value} %`),
		h('progress', { max: '100', value, 'aria-labelledby': id, 'data-testid': 'progress' }));
}

export function crumbs(...links) {
	return h('nav', { class: 'crumbs', 'aria-label': t('app.path') },
		h('ol', {}, links.map(([href, text]) => h('li', {}, h('a', { href }, text)))));
}

/** Level, hours and date of a track, as a definition list. */
export function trackFacts(track) {
	return facts([
		['track.level', hasText(`level.${track.difficulty_level}`) ? t(`level.${track.difficulty_level}`) : track.difficulty_level],
		['track.hours', t('hours', { n: track.estimated_duration_hours })],
		['track.created', formatDate(track.created_at)],
	]);
}

/** rows: [key of the word, value]; what has no value is left out. */
export function facts(rows) {
	return h('dl', { class: 'facts' }, rows.filter(([, value]) => value !== '' && value !== null && value !== undefined)
		.map(([key, value]) => h('div', {}, h('dt', {}, t(key)), h('dd', {}, value))));
}

/**
 * A region that loads: shows that it does, then what build(data) gives, or
 * the failure with a way to try again. cancelled(): the view is gone.
 * failedTitle: the page's heading while there is nothing else on it; kind: of
 * the skeleton.
 */
export function loadInto(node, { load, build, cancelled, failedTitle = null, kind = 'lines' }) {
	async function run() {
		node.replaceChildren(skeleton(kind));
		try {
			const data = await load();
			if (!cancelled())
				node.replaceChildren(build(data));
		} catch (error) {
			if (!cancelled())
				node.replaceChildren(failure(error, run, failedTitle));
		}
	}
	return run();
}
