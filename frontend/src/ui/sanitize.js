/*
 * The one gate through which markup comes into the page. Nothing that loads,
 * runs or styles passes; links lead to the web or to mail and know nothing of
 * where they were.
 */

import DOMPurify from 'dompurify';

const purify = DOMPurify(window);

const TEXT = {
	ALLOWED_TAGS: [
		'p', 'br', 'hr', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'a',
		'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span',
	],
	ALLOWED_ATTR: ['href', 'title', 'start', 'align', 'class', 'tabindex'],
	ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
	ALLOW_DATA_ATTR: false,
	ALLOW_ARIA_ATTR: false,
	RETURN_DOM_FRAGMENT: true,
};

const FORMULA = {
	USE_PROFILES: { mathMl: true },
	ADD_TAGS: ['semantics', 'annotation'],
	ADD_ATTR: ['encoding', 'xmlns'],
	FORBID_ATTR: ['style', 'href', 'src'],
	RETURN_DOM_FRAGMENT: true,
};

purify.addHook('afterSanitizeAttributes', (node) => {
	if (node.tagName !== 'A')
		return;
	node.setAttribute('target', '_blank');
	node.setAttribute('rel', 'noopener noreferrer nofollow');
});

export const cleanText = (html) => purify.sanitize(html, TEXT);
export const cleanFormula = (html) => purify.sanitize(html, FORMULA);
