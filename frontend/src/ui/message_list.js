/*
 * The scrolling dialogue. Nodes are kept by key; the list follows the end
 * while the reader is at the end, and stays where it is when they scrolled
 * up. It is a log that does not speak: finished answers are announced once,
 * elsewhere.
 */

import { formatDay, t } from '../i18n/index.js';
import { h, setText } from './dom.js';
import { messageGroups } from './message_groups.js';
import { messageView } from './message_view.js';

const NEAR_END_PX = 80;

function dayView(item) {
	return { node: h('p', { class: 'messages-day' }, h('span', {}, formatDay(item.timestamp))), update() {} };
}

/* Lines between days move, messages do not. */
const firstMessage = (views) => [...views.keys()].find((key) => !key.startsWith('day:'));

/* the same as in plan.css */
const OWN_SCROLL = '(min-width: 900px) and (min-height: 561px)';

export function messageList(actions) {
	const ownScroll = matchMedia(OWN_SCROLL);
	const list = h('div', { class: 'messages-list' });
	const toEnd = h('button', {
		type: 'button', class: 'button button-small to-end', hidden: true, 'data-testid': 'to-end', 'data-key': 'to-end',
		onclick: () => follow(true),
	});
	const earlier = h('button', {
		type: 'button', class: 'button button-small earlier', hidden: true, 'data-testid': 'earlier', onclick: () => actions.loadOlder(),
	});
	const node = h('div', {
		class: 'messages', role: 'log', 'aria-live': 'off', 'aria-label': t('chat.messages'), tabindex: '0', 'data-testid': 'messages',
	}, earlier, list);
	const frame = h('div', { class: 'messages-frame' }, node, toEnd);
	const groups = messageGroups(list);
	let views = new Map();
	let atEnd = true;
	/* messages that came while the reader was elsewhere */
	let unseen = 0;

	/* On a wide screen the list scrolls, on a phone the page does. */
	function scroller() {
		return ownScroll.matches ? node : document.scrollingElement;
	}

	/* Behind another tab: the page's scrolling is not ours then. */
	const hidden = () => node.closest('[hidden]') !== null;

	function showToEnd() {
		toEnd.hidden = atEnd || views.size === 0;
		setText(toEnd, `↓ ${unseen > 0 ? t('chat.unseen', { n: unseen }) : t('chat.toEnd')}`);
		toEnd.classList.toggle('button-primary', unseen > 0);
	}

	function onScroll() {
		if (hidden())
			return;
		const s = scroller();
		atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < NEAR_END_PX;
		unseen = atEnd ? 0 : unseen;
		showToEnd();
	}

	node.addEventListener('scroll', onScroll, { passive: true });
	addEventListener('scroll', onScroll, { passive: true });

	function follow(force) {
		if (!atEnd && !force)
			return;
		atEnd = true;
		unseen = 0;
		showToEnd();
		if (hidden())
			return;
		const s = scroller();
		s.scrollTop = s.scrollHeight;
	}

	/* The window may change under the text (phone keyboard, rotation), a formula may be drawn late. */
	const resized = new ResizeObserver(() => follow(false));
	resized.observe(node);
	resized.observe(list);

	/* Whether messages came before the first one there was. */
	function comesBefore(next) {
		const first = firstMessage(views);

		return first !== undefined && next.has(first) && firstMessage(next) !== first;
	}

	/* What is new behind the newest one that was known. */
	function countUnseen(next) {
		if (atEnd || views.size === 0)
			return;
		let fresh = 0;
		for (const [key, view] of next)
			fresh = views.has(key) ? 0 : fresh + (view.fromOutside ? 1 : 0);
		unseen += fresh;
	}

	/* What the reader looks at stays where it is while messages come before it. */
	function keepPlace(change) {
		const { node: first } = views.get(firstMessage(views));
		const top = first.getBoundingClientRect().top;

		change();
		if (!atEnd)
			scroller().scrollTop += first.getBoundingClientRect().top - top;
	}

	return {
		node: frame,
		follow,
		/** older: how many messages are before these; loading: they are on their way */
		showEarlier(older, loading) {
			earlier.hidden = older === 0;
			earlier.disabled = loading;
			setText(earlier, loading ? t('app.loading') : t('chat.earlier', { n: older }));
		},
		/** Another chat comes: nothing of this one is new there. */
		clear() {
			views = new Map();
			groups.clear();
			unseen = 0;
			atEnd = true;
		},
		/** note: what to say when there is nothing, or null */
		update(items, connection, note) {
			const next = new Map();
			items.forEach((item, i) => {
				const view = views.get(item.key) ?? (item.kind === 'day' ? dayView(item) : messageView(item, actions));
				view.update(item, connection, i === items.length - 1);
				next.set(item.key, view);
			});
			for (const [key, view] of views) {
				if (!next.has(key))
					view.node.remove();
			}
			const put = () => groups.put([...next].map(([key, view]) => [key, view.node]));
			if (comesBefore(next))
				keepPlace(put);
			else
				put();
			countUnseen(next);
			views = next;
			list.querySelector(':scope > .messages-note')?.remove();
			if (note)
				list.append(note);
			showToEnd();
			follow(false);
		},
		destroy() {
			resized.disconnect();
			removeEventListener('scroll', onScroll);
		},
	};
}
