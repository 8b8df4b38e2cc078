import { describe, expect, it } from 'vitest';
import { nextModule, unlockStates } from './unlock.js';

const module = (module_number, status = 'not_started', progress = 0) => ({ module_number, status, progress });
const states = (modules, progressiveUnlock = true) => unlockStates(modules, { progressiveUnlock }).map((x) => x.state);

describe('modules', () => {
	it('open one after the other, in the order of their numbers', () => {
		expect(states([module(2), module(1), module(3)])).toEqual(['open', 'locked', 'locked']);
		expect(states([module(1, 'completed', 100), module(2), module(3)])).toEqual(['open', 'open', 'locked']);
		expect(states([module(1, 'not_started', 100), module(2)])).toEqual(['open', 'open']);
	});

	it('are half open next to the first one while that is in progress', () => {
		expect(states([module(1, 'in_progress'), module(2), module(3)])).toEqual(['open', 'half', 'locked']);
		expect(states([module(1, 'not_started', 20), module(2)])).toEqual(['open', 'half']);
		expect(states([module(1, 'completed'), module(2, 'in_progress'), module(3)])).toEqual(['open', 'open', 'locked']);
	});

	it('say which one to finish first', () => {
		expect(unlockStates([module(1), module(2)], { progressiveUnlock: true })[1].after.module_number).toBe(1);
	});

	it('stay open once begun, and are all open when one wants them so', () => {
		expect(states([module(1), module(2, 'in_progress'), module(3)])).toEqual(['open', 'open', 'locked']);
		expect(states([module(1), module(2), module(3)], false)).toEqual(['open', 'open', 'open']);
	});

	it('lead to the first one that is not done', () => {
		expect(nextModule([module(2), module(1, 'completed')]).module_number).toBe(2);
		expect(nextModule([module(1, 'completed')])).toBe(null);
		expect(nextModule([])).toBe(null);
	});
});
