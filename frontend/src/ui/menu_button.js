/* A button with a short list of things to do: opened by press or arrow, closed by Escape, choice or leaving. */

import { freshId, h } from './dom.js';

/** items: [{text, testid, run()}] */
export function menuButton({ label, text, testid, items }) {
	const id = freshId('menu');
	const list = h('div', { class: 'menu-list', id, role: 'menu', 'aria-label': label, hidden: true });
	const button = h('button', {
		type: 'button', class: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-controls': id, 'aria-label': label, title: label,
		'data-testid': testid, onclick: () => open(list.hidden),
	}, text);
	const node = h('div', { class: 'menu-button-place' }, button, list);

	list.append(...items.map((item) => h('button', {
		type: 'button', role: 'menuitem', tabindex: '-1', 'data-testid': item.testid,
		onclick() {
			open(false);
			item.run();
		},
	}, item.text)));

	function open(yes) {
		list.hidden = !yes;
		button.setAttribute('aria-expanded', String(yes));
		if (yes)
			list.firstChild.focus();
	}

	function move(step) {
		const all = [...list.children];
		all.at((all.indexOf(document.activeElement) + step) % all.length).focus();
	}

	const keys = { ArrowDown: () => (list.hidden ? open(true) : move(1)), ArrowUp: () => (list.hidden ? open(true) : move(-1)) };

	node.addEventListener('keydown', (event) => {
		if (event.key === 'Escape' && !list.hidden) {
			event.preventDefault();
			open(false);
			button.focus();
		} else if (Object.hasOwn(keys, event.key)) {
			event.preventDefault();
			keys[event.key]();
		}
	});
	node.addEventListener('focusout', (event) => {
		if (!node.contains(event.relatedTarget))
			open(false);
	});
	return { node };
}
