import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { chooseLanguage } from './i18n/index.js';

const SCRIPT = readFileSync(new URL('../public/start.js', import.meta.url), 'utf8');
const storageOf = (values) => ({ getItem: (key) => values[key] ?? null });

/* What public/start.js writes on the page's root. */
function start({ stored = {}, inTab = {}, language = 'en-US', pathname = '/', localStorage = storageOf(stored) } = {}) {
	const root = { lang: '', attributes: {}, setAttribute(name, value) { root.attributes[name] = value; } };

	runInNewContext(SCRIPT, {
		document: { documentElement: root }, localStorage, sessionStorage: storageOf(inTab), navigator: { language }, location: { pathname },
	});
	return { lang: root.lang, ...root.attributes };
}

describe('what is done before the first paint', () => {
	it('chooses the language as the application does', () => {
		for (const stored of [undefined, 'ru', 'en', 'xx', 'toString'])
			for (const language of ['ru-RU', 'uk', 'kk-KZ', 'be', 'en-US', 'de', 'rus', 'C', '', undefined])
				expect(start({ stored: { language: stored }, language }).lang).toBe(chooseLanguage(stored, language));
	});

	it('shows the first page to whoever is not signed in, at its address only', () => {
		expect(start()['data-first-page']).toBe('en');
		expect(start({ stored: { signed_in_as: '' } })['data-first-page']).toBe('en');
		expect(start({ pathname: '/auth' })).not.toHaveProperty('data-first-page');
		expect(start({ stored: { signed_in_as: '7' } })).not.toHaveProperty('data-first-page');
		expect(start({ inTab: { auth_token: 'x' } })).not.toHaveProperty('data-first-page');
	});

	it('takes the look that was chosen, and no other word for one', () => {
		expect(start({ stored: { theme: 'dark' } })['data-theme']).toBe('dark');
		expect(start({ stored: { theme: 'system' } })).not.toHaveProperty('data-theme');
	});

	it('does without storage', () => {
		const refused = { getItem() { throw new Error('refused'); } };

		expect(start({ localStorage: refused, language: 'ru' })).toEqual({ 'lang': 'ru', 'data-first-page': 'ru' });
	});
});
