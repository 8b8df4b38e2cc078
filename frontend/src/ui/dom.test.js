import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { oncePerFrame } from './dom.js';

const FRAME_MS = 16;

beforeEach(() => {
	vi.useFakeTimers();
	vi.stubGlobal('requestAnimationFrame', (work) => setTimeout(work, FRAME_MS));
	vi.stubGlobal('cancelAnimationFrame', (id) => clearTimeout(id));
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

test('what is asked for many times is done once a frame, with the newest', () => {
	const done = [];
	const draw = oncePerFrame((value) => done.push(value));

	for (let i = 0; i < 5; i++)
		draw(i);
	vi.advanceTimersByTime(FRAME_MS);
	expect(done).toEqual([4]);
	draw(5);
	vi.advanceTimersByTime(FRAME_MS);
	expect(done).toEqual([4, 5]);
});

test('with a gap the first is done at once, the next ones not sooner than that, the last one always', () => {
	const done = [];
	const draw = oncePerFrame((value) => done.push([value, performance.now()]), 50);

	vi.advanceTimersByTime(1000);
	for (let i = 0; i < 100; i++) {
		draw(i);
		vi.advanceTimersByTime(5);
	}
	vi.advanceTimersByTime(100);
	expect(done[0][1]).toBe(1000 + FRAME_MS);
	expect(done.at(-1)[0]).toBe(99);
	expect(done.length).toBeLessThanOrEqual(11);
	for (let i = 1; i < done.length; i++)
		expect(done[i][1] - done[i - 1][1]).toBeGreaterThanOrEqual(50);
});

test('what was cancelled is not done, and may be asked for again', () => {
	const done = [];
	const draw = oncePerFrame((value) => done.push(value), 50);

	draw(1);
	draw.cancel();
	vi.advanceTimersByTime(200);
	expect(done).toEqual([]);
	draw(2);
	vi.advanceTimersByTime(FRAME_MS);
	draw(3);
	draw.cancel();
	vi.advanceTimersByTime(200);
	expect(done).toEqual([2]);
});
