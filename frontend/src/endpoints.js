/* Every call of the interface by its name; see docs/contract.md for what goes in and comes out. */

/* A whole model call; the server gives up first. */
const MODEL_TIMEOUT_MS = 330_000;
const TEST_TIMEOUT_MS = 60_000;

const id = encodeURIComponent;

function query(values) {
	const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');

	return set.length ? `?${new URLSearchParams(set)}` : '';
}

function accountCalls({ request }) {
	const get = (path) => request('GET', path);
	const post = (path, body, options) => request('POST', path, { body, ...options });

	return {
		guestLogin: () => post('/auth/guest-login', {}, { anonymous: true }),
		/* guest_token among them: what that guest made is theirs from now on */
		register: (person) => post('/auth/register', person, { anonymous: true }),
		login: (credentials) => post('/auth/login', credentials, { anonymous: true }),
		renewToken: () => post('/auth/refresh', {}, { anonymous: true }),
		logout: (everywhere) => post('/auth/logout', { everywhere }),
		me: () => get('/auth/me'),
		saveName: (names) => request('PATCH', '/auth/me', { body: names }),
		changePassword: (passwords) => post('/auth/password', passwords),
		resetPassword: (wish) => post('/auth/reset-password', wish, { anonymous: true }),
		deleteAccount: (password) => request('DELETE', '/auth/me', { body: password ? { password } : undefined }),
		exportData: () => get('/auth/me/export'),
		users: (search) => get(`/admin/users${query(search)}`),
		setUserActive: (userId, active) => request('PUT', `/admin/users/${id(userId)}/active`, { body: { is_active: active } }),
		/* {token, expires_at}: answered this once */
		createPasswordReset: (userId) => post(`/admin/users/${id(userId)}/password-reset`, undefined),
		analytics: () => get('/analytics'),
	};
}

function trackCalls({ request }) {
	const get = (path) => request('GET', path);

	return {
		tracks: () => get('/tracks'),
		track: (trackId) => get(`/tracks/${id(trackId)}`),
		createTrack: (track, idempotencyKey) =>
			request('POST', '/tracks', { body: track, headers: { 'Idempotency-Key': idempotencyKey } }),
		updateTrack: (trackId, changes) => request('PUT', `/tracks/${id(trackId)}`, { body: changes }),
		deleteTrack: (trackId) => request('DELETE', `/tracks/${id(trackId)}`),
		lessons: (moduleId) => get(`/modules/${id(moduleId)}/lessons`),
		lesson: (lessonId) => get(`/lessons/${id(lessonId)}`),
		setLessonStatus: (lessonId, status) => request('PUT', `/lessons/${id(lessonId)}`, { body: { status } }),
	};
}

function chatCalls({ request }) {
	const get = (path) => request('GET', path);

	return {
		chats: (sessionId) => get(`/chat/sessions/${id(sessionId)}/chats`),
		createChat: (chat) => request('POST', '/chat/chats', { body: chat }),
		renameChat: (chatId, name) => request('PATCH', `/chat/chats/${id(chatId)}`, { body: { chat_name: name } }),
		setChatStatus: (chatId, status) => request('PUT', `/chat/chats/${id(chatId)}/status${query({ status })}`),
		deleteChat: (chatId) => request('DELETE', `/chat/chats/${id(chatId)}`),
		restoreChat: (chatId) => request('POST', `/chat/chats/${id(chatId)}/restore`),
		/* versions_of among the queries: all versions of that reply instead */
		history: (chatId, page = {}) => get(`/chat/chats/${id(chatId)}/history${query(page)}`),
		chatUsage: (chatId) => get(`/chat/chats/${id(chatId)}/usage`),
	};
}

function modelCalls({ open, request, strict }) {
	const ask = (path, body, options) => strict('POST', path, { body, timeout: MODEL_TIMEOUT_MS, ...options });

	const stream = (path, body, signal) => open('POST', path, { body, signal, headers: { Accept: 'text/event-stream' } });

	return {
		defaultConfig: () => request('GET', '/ai/default-config'),
		userConfig: () => request('GET', '/ai/user-config'),
		saveUserConfig: (config) => request('PUT', '/ai/user-config', { body: config }),
		/* its failure is an answer of its own */
		testConnection: (config) => request('POST', '/ai/test-connection', { body: config, timeout: TEST_TIMEOUT_MS }),
		finalize: (order) => ask('/ai/finalize-course-plan', order),
		/** The response, whose body streams server-sent events, or is the answer when there is nothing to wait for. */
		startModule: (order, signal) => stream('/ai/module-learning-start', order, signal),
		completeModule: (order) => ask('/ai/module-complete', order),
		/** As startModule. */
		generateLesson: (order, signal) => stream('/ai/generate-lesson', order, signal),
	};
}

export function endpoints(caller) {
	return { ...accountCalls(caller), ...trackCalls(caller), ...chatCalls(caller), ...modelCalls(caller) };
}
