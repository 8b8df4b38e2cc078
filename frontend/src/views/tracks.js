import { t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { badge, heading, loadInto, trackFacts } from '../ui/page.js';

function trackCard(track) {
	return h('li', { class: 'card track-card', 'data-testid': 'track-card' },
		h('div', { class: 'card-head' },
			h('h2', {}, h('a', { class: 'card-link', href: `/tracks/${encodeURIComponent(track.id)}` }, track.title)),
			badge('status', track.status)),
		h('p', { class: 'clamp' }, track.description),
		trackFacts(track));
}

function empty() {
	return h('div', { class: 'card empty' },
		h('h2', {}, t('tracks.empty.title')),
		h('p', {}, t('tracks.empty.text')),
		h('a', { class: 'button button-primary', href: '/tracks/new' }, t('tracks.empty.new')));
}

export function tracksView({ app }) {
	const list = h('div');
	let gone = false;

	loadInto(list, {
		load: app.api.tracks,
		build: (tracks) => (tracks.length ? h('ul', { class: 'track-grid' }, tracks.map(trackCard)) : empty()),
		cancelled: () => gone,
	});
	return {
		title: t('tracks.title'),
		node: h('div', {},
			h('div', { class: 'page-head' }, heading(t('tracks.title')),
				h('a', { class: 'button button-primary', href: '/tracks/new', 'data-testid': 'new-track' }, t('tracks.new'))),
			list),
		destroy() { gone = true; },
	};
}
