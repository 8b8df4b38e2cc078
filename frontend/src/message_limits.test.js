import { expect, it } from 'vitest';
import { messageProblem } from './message_limits.js';

it.each([
	['', 'blank'],
	[' \n\t', 'blank'],
	['hello', ''],
	['я'.repeat(32_000), ''],
	['a'.repeat(32_001), 'long'],
	['😀'.repeat(15_000), ''],
	['😀'.repeat(17_000), 'long'],
	['\u0001'.repeat(11_000), 'long'],
])('a message of %#', (text, problem) => expect(messageProblem(text)).toBe(problem));
