import { describe, expect, it } from 'vitest';
import { lessonPlan, moduleContext } from './lesson_plan.js';

const module = { title: 'M', description: 'about', learning_objectives: ['read', 'write'] };

describe('the lessons of a module', () => {
	it('are one per goal and one to practise', () => {
		expect(lessonPlan(module, [], 'Practice').map((l) => [l.lesson_number, l.title, l.content_type, l.id])).toEqual([
			[1, 'read', 'theory', null], [2, 'write', 'theory', null], [3, 'Practice', 'practice', null],
		]);
	});

	it('that are stored stand in their places, also beyond the plan', () => {
		const stored = [{ id: 'x', lesson_number: 2, title: 'Writing' }, { id: 'y', lesson_number: 9, title: 'More' }];
		expect(lessonPlan(module, stored, 'Practice').map((l) => [l.lesson_number, l.title, l.id])).toEqual([
			[1, 'read', null], [2, 'Writing', 'x'], [3, 'Practice', null], [9, 'More', 'y'],
		]);
	});

	it('know what their module is about', () => {
		expect(moduleContext({ title: 'T' }, module)).toBe('T: M\nabout\nread\nwrite');
		expect(moduleContext({ title: 'T' }, { title: 'M' })).toBe('T: M');
	});
});
