/* The line under a stored message: time, tokens, model, cost, and where the time went. */

import { formatCost, formatMicroseconds, formatNumber, formatTime, t } from '../i18n/index.js';
import { facts } from './page.js';
import { h, setText } from './dom.js';

const STAGES = ['gateway_in', 'chat', 'store', 'ai_queue', 'provider_first_token', 'provider_total', 'gateway_out', 'total'];

/** The parts of the line under a stored message. */
export function receiptParts(message) {
	const parts = [];
	const estimated = message.usage?.estimated ? ` (${t('message.estimated')})` : '';
	const cost = formatCost(message.cost);

	if (message.timestamp)
		parts.push(formatTime(message.timestamp));
	if (message.sender !== 'ai')
		return parts;
	if (message.tokens !== null)
		parts.push(`🔢 ${t('tokens', { n: message.tokens })}${estimated}`);
	if (message.model)
		parts.push(`🤖 ${message.model}`);
	if (cost)
		parts.push(`💰 ${cost}`);
	if (message.timing?.total > 0)
		parts.push(`⏱ ${formatMicroseconds(message.timing.total)}`);
	return parts;
}

/** Rows of the receipt, [key of the word, value]. */
export function receiptRows(message) {
	const usage = message.usage ?? {};
	const count = (value) => (Number.isFinite(value) ? formatNumber(value) : null);
	const time = (value) => (Number.isFinite(value) && value >= 0 ? formatMicroseconds(value) : null);

	return [
		['receipt.prompt', count(usage.prompt_tokens)],
		['receipt.cached', count(usage.cached_tokens)],
		['receipt.completion', count(usage.completion_tokens)],
		['receipt.cost', formatCost(message.cost)],
		...STAGES.map((stage) => [`receipt.${stage}`, time(message.timing?.[stage])]),
	].filter(([, value]) => value !== null);
}

export function receiptView(ai) {
	const line = h(ai ? 'summary' : 'span', {});
	const more = h('div', { class: 'receipt' });
	const node = h(ai ? 'details' : 'p', { class: 'message-meta', 'data-testid': ai ? 'message-meta' : null }, line, ai && more);
	let shown;

	/* the table is made when it is looked at */
	node.addEventListener('toggle', () => {
		if (node.open && shown)
			more.replaceChildren(facts(receiptRows(shown)));
	});

	return {
		node,
		/** null: there is none yet, and nothing to show */
		update(message) {
			if (message === shown)
				return;
			shown = message;
			const parts = message ? receiptParts(message) : [];
			setText(line, parts.join(' · '));
			node.hidden = parts.length === 0;
			if (node.open && message)
				more.replaceChildren(facts(receiptRows(message)));
		},
	};
}
