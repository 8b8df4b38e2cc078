import { describe, expect, it } from 'vitest';
import { currentDialogue, emptyState, reduce } from './dialogue.js';
import { outgoing } from './outgoing.js';
import { timeline } from './timeline.js';

const CHAT = 'c1';
const TURN = 't1';

/* A client in a nutshell: the state, a clock, and everything that was sent. */
function client(chatId = CHAT) {
	let state = emptyState(chatId);
	let at = 0;
	const sent = [];

	const self = {
		sent,
		get state() { return state; },
		get chat() { return currentDialogue(state); },
		get turn() { return currentDialogue(state).turn; },
		items: () => timeline(currentDialogue(state), state.connection).map((i) => [i.kind, i.state, i.text]),
		texts: () => timeline(currentDialogue(state), state.connection).map((i) => i.text),
		feed(...events) {
			for (const event of events) {
				state = reduce(state, event, at);
				for (const frame of outgoing(state, at)) {
					sent.push(frame);
					state = reduce(state, { type: 'local.sent', frame }, at);
				}
			}
			return self;
		},
		pass(ms) {
			for (const end = at + ms; at < end;) {
				at += 1000;
				self.feed({ type: 'local.tick' });
			}
			return self;
		},
		open: () => self.feed({ type: 'local.connection', state: 'open' }),
		drop: () => self.feed({ type: 'local.connection', state: 'reconnecting' }),
		restore: (history = [], active_turn = null, chat_id = CHAT) => self.feed({
			type: 'chat_restored', has_existing_chat: true, chat_id, history, message_count: history.length, active_turn,
		}),
		say: (text, cmid = 'm1', chatId = CHAT) => self.feed({ type: 'local.submit', chatId, cmid, text }),
		ofType: (type) => sent.filter((f) => f.type === type),
		messages: () => sent.filter((f) => f.message !== undefined),
	};
	return self;
}

const ready = (history, active) => client().open().restore(history, active);
const accepted = (more) => ({ type: 'accepted', client_message_id: 'm1', turn_id: TURN, chat_id: CHAT, message_id: 'u1', seq: 1, ...more });
const delta = (offset, text, epoch = 1, more) => ({ type: 'ai_delta', chat_id: CHAT, turn_id: TURN, epoch, offset, text, ...more });
const status = (state, more) => ({ type: 'ai_status', chat_id: CHAT, turn_id: TURN, state, ...more });
const reset = (epoch) => ({ type: 'ai_reset', chat_id: CHAT, turn_id: TURN, epoch });
const response = (message, more) => ({
	type: 'ai_response', chat_id: CHAT, turn_id: TURN, message_id: 'a1', client_message_id: 'm1', epoch: 1,
	message, tokens_used: 42, model_used: 'demo', finish_reason: 'stop', ...more,
});
const user = (id, content) => ({ id, chat_id: CHAT, sender: 'user', content, message_type: 'text', timestamp: '2026-01-01T00:00:00Z' });
const ai = (id, content, more) => ({ ...user(id, content), sender: 'ai', ai_model_used: 'demo', tokens_used: 7, ...more });

describe('a message and its reply', () => {
	it('is sent once the chat is restored, shown as stored after the ack, and answered', () => {
		const c = client().say('hello').open();
		expect(c.messages()).toEqual([]);
		c.restore();
		expect(c.messages()).toEqual([{ message: 'hello', client_message_id: 'm1', chat_id: CHAT }]);
		expect(c.items()).toEqual([['user', 'sending', 'hello']]);
		c.feed(accepted(), delta(0, 'Hi'), delta(1, ' there'));
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'streaming', 'Hi there']]);
		c.feed(response('Hi there'));
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'stored', 'Hi there']]);
		expect(c.chat.messages[1]).toMatchObject({ tokens: 42, model: 'demo' });
		expect(c.turn).toBe(null);
	});

	it('keeps its key from the outbox to the stored message and from the stream to the answer', () => {
		const c = ready().say('hello');
		const keys = () => timeline(c.chat, 'open').map((i) => i.key);
		expect(keys()).toEqual(['cmid:m1']);
		c.feed(accepted(), delta(0, 'Hi'));
		expect(keys()).toEqual(['cmid:m1', `turn:${TURN}`]);
		c.feed(response('Hi'));
		expect(keys()).toEqual(['cmid:m1', `turn:${TURN}`]);
	});

	it('is whole when the first events of the reply overtake the ack', () => {
		const c = ready().say('hello').feed(status('waiting'), delta(0, 'Hi'), accepted(), delta(1, '!'));
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'streaming', 'Hi!']]);
		expect(c.turn.userMessageId).toBe('u1');
		c.feed(status('interrupted'));
		expect(c.items().at(-1)).toEqual(['ai', 'interrupted', 'Hi!']);
	});

	it('shows a reply nobody asked for here: the welcome', () => {
		const c = ready().feed(status('waiting'), delta(0, 'Plan'));
		expect(c.items()).toEqual([['ai', 'streaming', 'Plan']]);
	});
});

describe('deltas', () => {
	it('ignores an offset it has seen', () => {
		const c = ready().feed(delta(0, 'a'), delta(1, 'b'), delta(0, 'a'), delta(1, 'b'), delta(2, 'c'));
		expect(c.turn.text).toBe('abc');
	});

	it('asks once for what a gap left out and joins what came meanwhile', () => {
		const c = ready().feed(delta(0, 'a'), delta(2, 'c'), delta(3, 'd'));
		expect(c.turn.text).toBe('a');
		expect(c.ofType('resume')).toEqual([{ type: 'resume', chat_id: CHAT, turn_id: TURN, epoch: 1, offset: 1 }]);
		c.feed(delta(1, 'b'));
		expect(c.turn.text).toBe('abcd');
		expect(c.turn.resume).toBe('no');
	});

	it('asks again when the next gap opens', () => {
		const c = ready().feed(delta(0, 'a'), delta(2, 'c'), delta(1, 'b'), delta(5, 'f'));
		expect(c.ofType('resume').map((f) => f.offset)).toEqual([1, 3]);
	});

	it('drops the text of an attempt when the next one is announced', () => {
		const c = ready().feed(delta(0, 'old'), reset(2), delta(0, 'new', 2));
		expect(c.turn.text).toBe('new');
		c.feed(delta(1, ' late', 1), reset(2));
		expect(c.turn.text).toBe('new');
	});

	it('takes a higher epoch as a reset whose announcement was lost', () => {
		const c = ready().feed(delta(0, 'old'), delta(0, 'new', 2));
		expect(c.turn).toMatchObject({ text: 'new', epoch: 2 });
	});

	it('never lets text of one chat into another', () => {
		const c = ready().feed(delta(0, 'mine'), delta(0, 'theirs', 1, { chat_id: 'c2', turn_id: 't2' }));
		expect(c.turn.text).toBe('mine');
		expect(c.state.dialogues.c2.turn.text).toBe('theirs');
	});
});

describe('restore', () => {
	it('shows the history and the partial text of a running reply, and goes on from there', () => {
		const c = ready([user('u1', 'hello')], { turn_id: TURN, epoch: 1, offset: 2, text: 'So far', state: 'streaming' });
		expect(c.texts()).toEqual(['hello', 'So far']);
		c.feed(delta(1, 'FAR'), delta(2, ', so good'));
		expect(c.turn.text).toBe('So far, so good');
	});

	it('does not fall back behind text it already has', () => {
		const c = ready().feed(delta(0, 'a'), delta(1, 'b'), delta(2, 'c')).drop().open()
			.restore([], { turn_id: TURN, epoch: 1, offset: 2, text: 'ab', state: 'streaming' });
		expect(c.turn.text).toBe('abc');
		c.feed(delta(2, 'c'), delta(3, 'd'));
		expect(c.turn.text).toBe('abcd');
	});

	it('takes the snapshot of a newer attempt', () => {
		const c = ready().feed(delta(0, 'old text'))
			.drop().open().restore([], { turn_id: TURN, epoch: 2, offset: 1, text: 'n', state: 'streaming' });
		expect(c.turn).toMatchObject({ epoch: 2, text: 'n' });
	});

	it('keeps an answer that an older snapshot does not know', () => {
		const c = ready([user('u1', 'hello')], { turn_id: TURN, epoch: 1, offset: 0, text: '', state: 'waiting' });
		c.feed({ type: 'local.open_chat', chatId: CHAT }, response('Hi'))
			.restore([user('u1', 'hello')], { turn_id: TURN, epoch: 1, offset: 0, text: '', state: 'waiting' });
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'stored', 'Hi']]);
	});

	it('offers another try for a message without its reply', () => {
		const c = ready([user('u1', 'hello')]);
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'interrupted', '']]);
		c.feed({ type: 'local.retry_turn', chatId: CHAT });
		expect(c.ofType('regenerate')).toEqual([{ type: 'regenerate', chat_id: CHAT, message_id: 'u1' }]);
		c.feed(delta(0, 'Hi'), response('Hi'));
		expect(c.texts()).toEqual(['hello', 'Hi']);
	});

	it('keeps what was loaded before it, unless something may be missing between', () => {
		const at = (seq) => ({ ...user(`u${seq}`, `text ${seq}`), seq });
		const c = client().open().feed({ type: 'chat_restored', chat_id: CHAT, history: [at(3), at(4)], older: 2, active_turn: null });
		c.feed({ type: 'local.older', chatId: CHAT, page: { history: [at(2)], older: 1 } });
		c.feed({ type: 'chat_restored', chat_id: CHAT, history: [at(3), at(4)], older: 2, active_turn: null });
		expect([c.texts().slice(0, 3), c.chat.older]).toEqual([['text 2', 'text 3', 'text 4'], 1]);
		c.feed({ type: 'chat_restored', chat_id: CHAT, history: [at(8), at(9)], older: 7, active_turn: null });
		expect([c.texts().slice(0, 2), c.chat.older]).toEqual([['text 8', 'text 9'], 7]);
	});

	it('keeps what it learned of an answer beyond its history entry', () => {
		const c = ready().feed(delta(0, 'Hi'), response('Hi', { cost: { amount: 0.1, currency: 'USD' } }));
		c.feed({ type: 'local.open_chat', chatId: CHAT }).restore([ai('a1', 'Hi')]);
		expect(c.chat.messages).toHaveLength(1);
		expect(c.chat.messages[0].cost).toEqual({ amount: 0.1, currency: 'USD' });
	});

	it('shows what another tab sent', () => {
		const c = ready().feed(accepted({ client_message_id: 'other', message: 'from elsewhere' }), delta(0, 'Hi'));
		expect(c.texts()).toEqual(['from elsewhere', 'Hi']);
		expect(c.ofType('restore_chat')).toHaveLength(1);
	});

	it('fetches the text of a message another tab sent when its ack does not tell it', () => {
		const c = ready().feed(accepted({ client_message_id: 'other' }));
		expect(c.ofType('restore_chat')).toHaveLength(2);
		c.feed(delta(0, 'Hi')).restore([user('u1', 'from elsewhere')], { turn_id: TURN, epoch: 1, offset: 1, text: 'Hi', state: 'streaming' });
		expect(c.texts()).toEqual(['from elsewhere', 'Hi']);
	});

	it('is asked again later when the store cannot answer, and says so when the chat is unknown', () => {
		const c = client().open().feed({ type: 'error', code: 'storage_unavailable', chat_id: CHAT, retry_after_ms: 1500, message: '' });
		expect(c.ofType('restore_chat')).toHaveLength(1);
		c.pass(2000);
		expect(c.ofType('restore_chat')).toHaveLength(2);
		c.feed({ type: 'error', code: 'not_found', chat_id: CHAT, message: 'no such chat' });
		expect(c.chat).toMatchObject({ restore: 'failed', restoreError: { code: 'not_found' } });
	});
});

describe('delivery', () => {
	it('sends an unacknowledged message again with the same id after a reconnect', () => {
		const c = ready().say('hello').drop();
		expect(c.items()).toEqual([['user', 'offline', 'hello']]);
		c.open().restore();
		expect(c.messages().map((f) => f.client_message_id)).toEqual(['m1', 'm1']);
	});

	it('shows it once when the lost ack was of a stored message', () => {
		const c = ready().say('hello').drop().open()
			.restore([user('u1', 'hello')], { turn_id: TURN, epoch: 1, offset: 1, text: 'Hi', state: 'streaming' });
		c.feed(accepted(), delta(1, '!'), response('Hi!'));
		expect(c.texts()).toEqual(['hello', 'Hi!']);
	});

	it('shows it once when the answer is already in the history', () => {
		const c = ready().say('hello').drop().open().restore([user('u1', 'hello'), ai('a1', 'Hi')]);
		c.feed(accepted());
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'stored', 'Hi']]);
		c.feed(response('Hi'));
		expect(c.texts()).toEqual(['hello', 'Hi']);
	});

	it('takes the reply itself as the acknowledgement', () => {
		const c = ready().say('hello').feed(response('Hi'));
		expect(c.chat.outbox).toEqual([]);
		expect(c.texts()).toEqual(['hello', 'Hi']);
	});

	it('sends again after ten silent seconds and gives up with the text kept', () => {
		const c = ready().say('hello').pass(11_000);
		expect(c.messages()).toHaveLength(2);
		c.pass(60_000);
		expect(c.messages()).toHaveLength(4);
		expect(c.items()).toEqual([['user', 'failed', 'hello']]);
		c.feed({ type: 'local.retry_message', chatId: CHAT, cmid: 'm1', freshCmid: 'm2' });
		expect(c.messages().at(-1).client_message_id).toBe('m1');
	});

	it('queues a second message behind the running reply', () => {
		const c = ready().say('one').feed(accepted(), delta(0, 'Hi')).say('two', 'm2');
		expect(c.items().at(-1)).toEqual(['user', 'queued', 'two']);
		expect(c.messages()).toHaveLength(1);
		c.feed(response('Hi'));
		expect(c.messages().at(-1)).toMatchObject({ message: 'two', client_message_id: 'm2' });
	});

	it('looks at the chat when a reply it does not know of is in the way', () => {
		const c = ready().say('hello').feed({ type: 'error', code: 'turn_in_progress', client_message_id: 'm1', chat_id: CHAT, message: '' });
		expect(c.ofType('restore_chat')).toHaveLength(2);
		c.restore([user('u0', 'x')], { turn_id: 't0', epoch: 1, offset: 1, text: 'y', state: 'streaming' }).pass(3000);
		expect(c.items().at(-1)).toEqual(['user', 'queued', 'hello']);
		c.feed(response('y', { turn_id: 't0', message_id: 'a0', client_message_id: 'm0' }));
		expect(c.messages()).toHaveLength(2);
	});

	it('waits as long as a busy server asks, and not forever', () => {
		const busy = { type: 'error', code: 'busy', client_message_id: 'm1', chat_id: CHAT, message: 'busy', retry_after_ms: 3000 };
		const c = ready().say('hello').feed(busy).pass(2000);
		expect(c.messages()).toHaveLength(1);
		c.pass(2000);
		expect(c.messages()).toHaveLength(2);
		for (let i = 0; i < 5; i++)
			c.feed(busy).pass(4000);
		expect(c.items()).toEqual([['user', 'failed', 'hello']]);
	});

	it('does not send again what the connection was closed for', () => {
		const c = ready().say('huge').feed({ type: 'local.connection', state: 'reconnecting', code: 1009 }).open().restore();
		expect(c.messages()).toHaveLength(1);
		expect(c.chat.outbox[0]).toMatchObject({ state: 'failed', error: { code: 'too_long' } });
	});

	it('keeps a refused message as not sent, and gives a conflicting one a new id', () => {
		const c = ready().say('hello').feed({ type: 'error', code: 'cmid_conflict', client_message_id: 'm1', chat_id: CHAT, message: 'conflict' });
		expect(c.chat.outbox[0]).toMatchObject({ state: 'failed', error: { code: 'cmid_conflict' } });
		c.feed({ type: 'local.retry_message', chatId: CHAT, cmid: 'm1', freshCmid: 'm9' });
		expect(c.messages().at(-1).client_message_id).toBe('m9');
	});
});

describe('the end of a reply', () => {
	it('is taken once when it is seen twice', () => {
		const c = ready().say('hello').feed(accepted(), delta(0, 'Hi'), response('Hi'), response('Hi'));
		expect(c.texts()).toEqual(['hello', 'Hi']);
	});

	it('is not undone by late frames of the same turn', () => {
		const c = ready().say('hello').feed(accepted(), delta(0, 'Hi'), response('Hi'), delta(1, '?'), status('streaming'), accepted());
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'stored', 'Hi']]);
	});

	it('keeps the piece of a stopped reply', () => {
		const c = ready().say('hello').feed(accepted(), delta(0, 'Hi'), { type: 'local.stop', chatId: CHAT });
		expect(c.ofType('stop')).toEqual([{ type: 'stop', chat_id: CHAT, turn_id: TURN }]);
		c.feed(status('stopped'), response('Hi', { finish_reason: 'stopped' }));
		expect(c.items().at(-1)).toEqual(['ai', 'stored', 'Hi']);
		expect(c.chat.messages.at(-1).finishReason).toBe('stopped');
	});

	it('with an error that names the turn is a failure with its reason, and Retry asks again', () => {
		const c = ready().say('hello').feed(accepted(), { type: 'error', code: 'ai_unavailable', turn_id: TURN, chat_id: CHAT, message: 'down' });
		expect(c.turn).toMatchObject({ state: 'failed', error: { code: 'ai_unavailable', message: 'down' } });
		c.feed({ type: 'local.retry_turn', chatId: CHAT });
		expect(c.ofType('regenerate')).toEqual([{ type: 'regenerate', chat_id: CHAT, turn_id: TURN, message_id: 'u1' }]);
		c.feed(status('waiting', { turn_id: 't2' }), delta(0, 'Hi', 1, { turn_id: 't2' }), response('Hi', { turn_id: 't2' }));
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'stored', 'Hi']]);
	});

	it('is not what a refused stop or resume means', () => {
		const busy = { type: 'error', code: 'busy', turn_id: TURN, chat_id: CHAT, message: '' };
		const c = ready().feed(delta(0, 'Hi'), { type: 'local.stop', chatId: CHAT }, busy);
		expect(c.items()).toEqual([['ai', 'streaming', 'Hi']]);
		c.feed({ type: 'local.stop', chatId: CHAT });
		expect(c.ofType('stop')).toHaveLength(2);
		c.feed(delta(2, '?'), busy);
		expect(c.turn).toMatchObject({ state: 'streaming', resume: 'no' });
	});

	it('with an error that names the turn is an acknowledgement too', () => {
		const c = ready().say('hello').feed({ type: 'error', code: 'ai_unavailable', turn_id: TURN, client_message_id: 'm1', chat_id: CHAT, message: '' });
		expect(c.items()).toEqual([['user', 'stored', 'hello'], ['ai', 'failed', '']]);
	});

	it('with an error after some text is an interruption that keeps the text', () => {
		const c = ready().feed(delta(0, 'Some'), { type: 'error', code: 'ai_unavailable', turn_id: TURN, chat_id: CHAT, message: '' });
		expect(c.items()).toEqual([['ai', 'interrupted', 'Some']]);
		c.say('go on', 'm2').feed(accepted({ client_message_id: 'm2', turn_id: 't2', message_id: 'u2' }));
		expect(c.texts()).toEqual(['Some', 'go on', '']);
	});

	it('can be interrupted again when a finished turn goes on with a new attempt', () => {
		const c = ready().say('hello').feed(accepted(), delta(0, 'Hi'), response('Hi'));
		c.feed(delta(0, 'Other', 2), status('interrupted'));
		expect(c.items().at(-1)).toEqual(['ai', 'interrupted', 'Other']);
	});

	it('drops the interrupted piece when another try replaces it', () => {
		const c = ready([user('u1', 'hello')]).feed(delta(0, 'Some'), status('interrupted'), { type: 'local.retry_turn', chatId: CHAT });
		c.feed(reset(2), delta(0, 'Whole', 2), response('Whole', { epoch: 2 }));
		expect(c.texts()).toEqual(['hello', 'Whole']);
	});

	it('offers another try for a reply stored as a piece', () => {
		const c = ready([user('u1', 'hello'), ai('a1', 'Som', { finish_reason: 'interrupted' })]);
		c.feed({ type: 'local.retry_turn', chatId: CHAT });
		expect(c.ofType('regenerate')).toEqual([{ type: 'regenerate', chat_id: CHAT, message_id: 'a1' }]);
	});

	it('shows retries with their number', () => {
		const c = ready().feed(status('retrying', { attempt: 2, retry_in_ms: 1500 }));
		expect(c.turn).toMatchObject({ state: 'retrying', attempt: 2, retryInMs: 1500 });
	});
});

describe('finalization', () => {
	const done = { type: 'finalization_complete', chat_id: CHAT, turn_id: 'f1', modules_created: 3, track_id: 'x' };
	const finalizing = (on) => ({ type: 'local.finalizing', on });

	it('is told once in the dialogue', () => {
		const c = ready([ai('a0', 'Plan')]).feed(finalizing(true), status('waiting', { turn_id: 'f1' }));
		expect(c.turn.kind).toBe('finalize');
		c.feed({ ...done, message_id: 'a1', message: 'Done', message_type: 'finalization' }, finalizing(false));
		expect(c.items()).toEqual([['ai', 'stored', 'Plan'], ['ai', 'stored', 'Done']]);
		expect(c.state.finalized).toBe(1);
	});

	it('reads the announcement with the history when the push has no id for it', () => {
		const c = ready([ai('a0', 'Plan')]).feed(status('waiting', { turn_id: 'f1' }), done);
		expect(c.ofType('restore_chat')).toHaveLength(2);
		c.restore([ai('a0', 'Plan'), ai('a1', 'Done')]);
		expect(c.items()).toEqual([['ai', 'stored', 'Plan'], ['ai', 'stored', 'Done']]);
	});

	it('that failed leaves the dialogue as it was', () => {
		const c = ready([ai('a0', 'Plan')]).feed(finalizing(true), status('waiting', { turn_id: 'f1' }),
			{ type: 'error', code: 'ai_unavailable', turn_id: 'f1', chat_id: CHAT, message: '' }, finalizing(false));
		expect(c.items()).toEqual([['ai', 'stored', 'Plan']]);
	});
});

describe('silence', () => {
	it('is broken by resume, then by a whole restore', () => {
		const c = ready().say('hello').feed(accepted(), delta(0, 'Hi')).pass(16_000);
		expect(c.ofType('resume')).toHaveLength(1);
		c.pass(16_000);
		expect(c.ofType('resume')).toHaveLength(2);
		expect(c.ofType('restore_chat')).toHaveLength(1);
		c.pass(16_000);
		expect(c.ofType('restore_chat').length).toBeGreaterThan(1);
		c.restore([user('u1', 'hello')]);
		expect(c.items().at(-1)[1]).toBe('interrupted');
	});
});

describe('errors without an address', () => {
	it('are kept to be shown once', () => {
		const c = ready().feed({ type: 'error', code: 'bad_frame', message: 'what?' });
		expect(c.state.refused).toMatchObject({ code: 'bad_frame', message: 'what?' });
		c.feed({ type: 'local.refused_seen' });
		expect(c.state.refused).toBe(null);
	});

	it('leave a running reply alone', () => {
		const c = ready().feed(delta(0, 'Hi'), { type: 'error', code: 'bad_frame', message: 'what?' }, delta(1, '!'));
		expect(c.items()).toEqual([['ai', 'streaming', 'Hi!']]);
	});
});

describe('another version of a reply', () => {
	const asked = () => {
		const c = ready([user('u1', 'hi'), { ...user('a1', 'first'), sender: 'ai', turn_id: 't0' }]);
		return c.feed({ type: 'local.regenerate', chatId: CHAT });
	};

	it('is asked for by the message, and takes its place when it is complete', () => {
		const c = asked();
		expect(c.ofType('regenerate')).toEqual([{ type: 'regenerate', chat_id: CHAT, message_id: 'a1' }]);
		c.feed(status('waiting'), delta(0, 'sec'));
		expect(c.texts()).toEqual(['hi', 'sec']);
		c.feed(response('second', { message_id: 'a2' }));
		expect(c.texts()).toEqual(['hi', 'second']);
		expect(c.chat.messages[1]).toMatchObject({ id: 'a2', generation: 2 });
	});

	it('leaves the old one when it fails', () => {
		const c = asked().feed(status('waiting'), { type: 'error', code: 'ai_unavailable', message: 'x', chat_id: CHAT, turn_id: TURN });
		expect(c.texts()).toEqual(['hi', 'first', '']);
		expect(c.turn.state).toBe('failed');
	});

	it('that another tab asked for takes the place too, and the history is read again', () => {
		const c = ready([user('u1', 'hi'), { ...user('a1', 'first'), sender: 'ai', turn_id: 't0' }]);
		c.feed(status('waiting'), delta(0, 'sec'), response('second', { message_id: 'a2' }));
		expect(c.texts()).toEqual(['hi', 'second']);
		expect(c.ofType('restore_chat')).toHaveLength(2);
	});

	it('is not asked for while a reply runs, nor of an announcement', () => {
		const c = ready([{ ...user('a1', 'done'), sender: 'ai', message_type: 'finalization' }]).feed({ type: 'local.regenerate', chatId: CHAT });
		expect(c.ofType('regenerate')).toEqual([]);
	});
});

describe('several chats', () => {
	it('restores the other chat when it is opened and keeps the first one', () => {
		const c = ready([user('u1', 'one'), ai('a1', 'two')]).feed({ type: 'local.open_chat', chatId: 'c2' });
		expect(c.ofType('restore_chat').at(-1).chat_id).toBe('c2');
		c.restore([], null, 'c2');
		expect(c.texts()).toEqual([]);
		c.feed({ type: 'local.open_chat', chatId: CHAT });
		expect(c.texts()).toEqual(['one', 'two']);
	});

	it('delivers what was left unsent in a chat that is not open', () => {
		const c = client().say('left over', 'm7', 'c2').open().restore([], null, 'c2');
		expect(c.messages()).toEqual([{ message: 'left over', client_message_id: 'm7', chat_id: 'c2' }]);
	});
});

it('changes nothing for a type it does not know', () => {
	const c = ready();
	const before = c.state;
	c.feed({ type: 'future_thing', chat_id: CHAT }, { type: 'toString' });
	expect(c.state).toBe(before);
});
