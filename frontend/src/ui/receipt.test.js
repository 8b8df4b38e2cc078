import { afterAll, describe, expect, it } from 'vitest';
import { initLanguage } from '../i18n/index.js';
import { receiptParts, receiptRows } from './receipt.js';

initLanguage({ getItem: () => 'en' }, 'en');
afterAll(() => initLanguage({ getItem: () => null }, 'ru'));

const answer = {
	sender: 'ai', timestamp: null, tokens: 420, model: 'demo', cost: { amount: 0.002, currency: 'USD' },
	usage: { prompt_tokens: 300, cached_tokens: 0, completion_tokens: 120, estimated: true },
	timing: { chat: 900, provider_first_token: 250_000, total: 1_840_000 },
};

describe('the receipt of an answer', () => {
	it('is one line of tokens, model, cost and time', () => {
		expect(receiptParts(answer)).toEqual(['🔢 420 tokens (estimated)', '🤖 demo', '💰 $0.002', '⏱ 1.8 s']);
		expect(receiptParts({ ...answer, sender: 'user' })).toEqual([]);
	});

	it('tells where the time went, and leaves out what nobody measured', () => {
		expect(Object.fromEntries(receiptRows(answer))).toEqual({
			'receipt.prompt': '300', 'receipt.cached': '0', 'receipt.completion': '120', 'receipt.cost': '$0.002',
			'receipt.chat': '0.9 ms', 'receipt.provider_first_token': '0.3 s', 'receipt.total': '1.8 s',
		});
		expect(receiptRows({ ...answer, usage: null, cost: null, timing: null })).toEqual([]);
	});
});
