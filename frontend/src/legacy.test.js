import { describe, expect, it } from 'vitest';
import { forgetOldTracks, oldTracks, takeOver } from './legacy.js';

/* Object.keys of a Storage are its keys, and its methods are not among them. */
function storageWith(values) {
	return Object.create({
		getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; },
		removeItem(key) { delete this[key]; },
	}, Object.fromEntries(Object.entries(values).map(([key, value]) =>
		[key, { value, enumerable: true, configurable: true, writable: true }])));
}

const OLD = {
	auth_token: 'old',
	ailearning_user: '{"id":"u1","email":"a@b.de"}',
	ailearning_settings: '{"api_key":"sk-secret"}',
	learningConfig: '{"progressiveUnlock":false}',
	session_1: 's', chat_1: '[]', chat_id_1: 'c', module_chat_1_2: '{}',
	ailearning_tracks: '[{"id":"1","title":"Python","duration_hours":"12","difficulty_level":"x"},{"title":" "},null]',
	language: 'ru', theme: 'dark',
};

describe('what the original application left', () => {
	it('is read once and removed, no key of it stays', () => {
		const storage = storageWith(OLD);
		expect(takeOver(storage)).toMatchObject({ token: 'old', user: { id: 'u1' }, learning: { progressiveUnlock: false } });
		expect(Object.keys(storage).sort()).toEqual(['ailearning_tracks', 'language', 'theme']);
		expect(takeOver(storage)).toEqual({ token: null, user: null, learning: null });
	});

	it('may be damaged', () => {
		expect(takeOver(storageWith({ auth_token: 'x', ailearning_user: '{' }))).toEqual({ token: null, user: null, learning: null });
		expect(oldTracks(storageWith({ ailearning_tracks: '7' }), 'ru')).toEqual([]);
	});

	it('keeps tracks until they are imported or discarded, also one with a sample title or the id 1', () => {
		const storage = storageWith(OLD);
		expect(oldTracks(storage, 'ru')).toEqual([{
			title: 'Python', description: 'Python', difficulty_level: 'beginner', estimated_duration_hours: 12,
			user_expectations: '', language: 'ru',
		}]);
		expect(oldTracks(storage, 'ru', ['Python'])).toEqual([]);
		forgetOldTracks(storage);
		expect(oldTracks(storage, 'ru')).toEqual([]);
	});
});
