import { describe, expect, it } from 'vitest';
import { traceparent } from './trace.js';

describe('traceparent', () => {
	it('is a new one of version 00 each time', () => {
		const [one, two] = [traceparent(), traceparent()];

		expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
		expect(two).not.toBe(one);
	});
});
