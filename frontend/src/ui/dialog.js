/*
 * Modal dialogs on <dialog>: the browser does focus trap, Escape and focus
 * return. `build(close)` gives the content; the promise resolves with what
 * close was called with, or null after Escape.
 */

import { freshId, h } from './dom.js';
import { t } from '../i18n/index.js';

export function openDialog({ title, build, ...attributes }) {
	return new Promise((resolve) => {
		const titleId = freshId('dialog');
		let result = null;
		const node = h('dialog', { class: 'dialog', 'aria-labelledby': titleId, ...attributes },
			h('h2', { id: titleId, class: 'dialog-title' }, title));
		const close = (value) => {
			result = value;
			node.close();
		};

		node.append(build(close));
		node.addEventListener('close', () => {
			node.remove();
			resolve(result);
		});
		document.body.append(node);
		node.showModal();
	});
}

/** danger: what follows cannot be taken back. */
export function confirmDialog({ title, text, yes, danger = true }) {
	return openDialog({
		title,
		build: (close) => h('div', {},
			h('p', {}, text),
			h('div', { class: 'dialog-actions' },
				h('button', { type: 'button', class: 'button', onclick: () => close(false) }, t('app.cancel')),
				h('button', { type: 'button', class: `button ${danger ? 'button-danger' : 'button-primary'}`, onclick: () => close(true) }, yes))),
	});
}
