import { describe, expect, it } from 'vitest';
import { blocksGrown, blocksOf } from './markdown_blocks.js';

const html = (text) => blocksOf(text).map((b) => b.html).join('');

const SAMPLE = `# План

Вступление *с* **акцентом** и \`кодом\`.

1. Первый

2. Второй
   - вложенный

| a | b |
|---|---|
| 1 | 2 |

\`\`\`js
const x = '<b>';

const y = 2;
\`\`\`

> цитата
продолжается

Заголовок
=========

конец`;

describe('blocks', () => {
	it('turn raw HTML into text', () => {
		expect(html('<img src=x onerror=alert(1)>')).not.toContain('<img');
		expect(html('a <script>x</script> b')).toContain('&lt;script&gt;');
	});

	it('load no images', () => {
		expect(html('![cat](https://e.example/cat.png)')).toContain('<a href="https://e.example/cat.png">cat</a>');
		expect(html('![a"><b>](x"y)')).not.toContain('<b>');
	});

	it('lower headings and keep code as it is', () => {
		expect(html('# One')).toBe('<h3>One</h3>\n');
		expect(html('###### Six')).toBe('<h6>Six</h6>\n');
		expect(html('```js\n<i>\n```')).toContain('<code class="language-js">&lt;i&gt;\n</code>');
	});

	it('together are the whole text', () => {
		expect(blocksOf(SAMPLE).map((b) => b.raw).join('')).toBe(SAMPLE);
	});

	it('grown piece by piece are the same as read at once', () => {
		for (const step of [1, 2, 3, 7, 25]) {
			let blocks = [];
			for (let end = step; end < SAMPLE.length + step; end += step)
				blocks = blocksGrown(blocks, SAMPLE.slice(0, end));
			expect(blocks.map((b) => b.html).join('')).toBe(html(SAMPLE));
		}
	});

	it('do not read finished ones again', () => {
		const before = blocksOf('first\n\nsecond\n\nsome\n\nthi');
		const after = blocksGrown(before, 'first\n\nsecond\n\nsome\n\nthird');
		expect(after[0]).toBe(before[0]);
		expect(after[2]).toBe(before[2]);
		expect(after.at(-1).html).toBe('<p>third</p>\n');
	});
});
