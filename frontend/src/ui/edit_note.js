/*
 * An earlier question being changed: its text is in the field, and what was
 * being written there waits until the changed one is sent or given up, over a
 * reload too. The dialogue is a record: the earlier question and its answer
 * stay, the changed one goes to the end.
 */

import { t } from '../i18n/index.js';
import { loadForm, saveForm } from '../unsent.js';
import { h } from './dom.js';

const name = (chatId) => `edit:${chatId}`;

export function editNote({ storage, onCancel }) {
	const node = h('p', { class: 'composer-edit', role: 'status', hidden: true, 'data-testid': 'edit-note' },
		h('span', {}, t('composer.editing')),
		h('button', { type: 'button', class: 'button button-small', 'data-testid': 'edit-cancel', onclick: onCancel }, t('app.cancel')));

	/* The text that waits, or null when nothing is being changed. */
	const waiting = (chatId) => loadForm(storage, name(chatId)).draft ?? null;

	function show(chatId) {
		node.hidden = chatId === null || waiting(chatId) === null;
	}

	return {
		node,
		show,
		begin(chatId, draft) {
			/* another question is taken instead: what waits goes on waiting */
			if (waiting(chatId) === null)
				saveForm(storage, name(chatId), { draft });
			show(chatId);
		},
		/** What goes back into the field. */
		end(chatId) {
			const draft = waiting(chatId) ?? '';

			saveForm(storage, name(chatId), null);
			show(chatId);
			return draft;
		},
	};
}
