/*
 * "‹ 2 of 3 ›" under a reply that was generated more than once. The older
 * versions are fetched when somebody looks at them; the newest is the one the
 * dialogue goes on from.
 */

import { t } from '../i18n/index.js';
import { messageFromHistory } from '../message.js';
import { h, setText } from './dom.js';
import { toast } from './notices.js';

/** load(messageId): a promise of the versions in order; onShow(message): one of them, or null for the newest. */
export function versionSwitch({ load, onShow }) {
	const back = h('button', { type: 'button', class: 'icon-button', 'aria-label': t('version.back'), 'data-testid': 'version-back', onclick: () => go(-1) }, '‹');
	const on = h('button', { type: 'button', class: 'icon-button', 'aria-label': t('version.on'), 'data-testid': 'version-on', onclick: () => go(1) }, '›');
	const words = h('span', { role: 'status', 'data-testid': 'version' });
	const node = h('span', { class: 'versions', hidden: true }, back, words, on);
	let message = null;
	let list = null;
	let at = 0;

	function draw() {
		const count = list?.length ?? message?.generation ?? 1;

		node.hidden = message === null || count < 2;
		setText(words, t('version.of', { i: at, n: count }));
		back.disabled = at <= 1;
		on.disabled = at >= count;
	}

	async function fetched() {
		if (list === null) {
			const mine = message;
			const versions = await load(mine.id);
			if (mine !== message)
				return false;
			list = versions.map(messageFromHistory);
			at = list.length;
		}
		return true;
	}

	async function go(step) {
		try {
			if (!await fetched())
				return;
			at = Math.max(1, Math.min(list.length, at + step));
			onShow(at === list.length ? null : list[at - 1]);
			draw();
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	return {
		node,
		update(next) {
			if (next?.id === message?.id && next?.generation === message?.generation)
				return;
			message = next;
			list = null;
			at = next?.generation ?? 1;
			draw();
		},
	};
}
