/* The dashboard: a person's tracks with their real progress. */

import { currentLanguage, t } from '../i18n/index.js';
import { forgetOldTracks, oldTracks } from '../legacy.js';
import { confirmDialog } from '../ui/dialog.js';
import { h } from '../ui/dom.js';
import { submitButton } from '../ui/field.js';
import { toast } from '../ui/notices.js';
import { badge, emptyState, heading, loadInto, progressBar, trackFacts } from '../ui/page.js';
import { uuid } from '../uuid.js';

const SEARCH_FROM = 7;

function matches(track, words) {
	const text = `${track.title} ${track.description} ${track.skill_area}`.toLowerCase();

	return words.every((word) => text.includes(word));
}

function emptyList() {
	return emptyState({
		title: t('tracks.empty.title'),
		text: t('tracks.empty.text'),
		action: h('a', { class: 'button button-primary', href: '/tracks/new' }, t('tracks.empty.new')),
	});
}

function trackCard(track, remove) {
	const href = `/tracks/${encodeURIComponent(track.id)}`;
	const planning = track.status === 'planning';

	return h('li', { class: 'card track-card', 'data-testid': 'track-card' },
		h('div', { class: 'card-head' },
			h('h2', {}, h('a', { class: 'card-link', href: planning ? `${href}/plan` : href }, track.title)),
			badge('status', track.status)),
		h('p', { class: 'clamp' }, track.description),
		trackFacts(track),
		planning ? h('p', { class: 'field-hint' }, t('tracks.planning')) : progressBar(track.progress),
		h('button', {
			type: 'button', class: 'button button-quiet button-small card-delete', 'data-testid': 'delete-track',
			'aria-label': t('track.delete.label', { title: track.title }), title: t('track.delete'), onclick: () => remove(track),
		}, '🗑'));
}

/** Asks, deletes, and says so; true when the track is gone. */
export async function deleteTrack(app, track) {
	const sure = await confirmDialog({ title: t('track.delete.title'), text: t('track.delete.text', { title: track.title }), yes: t('track.delete') });

	if (!sure)
		return false;
	try {
		await app.api.deleteTrack(track.id);
	} catch (error) {
		if (error.status !== 404) {
			toast(t('track.delete.failed', { reason: error.message }), 'error');
			return false;
		}
	}
	toast(t('track.deleted', { title: track.title }));
	return true;
}

/* Tracks of the original application that exist in this browser only. */
function importCard(app, orders, done) {
	const submit = submitButton(t('import.yes'), { type: 'button', 'data-testid': 'import-tracks' });
	const keys = orders.map(() => uuid());

	async function bring() {
		submit.setBusy(true);
		try {
			for (const [i, order] of orders.entries())
				await app.api.createTrack(order, keys[i]);
			forgetOldTracks(localStorage);
			done();
		} catch (error) {
			toast(error.message, 'error');
			submit.setBusy(false);
		}
	}

	submit.node.addEventListener('click', bring);
	return h('section', { class: 'card import', 'aria-labelledby': 'import' },
		h('h2', { id: 'import' }, t('import.title')),
		h('p', {}, t('import.text', { titles: orders.map((order) => `«${order.title}»`).join(', ') })),
		h('div', { class: 'actions' }, submit.node,
			h('button', { type: 'button', class: 'button', onclick: () => { forgetOldTracks(localStorage); done(); } }, t('import.no'))));
}

function trackList(tracks, remove) {
	const list = h('ul', { class: 'track-grid' });
	const nothing = h('p', { class: 'note', hidden: true, role: 'status' }, t('tracks.notFound'));
	const show = (text) => {
		const words = text.toLowerCase().split(/\s+/).filter(Boolean);
		const found = tracks.filter((track) => matches(track, words));
		list.replaceChildren(...found.map((track) => trackCard(track, remove)));
		nothing.hidden = found.length > 0;
	};
	const search = h('input', {
		type: 'search', class: 'search', placeholder: t('tracks.search'), 'aria-label': t('tracks.search'), 'data-testid': 'track-search',
		oninput: () => show(search.value),
	});

	show('');
	return h('div', {}, tracks.length >= SEARCH_FROM && search, list, nothing);
}

export function tracksView({ app }) {
	const list = h('div');
	let gone = false;

	const again = () => loadInto(list, {
		load: app.api.tracks,
		kind: 'cards',
		build(tracks) {
			const old = oldTracks(localStorage, currentLanguage(), tracks.map((track) => track.title));
			const newest = [...tracks].sort((a, b) => String(b.created_at).localeCompare(String(a.created_at)));
			return h('div', { class: 'stack' },
				old.length > 0 && importCard(app, old, again),
				newest.length ? trackList(newest, remove) : emptyList());
		},
		cancelled: () => gone,
	});

	async function remove(track) {
		if (await deleteTrack(app, track) && !gone)
			again();
	}

	again();
	return {
		title: t('tracks.title'),
		node: h('div', {},
			h('div', { class: 'page-head' }, heading(t('tracks.title')),
				h('a', { class: 'button button-primary', href: '/tracks/new', 'data-testid': 'new-track' }, t('tracks.new'))),
			list),
		destroy() { gone = true; },
	};
}
