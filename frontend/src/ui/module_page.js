/* What every page of a module needs: the track, the module in it, and whether it is open. */

import { t } from '../i18n/index.js';
import { loadLearning } from '../learning_prefs.js';
import { unlockStates } from '../unlock.js';
import { h } from './dom.js';
import { crumbs, heading } from './page.js';

export const moduleHref = (track, module) => `/tracks/${encodeURIComponent(track.id)}/modules/${encodeURIComponent(module.id)}`;

/** {track, module, lock}: lock as in unlock.js. Throws when there is no such module. */
export async function loadModule(app, { id, module: moduleId }) {
	const track = await app.loadTrack(id);
	const lock = unlockStates(track.modules, loadLearning()).find((entry) => entry.module.id === moduleId);

	if (!lock)
		throw new Error(t('module.missing'));
	return { track, module: lock.module, lock };
}

export function moduleCrumbs(track, module) {
	const links = [['/tracks', t('nav.tracks')], [`/tracks/${encodeURIComponent(track.id)}`, track.title]];

	return crumbs(...links, ...(module ? [[moduleHref(track, module), module.title]] : []));
}

/** Stands where a module would be that is not open yet. */
export function lockedPage(track, module, lock) {
	return h('div', { class: 'narrow', 'data-testid': 'module-locked' },
		moduleCrumbs(track),
		heading(module.title),
		h('p', { class: 'module-reason' }, `🔒 ${t('module.finishFirst', { title: lock.after.title })}`),
		h('p', { class: 'field-hint' }, t('module.lockedHint')),
		h('div', { class: 'actions' },
			h('a', { class: 'button button-primary', href: moduleHref(track, lock.after) }, t('module.toFirst')),
			h('a', { class: 'button', href: `/tracks/${encodeURIComponent(track.id)}` }, t('plan.toTrack'))));
}
