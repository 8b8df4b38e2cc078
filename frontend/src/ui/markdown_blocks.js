/*
 * Markdown to HTML, block by block. What the model writes is hostile until
 * sanitised (markdown.js); here raw HTML is already turned into text, images
 * into links (nothing is loaded from elsewhere), formulas into marked places
 * for later, and headings are lowered so that they stay below the page's own.
 */

import { Marked } from 'marked';

const HEADING_LOWERED_BY = 2;
const HEADING_LOWEST = 6;

function escape(text) {
	return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/* $$...$$ and \[...\] on their own, $...$ and \(...\) in a line. A price ("$5 and $6") is no formula. */
const FORMULAS = [
	{
		name: 'formulaBlock', level: 'block', start: (text) => text.match(/\$\$|\\\[/)?.index,
		rule: /^(?:\$\$([^$]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n+|$)/, html: (tex) => `<pre class="formula">${tex}</pre>\n`,
	},
	{
		name: 'formula', level: 'inline', start: (text) => text.match(/\$|\\\(|\\\[/)?.index,
		rule: /^(?:\$\$([^$\n]+?)\$\$|\\\[(.+?)\\\]|\$(?=[^\s$\d])((?:\\\$|[^$\n])*?[^\s\\$])\$(?!\w)|\\\((.+?)\\\))/,
		html: (tex) => `<code class="formula">${tex}</code>`,
	},
];

function formulaExtension({ name, level, start, rule, html }) {
	return {
		name, level, start,
		tokenizer(src) {
			const match = rule.exec(src);
			return match ? { type: name, raw: match[0], text: match.slice(1).find((part) => part !== undefined).trim() } : undefined;
		},
		renderer: ({ text }) => html(escape(text)),
	};
}

const marked = new Marked({
	gfm: true,
	extensions: FORMULAS.map(formulaExtension),
	renderer: {
		html: ({ text }) => escape(text),
		image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
		checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
		heading({ tokens, depth }) {
			const level = Math.min(depth + HEADING_LOWERED_BY, HEADING_LOWEST);
			return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
		},
		code({ text, lang }) {
			const language = lang?.match(/^[\w+#-]+/)?.[0];
			return `<pre tabindex="0"><code${language ? ` class="language-${language}"` : ''}>${escape(text)}\n</code></pre>\n`;
		},
	},
});

/** Blocks in order: {raw, html}. Joined, the raws are the text again. */
export function blocksOf(text) {
	return marked.lexer(text).map((token) => ({ raw: token.raw, html: marked.parser([token]) }));
}

const REREAD = 2;

/**
 * The blocks of a text that has grown, given those of the text before. All
 * but the last two with content are finished and are not read again, so a
 * long answer costs its end per update, not itself. Two, because what begins
 * as a paragraph after a list ("2") may turn out to be its next item ("2. b").
 * When the beginning is another one after all, everything is read.
 */
export function blocksGrown(blocks, text) {
	const contentful = blocks.flatMap((block, i) => (block.raw.trim() === '' ? [] : [i]));
	const kept = blocks.slice(0, contentful.at(-REREAD) ?? 0);
	const read = kept.map((block) => block.raw).join('');

	return text.startsWith(read) ? [...kept, ...blocksOf(text.slice(read.length))] : blocksOf(text);
}
