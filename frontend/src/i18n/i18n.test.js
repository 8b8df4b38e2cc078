import { afterEach, describe, expect, it } from 'vitest';
import en from './en.js';
import {
	chooseLanguage, formatCost, formatMicroseconds, formatTime, initLanguage, t,
} from './index.js';
import ru from './ru.js';

const nothingStored = { getItem: () => null };
const names = (entry) => new Set(Object.values(typeof entry === 'string' ? { entry } : entry)
	.flatMap((text) => text.match(/\{\w+\}/g) ?? []));

afterEach(() => initLanguage(nothingStored, 'ru'));

describe('the dictionaries', () => {
	it('have the same keys, taking the same values', () => {
		expect(Object.keys(en).sort()).toEqual(Object.keys(ru).sort());
		for (const key of Object.keys(ru))
			expect(names(en[key]), key).toEqual(names(ru[key]));
	});
});

describe('the language', () => {
	it('is the one chosen before, else what the browser says', () => {
		expect(chooseLanguage('en', 'ru-RU')).toBe('en');
		expect(chooseLanguage(null, 'ru-RU')).toBe('ru');
		expect(chooseLanguage(null, 'de')).toBe('en');
		expect(chooseLanguage('toString', 'C')).toBe('en');
		expect(chooseLanguage(null, undefined)).toBe('en');
	});
});

describe('t', () => {
	it('chooses plural forms', () => {
		expect([1, 3, 5, 21].map((n) => t('hours', { n }))).toEqual(['1 час', '3 часа', '5 часов', '21 час']);
		initLanguage(nothingStored, 'en');
		expect([1, 2].map((n) => t('hours', { n }))).toEqual(['1 hour', '2 hours']);
	});

	it('leaves an unknown key and an unknown value visible', () => {
		expect(t('no.such.key')).toBe('no.such.key');
		expect(t('chat.id.copy')).toContain('{id}');
	});
});

describe('formats', () => {
	it('show a small cost with its digits, and nothing for none', () => {
		initLanguage(nothingStored, 'en');
		expect(formatCost({ amount: 0.00123, currency: 'USD' })).toBe('$0.0012');
		expect(formatCost({ amount: '1.5', currency: 'USD' })).toBe('$1.50');
		expect(formatCost(null)).toBe(null);
		expect(formatCost({ amount: 'x', currency: 'USD' })).toBe(null);
	});

	it('show times, and nothing for what is no time', () => {
		expect(formatTime('14:05')).toBe('');
		expect(formatTime('2026-01-01T10:00:00Z')).toMatch(/^\d\d:\d\d$/);
		expect(formatMicroseconds(1_840_000)).toBe('1,8 с');
	});
});
