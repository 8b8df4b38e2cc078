/* Name, type and number of the open chat, the way to the others, a new one, export, the connection. */

import { t } from '../i18n/index.js';
import { chatMenu } from './chat_menu.js';
import { chatsDialog } from './chats_dialog.js';
import { chatName, chatTypeText, ID_SHOWN, NAME_MAX } from './chat_words.js';
import { copyText } from './clipboard.js';
import { openDialog } from './dialog.js';
import { h, setAttribute, setText } from './dom.js';
import { field, submitButton } from './field.js';
import { toast } from './notices.js';

const NEW_TYPES = ['planning', 'discussion', 'finalization'];

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

/** The number of a chat: eight characters are shown, a press copies the whole. */
function chatNumber() {
	const node = h('button', { type: 'button', class: 'chat-id', 'data-testid': 'chat-id', onclick: () => copyId(node.dataset.id) });

	return {
		node,
		show(id) {
			const short = (id ?? '').slice(0, ID_SHOWN);
			node.hidden = !id;
			node.dataset.id = id ?? '';
			setText(node, `#${short}`);
			setAttribute(node, 'title', id);
			setAttribute(node, 'aria-label', t('chat.id.copy', { id: short }));
		},
	};
}

/** mainChatId: the chat that goes with the track and stays. */
export function chatBar({ app, session, mainChatId }) {
	const name = h('h2', { class: 'chat-name', 'data-testid': 'chat-name' });
	const type = h('span', { class: 'chip', 'data-testid': 'chat-type' });
	const number = chatNumber();
	const others = h('button', {
		type: 'button', class: 'button', 'data-testid': 'chats', 'data-key': 'chats', 'aria-haspopup': 'dialog',
		onclick: () => chatsDialog({ app, session, mainChatId }),
	});
	const fresh = h('button', {
		type: 'button', class: 'button', 'data-testid': 'new-chat', 'data-key': 'new-chat', 'aria-haspopup': 'dialog',
		onclick: () => openDialog({ title: t('chat.new.title'), build: (close) => newChatForm(close, session.createChat) }),
	}, t('chat.new'));
	const connection = h('span', { class: 'connection', role: 'status', 'data-testid': 'connection-state' });
	const exported = chatMenu({ app, current: () => about(session.state()) });
	const node = h('section', { class: 'chat-bar', 'aria-label': t('chat.bar') },
		h('div', { class: 'chat-about' }, name, type, number.node, connection),
		h('div', { class: 'chat-actions' }, others, fresh, exported.node));

	function about(state) {
		const id = state.currentChatId;

		return { id, ...state.dialogues[id]?.info, ...state.chats.find((c) => c.id === id) };
	}

	return {
		node,
		update(state) {
			const chat = about(state);
			setText(name, chat.id ? chatName(chat) : '');
			setText(type, chatTypeText(chat.chat_type));
			type.hidden = !chat.chat_type;
			number.show(chat.id);
			setText(others, t('chats.button', { n: state.chats.filter((c) => c.status !== 'archived').length }));
			setText(connection, t(`connection.${state.connection}`));
			setAttribute(connection, 'data-state', state.connection);
		},
	};
}
