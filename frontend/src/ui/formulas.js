/* Formulas as MathML, by KaTeX, which is loaded with the first one. A formula that cannot be read stays as it was typed. */

import { cleanFormula } from './sanitize.js';

const OPTIONS = { output: 'mathml', throwOnError: true, trust: false, strict: 'ignore', maxExpand: 200, maxSize: 20 };
const LONGEST = 2000;

let katex = null;
let loading = null;

function draw(node) {
	const tex = node.textContent;

	if (tex.length > LONGEST)
		return;
	try {
		const html = katex.renderToString(tex, { ...OPTIONS, displayMode: node.tagName === 'PRE' });
		node.replaceChildren(cleanFormula(html));
		node.classList.add('formula-drawn');
	} catch {
		/* not TeX: people see what the model wrote */
		node.classList.add('formula-plain');
	}
}

function drawAll(nodes) {
	for (const node of nodes) {
		if (!node.classList.contains('formula-drawn'))
			draw(node);
	}
}

/** Draws the formulas below node, at once when KaTeX is here. */
export function drawFormulas(node) {
	const found = [...node.querySelectorAll('.formula')];

	if (found.length === 0)
		return;
	if (katex) {
		drawAll(found);
		return;
	}
	loading ??= import('katex').then((module) => { katex = module.default; }, () => { loading = null; });
	loading.then(() => katex && drawAll(found));
}
