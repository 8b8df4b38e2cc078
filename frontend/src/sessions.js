/*
 * Open sessions of this page. A view acquires one and releases it; it stays
 * open a moment longer, so that drawing a view again (another language) or a
 * look at the neighbouring page does not drop the connection.
 */

const LINGER_MS = 3000;

/** open(sessionId, chatId): a session as in session.js */
export function createSessions(open) {
	const held = new Map();

	function drop(sessionId) {
		const entry = held.get(sessionId);

		clearTimeout(entry.timer);
		held.delete(sessionId);
		entry.session.close();
	}

	return {
		acquire(sessionId, chatId) {
			const entry = held.get(sessionId) ?? { session: open(sessionId, chatId), users: 0, timer: null };

			clearTimeout(entry.timer);
			entry.users += 1;
			held.set(sessionId, entry);
			if (chatId && entry.session.state().currentChatId !== chatId)
				entry.session.openChat(chatId);
			return entry.session;
		},
		release(session) {
			const entry = held.get(session.sessionId);

			/* closed already: somebody signed out */
			if (entry?.session !== session)
				return;
			entry.users -= 1;
			if (entry.users === 0)
				entry.timer = setTimeout(() => drop(session.sessionId), LINGER_MS);
		},
		closeAll() {
			for (const sessionId of [...held.keys()])
				drop(sessionId);
		},
	};
}
