import { t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { heading } from '../ui/page.js';

const ICONS = ['🎯', '💬', '🧩', '💾'];

export function landingView({ app }) {
	const start = app.auth.isSignedIn() ? '/tracks' : '/auth';
	const node = h('div', { class: 'landing' },
		h('section', { class: 'hero' },
			heading(t('landing.title')),
			h('p', { class: 'hero-text' }, t('landing.text')),
			h('a', { class: 'button button-primary button-large', href: start, 'data-testid': 'start' }, t('landing.start'))),
		h('section', { 'aria-labelledby': 'why' },
			h('h2', { id: 'why' }, t('landing.why')),
			h('ul', { class: 'advantages' }, ICONS.map((icon, i) => h('li', { class: 'card' },
				h('span', { class: 'advantage-icon', 'aria-hidden': 'true' }, icon),
				h('h3', {}, t(`landing.${i + 1}.title`)),
				h('p', {}, t(`landing.${i + 1}.text`)))))));

	return { node, title: '' };
}
