/* What else can be done with the open dialogue: a file, paper, what it cost. */

import { t } from '../i18n/index.js';
import { chatAsJson, chatAsMarkdown, fileName } from '../export.js';
import { chatName } from './chat_words.js';
import { download } from './download.js';
import { menuButton } from './menu_button.js';
import { toast } from './notices.js';
import { usageDialog } from './usage.js';

/* Also of a dialogue that is longer than one answer. */
async function wholeHistory(api, chatId) {
	let page = await api.history(chatId);
	let all = page.history;

	while (page.older > 0 && page.history.length > 0) {
		page = await api.history(chatId, { before: page.history[0].seq });
		all = [...page.history, ...all];
	}
	return all;
}

/** current(): the open chat as {id, chat_name, chat_type} */
export function chatMenu({ app, current }) {
	async function save(make, ending, type) {
		const open = current();
		const chat = { id: open.id, name: chatName(open), type: open.chat_type ?? '' };
		try {
			const history = await wholeHistory(app.api, chat.id);
			download(fileName(chat.name, ending), make(chat, history, { you: t('message.you'), ai: t('message.ai') }), type);
		} catch (error) {
			toast(t('export.failed', { reason: error.message }), 'error');
		}
	}

	return menuButton({
		label: t('export.title'), text: '⋯', testid: 'export',
		items: [
			{ text: t('export.markdown'), testid: 'export-markdown', run: () => save(chatAsMarkdown, 'md', 'text/markdown') },
			{ text: t('export.json'), testid: 'export-json', run: () => save(chatAsJson, 'json', 'application/json') },
			{ text: t('export.print'), testid: 'export-print', run: () => print() },
			{ text: t('usage.chat'), testid: 'chat-usage', run: () => usageDialog({ title: t('usage.chat'), load: () => app.api.chatUsage(current().id) }) },
		],
	});
}
