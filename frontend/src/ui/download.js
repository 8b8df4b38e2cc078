import { h } from './dom.js';

/* Long enough for every browser to have begun reading it. */
const KEPT_MS = 60_000;

/** Saves a text as a file. */
export function download(name, text, type) {
	const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
	const link = h('a', { href: url, download: name, hidden: true });

	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
