/*
 * Where a message is written. The draft belongs to a chat and is kept in this
 * tab; what is sent is handed over as it was typed. While a reply runs, one
 * message may wait for it.
 */

import { formatNumber, t } from '../i18n/index.js';
import { MESSAGE_MAX, messageProblem } from '../message_limits.js';
import { loadDraft, saveDraft } from '../unsent.js';
import { freshId, h, setText } from './dom.js';
import { editNote } from './edit_note.js';

const TALLEST_PX = 240;
/* A phone's keyboard has no Shift+Enter: there Enter is a new line, and the button sends. */
const TOUCH = '(hover: none) and (pointer: coarse)';

/** onSend(text), onStop(): the turn's stop. */
export function composer({ storage, onSend, onStop }) {
	const id = freshId('composer');
	const touch = matchMedia(TOUCH).matches;
	const input = h('textarea', {
		id, class: 'composer-input', rows: '2', 'data-testid': 'composer', 'data-key': 'composer', 'aria-describedby': `${id}-hint`,
		enterkeyhint: touch ? 'enter' : 'send',
	});
	const hint = h('p', { class: 'composer-hint', id: `${id}-hint` });
	const send = h('button', { type: 'submit', class: 'button button-primary', 'data-testid': 'send' }, t('composer.send'));
	const stop = h('button', { type: 'button', class: 'button', 'data-testid': 'stop', 'data-key': 'stop', onclick: onStop }, t('composer.stop'));
	const edit = editNote({ storage, onCancel: giveUp });
	const node = h('form', { class: 'composer', onsubmit: submit }, edit.node,
		h('label', { class: 'visually-hidden', for: id }, t('composer.label')),
		input, h('div', { class: 'composer-actions' }, stop, send), hint);
	let chatId = null;
	let waits = false;

	function hintText(problem) {
		if (problem === 'long')
			return t('composer.long', { n: [...input.value].length, max: formatNumber(MESSAGE_MAX) });
		if (waits)
			return t('composer.waits');
		return t(touch ? 'composer.hint.touch' : 'composer.hint');
	}

	function refresh() {
		const problem = messageProblem(input.value);

		send.disabled = problem !== '' || chatId === null || waits;
		setText(hint, hintText(problem));
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
		const text = input.value.replaceAll('\0', '');
		put(edit.end(chatId));
		onSend(text);
		input.focus();
	}

	function giveUp() {
		put(edit.end(chatId));
		input.focus();
	}

	input.addEventListener('input', () => {
		saveDraft(storage, chatId, input.value);
		refresh();
	});
	input.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && !touch) {
			event.preventDefault();
			node.requestSubmit();
		} else if (event.key === 'Escape' && !edit.node.hidden) {
			event.preventDefault();
			giveUp();
		}
	});

	return {
		node,
		input,
		/** running: a reply can be stopped; stopping: that was asked for; queued: a message waits already */
		update(nextChatId, { running, stopping, queued }) {
			const nowWaits = running && queued;
			if (nextChatId !== chatId) {
				chatId = nextChatId;
				waits = nowWaits;
				input.value = chatId ? loadDraft(storage, chatId) : '';
				edit.show(chatId);
				refresh();
			} else if (nowWaits !== waits) {
				waits = nowWaits;
				refresh();
			}
			stop.hidden = !running;
			setText(stop, t(stopping ? 'composer.stopping' : 'composer.stop'));
		},
		/** An earlier message to change, in place of what is being written. */
		edit(text) {
			edit.begin(chatId, input.value);
			put(text);
			input.focus();
		},
		/** A text comes back before what is being written: one that was not sent, a suggestion. */
		takeBack(text) {
			put([text, input.value].filter(Boolean).join('\n\n'));
			input.focus();
		},
	};
}
