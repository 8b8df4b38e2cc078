import { t } from '../i18n/index.js';
import { h } from './dom.js';
import { badge } from './page.js';

function objectives(list) {
	return list.length > 0 && h('div', { class: 'objectives' },
		h('h4', {}, t('track.objectives')),
		h('ul', {}, list.map((text) => h('li', {}, text))));
}

function moduleItem(module) {
	return h('li', { class: 'card module', 'data-testid': 'module-item' },
		h('div', { class: 'card-head' },
			h('h3', {}, `${module.module_number}. ${module.title}`),
			h('span', { class: 'chip' }, t('hours', { n: module.estimated_duration_hours })),
			badge('module', module.status)),
		h('p', { class: 'prose' }, module.description),
		objectives(module.learning_objectives ?? []));
}

/** Modules in their order, each with description, hours and objectives. */
export function moduleList(modules) {
	const sorted = [...modules].sort((a, b) => a.module_number - b.module_number);

	return h('ol', { class: 'modules' }, sorted.map(moduleItem));
}
