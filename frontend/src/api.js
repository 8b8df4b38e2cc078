/*
 * The REST interface. Every call resolves with the parsed body or throws an
 * ApiError whose message may be shown as it is. Nothing here retries.
 */

const TIMEOUT_MS = 30_000;
/* Finalization is a whole model call; the server gives up first. */
const FINALIZE_TIMEOUT_MS = 330_000;

export class ApiError extends Error {
	/** kind: http | network | timeout | soft (200 with success:false) */
	constructor(kind, message, status = 0, body = null) {
		super(message);
		this.name = 'ApiError';
		this.kind = kind;
		this.status = status;
		this.body = body;
	}
}

function validationText(entry) {
	const field = Array.isArray(entry?.loc) ? entry.loc.slice(1).join('.') : '';

	return [field, entry?.msg].filter(Boolean).join(': ');
}

/** What to show for an error body: `message`, else `detail` in either of its forms, else ''. */
export function errorText(body) {
	if (typeof body?.message === 'string' && body.message)
		return body.message;
	if (typeof body?.detail === 'string')
		return body.detail;
	if (Array.isArray(body?.detail))
		return body.detail.map(validationText).filter(Boolean).join('; ');
	return '';
}

async function bodyOf(response) {
	const text = await response.text();

	try {
		return text ? JSON.parse(text) : null;
	} catch {
		return text;
	}
}

/**
 * fetch: the browser's; token(): bearer or null; language(): 'ru' | 'en';
 * texts: {network, timeout, server} functions giving the words for failures
 * without a body; onUnauthorized(): a call made with a token was refused.
 */
export function createApi({ fetch, token, language, texts, onUnauthorized }) {
	function headersFor(bearer, body, extra) {
		const headers = { Accept: 'application/json', 'Accept-Language': language(), ...extra };

		if (bearer)
			headers.Authorization = `Bearer ${bearer}`;
		if (body !== undefined)
			headers['Content-Type'] = 'application/json';
		return headers;
	}

	async function send(url, init) {
		try {
			const response = await fetch(url, init);
			return { response, body: await bodyOf(response) };
		} catch (error) {
			const timedOut = error?.name === 'TimeoutError';
			throw new ApiError(timedOut ? 'timeout' : 'network', timedOut ? texts.timeout() : texts.network());
		}
	}

	async function request(method, path, { body, headers, timeout = TIMEOUT_MS } = {}) {
		const bearer = token();
		const { response, body: answer } = await send(`/api${path}`, {
			method,
			headers: headersFor(bearer, body, headers),
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: 'same-origin',
			signal: AbortSignal.timeout(timeout),
		});

		if (response.ok)
			return answer;
		if (response.status === 401 && bearer)
			onUnauthorized();
		throw new ApiError('http', errorText(answer) || texts.server(response.status), response.status, answer);
	}

	const get = (path) => request('GET', path);
	const post = (path, body, options) => request('POST', path, { body, ...options });

	return {
		guestLogin: () => post('/auth/guest-login', {}),
		register: (person) => post('/auth/register', person),
		login: (credentials) => post('/auth/login', credentials),
		me: () => get('/auth/me'),
		tracks: () => get('/tracks'),
		track: (id) => get(`/tracks/${encodeURIComponent(id)}`),
		createTrack: (track, idempotencyKey) =>
			post('/tracks', track, { headers: { 'Idempotency-Key': idempotencyKey } }),
		chats: (sessionId) => get(`/chat/sessions/${encodeURIComponent(sessionId)}/chats`),
		createChat: (chat) => post('/chat/chats', chat),
		defaultConfig: () => get('/ai/default-config'),
		async finalize(order) {
			const answer = await post('/ai/finalize-course-plan', order, { timeout: FINALIZE_TIMEOUT_MS });
			if (!answer?.success)
				throw new ApiError('soft', answer?.error || texts.server(200), 200, answer);
			return answer;
		},
	};
}
