/*
 * Short words about something that happened: a toast (one at a time), and a
 * polite live region for screen readers.
 */

import { h, setText } from './dom.js';
import { t } from '../i18n/index.js';

const SHOWN_MS = { success: 5000, error: 8000 };

const live = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
const place = h('div', { class: 'toasts', role: 'status' });
let timer = null;

export function mountNotices(parent) {
	parent.append(live, place);
}

/** Said once; the same text twice in a row is said twice. */
export function announce(text) {
	setText(live, '');
	requestAnimationFrame(() => setText(live, text));
}

export function toast(text, kind = 'success') {
	const dismiss = () => place.replaceChildren();

	clearTimeout(timer);
	timer = setTimeout(dismiss, SHOWN_MS[kind]);
	place.replaceChildren(h('div', { class: `toast toast-${kind}` },
		h('span', {}, text),
		h('button', { type: 'button', class: 'toast-close', 'aria-label': t('app.dismiss'), onclick: dismiss }, '✕')));
}
