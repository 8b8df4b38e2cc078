/* One message on the screen; update(item) brings it to the item's present state. */

import { t } from '../i18n/index.js';
import { h, setAttribute, setText } from './dom.js';
import { showMarkdown } from './markdown.js';
import { itemStatus, receipt } from './message_parts.js';

const LABELS = { retryTurn: 'message.retry', sendAgain: 'message.sendAgain', takeBack: 'message.takeBack' };
const SPECIAL = new Set(['welcome', 'finalization']);

function showText(body, item) {
	if (item.kind === 'ai')
		showMarkdown(body, item.text, { final: item.state !== 'streaming' });
	else
		setText(body, item.text);
	body.hidden = item.text === '';
}

/** actions: {retryTurn(), sendAgain(cmid), takeBack(cmid)} */
export function messageView(item, actions) {
	const ai = item.kind === 'ai';
	const body = h('div', { class: ai ? 'message-body md' : 'message-body' });
	const words = h('span', { class: 'message-status-text' });
	const dots = h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
	const status = h('p', { class: 'message-status' }, words, dots);
	const buttons = h('div', { class: 'message-actions' });
	const meta = h('p', { class: 'message-meta', 'data-testid': ai ? 'message-meta' : null });
	const node = h('article', {
		class: `message message-${item.kind}`,
		'data-testid': `message-${item.kind}`,
		'aria-label': t(ai ? 'message.ai' : 'message.you'),
	}, body, status, buttons, meta);
	let shownActions = '';
	let latest = item;

	function press(name) {
		return actions[name](latest.item?.cmid);
	}

	function showActions(names) {
		if (names.join() === shownActions)
			return;
		shownActions = names.join();
		buttons.replaceChildren(...names.map((name) => h('button', {
			type: 'button', class: 'button button-small', 'data-testid': name === 'retryTurn' ? 'retry' : name, onclick: () => press(name),
		}, t(LABELS[name]))));
	}

	function showStatus({ text, busy, bad, actions: names }) {
		setText(words, text);
		status.hidden = text === '';
		dots.hidden = !busy;
		node.classList.toggle('message-bad', bad);
		showActions(names);
	}

	function update(next, connection, isLast) {
		latest = next;
		setAttribute(node, 'data-state', next.state);
		setAttribute(node, 'data-kind', SPECIAL.has(next.message?.messageType) ? next.message.messageType : null);
		showText(body, next);
		showStatus(itemStatus(next, connection, isLast));
		const parts = next.message ? receipt(next.message) : [];
		setText(meta, parts.join(' · '));
		meta.hidden = parts.length === 0;
	}

	return { node, update };
}
