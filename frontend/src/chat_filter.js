/* Which chats of a session a search shows. */

/** The chats to show: of the wished status, with every word of the search in name, type or number. */
export function chatsMatching(chats, { search, archived, nameText = (chat) => chat.chat_name ?? '', typeText = (type) => type ?? '' }) {
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);

	return chats.filter((chat) => (chat.status === 'archived') === archived && chat.status !== 'deleted')
		.filter((chat) => {
			const text = `${nameText(chat)} ${typeText(chat.chat_type)} ${chat.id}`.toLowerCase();
			return words.every((word) => text.includes(word));
		});
}
