/* The module's summary as it is written, with an honest word about how it stands. */

import { t } from '../i18n/index.js';
import { turnIsRunning } from '../turn.js';
import { h, setText } from './dom.js';
import { showMarkdown } from './markdown.js';
import { itemStatus } from './message_parts.js';
import { skeleton } from './page.js';

const SUMMARY_TYPES = new Set(['summary', 'module_summary', 'conspect']);

/** The stored summary of a tutor chat: named so, or what the AI said before anybody asked. */
export function summaryOf(d) {
	if (!d)
		return null;
	const first = d.messages[0];

	return d.messages.find((m) => m.sender === 'ai' && SUMMARY_TYPES.has(m.messageType)) ?? (first?.sender === 'ai' ? first : null);
}

/** Whether a turn writes the summary: nobody has asked anything yet. */
export function summaryTurn(d) {
	return d?.turn && !summaryOf(d) && d.messages.length === 0 ? d.turn : null;
}

/** retryTurn(): ask the model again; start(): ask for the module again. */
export function summaryPanel({ retryTurn, start }) {
	const body = h('div', { class: 'md summary-text', 'data-testid': 'summary' });
	const words = h('span', {});
	const dots = h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
	const status = h('p', { class: 'message-status', hidden: true }, words, dots);
	const bones = skeleton('lines');
	const reason = h('p', {});
	let again = start;
	const problem = h('div', { class: 'note note-bad', role: 'alert', hidden: true }, reason,
		h('button', { type: 'button', class: 'button', 'data-testid': 'summary-retry', onclick: () => again() }, t('app.retry')));

	function fail(text, verb) {
		again = verb;
		problem.hidden = !text;
		setText(reason, text);
	}

	function showTurn(turn, connection) {
		const { text, busy, bad } = itemStatus({ turn, state: turn.state }, connection, true);
		status.hidden = bad;
		dots.hidden = !busy;
		setText(words, text);
		fail(bad ? text : '', retryTurn);
	}

	return {
		node: h('div', { class: 'summary' }, h('h2', { class: 'visually-hidden' }, t('learn.summary')), problem, status, bones, body),
		/** error: why the module could not be started, or null */
		update(d, connection, error) {
			const stored = summaryOf(d);
			const turn = summaryTurn(d);
			const text = stored?.content ?? turn?.text ?? '';
			if (text)
				showMarkdown(body, text, { final: !turnIsRunning(turn) });
			bones.hidden = text !== '' || error !== null || (turn !== null && !turnIsRunning(turn));
			if (stored) {
				status.hidden = true;
				fail('', start);
			} else if (turn) {
				showTurn(turn, connection);
			} else {
				status.hidden = true;
				fail(error ? t('learn.failed', { reason: error.message }) : '', start);
			}
		},
	};
}
