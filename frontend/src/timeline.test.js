import { describe, expect, it } from 'vitest';
import { withDays } from './timeline.js';

const item = (timestamp, n) => ({ key: `m${n}`, kind: 'ai', message: { timestamp } });
const kinds = (times, today) => withDays(times.map(item), today).map((x) => x.kind);

describe('days', () => {
	it('begin with a line, except today when the dialogue began today', () => {
		expect(kinds(['2026-03-02T10:00:00Z', '2026-03-02T11:00:00Z'], '2026-03-02T12:00:00Z')).toEqual(['ai', 'ai']);
		expect(kinds(['2026-03-01T10:00:00Z', '2026-03-02T11:00:00Z'], '2026-03-02T12:00:00Z')).toEqual(['day', 'ai', 'day', 'ai']);
	});

	it('are not guessed for what has no time', () => {
		expect(kinds([null, '2026-03-01T10:00:00Z', null], '2026-03-02T12:00:00Z')).toEqual(['ai', 'day', 'ai', 'ai']);
		expect(kinds(['14:05'], '2026-03-02T12:00:00Z')).toEqual(['ai']);
	});
});
