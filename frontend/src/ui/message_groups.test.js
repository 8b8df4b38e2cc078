import { describe, expect, it } from 'vitest';
import { places } from './message_groups.js';

const numbers = (map) => [...map.values()];

describe('places of messages', () => {
	it('count from the first ones that were shown', () => {
		expect(numbers(places(['a', 'b', 'c'], new Map()))).toEqual([0, 1, 2]);
		expect(numbers(places([], new Map()))).toEqual([]);
	});

	it('stay when others come before and after', () => {
		const known = places(['d', 'e'], new Map());
		expect(numbers(places(['a', 'b', 'c', 'd', 'e', 'f'], known))).toEqual([-3, -2, -1, 0, 1, 2]);
	});

	it('close the gap that a removed one leaves', () => {
		const known = places(['a', 'b', 'c'], new Map());
		expect(numbers(places(['b', 'c'], known))).toEqual([1, 2]);
		expect(numbers(places(['a', 'c'], known))).toEqual([0, 1]);
	});
});
