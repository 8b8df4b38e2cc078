/* Tabs: arrows move between them, only one panel is there for everybody. */

import { freshId, h } from './dom.js';

/** tabs: [{name, text, panel, testid}]; onChange(name) */
export function tabs({ label, tabs: entries, selected, onChange }) {
	const buttons = entries.map(({ name, text, panel, testid }) => {
		panel.id ||= freshId('panel');
		const id = freshId('tab');
		panel.setAttribute('role', 'tabpanel');
		panel.setAttribute('aria-labelledby', id);
		return h('button', {
			type: 'button', role: 'tab', id, 'aria-controls': panel.id, 'data-name': name, 'data-testid': testid, onclick: () => select(name),
		}, text);
	});
	const node = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label }, buttons);

	function select(name, { quiet = false } = {}) {
		entries.forEach((entry, i) => {
			const on = entry.name === name;
			buttons[i].setAttribute('aria-selected', String(on));
			buttons[i].tabIndex = on ? 0 : -1;
			entry.panel.hidden = !on;
		});
		if (!quiet)
			onChange(name);
	}

	node.addEventListener('keydown', (event) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		if (!step)
			return;
		event.preventDefault();
		const at = buttons.indexOf(document.activeElement);
		const next = buttons[(at + step + buttons.length) % buttons.length];
		next.focus();
		select(next.dataset.name);
	});
	select(selected, { quiet: true });

	return {
		node,
		select,
		/** A dot: something new behind a tab that is not open. */
		mark: (name, on) => buttons.find((button) => button.dataset.name === name).toggleAttribute('data-news', on),
	};
}
