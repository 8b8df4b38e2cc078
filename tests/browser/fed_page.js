/* A planning page whose socket is the test program: what the server would say, said at will. */

import { Visitor } from "./lib.js";

/* An entry of a history, as the server sends it: even ones are the model's. */
export const message = (i, content) => ({
	id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`, sender: i % 2 ? "user" : "ai", content, message_type: "text",
	timestamp: new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString(), tokens_used: 100, ai_model_used: "demo",
});

/*
 * work: a signed-in person's, from screens.js. Resolves to the visitor, send(frame)
 * and raw(text), when the history is on the page; what the page sends goes to
 * onFrame(frame, send), pings are answered.
 */
export async function fedPage(browser, url, work, { history, onFrame = () => {}, options = {} }) {
	const visitor = await Visitor.enter(browser, url, options);
	const { chat_id, session_id } = work.track;
	let socket = null;
	const say = (frame) => socket.send(JSON.stringify({ chat_id, ...frame }));
	const connected = new Promise((resolve) => {
		visitor.page.routeWebSocket(/\/ws\/chat\//, (ws) => {
			socket = ws;
			ws.onMessage((data) => {
				const frame = JSON.parse(data);
				if (frame.type === "ping")
					say({ type: "pong", t: frame.t });
				else if (frame.type !== "restore_chat")
					onFrame(frame, say);
				else {
					say({
						type: "chat_restored", has_existing_chat: true, success: true, session_id, history,
						message_count: history.length, active_turn: null, chat_info: null,
					});
					resolve();
				}
			});
		});
	});

	await visitor.prefer({ hint_planning: "seen" });
	await visitor.signIn(work);
	await visitor.go(`/tracks/${work.track.id}/plan`);
	await connected;
	if (history.length > 0)
		await visitor.page.locator(".message").nth(history.length - 1).waitFor();
	return { visitor, send: say, raw: (text) => socket.send(text) };
}
