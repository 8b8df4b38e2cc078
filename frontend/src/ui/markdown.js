/*
 * Shows markdown in an element. While a text grows only the blocks that
 * changed are replaced, so a selection in the finished part survives, and
 * what is not complete yet is held back (markdown_tail.js). What goes into the
 * page has passed sanitize.js, each intermediate state as well.
 */

import { paintCode, withCodeHead } from './code.js';
import { h } from './dom.js';
import { drawFormulas } from './formulas.js';
import { blocksGrown, blocksOf } from './markdown_blocks.js';
import { settled } from './markdown_tail.js';
import { cleanText } from './sanitize.js';

/* Longer than any answer; such a text is shown as it is, instead of freezing the page. */
const FORMATTED_MAX = 200_000;

const shown = new WeakMap();

function blockNode(block) {
	const node = h('div', { class: 'md-block' }, cleanText(block.html));

	for (const table of node.querySelectorAll('table'))
		table.replaceWith(h('div', { class: 'md-table', tabindex: '0' }, table.cloneNode(true)));
	for (const pre of node.querySelectorAll('pre:not(.formula)'))
		withCodeHead(pre);
	drawFormulas(node);
	return node;
}

function place(node, blocks, before) {
	let same = 0;

	while (same < before.length && same < blocks.length && before[same].html === blocks[same].html)
		same += 1;
	while (node.childNodes.length > same)
		node.lastChild.remove();
	node.append(...blocks.slice(same).map(blockNode));
}

/* Code is painted once it will not change any more. */
function paintFinished(node, final) {
	const finished = final ? node : node.lastChild?.previousSibling;

	if (finished)
		paintCode(finished);
}

function showPlain(node, text) {
	node.replaceChildren(h('div', { class: 'md-block md-plain' }, text));
}

/** final: the text is complete; it is read once more as a whole (references may point ahead). */
export function showMarkdown(node, source, { final = true } = {}) {
	const old = shown.get(node) ?? { source: '', blocks: [], final: false };

	if (old.source === source && old.final === final)
		return;
	if (source.length > FORMATTED_MAX) {
		showPlain(node, source);
		shown.set(node, { source, blocks: [], final });
		return;
	}
	const whole = source.replace(/\r\n?/g, '\n');
	const grown = !final && old.source !== '' && source.startsWith(old.source);
	const text = final ? whole : settled(whole);
	const blocks = grown ? blocksGrown(old.blocks, text) : blocksOf(text);
	place(node, blocks, old.blocks);
	paintFinished(node, final);
	shown.set(node, { source, blocks, final });
}
