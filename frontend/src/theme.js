/*
 * The look: by the system unless somebody chose. public/start.js sets the
 * choice before the first paint; here it is changed.
 */

const STORAGE_KEY = 'theme';
const SURFACES = { light: '#fcfcf9', dark: '#1f2121' };

export const THEMES = ['system', 'light', 'dark'];

export function currentTheme(storage = localStorage) {
	const stored = storage.getItem(STORAGE_KEY);

	return THEMES.includes(stored) ? stored : 'system';
}

/* The browser's own bar follows: one colour for a choice, one per scheme without. */
function paintBar(theme) {
	for (const meta of document.querySelectorAll('meta[name="theme-color"]'))
		meta.content = SURFACES[theme] ?? SURFACES[meta.media.includes('dark') ? 'dark' : 'light'];
}

export function setTheme(theme, storage = localStorage) {
	if (theme === 'system') {
		storage.removeItem(STORAGE_KEY);
		document.documentElement.removeAttribute('data-theme');
	} else {
		storage.setItem(STORAGE_KEY, theme);
		document.documentElement.setAttribute('data-theme', theme);
	}
	paintBar(theme);
}
