import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSession } from './session.js';

/* The part of Storage that is used. */
function memoryStorage() {
	const map = new Map();

	return {
		getItem: (key) => map.get(key) ?? null,
		setItem: (key, value) => map.set(key, String(value)),
		removeItem: (key) => map.delete(key),
	};
}

function fakeSocket() {
	const fake = { sent: [], up: false, closed: false, connects: 0 };

	fake.make = (hooks) => {
		fake.hooks = hooks;
		return {
			connect: () => { fake.connects += 1; },
			send(frame) {
				if (fake.up)
					fake.sent.push(frame);
				return fake.up;
			},
			close() { fake.closed = true; },
		};
	};
	fake.open = () => {
		fake.up = true;
		fake.hooks.onState('open');
	};
	fake.drop = (state = 'reconnecting', code) => {
		fake.up = false;
		fake.hooks.onState(state, code);
	};
	fake.say = (frame) => fake.hooks.onFrame(frame);
	return fake;
}

let opened;

function start({ storage = memoryStorage(), api = {}, language = () => undefined, trace = () => undefined, renew } = {}) {
	const socket = fakeSocket();
	const onUnauthorized = vi.fn();
	const session = openSession({
		sessionId: 's1', chatId: 'c1', storage, onUnauthorized, language, trace, renew, url: 'ws://x', socket: socket.make, now: () => Date.now(),
		api: { chats: vi.fn(async () => []), me: vi.fn(async () => ({})), createChat: vi.fn(), ...api },
	});
	opened.push(session);
	return { session, socket, storage, onUnauthorized };
}

const restored = (more) => ({ type: 'chat_restored', has_existing_chat: true, chat_id: 'c1', history: [], active_turn: null, ...more });

beforeEach(() => {
	opened = [];
	vi.useFakeTimers();
});
afterEach(() => {
	opened.forEach((s) => s.close());
	vi.useRealTimers();
});

describe('a session', () => {
	it('asks for its chat as soon as the socket opens', () => {
		const { socket } = start();
		socket.open();
		expect(socket.sent).toEqual([{ type: 'restore_chat', chat_id: 'c1', limit: 200 }]);
	});

	it('tells the server its language', () => {
		const { socket } = start({ language: () => 'en' });
		socket.open();
		expect(socket.sent[0].language).toBe('en');
	});

	it('begins a trace with each frame', () => {
		const { socket } = start({ trace: () => 'a trace' });
		socket.open();
		expect(socket.sent[0].traceparent).toBe('a trace');
	});

	it('keeps an unaccepted message through a reload and forgets it when accepted', () => {
		const storage = memoryStorage();
		const first = start({ storage });
		first.socket.open();
		first.socket.say(restored());
		first.session.submit('do not lose me');
		const { client_message_id: cmid } = first.socket.sent.at(-1);
		first.session.close();

		const second = start({ storage });
		second.socket.open();
		second.socket.say(restored());
		expect(second.socket.sent.at(-1)).toEqual({ message: 'do not lose me', client_message_id: cmid, chat_id: 'c1' });
		second.socket.say({ type: 'accepted', client_message_id: cmid, turn_id: 't1', chat_id: 'c1', message_id: 'u1' });
		expect(storage.getItem('outbox:s1')).toBe(null);
	});

	it('opens a new chat and puts it on the list', async () => {
		const chat = { id: 'c2', chat_name: 'Second', chat_type: 'discussion' };
		const { session, socket } = start({ api: { createChat: vi.fn(async () => chat) } });
		socket.open();
		await session.createChat({ name: 'Second', type: 'discussion' });
		expect(session.state().currentChatId).toBe('c2');
		expect(session.state().chats).toEqual([chat]);
		expect(socket.sent.at(-1)).toEqual({ type: 'restore_chat', chat_id: 'c2', limit: 200 });
	});

	it('reads what was said before, page by page, until nothing is older', async () => {
		const entry = (seq) => ({ id: `m${seq}`, seq, sender: 'user', content: `${seq}` });
		const history = vi.fn()
			.mockResolvedValueOnce({ history: [entry(2), entry(3)], older: 1 })
			.mockRejectedValueOnce(new Error('no'))
			.mockResolvedValueOnce({ history: [entry(1)], older: 0 });
		const { session, socket } = start({ api: { history } });
		const seqs = () => session.dialogue().messages.map((m) => m.seq);
		socket.open();
		socket.say(restored({ history: [entry(4), entry(5)], older: 3 }));
		await Promise.all([session.loadOlder(), session.loadOlder()]);
		expect(seqs()).toEqual([2, 3, 4, 5]);
		await expect(session.loadOlder()).rejects.toThrow('no');
		expect(session.dialogue()).toMatchObject({ older: 1, loadingOlder: false });
		await session.loadOlder();
		await session.loadOlder();
		expect(seqs()).toEqual([1, 2, 3, 4, 5]);
		expect(history.mock.calls.map(([chat, { before }]) => [chat, before])).toEqual([['c1', 4], ['c1', 2], ['c1', 2]]);
	});

	it('reads the list of chats when it opens and when the server says it changed', async () => {
		const chats = vi.fn(async () => []);
		const { socket } = start({ api: { chats } });
		socket.open();
		await vi.advanceTimersByTimeAsync(0);
		socket.say({ type: 'chat_updated', chat_id: 'c1', change: 'renamed' });
		await vi.advanceTimersByTimeAsync(0);
		expect(chats).toHaveBeenCalledTimes(2);
	});

	it('survives a list of chats that cannot be read', async () => {
		const { session, socket } = start({ api: { chats: async () => { throw new Error('down'); } } });
		socket.open();
		await vi.advanceTimersByTimeAsync(0);
		expect(session.state().chats).toEqual([]);
	});

	it('reports a lost sign-in that cannot be renewed, on close and on an error frame', async () => {
		const { socket, onUnauthorized } = start();
		socket.open();
		socket.drop('refused', 4401);
		await vi.advanceTimersByTimeAsync(6000);
		expect(onUnauthorized).toHaveBeenCalledTimes(1);
		socket.open();
		socket.say({ type: 'error', code: 'unauthorized', message: '' });
		await vi.advanceTimersByTimeAsync(0);
		expect(onUnauthorized).toHaveBeenCalledTimes(2);
	});

	it('renews the sign-in and connects again, once and not in circles', async () => {
		const { socket, onUnauthorized } = start({ renew: async () => true });
		socket.open();
		socket.drop('refused', 4401);
		await vi.advanceTimersByTimeAsync(0);
		expect(socket.connects).toBe(2);
		expect(onUnauthorized).not.toHaveBeenCalled();
		socket.drop('refused', 4401);
		await vi.advanceTimersByTimeAsync(0);
		expect(onUnauthorized).toHaveBeenCalledTimes(1);
	});

	it('does not take orders for local events from the wire', () => {
		const { session, socket } = start();
		socket.open();
		socket.say({ type: 'local.open_chat', chatId: 'evil' });
		expect(session.state().currentChatId).toBe('c1');
	});

	it('is quiet after close', () => {
		const { session, socket } = start();
		const heard = vi.fn();
		session.subscribe(heard);
		session.close();
		vi.advanceTimersByTime(60_000);
		expect(heard).not.toHaveBeenCalled();
		expect(socket.closed).toBe(true);
	});
});
