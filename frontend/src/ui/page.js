/* Pieces that several views share. */

import { formatDate, hasText, t } from '../i18n/index.js';
import { h } from './dom.js';

export function heading(text, ...more) {
	return h('h1', { tabindex: '-1' }, text, ...more);
}

export function badge(group, status) {
	const key = `${group}.${status}`;

	return h('span', { class: 'badge', 'data-status': status }, hasText(key) ? t(key) : status);
}

function loading() {
	return h('p', { class: 'note', role: 'status' }, t('app.loading'));
}

function failure(error, again, title) {
	return h('div', { class: 'note note-bad', role: 'alert' },
		title && heading(title),
		h('p', {}, t('app.failed', { reason: error.message })),
		h('button', { type: 'button', class: 'button', onclick: again }, t('app.retry')));
}

/** Level, hours and date of a track, as a definition list. */
export function trackFacts(track) {
	const facts = [
		['track.level', hasText(`level.${track.difficulty_level}`) ? t(`level.${track.difficulty_level}`) : track.difficulty_level],
		['track.hours', t('hours', { n: track.estimated_duration_hours })],
		['track.created', formatDate(track.created_at)],
	];

	return h('dl', { class: 'facts' }, facts.filter(([, value]) => value)
		.map(([key, value]) => h('div', {}, h('dt', {}, t(key)), h('dd', {}, value))));
}

/**
 * A region that loads: shows that it does, then what build(data) gives, or
 * the failure with a way to try again. cancelled(): the view is gone.
 * failedTitle: the page's heading while there is nothing else on it.
 */
export function loadInto(node, { load, build, cancelled, failedTitle = null }) {
	async function run() {
		node.replaceChildren(loading());
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
