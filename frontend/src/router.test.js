import { describe, expect, it } from 'vitest';
import { findRoute, matchPath, safePath } from './router.js';

describe('matchPath', () => {
	it.each([
		['/', '/', {}],
		['/tracks', '/tracks', {}],
		['/tracks', '/tracks/', {}],
		['/tracks/:id', '/tracks/7', { id: '7' }],
		['/tracks/:id/plan', '/tracks/a%20b/plan', { id: 'a b' }],
		['/tracks/:id', '/tracks/%', { id: '%' }],
		['/tracks/:id', '/tracks', null],
		['/tracks/:id', '/tracks/7/plan', null],
		['/auth', '/tracks', null],
	])('%s against %s', (pattern, path, params) => expect(matchPath(pattern, path)).toEqual(params));
});

it('the first matching route wins: the form before any track', () => {
	const routes = [{ path: '/tracks/new' }, { path: '/tracks/:id' }];
	expect(findRoute(routes, '/tracks/new').route).toBe(routes[0]);
	expect(findRoute(routes, '/tracks/x').params).toEqual({ id: 'x' });
	expect(findRoute(routes, '/nowhere')).toBe(null);
});

it('a path to come back to never leaves the application', () => {
	expect(safePath('/tracks/7?chat=1', '/tracks')).toBe('/tracks/7?chat=1');
	for (const bad of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', null])
		expect(safePath(bad, '/tracks')).toBe('/tracks');
});
