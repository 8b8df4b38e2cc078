/*
 * What the server must be told now, derived from the state alone. The caller
 * sends each frame and reports it back as `local.sent`, after which it is not
 * derived again. A stop or regenerate frame carries chat_id besides the
 * fields the server needs.
 */

import { turnIsRunning } from './turn.js';

/* Messages that are read at once; those before them when they are wanted. */
export const PAGE = 200;

function wantsRestore(state, d, at) {
	const matters = d.chatId === state.currentChatId || d.outbox.length > 0 || turnIsRunning(d.turn);

	return matters && d.restore === 'needed' && at >= d.restoreNotBefore;
}

/* A welcome has no message before it, a lost turn has no id: name what is known. */
function regenerateFrame(chatId, t) {
	return {
		type: 'regenerate',
		chat_id: chatId,
		...(t.lost ? {} : { turn_id: t.turnId }),
		...(t.userMessageId ? { message_id: t.userMessageId } : {}),
	};
}

function turnFrames(d) {
	const t = d.turn;
	const frames = [];

	if (t === null)
		return frames;
	if (t.stop === 'needed' && turnIsRunning(t))
		frames.push({ type: 'stop', chat_id: d.chatId, turn_id: t.turnId });
	if (t.resume === 'needed')
		frames.push({ type: 'resume', chat_id: d.chatId, turn_id: t.turnId, epoch: t.epoch, offset: t.next });
	if (t.regenerate === 'needed')
		frames.push(regenerateFrame(d.chatId, t));
	return frames;
}

/* One unacknowledged message per chat, in order, and none while a reply runs. */
function messageFrame(d, at) {
	const item = d.outbox.find((x) => x.state !== 'failed');

	if (!item || item.state !== 'waiting' || at < item.notBefore || turnIsRunning(d.turn))
		return [];
	return [{ message: item.text, client_message_id: item.cmid, chat_id: d.chatId }];
}

export function outgoing(state, at) {
	if (state.connection !== 'open')
		return [];
	return Object.values(state.dialogues).flatMap((d) => {
		if (wantsRestore(state, d, at))
			return [{ type: 'restore_chat', chat_id: d.chatId, limit: PAGE }];
		return d.restore === 'done' ? [...turnFrames(d), ...messageFrame(d, at)] : [];
	});
}
