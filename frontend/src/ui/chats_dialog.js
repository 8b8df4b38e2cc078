/*
 * All chats of a session: search, open, rename, archive and take back, delete
 * with a way to undo. It shows the state as it changes, also by another tab.
 */

import { chatsMatching } from '../chat_filter.js';
import { formatDate, formatTime, t } from '../i18n/index.js';
import { chatName, chatTypeText, ID_SHOWN, NAME_MAX } from './chat_words.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { toast } from './notices.js';

/* What changes a chat. Each says what it did; what can be undone offers it. */
function chatVerbs({ app, session }) {
	async function change(work, done, undo = null) {
		try {
			await work();
			await session.chatsChanged();
			toast(done, 'success', undo && { text: t('app.undo'), run: undo });
			return true;
		} catch (error) {
			toast(error.message, 'error');
			return false;
		}
	}

	const unarchive = (chat) => change(() => app.api.setChatStatus(chat.id, 'active'), t('chats.unarchived', { name: chatName(chat) }));
	const bringBack = (chat) => change(() => app.api.restoreChat(chat.id), t('chats.restored', { name: chatName(chat) }));

	return {
		rename: (chat, name) => change(() => app.api.renameChat(chat.id, name), t('chats.renamed', { name })),
		archive: (chat) => change(() => app.api.setChatStatus(chat.id, 'archived'), t('chats.archived', { name: chatName(chat) }), () => unarchive(chat)),
		unarchive,
		remove: (chat) => change(() => app.api.deleteChat(chat.id), t('chats.deleted', { name: chatName(chat) }), () => bringBack(chat)),
	};
}

function renameForm(chat, verbs, done) {
	const input = h('input', { value: chat.chat_name ? chatName(chat) : '', maxlength: NAME_MAX, 'aria-label': t('chats.name'), 'data-testid': 'chat-rename-input' });
	const form = h('form', {
		class: 'chat-rename', novalidate: true,
		async onsubmit(event) {
			event.preventDefault();
			const name = input.value.trim();
			if (!name || name === chatName(chat) || await verbs.rename(chat, name))
				done();
		},
	}, input, h('button', { type: 'submit', class: 'button button-small button-primary' }, t('app.save')),
	h('button', { type: 'button', class: 'button button-small', onclick: done }, t('app.cancel')));

	form.addEventListener('keydown', (event) => {
		if (event.key === 'Escape') {
			event.preventDefault();
			event.stopPropagation();
			done();
		}
	});
	return { form, input };
}

function chatTools(chat, { verbs, isMain, rename, leave }) {
	const tool = (name, testid, run) => h('button', {
		type: 'button', class: 'button button-small button-quiet', 'data-testid': testid,
		'aria-label': t(`chats.${name}.label`, { name: chatName(chat) }), onclick: run,
	}, t(`chats.${name}`));

	return h('div', { class: 'chat-tools' },
		tool('rename', 'chat-rename', rename),
		!isMain && (chat.status === 'archived' ? tool('unarchive', 'chat-unarchive', () => verbs.unarchive(chat))
			: tool('archive', 'chat-archive', async () => await verbs.archive(chat) && leave())),
		!isMain && tool('delete', 'chat-delete', async () => await verbs.remove(chat) && leave()));
}

function chatRow(chat, { session, mainChatId, verbs, close, redraw }) {
	const isOpen = session.state().currentChatId === chat.id;
	const when = chat.last_message_at ?? chat.updated_at;
	const row = h('li', { class: 'chat-row', 'data-testid': 'chat-row' });
	const leave = () => isOpen && session.openChat(mainChatId);
	const rename = () => {
		const { form, input } = renameForm(chat, verbs, redraw);
		row.replaceChildren(form);
		input.select();
	};

	row.append(
		h('button', {
			type: 'button', class: 'chat-open', 'data-testid': 'chat-open', 'aria-current': isOpen ? 'true' : null,
			onclick() {
				session.openChat(chat.id);
				close(true);
			},
		}, h('span', { class: 'chat-row-name' }, chatName(chat)),
		h('span', { class: 'chat-row-about' }, [chatTypeText(chat.chat_type), `#${chat.id.slice(0, ID_SHOWN)}`,
			when && `${formatDate(when)} ${formatTime(when)}`].filter(Boolean).join(' · '))),
		chatTools(chat, { verbs, isMain: chat.id === mainChatId, rename, leave }));
	return row;
}

export function chatsDialog({ app, session, mainChatId }) {
	const verbs = chatVerbs({ app, session });
	let shown = null;
	let unsubscribe = null;

	function build(close) {
		const list = h('ul', { class: 'chat-list' });
		const nothing = h('p', { class: 'note' });
		const archived = h('input', { type: 'checkbox', 'data-testid': 'chats-archived', onchange: redraw });
		const search = h('input', {
			type: 'search', autofocus: true, placeholder: t('chats.search'), 'aria-label': t('chats.search'), 'data-testid': 'chats-search', oninput: redraw,
		});

		function redraw() {
			const found = chatsMatching(session.state().chats, { search: search.value, archived: archived.checked, nameText: chatName, typeText: chatTypeText });
			list.replaceChildren(...found.map((chat) => chatRow(chat, { session, mainChatId, verbs, close, redraw })));
			nothing.hidden = found.length > 0;
			nothing.textContent = t(archived.checked ? 'chats.noneArchived' : 'chats.none');
		}

		redraw();
		unsubscribe = session.subscribe((state) => {
			if (state.chats !== shown && !list.querySelector('form'))
				redraw();
			shown = state.chats;
		});
		return h('div', { class: 'dialog-body' }, search,
			h('div', { class: 'dialog-scroll' }, list, nothing),
			h('label', { class: 'inline-check' }, archived, t('chats.showArchived')),
			h('div', { class: 'dialog-actions' },
				h('button', { type: 'button', class: 'button', onclick: () => close(null) }, t('app.close'))));
	}

	return openDialog({ title: t('chats.title'), 'data-testid': 'chats-dialog', build }).finally(() => unsubscribe?.());
}
