/*
 * What a person typed and the server does not have yet, kept in this tab's
 * sessionStorage so that a reload loses nothing: the draft of each chat, the
 * draft of a form, and the messages not accepted yet.
 */

function readJson(storage, key, fallback) {
	const text = storage.getItem(key);

	try {
		return text === null ? fallback : JSON.parse(text);
	} catch {
		/* damaged by hand; nothing in it can be used */
		storage.removeItem(key);
		return fallback;
	}
}

/* A full storage must not stop the typing: the text is still on the screen. */
function write(storage, key, text) {
	try {
		if (text)
			storage.setItem(key, text);
		else
			storage.removeItem(key);
		return true;
	} catch {
		return false;
	}
}

const outboxKey = (sessionId) => `outbox:${sessionId}`;
const draftKey = (name) => `draft:${name}`;

export function loadOutbox(storage, sessionId) {
	const list = readJson(storage, outboxKey(sessionId), []);

	return Array.isArray(list) ? list.filter((x) => x?.cmid && x.chatId && x.text) : [];
}

export function saveOutbox(storage, sessionId, state) {
	const list = Object.values(state.dialogues).flatMap((d) =>
		d.outbox.map(({ cmid, text, timestamp }) => ({ cmid, text, timestamp, chatId: d.chatId })));

	return write(storage, outboxKey(sessionId), list.length ? JSON.stringify(list) : '');
}

export function loadDraft(storage, name) {
	return storage.getItem(draftKey(name)) ?? '';
}

export function saveDraft(storage, name, text) {
	return write(storage, draftKey(name), text);
}

export function loadForm(storage, name) {
	return readJson(storage, draftKey(name), {});
}

export function saveForm(storage, name, values) {
	return write(storage, draftKey(name), values ? JSON.stringify(values) : '');
}
