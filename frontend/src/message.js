/*
 * A stored message as the views use it, from either of its two wire forms:
 * an entry of a restored history, or the ai_response that ended a reply.
 * `live` marks what arrived since the last restore, so that an older snapshot
 * which does not know it yet cannot take it off the screen.
 */

export function messageFromHistory(entry) {
	return {
		id: entry.id,
		turnId: entry.turn_id ?? null,
		clientMessageId: entry.client_message_id ?? null,
		sender: entry.sender === 'user' ? 'user' : 'ai',
		content: entry.content ?? '',
		messageType: entry.message_type ?? 'text',
		timestamp: entry.timestamp ?? null,
		model: entry.ai_model_used ?? null,
		tokens: entry.tokens_used ?? null,
		usage: entry.usage ?? null,
		cost: entry.cost ?? null,
		timing: entry.timing ?? null,
		finishReason: entry.finish_reason ?? null,
		/* its place in the chat; not known of what has just arrived */
		seq: entry.seq ?? null,
		/* which version of a regenerated reply this is, from 1 */
		generation: entry.generation ?? 1,
		live: false,
	};
}

export function messageFromResponse(frame) {
	return {
		id: frame.message_id ?? null,
		turnId: frame.turn_id ?? null,
		clientMessageId: null,
		sender: 'ai',
		content: frame.message ?? '',
		messageType: frame.message_type ?? 'text',
		timestamp: frame.timestamp ?? null,
		model: frame.model_used ?? frame.ai_model_used ?? null,
		tokens: frame.tokens_used ?? null,
		usage: frame.usage ?? null,
		cost: frame.cost ?? null,
		timing: frame.timing ?? null,
		finishReason: frame.finish_reason ?? null,
		seq: null,
		generation: frame.generation ?? null,
		live: true,
	};
}

export function messageFromOutbox(item, id) {
	return {
		...messageFromHistory({ id, sender: 'user', content: item.text, timestamp: item.timestamp }),
		clientMessageId: item.cmid,
		live: true,
	};
}

/** Another tab's message, as its acknowledgement tells it. */
export function messageFromAccepted(frame) {
	return messageFromOutbox({ cmid: frame.client_message_id, text: frame.message, timestamp: frame.timestamp }, frame.message_id);
}

/** What a turn leaves behind when the next one starts before it was completed. */
export function messageFromTurn(turn) {
	return {
		...messageFromHistory({ id: null, sender: 'ai', content: turn.text, finish_reason: turn.state }),
		turnId: turn.turnId,
		live: true,
	};
}

/** A reply that was stored although it did not reach its end; another try makes sense. */
export function isPiece(message) {
	return message.sender === 'ai' && (message.finishReason === 'interrupted' || message.finishReason === 'failed');
}

function known(list, message) {
	return list.findIndex((m) => (message.id !== null && m.id === message.id)
		|| (message.turnId !== null && m.sender === 'ai' && message.sender === 'ai' && m.turnId === message.turnId));
}

function overlay(old, fresh) {
	const result = { ...old };

	for (const [field, value] of Object.entries(fresh)) {
		if (value !== null)
			result[field] = value;
	}
	return result;
}

/** Adds a message once: the same id, or the same turn's reply, is refined and never repeated. */
export function messagesAdd(list, message) {
	const i = known(list, message);

	if (i < 0)
		return [...list, message];
	return list.map((m, n) => (n === i ? overlay(m, message) : m));
}

/** A regenerated reply takes the place of the one before it, as its next version. */
export function messagesReplace(list, oldId, message) {
	const old = list.find((m) => m.id === oldId);
	const rest = list.filter((m) => m.id === oldId || known([m], message) < 0);
	const generation = message.generation ?? (old.generation ?? 1) + 1;

	return rest.map((m) => (m.id === oldId ? { ...message, generation } : m));
}

const ONE_OF_A_KIND = new Set(['finalization', 'lesson']);

/** A reply of which another version can be asked for here: not an announcement of modules, not a lesson. */
export function isReply(message) {
	return message?.sender === 'ai' && message.id !== null && !ONE_OF_A_KIND.has(message.messageType);
}

/**
 * What was loaded before the oldest message of a restored history. Nothing
 * when that one is new here: there may be a gap between.
 */
function messagesEarlier(list, history) {
	const i = history.length > 0 ? known(list, history[0]) : -1;

	return i < 0 ? [] : list.slice(0, i).filter((m) => m.id !== null);
}

/** A page of what was said before the oldest known message. */
export function messagesBefore(list, page) {
	return [...page.filter((m) => known(list, m) < 0), ...list];
}

/** A restored history replaces what was known, except live messages it does not have yet and those before its oldest. */
export function messagesRestore(list, history) {
	const earlier = messagesEarlier(list, history);
	const restored = history.map((fresh) => {
		const i = known(list, fresh);
		return i < 0 ? fresh : overlay(list[i], fresh);
	});
	const later = list.filter((m) => m.live && m.id !== null && known(restored, m) < 0);

	return [...earlier, ...restored, ...later];
}
