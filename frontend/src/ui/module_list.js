/* Modules of a track, as they were planned and as they are learned. */

import { t } from '../i18n/index.js';
import { inOrder, isCompleted, isStarted } from '../unlock.js';
import { h } from './dom.js';
import { badge, progressBar } from './page.js';

const ICONS = { open: '📚', half: '🔓', locked: '🔒' };

/** level: of the heading, so that it fits below the page's own. */
export function objectives(list, level = 'h4') {
	return list?.length > 0 && h('div', { class: 'objectives' },
		h(level, {}, t('track.objectives')),
		h('ul', {}, list.map((text) => h('li', {}, text))));
}

function moduleHead(module, title, ...more) {
	return h('div', { class: 'card-head' }, h('h3', {}, title), ...more,
		h('span', { class: 'chip' }, t('hours', { n: module.estimated_duration_hours })),
		badge('module', module.status));
}

function plannedModule(module) {
	return h('li', { class: 'card module', 'data-testid': 'module-item' },
		moduleHead(module, `${module.module_number}. ${module.title}`),
		h('p', { class: 'prose' }, module.description),
		objectives(module.learning_objectives));
}

/** Modules in their order, each with description, hours and objectives. */
export function moduleList(modules) {
	return h('ol', { class: 'modules' }, inOrder(modules).map(plannedModule));
}

function nextStep(module) {
	if (isCompleted(module))
		return t('module.repeat');
	return t(isStarted(module) ? 'module.continue' : 'module.begin');
}

function openModule(track, { module, state }) {
	const href = `/tracks/${encodeURIComponent(track.id)}/modules/${encodeURIComponent(module.id)}`;

	return h('li', { class: 'card module', 'data-testid': 'module-item', 'data-lock': state },
		moduleHead(module, h('a', { class: 'module-link', href, 'data-testid': 'module-link' }, `${module.module_number}. ${module.title}`),
			h('span', { 'aria-hidden': 'true' }, ICONS[state])),
		h('p', { class: 'prose' }, module.description),
		h('p', { class: 'field-hint' }, t('module.goals', { n: module.learning_objectives?.length ?? 0 })),
		progressBar(module.progress, t('module.progress')),
		h('div', { class: 'actions' },
			h('a', { class: 'button button-small button-primary', href: `${href}/learn`, 'data-testid': 'module-learn' }, nextStep(module)),
			h('a', { class: 'button button-small', href }, t('module.open'))));
}

function lockedModule({ module, state, after }) {
	return h('li', { class: 'card module module-locked', 'data-testid': 'module-item', 'data-lock': state },
		moduleHead(module, `${module.module_number}. ${module.title}`, h('span', { role: 'img', 'aria-label': t(`module.${state}`) }, ICONS[state])),
		h('p', { class: 'prose' }, module.description),
		h('p', { class: 'module-reason' }, t(state === 'half' ? 'module.halfOpen' : 'module.finishFirst', { title: after.title })));
}

/** states: of unlock.js. A locked module says what opens it and leads nowhere. */
export function learningList(track, states) {
	return h('ol', { class: 'modules' }, states.map((entry) => (entry.state === 'open' ? openModule(track, entry) : lockedModule(entry))));
}
