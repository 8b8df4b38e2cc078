/*
 * Where a message is written. The draft belongs to a chat and is kept in this
 * tab; what is sent is handed over as it was typed.
 */

import { formatNumber, t } from '../i18n/index.js';
import { MESSAGE_MAX, messageProblem } from '../message_limits.js';
import { loadDraft, saveDraft } from '../unsent.js';
import { freshId, h, setText } from './dom.js';

const TALLEST_PX = 240;

/** onSend(text), onStop(): the turn's stop. */
export function composer({ storage, onSend, onStop }) {
	const id = freshId('composer');
	const input = h('textarea', {
		id, class: 'composer-input', rows: '2', 'data-testid': 'composer', 'aria-describedby': `${id}-hint`, enterkeyhint: 'send',
	});
	const hint = h('p', { class: 'composer-hint', id: `${id}-hint` }, t('composer.hint'));
	const send = h('button', { type: 'submit', class: 'button button-primary', 'data-testid': 'send' }, t('composer.send'));
	const stop = h('button', { type: 'button', class: 'button', 'data-testid': 'stop', onclick: onStop }, t('composer.stop'));
	const node = h('form', { class: 'composer', onsubmit: submit },
		h('label', { class: 'visually-hidden', for: id }, t('composer.label')),
		input, h('div', { class: 'composer-actions' }, stop, send), hint);
	let chatId = null;

	function refresh() {
		const problem = messageProblem(input.value);

		send.disabled = problem !== '' || chatId === null;
		setText(hint, problem === 'long'
			? t('composer.long', { n: [...input.value].length, max: formatNumber(MESSAGE_MAX) }) : t('composer.hint'));
		hint.classList.toggle('composer-bad', problem === 'long');
		input.style.height = 'auto';
		input.style.height = `${Math.min(input.scrollHeight + 2, TALLEST_PX)}px`;
	}

	function put(text) {
		input.value = text;
		saveDraft(storage, chatId, text);
		refresh();
	}

	function submit(event) {
		event.preventDefault();
		if (send.disabled)
			return;
		/* U+0000 cannot be stored and cannot be seen */
		onSend(input.value.replaceAll('\0', ''));
		put('');
		input.focus();
	}

	input.addEventListener('input', () => {
		saveDraft(storage, chatId, input.value);
		refresh();
	});
	input.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
			event.preventDefault();
			node.requestSubmit();
		}
	});

	return {
		node,
		input,
		/** running: a reply can be stopped; stopping: that was asked for */
		update(nextChatId, { running, stopping }) {
			if (nextChatId !== chatId) {
				chatId = nextChatId;
				input.value = chatId ? loadDraft(storage, chatId) : '';
				refresh();
			}
			stop.hidden = !running;
			setText(stop, t(stopping ? 'composer.stopping' : 'composer.stop'));
		},
		/** A message that was not sent comes back before what is being written. */
		takeBack(text) {
			put([text, input.value].filter(Boolean).join('\n\n'));
			input.focus();
		},
	};
}
