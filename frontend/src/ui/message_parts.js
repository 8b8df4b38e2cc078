/* Words under a message: what state it is in, and what one can do about it. */

import { t } from '../i18n/index.js';
import { isPiece } from '../message.js';
import { turnIsRunning } from '../turn.js';
import { problemText } from './problem.js';

const NOTES = {
	stopped: 'state.stopped',
	length: 'state.cut',
	content_filter: 'state.filtered',
	interrupted: 'state.interrupted',
	failed: 'state.failed',
};

/* Turns that are asked for, and asked for again, by a button of their page. */
const BY_BUTTON = new Set(['finalize', 'summary', 'lesson']);

function retrying(turn) {
	const s = Math.ceil(turn.retryInMs / 1000);

	return s > 0 ? t('state.retryingSoon', { s, n: turn.attempt }) : t('state.retrying', { n: turn.attempt });
}

function turnWords(turn, connection) {
	if (turn.state === 'retrying' && connection === 'open')
		return retrying(turn);
	if (turn.kind === 'finalize' && turnIsRunning(turn) && connection === 'open')
		return t('plan.finalizing');
	if (turnIsRunning(turn))
		return connection === 'open' ? t(`state.${turn.state}`) : t('state.noConnection');
	if (turn.state === 'interrupted' && !turn.text)
		return t('state.lost');
	return t(NOTES[turn.state] ?? 'state.failed');
}

/** {text, busy, bad, actions}: actions are names of what the person can do about it. */
export function itemStatus(item, connection, isLast) {
	if (item.turn) {
		const bad = ['failed', 'interrupted'].includes(item.state);
		const reason = item.turn.error ? ` ${problemText(item.turn.error)}` : '';
		const busy = turnIsRunning(item.turn);
		const again = !busy && !BY_BUTTON.has(item.turn.kind);
		return { text: turnWords(item.turn, connection) + reason, busy, bad, actions: again ? ['retryTurn'] : [] };
	}
	if (item.item) {
		const bad = item.state === 'failed';
		const reason = item.item.error ? ` ${problemText(item.item.error)}` : '';
		return { text: t(`sending.${item.state}`) + reason, busy: !bad, bad, actions: bad ? ['sendAgain', 'takeBack'] : [] };
	}
	const note = NOTES[item.message.finishReason];
	const piece = isPiece(item.message);
	return { text: note ? t(note) : '', busy: false, bad: piece, actions: piece && isLast ? ['retryTurn'] : [] };
}
