/* The form that creates a track. What is typed is kept in this tab until it is sent. */

import { currentLanguage, t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { crumbs, heading } from '../ui/page.js';
import { trackForm } from '../ui/track_form.js';
import { loadForm, saveForm } from '../unsent.js';
import { uuid } from '../uuid.js';

const DRAFT = 'new-track';

/* One key per content: pressing twice, or again after a lost answer, makes one track. */
function keyring() {
	let last = { content: null, key: null };

	return (order) => {
		const content = JSON.stringify(order);
		if (content !== last.content)
			last = { content, key: uuid() };
		return last.key;
	};
}

export function newTrackView({ app }) {
	const keyFor = keyring();

	const form = trackForm({
		values: { language: currentLanguage(), ...loadForm(app.storage, DRAFT) },
		submitText: t('new.submit'),
		onInput: (values) => saveForm(app.storage, DRAFT, values),
		async send(order) {
			const track = await app.api.createTrack(order, keyFor(order));
			saveForm(app.storage, DRAFT, null);
			app.navigate(`/tracks/${encodeURIComponent(track.id)}/plan`, { replace: true });
		},
	});

	return {
		title: t('new.title'),
		node: h('div', { class: 'narrow' }, crumbs(['/tracks', t('nav.tracks')]), heading(t('new.title')),
			h('p', { class: 'field-hint' }, t('new.next')),
			h('div', { class: 'card' }, form)),
	};
}
