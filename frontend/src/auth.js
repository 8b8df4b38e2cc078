/*
 * Who is signed in. The access token lives in this tab's sessionStorage and
 * is short-lived; the refresh token is a cookie that scripts cannot read. What
 * stays in localStorage is only the id of the person, as a hint that asking
 * for a refresh makes sense, and to tell the other tabs who left.
 */

const TOKEN_KEY = 'auth_token';
const USER_KEY = 'auth_user';
const HINT_KEY = 'signed_in_as';
/* Two tabs that refresh at once would use one refresh token twice. */
const LOCK = 'auth-refresh';

function readUser(storage) {
	try {
		return JSON.parse(storage.getItem(USER_KEY));
	} catch {
		return null;
	}
}

function alone(locks, work) {
	return locks ? locks.request(LOCK, work) : work();
}

/**
 * storage: sessionStorage; shared: localStorage; renewNow(): asks the server
 * for a fresh token, rejects with an ApiError; locks: navigator.locks, absent
 * on a plain-http address.
 */
export function createAuth({ storage, shared, renewNow, locks = null }) {
	let token = storage.getItem(TOKEN_KEY);
	let user = token ? readUser(storage) : null;
	let renewing = null;

	function setUser(person) {
		user = person;
		storage.setItem(USER_KEY, JSON.stringify(user));
	}

	function save(answer) {
		token = answer.access_token;
		storage.setItem(TOKEN_KEY, token);
		setUser(answer.user);
		shared.setItem(HINT_KEY, user.id);
	}

	function forget() {
		token = null;
		user = null;
		storage.removeItem(TOKEN_KEY);
		storage.removeItem(USER_KEY);
		shared.removeItem(HINT_KEY);
	}

	/* The server has the last word: only its refusal ends the sign-in, never a lost network. */
	async function renewOnce() {
		try {
			const answer = await alone(locks, renewNow);
			if (user && answer.user.id !== user.id)
				return false;
			save(answer);
			return true;
		} catch (error) {
			if (error.status >= 400 && error.status < 500 && error.status !== 429)
				return false;
			throw error;
		}
	}

	return {
		token: () => token,
		user: () => user,
		isSignedIn: () => token !== null,
		/** Signed in on this browser, though not in this tab yet. */
		mayBeSignedIn: () => token === null && shared.getItem(HINT_KEY) !== null,
		save,
		setUser,
		/** true: there is a fresh token; false: one has to sign in again. Rejects when nobody can tell. */
		renew() {
			renewing ??= renewOnce().finally(() => { renewing = null; });
			return renewing;
		},
		/** The session ran out: what was typed and not sent stays in this tab. */
		expire: forget,
		/** The person leaves: nothing of theirs stays in this tab. */
		signOut() {
			/* an empty name tells the other tabs that this is no mere expiry */
			shared.setItem(HINT_KEY, '');
			forget();
			storage.clear();
		},
		/** left(): another tab of this browser signed out, or in as somebody else. */
		onElsewhere(left, target = globalThis) {
			target.addEventListener('storage', (event) => {
				if (event.key === HINT_KEY && token !== null && event.newValue !== null && event.newValue !== user?.id)
					left();
			});
		},
	};
}
