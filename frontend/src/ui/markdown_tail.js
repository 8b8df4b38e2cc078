/*
 * A text that is still being written ends in the middle of things. What is
 * not complete yet is held back (a table's head, a formula, a link) or closed
 * for now (emphasis, code), so that nothing is shown that a moment later
 * turns out to be something else.
 */

const LINK_MAX = 300;
const FORMULA_MAX = 2000;
const INLINE_FORMULA_MAX = 200;

function withoutFinishedCode(text) {
	/* same length, so that positions stay true */
	return text.replace(/(`+)[^`]+?\1/g, (code) => ' '.repeat(code.length));
}

/** Position of the fence that is still open, or -1. */
function openFence(text) {
	let open = null;

	for (const match of text.matchAll(/^ {0,3}(`{3,}|~{3,})([^\n]*)$/gm)) {
		if (open === null)
			open = { mark: match[1], at: match.index };
		else if (match[1][0] === open.mark[0] && match[1].length >= open.mark.length && match[2].trim() === '')
			open = null;
	}
	return open?.at ?? -1;
}

function lastParagraph(text) {
	const at = text.lastIndexOf('\n\n');

	return at < 0 ? 0 : at + 2;
}

/* A formula that was begun and not closed, and is not so long that it is none. */
function openFormula(text) {
	let open = -1;

	for (const { 0: mark, index } of text.matchAll(/\$\$|\\\[|\\\]/g)) {
		if (mark === '\\]')
			open = -1;
		else
			open = mark === '$$' && open >= 0 ? -1 : index;
	}
	if (open >= 0 && text.length - open < FORMULA_MAX)
		return open;
	const line = text.slice(text.lastIndexOf('\n') + 1);
	const inline = /(?<![\\$\w])\$(?=[^\s$\d])[^$]*$|\\\((?:(?!\\\)).)*$/.exec(line);
	return inline && inline[0].length < INLINE_FORMULA_MAX ? text.length - inline[0].length : -1;
}

/* A row that is being written, or a head without the line below it. */
function openTable(text) {
	const start = lastParagraph(text);
	const lines = text.slice(start).split('\n');
	const first = lines.findIndex((line) => /^\s*\|/.test(line));

	if (first < 0)
		return -1;
	const ruler = lines[first + 1];
	const complete = lines.length > first + 2 && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(ruler);
	const until = complete ? lines.length - 1 : first;
	if (complete && !/^\s*\|/.test(lines.at(-1)))
		return -1;
	return start + lines.slice(0, until).reduce((n, line) => n + line.length + 1, 0);
}

function openLink(text) {
	const at = /!?\[[^\]\n]*$|!?\[[^\]\n]*\]\([^)\n]*$/.exec(text.slice(-LINK_MAX))?.index ?? -1;

	return at < 0 ? -1 : Math.max(0, text.length - LINK_MAX) + at;
}

/* Marks of emphasis that stand open in the last paragraph, closed in the right order. */
function closing(text) {
	const plain = withoutFinishedCode(text.slice(lastParagraph(text)));

	if ((plain.match(/`/g) ?? []).length % 2 === 1)
		return '`';
	const strong = (plain.match(/\*\*/g) ?? []).length % 2 === 1;
	const words = plain.replace(/\*\*/g, '  ').replace(/^\s*\* /gm, '   ');
	const em = (words.match(/\*/g) ?? []).length % 2 === 1;
	return `${em ? '*' : ''}${strong ? '**' : ''}`;
}

/** What of an unfinished text can be shown as it will stay. */
export function settled(text) {
	if (openFence(text) >= 0)
		return text;
	const plain = withoutFinishedCode(text);
	const cuts = [openTable(plain), openFormula(plain), openLink(plain)].filter((at) => at >= 0);
	const kept = (cuts.length ? text.slice(0, Math.min(...cuts)) : text).replace(/(\s|^)[*_`#>|~-]{1,6}$/, '$1');
	const close = closing(kept);

	return close && !/\s$/.test(kept) ? kept + close : kept;
}
