/*
 * One running reply as the client knows it: which attempt (epoch), how many
 * of its events are applied (next), the text so far, and what still has to be
 * asked of the server. Pure functions; nothing here knows about chats.
 *
 * Events of an epoch are numbered from 0 without gaps. A number below `next`
 * was seen already; one above it waits in `ahead` while the missing ones are
 * asked for (resume).
 */

const AHEAD_MAX = 256;
const OVER = new Set(['completed', 'failed', 'interrupted', 'stopped', 'cancelled']);

export function turnBegin(turnId, at, more = {}) {
	return {
		turnId,
		/* reply, or finalize: no text to read, its result is modules */
		kind: 'reply',
		epoch: 0,
		next: 0,
		text: '',
		ahead: {},
		state: 'waiting',
		attempt: 0,
		retryInMs: 0,
		error: null,
		userMessageId: null,
		/* each: no | needed | asked */
		resume: 'no',
		stop: 'no',
		regenerate: 'no',
		/* set when the person asked for another try: this text will not be kept */
		retried: false,
		/* the server named no turn: there is only a message without its reply */
		lost: false,
		/* id of the stored reply that this one will take the place of */
		replaces: null,
		heardAt: at,
		asksUnanswered: 0,
		...more,
	};
}

/** Stands where a reply should be when no turn is known for it. */
export function turnLost(messageId, at, more) {
	return turnBegin(`lost:${messageId}`, at, { lost: true, userMessageId: messageId, ...more });
}

export function turnIsRunning(turn) {
	return turn !== null && !OVER.has(turn.state);
}

function heard(turn, at) {
	return { ...turn, heardAt: at, asksUnanswered: 0 };
}

function takeAhead(turn) {
	const ahead = { ...turn.ahead };
	let { text, next } = turn;

	for (; next in ahead; next++) {
		text += ahead[next];
		delete ahead[next];
	}
	for (const offset of Object.keys(ahead)) {
		if (Number(offset) < next)
			delete ahead[offset];
	}
	return { ...turn, text, next, ahead, resume: Object.keys(ahead).length ? turn.resume : 'no' };
}

function keepAhead(turn, frame) {
	const full = Object.keys(turn.ahead).length >= AHEAD_MAX;

	return {
		...turn,
		ahead: full ? turn.ahead : { ...turn.ahead, [frame.offset]: frame.text },
		resume: turn.resume === 'asked' ? 'asked' : 'needed',
	};
}

/** A new attempt starts from nothing; an old or repeated announcement changes nothing. */
export function turnReset(turn, frame, at) {
	if (frame.epoch <= turn.epoch)
		return turn;
	return heard({
		...turn,
		epoch: frame.epoch,
		next: 0,
		text: '',
		ahead: {},
		resume: 'no',
		regenerate: 'no',
		retried: false,
		error: null,
		state: turn.state === 'retrying' ? 'retrying' : 'waiting',
	}, at);
}

export function turnDelta(turn, frame, at) {
	if (frame.epoch < turn.epoch)
		return turn;
	const current = heard(turnReset(turn, frame, at), at);
	if (frame.offset < current.next)
		return current;
	if (frame.offset > current.next)
		return keepAhead(current, frame);
	return takeAhead({
		...current,
		text: current.text + frame.text,
		next: current.next + 1,
		state: 'streaming',
		retried: false,
		error: null,
	});
}

export function turnStatus(turn, frame, at) {
	const over = OVER.has(frame.state);

	return heard({
		...turn,
		state: frame.state,
		attempt: frame.attempt ?? turn.attempt,
		retryInMs: frame.retry_in_ms ?? 0,
		error: over ? turn.error : null,
		regenerate: 'no',
		resume: over ? 'no' : turn.resume,
		stop: over ? 'no' : turn.stop,
	}, at);
}

export function turnFail(turn, frame, at) {
	return heard({
		...turn,
		state: turn.text ? 'interrupted' : 'failed',
		error: { code: frame.code ?? 'internal', message: frame.message ?? '', retryAfterMs: frame.retry_after_ms ?? 0 },
		resume: 'no',
		stop: 'no',
		regenerate: 'no',
	}, at);
}

/** The server's snapshot of a running turn, against what is held locally (or null). */
export function turnFromSnapshot(local, snapshot, at) {
	const same = local !== null && local.turnId === snapshot.turn_id;
	const ahead = same && (local.epoch > snapshot.epoch
		|| (local.epoch === snapshot.epoch && local.next > snapshot.offset));
	const base = same ? local : turnBegin(snapshot.turn_id, at);

	if (ahead)
		return heard({ ...base, resume: 'no' }, at);
	return takeAhead(heard({
		...base,
		kind: snapshot.kind ?? base.kind,
		epoch: snapshot.epoch,
		next: snapshot.offset,
		text: snapshot.text ?? '',
		ahead: same && local.epoch === snapshot.epoch ? local.ahead : {},
		state: snapshot.state ?? (snapshot.text ? 'streaming' : 'waiting'),
		regenerate: 'no',
		resume: 'no',
	}, at));
}
