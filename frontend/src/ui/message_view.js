/* One message on the screen; update(item) brings it to the item's present state. */

import { t } from '../i18n/index.js';
import { isReply } from '../message.js';
import { copyText } from './clipboard.js';
import { h, setAttribute, setText } from './dom.js';
import { showMarkdown } from './markdown.js';
import { itemStatus } from './message_parts.js';
import { receiptView } from './receipt.js';
import { toast } from './notices.js';
import { versionSwitch } from './version_switch.js';

const LABELS = {
	retryTurn: 'message.retry', sendAgain: 'message.sendAgain', takeBack: 'message.takeBack',
	copy: 'message.copy', regenerate: 'message.regenerate', edit: 'message.edit',
};
const TEST_IDS = { retryTurn: 'retry' };
const QUIET = new Set(['copy', 'regenerate', 'edit']);
const SPECIAL = new Set(['welcome', 'finalization']);

function showText(body, kind, text, final) {
	if (kind === 'ai')
		showMarkdown(body, text, { final });
	else
		setText(body, text);
	body.hidden = text === '';
}

/* What can be done with a stored message, besides what its state asks for. */
function storedActions(item, isLast) {
	if (!item.message)
		return [];
	if (item.kind === 'user')
		return ['copy', 'edit'];
	return isLast && isReply(item.message) && !itemStatus(item, 'open', isLast).bad ? ['copy', 'regenerate'] : ['copy'];
}

async function copyMessage(text) {
	toast(t(await copyText(text) ? 'message.copied' : 'message.notCopied'));
}

/** actions: {retryTurn(), regenerate(), edit(text), sendAgain(cmid), takeBack(cmid), versions(id)} */
export function messageView(item, actions) {
	const ai = item.kind === 'ai';
	const body = h('div', { class: ai ? 'message-body md' : 'message-body' });
	const words = h('span', { class: 'message-status-text' });
	const dots = h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
	const status = h('p', { class: 'message-status' }, words, dots);
	const buttons = h('div', { class: 'message-actions' });
	const meta = receiptView(ai);
	let shownActions = '';
	let latest = item;
	let older = null;
	let seen = [];
	const versions = versionSwitch({
		load: actions.versions,
		onShow(message) {
			older = message;
			draw();
		},
	});
	const node = h('article', {
		class: `message message-${item.kind}`,
		'data-testid': `message-${item.kind}`,
		'aria-label': t(ai ? 'message.ai' : 'message.you'),
	}, body, status, h('div', { class: 'message-foot' }, meta.node, ai && versions.node, buttons));

	const verbs = {
		...actions,
		copy: () => copyMessage(older?.content ?? latest.text),
		edit: () => actions.edit(latest.text),
	};

	function showActions(names) {
		if (names.join() === shownActions)
			return;
		shownActions = names.join();
		buttons.replaceChildren(...names.map((name) => h('button', {
			type: 'button', class: `button button-small${QUIET.has(name) ? ' button-quiet' : ''}`,
			'data-testid': TEST_IDS[name] ?? name, onclick: () => verbs[name](latest.item?.cmid),
		}, t(LABELS[name]))));
	}

	function showStatus({ text, busy, bad, actions: names }, more) {
		setText(words, text);
		status.hidden = text === '';
		dots.hidden = !busy;
		node.classList.toggle('message-bad', bad);
		showActions([...names, ...more]);
	}

	function draw() {
		const message = older ?? latest.message;

		showText(body, latest.kind, older?.content ?? latest.text, latest.state !== 'streaming');
		meta.update(message ?? null);
	}

	function update(...now) {
		if (now.every((value, i) => value === seen[i]))
			return;
		seen = now;
		const [next, connection, isLast] = now;
		if (next.message?.id !== latest.message?.id)
			older = null;
		latest = next;
		setAttribute(node, 'data-state', next.state);
		setAttribute(node, 'data-kind', SPECIAL.has(next.message?.messageType) ? next.message.messageType : null);
		versions.update(next.message ?? null);
		draw();
		showStatus(itemStatus(next, connection, isLast), storedActions(next, isLast));
	}

	return { node, update, fromOutside: ai };
}
