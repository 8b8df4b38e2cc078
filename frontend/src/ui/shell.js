/* Everything around a view: header, menu, look and language, demo banner, main region. */

import { currentLanguage, LANGUAGES, setLanguage, t } from '../i18n/index.js';
import { showShortcuts } from '../shortcuts.js';
import { currentTheme, setTheme, THEMES } from '../theme.js';
import { freshId, h, setAttribute } from './dom.js';

function choice({ label, testid, options, value, onChoose }) {
	const id = freshId('choice');
	const select = h('select', { id, 'data-testid': testid, onchange: () => onChoose(select.value) },
		options.map(({ value: v, text, lang }) => h('option', { value: v, lang, selected: v === value }, text)));

	return h('div', { class: 'choice' }, h('label', { for: id, class: 'visually-hidden' }, label), select);
}

function languageSwitch() {
	return choice({
		label: t('app.language'), testid: 'lang-switch', value: currentLanguage(), onChoose: (code) => setLanguage(code),
		options: Object.entries(LANGUAGES).map(([value, text]) => ({ value, text, lang: value })),
	});
}

function themeSwitch() {
	return choice({
		label: t('theme.label'), testid: 'theme-switch', value: currentTheme(), onChoose: (theme) => setTheme(theme),
		options: THEMES.map((value) => ({ value, text: t(`theme.${value}`) })),
	});
}

function person(user, onSignOut) {
	const name = user.is_guest ? t('nav.guest') : [user.first_name, user.last_name].filter(Boolean).join(' ') || user.email;

	return h('div', { class: 'person' },
		user.is_guest && h('a', { class: 'button button-small', href: '/auth?form=register', 'data-testid': 'keep-work' }, t('nav.keepWork')),
		h('a', { class: 'person-name', href: '/profile', 'data-nav': '/profile', 'data-testid': 'user-name', 'aria-label': t('nav.profile', { name }) }, name),
		h('button', { type: 'button', class: 'button button-quiet', 'data-testid': 'sign-out', onclick: onSignOut }, t('nav.signOut')));
}

function menu(user) {
	const link = (href, text) => h('a', { href, 'data-nav': href }, text);

	return user && h('nav', { class: 'menu', 'aria-label': t('nav.main') },
		link('/tracks', t('nav.tracks')), link('/tracks/new', t('nav.new')), link('/settings', t('nav.settings')),
		user.role === 'admin' && link('/users', t('nav.users')));
}

/* On a narrow screen everything but the brand is behind a button. */
function foldable(content) {
	const id = freshId('menu');
	const panel = h('div', { class: 'header-panel', id }, content);
	const button = h('button', {
		type: 'button', class: 'button button-quiet menu-button', 'aria-expanded': 'false', 'aria-controls': id, 'data-testid': 'menu-button',
		onclick: () => open(button.getAttribute('aria-expanded') !== 'true'),
	}, h('span', { 'aria-hidden': 'true' }, '☰'), h('span', { class: 'visually-hidden' }, t('nav.menu')));

	function open(yes) {
		button.setAttribute('aria-expanded', String(yes));
		panel.classList.toggle('is-open', yes);
	}

	panel.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && panel.classList.contains('is-open')) {
			open(false);
			button.focus();
		}
	});
	panel.addEventListener('click', (event) => event.target.closest('a') && open(false));
	return { button, panel };
}

/**
 * draw() takes the place of what stands in root (see build/first_page.js); it is called again after a change of language, of who is signed in, or of the
 * demo state.
 */
export function createShell(root, { user, onSignOut, isDemo }) {
	const top = h('div', { class: 'top' });
	const main = h('main', { id: 'main', tabindex: '-1' });

	function draw() {
		const who = user();

		if (top.parentNode !== root)
			root.replaceChildren(top, main);
		const folded = foldable([
			menu(who),
			h('div', { class: 'header-end' },
				h('button', { type: 'button', class: 'button button-quiet keys-button', 'data-testid': 'show-keys', onclick: showShortcuts },
					h('span', { 'aria-hidden': 'true' }, '⌨'), h('span', { class: 'keys-label' }, t('keys.title'))),
				themeSwitch(), languageSwitch(),
				who ? person(who, onSignOut) : h('a', { class: 'button button-quiet', href: '/auth' }, t('nav.signIn'))),
		]);

		top.replaceChildren(
			h('a', { class: 'skip', href: '#main', onclick: (event) => { event.preventDefault(); main.focus(); } }, t('app.skip')),
			h('header', {}, h('div', { class: 'header' },
				h('a', { class: 'brand', href: '/' }, h('img', { src: '/favicon.svg', alt: '', width: '28', height: '28' }), h('span', {}, t('app.name'))),
				folded.button, folded.panel),
			isDemo() && h('p', { class: 'demo-banner', role: 'note', 'data-testid': 'demo-banner' },
				t('demo.text'), ' ', h('span', { class: 'demo-how' }, t('demo.how')))));
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
