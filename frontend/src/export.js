/* A dialogue as a file: Markdown for people, JSON for programs. Pure texts; the download is elsewhere. */

function headOf(message, words) {
	const who = message.sender === 'user' ? words.you : words.ai;
	const about = [message.timestamp, message.sender === 'ai' && message.ai_model_used].filter(Boolean).join(', ');

	return about ? `**${who}** (${about})` : `**${who}**`;
}

/** chat: {name, type, id}; history: entries as the server sends them; words: {you, ai} */
export function chatAsMarkdown(chat, history, words) {
	const parts = history.map((message) => `${headOf(message, words)}\n\n${message.content.trim()}`);

	return [`# ${chat.name}`, `${chat.type} · ${chat.id}`, ...parts].join('\n\n---\n\n') + '\n';
}

export function chatAsJson(chat, history) {
	return `${JSON.stringify({ chat_id: chat.id, chat_name: chat.name, chat_type: chat.type, messages: history }, null, 2)}\n`;
}

/** A name every file system takes; letters of all languages stay. */
export function fileName(title, ending) {
	const clean = title.normalize('NFC').replace(/[^\p{L}\p{N}\-_. ]+/gu, ' ').replace(/\s+/g, ' ').trim().slice(0, 80).replace(/^\.+/, '');

	return `${clean || 'file'}.${ending}`;
}
