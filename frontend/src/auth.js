/*
 * Who is signed in, for the life of this tab. The token stays out of
 * localStorage: closing the tab forgets it. The socket is authenticated by an
 * HttpOnly cookie the server sets itself.
 */

const TOKEN_KEY = 'auth_token';
const USER_KEY = 'auth_user';

function readUser(storage) {
	try {
		return JSON.parse(storage.getItem(USER_KEY));
	} catch {
		return null;
	}
}

export function createAuth(storage) {
	let token = storage.getItem(TOKEN_KEY);
	let user = token ? readUser(storage) : null;

	return {
		token: () => token,
		user: () => user,
		isSignedIn: () => token !== null,
		save(answer) {
			token = answer.access_token;
			user = answer.user;
			storage.setItem(TOKEN_KEY, token);
			storage.setItem(USER_KEY, JSON.stringify(user));
		},
		/** The session ran out: what was typed and not sent stays in this tab. */
		expire() {
			token = null;
			user = null;
			storage.removeItem(TOKEN_KEY);
			storage.removeItem(USER_KEY);
		},
		/** The person leaves: nothing of theirs stays in this tab. */
		signOut() {
			token = null;
			user = null;
			storage.clear();
		},
	};
}
