/* What dialogues cost: tokens, money and time, in all and by the kind of chat. */

import { formatCost, formatNumber, t } from '../i18n/index.js';
import { chatTypeText } from './chat_words.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { facts, failure, skeleton } from './page.js';
import { table } from './table.js';

export const number = (value) => (Number.isFinite(value) ? formatNumber(value) : '—');
const seconds = (value) => (Number.isFinite(Number(value)) ? t('seconds', { n: Math.round(Number(value)) }) : null);

function totals(usage) {
	return facts([
		['usage.messages', number(usage.messages)],
		['receipt.prompt', number(usage.prompt_tokens)],
		['receipt.cached', number(usage.cached_tokens)],
		['receipt.completion', number(usage.completion_tokens)],
		['usage.total', number(usage.total_tokens)],
		['receipt.cost', formatCost(usage.cost) ?? '—'],
		['usage.seconds', seconds(usage.seconds)],
	]);
}

function byType(rows) {
	return table({
		caption: t('usage.byType'),
		columns: ['chat.new.type', 'usage.chats', 'usage.messages', 'usage.total', 'receipt.cost'].map((key) => t(key)),
		rows: rows.map((row) => [chatTypeText(row.chat_type), number(row.chats), number(row.messages), number(row.total_tokens), formatCost(row.cost) ?? '—']),
	});
}

/** usage: as GET .../usage answers */
export function usageSection(usage) {
	return h('div', { class: 'stack', 'data-testid': 'usage' }, totals(usage), usage.by_type?.length > 0 && byType(usage.by_type));
}

/** load(): a promise of the usage */
export function usageDialog({ title, load }) {
	return openDialog({
		title,
		'data-testid': 'usage-dialog',
		build(close) {
			const place = h('div', {});
			async function run() {
				place.replaceChildren(skeleton('lines'));
				try {
					place.replaceChildren(usageSection(await load()));
				} catch (error) {
					place.replaceChildren(failure(error, run));
				}
			}
			run();
			return h('div', { class: 'dialog-body' }, place,
				h('div', { class: 'dialog-actions' }, h('button', { type: 'button', class: 'button', autofocus: true, onclick: () => close(null) }, t('app.close'))));
		},
	});
}
