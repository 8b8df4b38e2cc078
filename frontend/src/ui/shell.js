/* Everything around a view: header, menu, language, demo banner, main region. */

import { currentLanguage, LANGUAGES, setLanguage, t } from '../i18n/index.js';
import { freshId, h, setAttribute } from './dom.js';

function languageSwitch() {
	const id = freshId('language');
	const select = h('select', {
		id, 'data-testid': 'lang-switch', onchange: () => setLanguage(select.value),
	}, Object.entries(LANGUAGES).map(([code, name]) =>
		h('option', { value: code, lang: code, selected: code === currentLanguage() }, name)));

	return h('div', { class: 'language' }, h('label', { for: id, class: 'visually-hidden' }, t('app.language')), select);
}

function person(user, onSignOut) {
	const name = user.is_guest ? t('nav.guest') : [user.first_name, user.last_name].filter(Boolean).join(' ') || user.email;

	return h('div', { class: 'person' },
		h('span', { class: 'person-name', 'data-testid': 'user-name' }, name),
		h('button', { type: 'button', class: 'button button-quiet', 'data-testid': 'sign-out', onclick: onSignOut }, t('nav.signOut')));
}

function menu(user) {
	const link = (href, text) => h('a', { href, 'data-nav': href }, text);

	return user && h('nav', { class: 'menu', 'aria-label': t('nav.main') },
		link('/tracks', t('nav.tracks')), link('/tracks/new', t('nav.new')));
}

/** draw() again after a change of language, of who is signed in, or of the demo state. */
export function createShell(root, { user, onSignOut, isDemo }) {
	const top = h('div', { class: 'top' });
	const main = h('main', { id: 'main', tabindex: '-1' });

	root.replaceChildren(top, main);

	function draw() {
		const who = user();

		top.replaceChildren(
			h('a', { class: 'skip', href: '#main', onclick: (event) => { event.preventDefault(); main.focus(); } }, t('app.skip')),
			h('header', {}, h('div', { class: 'header' },
				h('a', { class: 'brand', href: '/' }, h('img', { src: '/favicon.svg', alt: '', width: '28', height: '28' }), h('span', {}, t('app.name'))),
				menu(who),
				h('div', { class: 'header-end' },
					languageSwitch(),
					who ? person(who, onSignOut) : h('a', { class: 'button button-quiet', href: '/auth' }, t('nav.signIn')))),
			isDemo() && h('p', { class: 'demo-banner', role: 'note', 'data-testid': 'demo-banner' }, t('demo.text'))));
		markCurrent();
	}

	function markCurrent() {
		for (const link of root.querySelectorAll('[data-nav]'))
			setAttribute(link, 'aria-current', link.dataset.nav === location.pathname ? 'page' : null);
	}

	return {
		draw,
		/** moved: the person went somewhere, so focus and scroll go to the start of it. */
		show(view, moved) {
			for (const dialog of document.querySelectorAll('dialog[open]'))
				dialog.close();
			main.replaceChildren(view.node);
			main.className = view.wide ? 'main main-wide' : 'main';
			document.title = view.title ? `${view.title} · ${t('app.name')}` : t('app.name');
			markCurrent();
			if (moved) {
				scrollTo(0, 0);
				(main.querySelector('h1') ?? main).focus({ preventScroll: true });
			}
		},
	};
}
