import { describe, expect, it } from 'vitest';
import { chatsMatching } from './chat_filter.js';

const chats = [
	{ id: 'aaaa1111', chat_name: 'Основной план', chat_type: 'planning', status: 'active' },
	{ id: 'bbbb2222', chat_name: null, chat_type: 'discussion', status: 'active' },
	{ id: 'cccc3333', chat_name: 'Старый план', chat_type: 'planning', status: 'archived' },
	{ id: 'dddd4444', chat_name: 'Забытый', chat_type: 'planning', status: 'deleted' },
];
const found = (search, archived = false) => chatsMatching(chats, { search, archived, typeText: (type) => `тип ${type}` }).map((chat) => chat.id);

describe('the chats that a search shows', () => {
	it('are the active ones, or those of the archive, never deleted ones', () => {
		expect(found('')).toEqual(['aaaa1111', 'bbbb2222']);
		expect(found('', true)).toEqual(['cccc3333']);
	});

	it('have every word in name, type or number, whatever the case', () => {
		expect(found('ПЛАН осн')).toEqual(['aaaa1111']);
		expect(found('bbbb')).toEqual(['bbbb2222']);
		expect(found('тип discussion')).toEqual(['bbbb2222']);
		expect(found('нет такого')).toEqual([]);
	});

	it('are found by the name that is shown', () => {
		const nameText = (chat) => chat.chat_name ?? 'Без названия';
		expect(chatsMatching(chats, { search: 'без', archived: false, nameText }).map((chat) => chat.id)).toEqual(['bbbb2222']);
	});
});
