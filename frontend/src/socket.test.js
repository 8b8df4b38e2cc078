import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSocket, reconnectDelay } from './socket.js';

let made;

class FakeWebSocket {
	readyState = 0;
	sent = [];

	constructor(url) {
		this.url = url;
		made.push(this);
	}

	open() {
		this.readyState = 1;
		this.onopen();
	}

	say(frame) {
		this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
	}

	end(code) {
		this.readyState = 3;
		this.onclose?.({ code });
	}

	send(text) {
		this.sent.push(JSON.parse(text));
	}

	close() {
		this.readyState = 3;
	}
}

function start(more) {
	const seen = { states: [], frames: [], failedOpens: 0 };
	const network = new EventTarget();
	const socket = createSocket({
		url: 'ws://x/ws/chat/s1',
		WebSocket: FakeWebSocket,
		random: () => 0.5,
		now: () => Date.now(),
		isOnline: () => true,
		network,
		onState: (state, code) => seen.states.push(state === 'refused' ? `${state} ${code}` : state),
		onFrame: (frame) => seen.frames.push(frame),
		onFailedOpen: () => { seen.failedOpens += 1; },
		...more,
	});
	socket.connect();
	return { socket, seen, network, last: () => made.at(-1) };
}

beforeEach(() => {
	made = [];
	vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('reconnectDelay', () => {
	it('stays between a quarter second and five seconds, whatever the luck', () => {
		for (let failures = 1; failures < 40; failures++) {
			for (const luck of [0, 0.5, 0.999]) {
				const delay = reconnectDelay(failures, () => luck);
				expect(delay).toBeGreaterThanOrEqual(250);
				expect(delay).toBeLessThanOrEqual(5000);
			}
		}
		expect(reconnectDelay(30, () => 1)).toBe(5000);
	});
});

describe('a socket', () => {
	it('passes frames on, and drops what is no JSON object with a type', () => {
		const { seen, last } = start();
		last().open();
		last().say({ type: 'pong' });
		last().say('not json');
		last().say('null');
		last().say('{"type":["pong"]}');
		expect(seen.states).toEqual(['connecting', 'open']);
		expect(seen.frames).toEqual([{ type: 'pong' }]);
	});

	it('sends only while it is open, and says whether it did', () => {
		const { socket, last } = start();
		expect(socket.send({ a: 1 })).toBe(false);
		last().open();
		expect(socket.send({ a: 1 })).toBe(true);
		expect(last().sent).toEqual([{ a: 1 }]);
	});

	it('reconnects after a loss, each time a little later, and starts over after a success', () => {
		const { seen, last } = start();
		last().open();
		last().end(1006);
		expect(seen.states.at(-1)).toBe('reconnecting');
		vi.advanceTimersByTime(374);
		expect(made).toHaveLength(1);
		vi.advanceTimersByTime(1);
		expect(made).toHaveLength(2);
		last().end(1006);
		vi.advanceTimersByTime(624);
		expect(made).toHaveLength(2);
		vi.advanceTimersByTime(1);
		expect(made).toHaveLength(3);
		last().open();
		last().end(1012);
		vi.advanceTimersByTime(375);
		expect(made).toHaveLength(4);
	});

	it('tells when a connection ended before it opened', () => {
		const { seen, last } = start();
		last().end(1006);
		expect(seen.failedOpens).toBe(1);
		vi.advanceTimersByTime(375);
		last().open();
		last().end(1006);
		expect(seen.failedOpens).toBe(1);
	});

	it.each([1000, 4401])('stays away when the server closes with %i', (code) => {
		const { seen, last } = start();
		last().open();
		last().end(code);
		vi.advanceTimersByTime(60_000);
		expect(made).toHaveLength(1);
		expect(seen.states.at(-1)).toBe(`refused ${code}`);
	});

	it('pings, and gives up a connection that is silent for 25 s', () => {
		const { seen, last } = start();
		last().open();
		vi.advanceTimersByTime(10_000);
		expect(last().sent).toMatchObject([{ type: 'ping' }]);
		vi.advanceTimersByTime(20_000);
		expect(seen.states.at(-1)).toBe('reconnecting');
		vi.advanceTimersByTime(1000);
		expect(made).toHaveLength(2);
	});

	it('is content with a server that answers its pings', () => {
		const { last } = start();
		last().open();
		for (let i = 0; i < 10; i++) {
			vi.advanceTimersByTime(10_000);
			last().say({ type: 'pong' });
		}
		expect(made).toHaveLength(1);
	});

	it('connects at once when the network comes back', () => {
		const { network, last } = start({ random: () => 1 });
		last().open();
		network.dispatchEvent(new Event('offline'));
		network.dispatchEvent(new Event('online'));
		expect(made).toHaveLength(2);
		vi.advanceTimersByTime(60_000 / 60);
		expect(made).toHaveLength(2);
	});

	it('says offline while the browser has no network', () => {
		const { seen, network, last } = start({ isOnline: () => false });
		last().open();
		network.dispatchEvent(new Event('offline'));
		expect(seen.states.at(-1)).toBe('offline');
	});

	it('is gone after close', () => {
		const { socket, last } = start();
		last().open();
		const ws = last();
		socket.close();
		ws.end(1006);
		vi.advanceTimersByTime(60_000);
		expect(made).toHaveLength(1);
		expect(ws.readyState).toBe(3);
	});
});
