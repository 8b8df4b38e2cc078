/* A table for figures: a head per column, the first cell of a row names it. It scrolls by itself when it is too wide. */

import { h } from './dom.js';

/** columns: [words]; rows: [[cell]] */
export function table({ caption, columns, rows }) {
	return h('div', { class: 'table-place', tabindex: '0' }, h('table', { class: 'table' },
		h('caption', { class: 'visually-hidden' }, caption),
		h('thead', {}, h('tr', {}, columns.map((text) => h('th', { scope: 'col' }, text)))),
		h('tbody', {}, rows.map(([name, ...cells]) => h('tr', {}, h('th', { scope: 'row' }, name), cells.map((cell) => h('td', {}, cell)))))));
}
