/*
 * Shows markdown in an element. While a text grows only the blocks that
 * changed are replaced, so a selection in the finished part survives. What
 * goes into the page has passed DOMPurify, each intermediate state as well.
 */

import DOMPurify from 'dompurify';
import { blocksGrown, blocksOf } from './markdown_blocks.js';
import { h } from './dom.js';

const purify = DOMPurify(window);
const shown = new WeakMap();

const RULES = {
	ALLOWED_TAGS: [
		'p', 'br', 'hr', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'a',
		'table', 'thead', 'tbody', 'tr', 'th', 'td',
	],
	ALLOWED_ATTR: ['href', 'title', 'start', 'align', 'class', 'tabindex'],
	ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
	ALLOW_DATA_ATTR: false,
	ALLOW_ARIA_ATTR: false,
	RETURN_DOM_FRAGMENT: true,
};

purify.addHook('afterSanitizeAttributes', (node) => {
	if (node.tagName !== 'A')
		return;
	node.setAttribute('target', '_blank');
	node.setAttribute('rel', 'noopener noreferrer nofollow');
});

function blockNode(block) {
	const node = h('div', { class: 'md-block' }, purify.sanitize(block.html, RULES));

	for (const table of node.querySelectorAll('table'))
		table.replaceWith(scrollable(table.cloneNode(true)));
	return node;
}

function scrollable(table) {
	return h('div', { class: 'md-table', tabindex: '0' }, table);
}

function place(node, blocks, before) {
	let same = 0;

	while (same < before.length && same < blocks.length && before[same].html === blocks[same].html)
		same += 1;
	while (node.childNodes.length > same)
		node.lastChild.remove();
	node.append(...blocks.slice(same).map(blockNode));
}

/** final: the text is complete; it is read once more as a whole (references may point ahead). */
export function showMarkdown(node, source, { final = true } = {}) {
	const text = source.replace(/\r\n?/g, '\n');
	const old = shown.get(node) ?? { text: '', blocks: [], final: false };

	if (old.text === text && old.final === final)
		return;
	const grown = !final && old.text !== '' && text.startsWith(old.text);
	const blocks = grown ? blocksGrown(old.blocks, text) : blocksOf(text);
	place(node, blocks, old.blocks);
	shown.set(node, { text, blocks, final });
}
