/*
 * Vite plugin: draws the landing page as somebody sees it who has not signed
 * in, once per language, into index.html. It can be read while the scripts are
 * still on their way, and they put the same page in its place. public/start.js
 * chooses which one is shown, if any.
 */

import { parseHTML } from 'linkedom';

const PLACE = '<div id="app"></div>';
/* attributes that name other elements of the page by id */
const REFERENCES = ['id', 'for', 'aria-labelledby', 'aria-controls', 'href'];

/* What the views ask of a browser. Nobody has chosen anything here. */
function browser() {
	const { document } = parseHTML('<!doctype html><html><body></body></html>');
	const nothing = { getItem: () => null, setItem() {} };

	return { document, location: { pathname: '/' }, localStorage: nothing };
}

/* Both languages stand in one document: ids are kept apart, and tests find the living page only. */
function tame(root, language) {
	const ids = new Set([...root.querySelectorAll('[id]')].map((node) => node.id));

	for (const node of root.querySelectorAll('*')) {
		node.removeAttribute('data-testid');
		for (const name of REFERENCES) {
			const value = node.getAttribute(name);
			const mark = value?.startsWith('#') ? '#' : '';
			if (value && ids.has(value.slice(mark.length)))
				node.setAttribute(name, `${value}-${language}`);
		}
	}
}

/* work() with these as globals; how they were before it afterwards. */
async function withGlobals(values, work) {
	const before = Object.keys(values).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);

	for (const [name, value] of Object.entries(values))
		Object.defineProperty(globalThis, name, { value, configurable: true });
	try {
		return await work();
	} finally {
		for (const [name, descriptor] of before) {
			delete globalThis[name];
			if (descriptor)
				Object.defineProperty(globalThis, name, descriptor);
		}
	}
}

async function draw() {
	const { LANGUAGES, setLanguage, initLanguage } = await import('../src/i18n/index.js');
	const { createShell } = await import('../src/ui/shell.js');
	const { landingView } = await import('../src/views/landing.js');

	initLanguage(localStorage, 'ru');
	return Object.keys(LANGUAGES).map((language) => {
		const root = document.createElement('div');
		const shell = createShell(root, { user: () => null, onSignOut() {}, isDemo: () => false });

		setLanguage(language);
		shell.draw();
		shell.show(landingView({ app: { auth: { isSignedIn: () => false } } }), false);
		tame(root, language);
		return `<div class="first-page" lang="${language}">${root.innerHTML}</div>`;
	}).join('');
}

export function firstPage() {
	return {
		name: 'first-page',
		apply: 'build',
		transformIndexHtml: {
			order: 'post',
			async handler(html) {
				if (!html.includes(PLACE))
					throw new Error(`index.html has no ${PLACE} for the first page`);
				return html.replace(PLACE, `<div id="app">${await withGlobals(browser(), draw)}</div>`);
			},
		},
	};
}
