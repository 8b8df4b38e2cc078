/* A hint for the first dialogue of a browser; once closed it stays away. */

import { t } from '../i18n/index.js';
import { h } from './dom.js';

const KEY = 'hint_planning';

export function firstHint(storage = localStorage) {
	if (storage.getItem(KEY) !== null)
		return null;
	const node = h('div', { class: 'first-hint', role: 'note', 'data-testid': 'first-hint' }, h('p', {}, t('hint.first')),
		h('button', {
			type: 'button', class: 'button button-small',
			onclick() {
				storage.setItem(KEY, 'seen');
				node.remove();
			},
		}, t('hint.close')));

	return node;
}
