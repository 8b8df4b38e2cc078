/*
 * Short words about something that happened: a toast (one at a time), and a
 * polite live region for screen readers.
 */

import { h, setText } from './dom.js';
import { t } from '../i18n/index.js';

const SHOWN_MS = { success: 5000, error: 8000 };
const WITH_ACTION_MS = 10_000;

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

/** action: {text, run()} adds a button, for example to undo. */
export function toast(text, kind = 'success', action = null) {
	const dismiss = () => place.replaceChildren();

	clearTimeout(timer);
	timer = setTimeout(dismiss, action ? WITH_ACTION_MS : SHOWN_MS[kind]);
	place.replaceChildren(h('div', { class: `toast toast-${kind}`, 'data-testid': 'toast' },
		h('span', {}, text),
		action && h('button', {
			type: 'button', class: 'button button-small', 'data-testid': 'toast-action',
			onclick: () => { dismiss(); action.run(); },
		}, action.text),
		h('button', { type: 'button', class: 'toast-close', 'aria-label': t('app.dismiss'), onclick: dismiss }, '✕')));
}
