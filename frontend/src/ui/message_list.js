/*
 * The scrolling dialogue. Nodes are kept by key; the list follows the end
 * while the reader is at the end, and stays where it is when they scrolled
 * up. It is a log that does not speak: finished answers are announced once,
 * elsewhere.
 */

import { t } from '../i18n/index.js';
import { h } from './dom.js';
import { messageView } from './message_view.js';

const NEAR_END_PX = 80;

export function messageList(actions) {
	const list = h('div', { class: 'messages-list' });
	const toEnd = h('button', {
		type: 'button', class: 'button button-small to-end', hidden: true, onclick: () => follow(true),
	}, `↓ ${t('chat.toEnd')}`);
	const node = h('div', {
		class: 'messages', role: 'log', 'aria-live': 'off', 'aria-label': t('chat.messages'), tabindex: '0', 'data-testid': 'messages',
	}, list);
	const frame = h('div', { class: 'messages-frame' }, node, toEnd);
	let views = new Map();
	let atEnd = true;

	/* On a wide screen the list scrolls, on a phone the page does. */
	function scroller() {
		return getComputedStyle(node).overflowY === 'auto' ? node : document.scrollingElement;
	}

	function onScroll() {
		const s = scroller();
		atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < NEAR_END_PX;
		toEnd.hidden = atEnd || views.size === 0;
	}

	node.addEventListener('scroll', onScroll, { passive: true });
	addEventListener('scroll', onScroll, { passive: true });

	function follow(force) {
		if (!atEnd && !force)
			return;
		atEnd = true;
		toEnd.hidden = true;
		const s = scroller();
		s.scrollTop = s.scrollHeight;
	}

	/* The window may change under the text (phone keyboard, rotation). */
	const resized = new ResizeObserver(() => follow(false));
	resized.observe(node);

	function put(view, i) {
		if (list.children[i] !== view.node)
			list.insertBefore(view.node, list.children[i] ?? null);
	}

	return {
		node: frame,
		follow,
		/** note: what to say when there is nothing, or '' */
		update(items, connection, note) {
			const next = new Map();
			items.forEach((item, i) => {
				const view = views.get(item.key) ?? messageView(item, actions);
				view.update(item, connection, i === items.length - 1);
				next.set(item.key, view);
				put(view, i);
			});
			for (const [key, view] of views) {
				if (!next.has(key))
					view.node.remove();
			}
			views = next;
			list.querySelector(':scope > .messages-note')?.remove();
			if (note)
				list.append(note);
			follow(false);
		},
		destroy() {
			resized.disconnect();
			removeEventListener('scroll', onScroll);
		},
	};
}
