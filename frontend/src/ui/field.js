/*
 * A form field: label tied to its input, an optional hint, and a place for
 * what is wrong with it, announced and tied by aria-describedby.
 */

import { t } from '../i18n/index.js';
import { freshId, h, setText } from './dom.js';

export function field({ label, hint, input, after = null }) {
	const id = freshId('field');
	const hintNode = hint ? h('p', { class: 'field-hint', id: `${id}-hint` }, hint) : null;
	const error = h('p', { class: 'field-error', id: `${id}-error`, role: 'alert', hidden: true });
	const described = [hintNode?.id, error.id].filter(Boolean).join(' ');

	input.id = id;
	input.setAttribute('aria-describedby', described);
	const node = h('div', { class: 'field' },
		h('label', { for: id }, label), input, after, hintNode, error);

	return {
		node,
		input,
		/** text: what is wrong, or '' */
		setError(text) {
			setText(error, text);
			error.hidden = !text;
			node.classList.toggle('field-bad', Boolean(text));
			input.setAttribute('aria-invalid', String(Boolean(text)));
		},
	};
}

/** A field for a password, with a box to see what one types. */
export function passwordField({ label, hint, attributes, showText = t('auth.password.show') }) {
	const input = h('input', { type: 'password', required: true, ...attributes });
	const box = h('input', { type: 'checkbox', onchange: () => { input.type = box.checked ? 'text' : 'password'; } });

	return field({ label, hint, input, after: h('label', { class: 'show-password' }, box, showText) });
}

/** Shows each problem at its field, moves to the first, and says whether all are well. */
export function checkFields(rules) {
	let firstBad = null;

	for (const [target, problem] of rules) {
		target.setError(problem);
		if (problem)
			firstBad ??= target;
	}
	firstBad?.input.focus();
	return firstBad === null;
}

/** A submit button that shows it is busy and cannot be pressed twice. */
export function submitButton(text, attributes = {}) {
	const node = h('button', { type: 'submit', class: 'button button-primary', ...attributes }, text);

	return {
		node,
		setBusy(busy) {
			node.disabled = busy;
			node.classList.toggle('is-busy', busy);
			node.setAttribute('aria-busy', String(busy));
		},
	};
}
