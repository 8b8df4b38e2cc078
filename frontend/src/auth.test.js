import { describe, expect, it, vi } from 'vitest';
import { createAuth } from './auth.js';

function memory(values = {}) {
	const map = new Map(Object.entries(values));

	return {
		map,
		getItem: (key) => map.get(key) ?? null,
		setItem: (key, value) => map.set(key, String(value)),
		removeItem: (key) => map.delete(key),
		clear: () => map.clear(),
	};
}

const answer = (id, access_token = 'tok') => ({ access_token, refresh_token: 'r', user: { id } });

function start({ storage = memory(), shared = memory(), renewNow = async () => answer('u1', 'fresh') } = {}) {
	return { storage, shared, auth: createAuth({ storage, shared, renewNow }) };
}

describe('who is signed in', () => {
	it('is known after a reload, and no token is kept beyond the tab', () => {
		const { auth, storage, shared } = start();
		auth.save(answer('u1'));
		expect([...shared.map]).toEqual([['signed_in_as', 'u1']]);
		expect([...storage.map.values()].join()).not.toContain('"r"');
		const again = createAuth({ storage, shared, renewNow: async () => null });
		expect([again.token(), again.user().id]).toEqual(['tok', 'u1']);
	});

	it('is found out in a new tab by renewing', async () => {
		const { auth } = start({ shared: memory({ signed_in_as: 'u1' }) });
		expect(auth.mayBeSignedIn()).toBe(true);
		expect(await auth.renew()).toBe(true);
		expect([auth.token(), auth.mayBeSignedIn()]).toEqual(['fresh', false]);
	});

	it('renews once for all who ask at the same time', async () => {
		const renewNow = vi.fn(async () => answer('u1', 'fresh'));
		const { auth } = start({ renewNow });
		auth.save(answer('u1'));
		expect(await Promise.all([auth.renew(), auth.renew()])).toEqual([true, true]);
		expect(renewNow).toHaveBeenCalledTimes(1);
	});

	it('ends by the server\'s refusal only, never by a dead network', async () => {
		const failing = (status) => start({ renewNow: async () => { throw Object.assign(new Error('x'), { status }); } }).auth;
		expect(await failing(401).renew()).toBe(false);
		await expect(failing(0).renew()).rejects.toThrow('x');
		await expect(failing(503).renew()).rejects.toThrow('x');
	});

	it('never changes into somebody else under the same page', async () => {
		const { auth } = start({ renewNow: async () => answer('u2', 'fresh') });
		auth.save(answer('u1'));
		expect(await auth.renew()).toBe(false);
		expect(auth.token()).toBe('tok');
	});

	it('leaves nothing in the tab on sign-out, and keeps what was typed when it only ran out', () => {
		const { auth, storage, shared } = start();
		auth.save(answer('u1'));
		storage.setItem('draft:c1', 'text');
		auth.expire();
		expect(storage.getItem('draft:c1')).toBe('text');
		auth.save(answer('u1'));
		auth.signOut();
		expect([storage.map.size, shared.map.size]).toEqual([0, 0]);
	});

	it('ends here when another tab signs out', () => {
		const { auth } = start();
		const target = new EventTarget();
		const left = vi.fn();
		auth.save(answer('u1'));
		auth.onElsewhere(left, target);
		target.dispatchEvent(Object.assign(new Event('storage'), { key: 'signed_in_as', newValue: 'u1' }));
		target.dispatchEvent(Object.assign(new Event('storage'), { key: 'other', newValue: null }));
		expect(left).not.toHaveBeenCalled();
		target.dispatchEvent(Object.assign(new Event('storage'), { key: 'signed_in_as', newValue: null }));
		expect(left, 'only ran out: what is typed there stays').not.toHaveBeenCalled();
		target.dispatchEvent(Object.assign(new Event('storage'), { key: 'signed_in_as', newValue: '' }));
		expect(left).toHaveBeenCalledTimes(1);
	});
});
