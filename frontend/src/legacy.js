/*
 * What the original application left in localStorage. It is read once: the
 * sign-in and the learning switches are taken over, keys and copies of
 * dialogues are removed. Its tracks exist nowhere else, so they stay until
 * the person imports or discards them.
 */

const TRACKS = 'ailearning_tracks';
const OLD = /^(auth_token|ailearning_(user|settings)|learningConfig|session_.+|chat_.+|chat_id_.+|module_chat_.+)$/;
const LEVELS = ['beginner', 'intermediate', 'advanced'];
const TITLE_MAX = 255;
const TEXT_MAX = 8000;
const HOURS_MAX = 500;

function readJson(storage, key) {
	try {
		return JSON.parse(storage.getItem(key));
	} catch {
		return null;
	}
}

/** {token, user, learning}: each null when it is not there. The old keys are gone afterwards. */
export function takeOver(storage) {
	const token = storage.getItem('auth_token');
	const user = readJson(storage, 'ailearning_user');
	const learning = readJson(storage, 'learningConfig');

	for (const key of Object.keys(storage).filter((name) => OLD.test(name)))
		storage.removeItem(key);
	return { token: token && user?.id ? token : null, user: token && user?.id ? user : null, learning };
}

const text = (value, max) => (typeof value === 'string' ? [...value.trim()].slice(0, max).join('') : '');

function orderOf(track, language) {
	const hours = Math.round(Number(track.duration_hours ?? track.estimated_duration_hours));

	return {
		title: text(track.title, TITLE_MAX),
		description: text(track.description, TEXT_MAX) || text(track.title, TITLE_MAX),
		difficulty_level: LEVELS.includes(track.difficulty_level) ? track.difficulty_level : 'beginner',
		estimated_duration_hours: Math.min(HOURS_MAX, Math.max(1, Number.isFinite(hours) ? hours : 1)),
		user_expectations: text(track.expectations ?? track.user_expectations, TEXT_MAX),
		language,
	};
}

/** Tracks of the old application as orders for createTrack. known: titles that the account has already. */
export function oldTracks(storage, language, known = []) {
	const list = readJson(storage, TRACKS);
	const titles = new Set(known);

	return Array.isArray(list)
		? list.filter((track) => track && text(track.title, TITLE_MAX)).map((track) => orderOf(track, language))
			.filter((order) => !titles.has(order.title))
		: [];
}

export function forgetOldTracks(storage) {
	storage.removeItem(TRACKS);
}
