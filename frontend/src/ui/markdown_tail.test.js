import { describe, expect, it } from 'vitest';
import { settled } from './markdown_tail.js';

describe('an unfinished text', () => {
	it.each([
		['a **bold wo', 'a **bold wo**'],
		['a **bold** and *it', 'a **bold** and *it*'],
		['run `npm i', 'run `npm i`'],
		['* one\n* two', '* one\n* two'],
		['**done** text', '**done** text'],
		['see [the pa', 'see '],
		['see [the page](https://exam', 'see '],
		['see ![pic](htt', 'see '],
		['text\n\n| a | b |', 'text\n\n'],
		['text\n\n| a | b |\n|---|', 'text\n\n'],
		['| a | b |\n|---|---|\n| 1 |', '| a | b |\n|---|---|\n'],
		['| a | b |\n|---|---|\n| 1 | 2 |\n', '| a | b |\n|---|---|\n| 1 | 2 |\n'],
		['so $$x^2 + ', 'so '],
		['so $$x^2$$ and', 'so $$x^2$$ and'],
		['so \\[x', 'so '],
		['so $x_', 'so '],
		['it costs $5 and', 'it costs $5 and'],
		['```js\nlet a = "**', '```js\nlet a = "**'],
		['text\n\n#', 'text\n\n'],
	])('%j is shown as %j', (text, shown) => expect(settled(text)).toBe(shown));

	it('is shown whole when what looks open is long', () => {
		expect(settled(`$$ ${'x'.repeat(3000)}`)).toContain('xxx');
	});
});
