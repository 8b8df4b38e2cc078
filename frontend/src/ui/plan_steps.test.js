import { describe, expect, it } from 'vitest';
import { planStates } from './plan_steps.js';

const chat = (senders, running = false) => ({ c: { messages: senders.map((sender) => ({ sender })), turn: running ? { state: 'streaming' } : null } });
const states = (dialogues, more = {}) => Object.values(planStates(dialogues, { finalized: false, finalizing: false, ...more }));

describe('the steps of planning', () => {
	it('follow what happened, not words in an answer', () => {
		expect(states(chat([]))).toEqual(['done', 'pending', 'pending', 'pending']);
		expect(states(chat([], true))).toEqual(['done', 'active', 'pending', 'pending']);
		expect(states(chat(['ai']))).toEqual(['done', 'done', 'active', 'pending']);
		expect(states(chat(['ai', 'user', 'ai']))).toEqual(['done', 'done', 'done', 'pending']);
		expect(states(chat(['ai']), { finalizing: true })).toEqual(['done', 'done', 'active', 'active']);
		expect(states(chat(['ai']), { finalized: true })).toEqual(['done', 'done', 'pending', 'done']);
	});
});
