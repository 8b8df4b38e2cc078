/*
 * Where the nodes of a long dialogue stand: in groups of twenty, of which the
 * browser lays out and paints those near the view (content-visibility). All
 * of them stay in the document, so find in page, printing and screen readers
 * have the whole dialogue. One such box per message costs more than it saves:
 * the browser looks at each of them in every frame.
 */

import { h } from './dom.js';

const GROUP = 20;

/**
 * The group of each of these keys, by place: a number that stays the same
 * when messages come before it, so that no node moves to another group.
 * known: places of before, by key.
 */
export function places(keys, known) {
	const i = keys.findIndex((key) => known.has(key));
	const first = i < 0 ? 0 : known.get(keys[i]) - i;

	return new Map(keys.map((key, n) => [key, first + n]));
}

export function messageGroups(list) {
	let known = new Map();
	let groups = new Map();

	function groupNode(number, before) {
		const node = groups.get(number) ?? h('div', { class: 'messages-group' });

		if (list.children[before] !== node)
			list.insertBefore(node, list.children[before] ?? null);
		return node;
	}

	function fill(group, nodes) {
		nodes.forEach((node, i) => {
			if (group.children[i] !== node)
				group.insertBefore(node, group.children[i] ?? null);
		});
		/* what a group not drawn yet is taken to need; see chat.css */
		group.style.setProperty('--messages', String(nodes.length));
	}

	return {
		/** entries: [key, node], in order. Nodes that are no longer among them the caller has removed. */
		put(entries) {
			known = places(entries.map(([key]) => key), known);
			const byGroup = new Map();
			for (const entry of entries) {
				const number = Math.floor(known.get(entry[0]) / GROUP);
				if (!byGroup.has(number))
					byGroup.set(number, []);
				byGroup.get(number).push(entry);
			}
			const next = new Map();
			for (const [number, members] of byGroup) {
				const group = groupNode(number, next.size);
				fill(group, members.map(([, node]) => node));
				next.set(number, group);
			}
			for (const [number, group] of groups) {
				if (!next.has(number))
					group.remove();
			}
			groups = next;
		},
		clear() {
			known = new Map();
			groups = new Map();
			list.replaceChildren();
		},
	};
}
