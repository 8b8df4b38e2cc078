import { beforeAll, describe, expect, it } from 'vitest';
import { initLanguage } from '../i18n/index.js';
import { turnBegin } from '../turn.js';
import { itemStatus } from './message_parts.js';

beforeAll(() => initLanguage({ getItem: () => null }, 'en'));

describe('a reply that failed', () => {
	const failed = (kind) => ({ turn: { ...turnBegin('t', 0, { kind }), state: 'failed' }, state: 'failed' });

	it('can be asked for again, whatever the server calls it, unless its page has a button for it', () => {
		const again = (kind) => itemStatus(failed(kind), 'open', true).actions;
		expect(['reply', 'message', 'welcome', 'a kind of tomorrow'].map(again)).toEqual(Array(4).fill(['retryTurn']));
		expect(['finalize', 'summary', 'lesson'].map(again)).toEqual([[], [], []]);
	});
});
