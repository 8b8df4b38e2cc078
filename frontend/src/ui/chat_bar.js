/* Name, type and number of the open chat, the selector, the button for a new one, the connection. */

import { hasText, t } from '../i18n/index.js';
import { copyText } from './clipboard.js';
import { openDialog } from './dialog.js';
import { freshId, h, setAttribute, setText } from './dom.js';
import { field, submitButton } from './field.js';
import { toast } from './notices.js';

const ID_SHOWN = 8;
const NEW_TYPES = ['planning', 'discussion', 'finalization'];
const NAME_MAX = 255;

export function chatTypeText(type) {
	return hasText(`chat.type.${type}`) ? t(`chat.type.${type}`) : (type ?? '');
}

async function copyId(id) {
	if (await copyText(id))
		toast(t('chat.id.copied'));
	else
		toast(t('chat.id.notCopied', { id }), 'error');
}

function newChatForm(close, create) {
	const name = field({ label: t('chat.new.name'), input: h('input', { name: 'name', maxlength: NAME_MAX, 'data-testid': 'new-chat-name' }) });
	const type = field({
		label: t('chat.new.type'),
		input: h('select', { name: 'type', 'data-testid': 'new-chat-type' }, NEW_TYPES.map((x) => h('option', { value: x }, chatTypeText(x)))),
	});
	const submit = submitButton(t('chat.new.submit'), { 'data-testid': 'new-chat-create' });

	async function onsubmit(event) {
		event.preventDefault();
		submit.setBusy(true);
		try {
			await create({ name: name.input.value.trim(), type: type.input.value });
			close(true);
		} catch (error) {
			name.setError(error.message);
			submit.setBusy(false);
		}
	}

	return h('form', { onsubmit, novalidate: true }, name.node, type.node,
		h('div', { class: 'dialog-actions' },
			h('button', { type: 'button', class: 'button', onclick: () => close(false) }, t('app.cancel')), submit.node));
}

/** onOpen(chatId), onCreate({name, type}): a promise. */
export function chatBar({ onOpen, onCreate }) {
	const selectId = freshId('chats');
	const name = h('h2', { class: 'chat-name', 'data-testid': 'chat-name' });
	const type = h('span', { class: 'chip', 'data-testid': 'chat-type' });
	const number = h('button', { type: 'button', class: 'chat-id', 'data-testid': 'chat-id', onclick: () => copyId(number.dataset.id) });
	const select = h('select', { id: selectId, 'data-testid': 'chat-select', onchange: () => onOpen(select.value) });
	const chooser = h('div', { class: 'chat-chooser' }, h('label', { for: selectId, class: 'visually-hidden' }, t('chat.select')), select);
	const fresh = h('button', {
		type: 'button', class: 'button', 'data-testid': 'new-chat',
		onclick: () => openDialog({ title: t('chat.new.title'), build: (close) => newChatForm(close, onCreate) }),
	}, t('chat.new'));
	const connection = h('span', { class: 'connection', role: 'status', 'data-testid': 'connection-state' });
	const node = h('section', { class: 'chat-bar', 'aria-label': t('chat.bar') },
		h('div', { class: 'chat-about' }, name, type, number, connection),
		h('div', { class: 'chat-actions' }, chooser, fresh));
	let listed = '';

	function nameOf(chat) {
		return chat.chat_name || t('chat.unnamed');
	}

	function showChats(chats, currentId) {
		const list = JSON.stringify(chats.map((c) => [c.id, c.chat_name, c.chat_type]));
		if (list !== listed) {
			listed = list;
			select.replaceChildren(...chats.map((c) =>
				h('option', { value: c.id }, `${nameOf(c)} · ${c.id.slice(0, ID_SHOWN)}`)));
		}
		select.value = currentId ?? '';
		chooser.hidden = chats.every((c) => c.id === currentId);
	}

	function showId(id) {
		number.hidden = !id;
		number.dataset.id = id ?? '';
		setText(number, `#${(id ?? '').slice(0, ID_SHOWN)}`);
		setAttribute(number, 'title', id);
		setAttribute(number, 'aria-label', t('chat.id.copy', { id: (id ?? '').slice(0, ID_SHOWN) }));
	}

	return {
		node,
		update(state) {
			const id = state.currentChatId;
			const chat = { ...state.dialogues[id]?.info, ...state.chats.find((c) => c.id === id) };
			setText(name, id ? nameOf(chat) : '');
			setText(type, chatTypeText(chat.chat_type));
			type.hidden = !chat.chat_type;
			showId(id);
			showChats(state.chats, id);
			setText(connection, t(`connection.${state.connection}`));
			setAttribute(connection, 'data-state', state.connection);
		},
	};
}
