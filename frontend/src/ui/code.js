/* Code in a message: its language, a way to copy it, and colours once the highlighter is loaded. */

import { t } from '../i18n/index.js';
import { copyText } from './clipboard.js';
import { h } from './dom.js';
import { toast } from './notices.js';
import { cleanText } from './sanitize.js';

const LONGEST = 20_000;

let highlighter = null;
let loading = null;

const languageOf = (code) => /language-([\w+#-]+)/.exec(code.className)?.[1] ?? '';

async function copy(code) {
	toast(t(await copyText(code.textContent) ? 'message.copied' : 'message.notCopied'));
}

/** Puts a head with language and copy button above a <pre>. */
export function withCodeHead(pre) {
	const code = pre.querySelector('code') ?? pre;
	const place = h('div', { class: 'md-code' },
		h('div', { class: 'md-code-head' }, h('span', {}, languageOf(code)),
			h('button', { type: 'button', class: 'button button-small button-quiet', 'data-testid': 'copy-code', onclick: () => copy(code) }, t('message.copyCode'))));

	pre.replaceWith(place);
	place.append(pre);
}

function paint(code) {
	const language = languageOf(code);

	if (!highlighter.getLanguage(language) || code.textContent.length > LONGEST)
		return;
	code.replaceChildren(cleanText(highlighter.highlight(code.textContent, { language, ignoreIllegals: true }).value));
	code.classList.add('hljs');
}

/** Colours the code below node whose language is known. */
export function paintCode(node) {
	const found = [...node.querySelectorAll('pre > code[class*="language-"]:not(.hljs)')];

	if (found.length === 0)
		return;
	if (highlighter) {
		found.forEach(paint);
		return;
	}
	loading ??= import('highlight.js/lib/common').then((module) => { highlighter = module.default; }, () => { loading = null; });
	loading.then(() => highlighter && found.forEach(paint));
}
