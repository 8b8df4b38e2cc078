/*
 * One WebSocket that keeps itself alive: reconnects with jitter, pings, and
 * gives up a connection that has gone silent. It knows nothing of dialogues.
 *
 * onState(state): connecting | open | reconnecting | offline | refused
 *   offline: the browser says there is no network; refused: the server wants
 *   no reconnect (close 1000, or 4401 for a lost sign-in)
 * onState(state, code): the same with the close code, when a connection ended
 * onFrame(frame): each JSON object received
 * onFailedOpen(): a connection ended before it opened; the browser does not
 *   say why, so the owner may check the sign-in another way
 */

const DELAY_MIN_MS = 250;
const DELAY_MAX_MS = 5000;
const PING_MS = 10_000;
const SILENCE_MS = 25_000;
const CONNECT_MS = 15_000;
const OPEN = 1;
const STAY_AWAY = new Set([1000, 4401]);

/** Full jitter over an exponential ceiling. */
export function reconnectDelay(failures, random) {
	const ceiling = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** failures);

	return DELAY_MIN_MS + random() * (ceiling - DELAY_MIN_MS);
}

function parseFrame(data) {
	try {
		const frame = JSON.parse(data);
		return typeof frame?.type === 'string' ? frame : null;
	} catch {
		/* not JSON: the same as a frame of an unknown type */
		return null;
	}
}

export function createSocket({
	url, onState, onFrame, onFailedOpen = () => {},
	WebSocket = globalThis.WebSocket, random = Math.random, now = () => performance.now(),
	isOnline = () => globalThis.navigator?.onLine !== false, network = globalThis,
}) {
	let ws = null;
	let failures = 0;
	let heardAt = 0;
	let openedOnce = false;
	let closed = false;
	let retryTimer = null;
	let beatTimer = null;

	function forget() {
		clearTimeout(retryTimer);
		clearInterval(beatTimer);
		if (ws) {
			ws.onopen = ws.onmessage = ws.onclose = ws.onerror = null;
			ws.close();
			ws = null;
		}
	}

	function beat() {
		const limit = ws.readyState === OPEN ? SILENCE_MS : CONNECT_MS;

		if (now() - heardAt > limit)
			return lost(1006);
		send({ type: 'ping', t: Math.round(now()) });
	}

	function send(frame) {
		if (ws?.readyState !== OPEN)
			return false;
		ws.send(JSON.stringify(frame));
		return true;
	}

	/* "offline" is only a word for people: a server on this machine answers all the same. */
	function waitingState() {
		if (!isOnline())
			return 'offline';
		return openedOnce || failures > 0 ? 'reconnecting' : 'connecting';
	}

	function connect() {
		forget();
		heardAt = now();
		let opened = false;

		onState(waitingState());
		ws = new WebSocket(url);
		ws.onopen = () => {
			opened = openedOnce = true;
			failures = 0;
			heardAt = now();
			onState('open');
		};
		ws.onmessage = ({ data }) => {
			heardAt = now();
			const frame = parseFrame(data);
			if (frame)
				onFrame(frame);
		};
		ws.onclose = ({ code }) => {
			lost(code);
			if (!opened)
				onFailedOpen();
		};
		beatTimer = setInterval(beat, PING_MS);
	}

	function lost(code) {
		forget();
		if (closed)
			return;
		if (STAY_AWAY.has(code)) {
			onState('refused', code);
			return;
		}
		failures += 1;
		onState(waitingState(), code);
		retryTimer = setTimeout(connect, reconnectDelay(failures, random));
	}

	const cameOnline = () => {
		if (ws?.readyState !== OPEN)
			connect();
	};
	const wentOffline = () => lost(1006);

	network.addEventListener?.('online', cameOnline);
	network.addEventListener?.('offline', wentOffline);

	return {
		connect,
		send,
		close() {
			closed = true;
			forget();
			network.removeEventListener?.('online', cameOnline);
			network.removeEventListener?.('offline', wentOffline);
		},
	};
}
