import { describe, expect, it } from 'vitest';
import { chatAsJson, chatAsMarkdown, fileName } from './export.js';

const chat = { id: 'c1', name: 'Plan', type: 'planning' };
const history = [
	{ sender: 'ai', content: '# Hello\n', timestamp: '2026-01-01T10:00:00Z', ai_model_used: 'm' },
	{ sender: 'user', content: 'hi', timestamp: '2026-01-01T10:01:00Z' },
];

describe('an exported dialogue', () => {
	it('is Markdown with who said what when', () => {
		const text = chatAsMarkdown(chat, history, { you: 'You', ai: 'AI' });
		expect(text).toContain('**AI** (2026-01-01T10:00:00Z, m)\n\n# Hello\n\n---\n\n**You** (2026-01-01T10:01:00Z)\n\nhi');
	});

	it('is JSON with everything the server knows', () => {
		expect(JSON.parse(chatAsJson(chat, history))).toEqual({ chat_id: 'c1', chat_name: 'Plan', chat_type: 'planning', messages: history });
	});

	it('has a name that every system takes', () => {
		expect(fileName('Модуль 1: "Основы"/../x', 'md')).toBe('Модуль 1 Основы .. x.md');
		expect(fileName('../..', 'md')).not.toContain('/');
		expect(fileName('???', 'json')).toBe('file.json');
	});
});
