import { describe, expect, it, vi } from 'vitest';
import { ApiError, createApi, errorField, errorText } from './api.js';

const texts = { network: () => 'no network', timeout: () => 'too slow', server: (status) => `status ${status}` };

function answering(status, body, renew = async () => false) {
	const calls = [];
	const onUnauthorized = vi.fn();
	let token = 'tok';
	const api = createApi({
		fetch: async (url, init) => {
			calls.push({ url, ...init });
			const code = typeof status === 'function' ? status(init) : status;
			return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status: code });
		},
		token: () => token,
		renew: async () => {
			const good = await renew();
			token = good ? 'fresh' : token;
			return good;
		},
		language: () => 'ru',
		texts,
		onUnauthorized,
	});
	return { api, calls, onUnauthorized };
}

describe('errorText', () => {
	it.each([
		[{ message: 'first', detail: 'second' }, 'first'],
		[{ detail: 'second' }, 'second'],
		[{ detail: [{ loc: ['body', 'email'], msg: 'bad', type: 'x' }, { loc: ['body'], msg: 'worse' }] }, 'email: bad; worse'],
		[{ detail: 7 }, ''],
		[null, ''],
		['Internal Server Error', ''],
	])('reads %j', (body, text) => expect(errorText(body)).toBe(text));
});

describe('the api', () => {
	it('sends the bearer, the language and JSON', async () => {
		const { api, calls } = answering(200, { id: 't1' });
		await api.createTrack({ title: 'C' }, 'key-1');
		expect(calls[0]).toMatchObject({
			url: '/api/tracks', method: 'POST', body: '{"title":"C"}',
			headers: { Authorization: 'Bearer tok', 'Accept-Language': 'ru', 'Content-Type': 'application/json', 'Idempotency-Key': 'key-1' },
		});
		expect(calls[0].headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
	});

	it('puts the words of the server into the error', async () => {
		const { api, onUnauthorized } = answering(422, { message: 'title: too long' });
		await expect(api.tracks()).rejects.toMatchObject({ kind: 'http', status: 422, message: 'title: too long' });
		expect(onUnauthorized).not.toHaveBeenCalled();
	});

	it('has words for an answer that is not JSON', async () => {
		await expect(answering(500, 'Internal Server Error').api.tracks()).rejects.toThrow('status 500');
	});

	it('reports a token that is no longer good', async () => {
		const { api, onUnauthorized } = answering(401, { detail: 'expired' });
		await expect(api.tracks()).rejects.toThrow('expired');
		expect(onUnauthorized).toHaveBeenCalledTimes(1);
	});

	it('renews a token that ran out and asks once more, without a word', async () => {
		const renew = vi.fn(async () => true);
		const { api, calls, onUnauthorized } = answering((init) => (init.headers.Authorization === 'Bearer fresh' ? 200 : 401), { id: 'x' }, renew);
		await expect(api.track('1')).resolves.toEqual({ id: 'x' });
		expect(calls.map((call) => call.headers.Authorization)).toEqual(['Bearer tok', 'Bearer fresh']);
		expect([renew.mock.calls.length, onUnauthorized.mock.calls.length]).toEqual([1, 0]);
	});

	it('keeps the sign-in when nobody can tell whether it is good', async () => {
		const { api, onUnauthorized } = answering(401, { detail: 'expired' }, async () => { throw new ApiError('network', 'no network'); });
		await expect(api.tracks()).rejects.toThrow('no network');
		expect(onUnauthorized).not.toHaveBeenCalled();
	});

	it('asks for a new token without the old one', async () => {
		const { api, calls } = answering(200, {});
		await api.renewToken();
		expect(calls[0].headers.Authorization).toBe(undefined);
	});

	it('leaves out what is no text in a 422', async () => {
		const { api } = answering(422, { detail: [null, { loc: ['body', {}], msg: {} }, { loc: ['body', 'hours'], msg: 'too many' }] });
		expect((await api.tracks().catch((error) => error)).message).toBe('hours: too many');
	});

	it('finds the field that a 422 names', async () => {
		const { api } = answering(422, { detail: [{ loc: ['body', 'title'], msg: 'too long', type: 'x' }], message: 'title: too long' });
		expect(errorField(await api.tracks().catch((error) => error))).toBe('title');
		expect(errorField(new Error('x'))).toBe('');
	});

	it('treats success:false of a finalization as an error', async () => {
		const { api } = answering(200, { success: false, error: 'no plan yet' });
		await expect(api.finalize({})).rejects.toMatchObject({ kind: 'soft', message: 'no plan yet' });
	});

	it('tells a dead network from a slow one', async () => {
		const failing = (error) => createApi({
			fetch: async () => { throw error; }, token: () => null, language: () => 'en', texts, onUnauthorized: () => {},
		});
		await expect(failing(new TypeError('x')).tracks()).rejects.toThrow('no network');
		await expect(failing(new DOMException('x', 'TimeoutError')).tracks()).rejects.toThrow('too slow');
		await expect(failing(new TypeError('x')).tracks()).rejects.toBeInstanceOf(ApiError);
	});
});
