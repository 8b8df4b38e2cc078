/*
 * The REST interface. Every call resolves with the parsed body or throws an
 * ApiError whose message may be shown as it is. Nothing here retries, except
 * that a call refused with 401 is made once more with a renewed token.
 */

import { endpoints } from './endpoints.js';
import { traceparent } from './trace.js';

const TIMEOUT_MS = 30_000;

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
	const field = Array.isArray(entry?.loc) ? entry.loc.slice(1).filter((part) => typeof part !== 'object').join('.') : '';
	const words = typeof entry?.msg === 'string' ? entry.msg : '';

	return words && [field, words].filter(Boolean).join(': ');
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

/** The name of the field that a 422 complains about first, or ''. */
export function errorField(error) {
	const entry = Array.isArray(error?.body?.detail) ? error.body.detail[0] : null;
	const name = Array.isArray(entry?.loc) ? entry.loc.at(-1) : '';

	return typeof name === 'string' ? name : '';
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
 * without a body; renew(): a promise of whether there is a new token;
 * onUnauthorized(): the sign-in is lost.
 */
export function createApi({ fetch, token, language, texts, renew, onUnauthorized }) {
	function headersFor(bearer, body, extra) {
		const headers = { Accept: 'application/json', 'Accept-Language': language(), traceparent: traceparent(), ...extra };

		if (bearer)
			headers.Authorization = `Bearer ${bearer}`;
		if (body !== undefined)
			headers['Content-Type'] = 'application/json';
		return headers;
	}

	async function send(url, init) {
		try {
			return await fetch(url, init);
		} catch (error) {
			if (error?.name === 'AbortError')
				throw error;
			const timedOut = error?.name === 'TimeoutError';
			throw new ApiError(timedOut ? 'timeout' : 'network', timedOut ? texts.timeout() : texts.network());
		}
	}

	/* A lost sign-in is told by false; a network that is down while asking is an error of its own. */
	async function renewed(bearer) {
		if (token() !== bearer)
			return token() !== null;
		return renew();
	}

	async function attempt(method, path, { body, headers, signal, timeout = TIMEOUT_MS, bearer }) {
		return send(`/api${path}`, {
			method,
			headers: headersFor(bearer, body, headers),
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: 'same-origin',
			signal: signal ?? AbortSignal.timeout(timeout),
		});
	}

	/** The response itself, for streams; one that is not ok is thrown as an ApiError. */
	async function open(method, path, options = {}) {
		const bearer = options.anonymous ? null : token();
		let response = await attempt(method, path, { ...options, bearer });

		if (response.status === 401 && bearer) {
			if (await renewed(bearer))
				response = await attempt(method, path, { ...options, bearer: token() });
			else
				onUnauthorized();
		}
		if (response.ok)
			return response;
		const answer = await bodyOf(response);
		throw new ApiError('http', errorText(answer) || texts.server(response.status), response.status, answer);
	}

	async function request(method, path, options) {
		const response = await open(method, path, options);

		try {
			return await bodyOf(response);
		} catch {
			throw new ApiError('network', texts.network());
		}
	}

	/* 200 with success:false is a failure like any other. */
	async function strict(method, path, options) {
		const answer = await request(method, path, options);

		if (!answer?.success)
			throw new ApiError('soft', answer?.error || texts.server(200), 200, answer);
		return answer;
	}

	return endpoints({ open, request, strict });
}
