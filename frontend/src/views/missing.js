import { t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { heading } from '../ui/page.js';

export function missingView() {
	return {
		title: t('app.missing.title'),
		node: h('div', { class: 'narrow' },
			heading(t('app.missing.title')),
			h('p', {}, t('app.missing.text')),
			h('a', { class: 'button', href: '/' }, t('app.missing.home'))),
	};
}
