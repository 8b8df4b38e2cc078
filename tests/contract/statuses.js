/*
 * How a status is brought about where openapi.test.js has no rule for it: by
 * operation and status, (world, operation, headers) => answer.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { Daemon } from "../lib/daemon.js";
import { claimPorts } from "../lib/ports.js";
import { Rest } from "../lib/rest.js";
import { until } from "../lib/until.js";
import { checkAnswer, operation } from "./spec.js";
import { requestFor, send, uuidOf } from "./world.js";

const fresh = (w) => new Rest(w.stack.url);
const email = () => `${randomUUID()}@example.org`;
const PASSWORD = "correct horse 1";

/* With a body of its own, as the world's user. */
const body = (make) => (w, op, headers) => {
	const request = requestFor(op, w.user.things, (p) => {
		p.body = { ...p.body, ...make(w) };
	});

	return send(w.user, { ...request, headers: { ...request.headers, ...headers } });
};

/* With these arguments of the query. */
const query = (values) => (w, op, headers) => {
	const request = requestFor(op, w.user.things, (p) => Object.assign(p.query, values));

	return send(w.user, { ...request, headers: { ...request.headers, ...headers } });
};

/* On something made for it: others need what the world has. */
const onTrack = async (w, op) => send(w.user, requestFor(op, { track: (await w.user.createTrack()).id }));
const onChat = async (w, op) => {
	const chat = await w.user.ok("POST", "/api/chat/chats", { session_id: w.user.things.session, chat_type: "discussion" });

	return send(w.user, requestFor(op, { chat: chat.id }));
};

/* From an address whose allowance is used up by nobody else. */
function from(address, rest, { method, path, body: content, headers }) {
	return new Promise((resolve, reject) => {
		const bytes = Buffer.from(content === undefined ? "" : JSON.stringify(content));
		const out = httpRequest(rest.url + path, { method, localAddress: address, agent: false,
			headers: { "content-type": "application/json", "content-length": bytes.length, ...headers } });

		out.once("error", reject);
		out.once("response", async (answer) => {
			const text = (await answer.toArray()).join("");

			resolve({ status: answer.statusCode, headers: new Headers(answer.headers), text, body: JSON.parse(text) });
		});
		out.end(bytes);
	});
}

let addresses = 10;
const usedUp = new Map();	/* by operation: an address that has had its minute's allowance */
const ALLOWANCE = 24;	/* more than LOGIN_RATE_PER_MINUTE and GUEST_RATE_PER_MINUTE of openapi.test.js */

/* More requests from one address than a minute's allowance. */
const tooOften = (make = () => undefined) => async (w, op, headers) => {
	if (!usedUp.has(op.id))
		usedUp.set(op.id, `127.0.0.${addresses++}`);
	const answers = await Promise.all(Array.from({ length: ALLOWANCE }, (_, i) => from(usedUp.get(op.id), w.nobody, { method: op.method, path: op.path,
		body: make(i), headers })));

	return answers.find((answer) => answer.status === 429) ?? answers[0];
};

let guesser;

/* More wrong passwords of one user than a minute's allowance, whatever they were for. */
const guessing = (make) => async (w, op, headers) => {
	guesser ??= await fresh(w).register();
	const answers = await Promise.all(Array.from({ length: ALLOWANCE }, () => guesser.request(op.method, op.path, make("wrong horse 1"), headers)));

	return answers.find((answer) => answer.status === 429) ?? answers[0];
};

/* A track of the user's whose modules nobody has begun. */
async function withModules(w) {
	const { id, session_id } = await w.user.createTrack({ language: "en" });

	await w.user.welcome({ session_id, skill_area: "Python" });
	const { modules } = await w.user.finalize({ session_id, track_id: id });

	return { track: id, session: session_id, module: modules[0].id };
}

/* A guest who has stored all that openapi.test.js lets a guest store, with a track that has modules. */
let full;

async function fullGuest(w) {
	full ??= (async () => {
		const rest = await fresh(w).guest();
		const track = await rest.createTrack({ language: "en" });
		const session_id = track.session_id;

		await rest.welcome({ session_id });
		const { modules } = await rest.finalize({ session_id, track_id: track.id });

		const empty = await rest.ok("POST", "/api/chat/sessions", { track_id: track.id, session_name: "without a chat" });

		rest.things = { track: track.id, session: session_id, empty: empty.id, chat: track.chat_id, module: modules[0].id };
		await until("no more messages are stored", async () => (await rest.post("/api/ai/chat-response", { session_id, message: "more" })).status === 429);
		await until("no more chats are stored", async () => (await rest.post("/api/chat/chats", { session_id, chat_type: "discussion" })).status === 429);
		await until("no more sessions are stored", async () => (await rest.post("/api/chat/sessions", { track_id: track.id, session_name: "more" })).status === 429);
		return rest;
	})();
	return full;
}

/* One who stores more than a guest may. */
const tooMuch = (change = () => ({})) => async (w, op, headers) => {
	const guest = await fullGuest(w);
	const request = requestFor(op, guest.things, (p) => {
		p.body = { ...p.body, ...change(guest.things) };
	});

	return send(guest, { ...request, headers: { ...request.headers, ...headers } });
};

/* A guest with a track, and what register and login answer to whoever brings his token. */
async function claiming(w, op, body) {
	const guest = await fresh(w).guest();

	await guest.createTrack({ language: "en" });
	const answer = await fresh(w).post(op.path, { ...body, guest_token: guest.token });
	const after = Object.assign(fresh(w), { token: answer.body.access_token });

	assert.deepEqual(answer.body.claimed, { tracks: 1, chats: 1, ai_settings: "none" });
	assert.equal((await after.tracks()).length, 1);
	assert.equal((await guest.get("/api/auth/me")).status, 401, "nobody is that guest any more");
	return answer;
}

/* What is no guest's token is named: an account's, one that is over, any text. */
const badGuest = (make) => async (w, op, headers) => {
	const gone = await fresh(w).guest();

	await gone.post("/api/auth/logout");
	const tokens = [w.user.token, gone.token, "no token"];
	const answers = await Promise.all(tokens.map((guest_token) => fresh(w).post(op.path, { ...make(w), guest_token }, headers)));

	for (const answer of answers)
		assert.match(answer.text, /guest_token/, op.id);
	return answers.find((answer) => answer.status !== 422) ?? answers[0];
};

/* Both are compared with the old password before one of them is stored; when they were not, once more. */
async function changedTwice(w, op, headers) {
	for (let i = 0; i < 10; i++) {
		const rest = await fresh(w).register();
		const body = { current_password: rest.credentials.password, new_password: "another horse 2" };
		const answers = await Promise.all([1, 2, 3].map(() => rest.post(op.path, body, headers)));
		const conflict = answers.find((answer) => answer.status === 409);

		if (conflict)
			return conflict;
	}
	throw new Error("of two changes at once both were made");
}

/* What an administrator's link to a new password carries. */
const resetToken = async (w, rest) => (await w.admin.post(`/api/admin/users/${rest.user.id}/password-reset`)).body.token;

const SLOW = "a slow one";

/* While the reply to another request is being written: [path, body] of that, and the body of this. */
const meanwhile = (first, make) => async (w, op, headers) => {
	await w.stack.sim.script([{ match: SLOW, first_delay: { ms: 1500 } }]);
	const slow = w.user.post(...first(w));

	try {
		await w.running();
		return await w.user.post(op.path, make(w), headers);
	} finally {
		assert.equal((await slow).status, 200);
	}
};

/* ... of a module's tutor, whom nobody has asked for anything yet. */
const meanwhileTutor = (make) => async (w, op, headers) => {
	const { track, module, session } = await withModules(w);
	const about = { track_id: track, module_id: module, session_id: session, user_id: "" };

	return meanwhile(() => ["/api/ai/module-chat", { ...about, message: SLOW }], () => ({ ...about, ...make(w) }))(w, op, headers);
};

/* The answer of a gateway that has found neither chat nor store yet. */
async function unstarted(w, path) {
	const claim = await claimPorts(5);
	const [listen, health, ...nobody] = claim.ports.map((port) => `127.0.0.1:${port}`);
	const gateway = new Daemon({ program: "gateway", instance: "gateway-early", dir: w.stack.dir, health, keepAlive: false,
		settings: { ...w.stack.env, GATEWAY_LISTEN: listen, GATEWAY_HEALTH: health, BUS_CHAT: nobody[0], BUS_STORE: nobody[1], BUS_EVENT: nobody[2] } });

	await gateway.start();
	try {
		return await until("it listens", () => new Rest(`http://${listen}`).get(path));
	} finally {
		await gateway.stop();
		await claim.release();
	}
}

export const SPECIAL = {
	startupz: { 503: (w, op) => unstarted(w, op.path) },
	register: {
		200: async (w, op) => {
			const person = { password: PASSWORD, first_name: "Ada", last_name: "Lovelace" };
			const answer = await fresh(w).post(op.path, { ...person, email: email() });

			assert.equal(answer.body.claimed, undefined);
			checkAnswer(op, await claiming(w, op, { ...person, email: email() }));
			return answer;
		},
		422: badGuest(() => ({ email: email(), password: PASSWORD, first_name: "Ada", last_name: "Lovelace" })),
		400: (w, op, headers) => fresh(w).post(op.path, { ...w.user.credentials, first_name: "Ada", last_name: "Lovelace" }, headers),
		429: tooOften((i) => ({ email: `x${i}@example.org`, password: PASSWORD, first_name: "Ada", last_name: "Lovelace" })),
	},
	login: {
		200: async (w, op) => {
			const { credentials } = await fresh(w).register();

			checkAnswer(op, await claiming(w, op, credentials));
			return fresh(w).post(op.path, credentials);
		},
		422: badGuest((w) => w.user.credentials),
		400: (w, op, headers) => fresh(w).post(op.path, w.disabled.credentials, headers),
		401: (w, op, headers) => fresh(w).post(op.path, { ...w.user.credentials, password: "wrong horse 1" }, headers),
		429: tooOften(() => ({ email: "nobody@example.org", password: PASSWORD })),
	},
	guestLogin: {
		200: (w, op) => fresh(w).post(op.path),
		429: tooOften(),
	},
	refresh: {
		200: async (w, op) => fresh(w).post(op.path, { refresh_token: (await fresh(w).post("/api/auth/guest-login")).body.refresh_token }),
		401: (w, op, headers) => fresh(w).post(op.path, undefined, headers),
		403: (w, op, headers) => fresh(w).post(op.path, undefined, { cookie: `refresh_token=${"a".repeat(43)}`, origin: "http://evil.example", ...headers }),
	},
	logout: {
		200: async (w, op) => {
			const guest = await fresh(w).guest();

			await guest.createTrack({ language: "en" });
			const left = await guest.post(op.path);

			checkAnswer(op, left);
			assert.equal(left.status, 200);
			assert.deepEqual(await w.stack.db(`select id from users where id = '${uuidOf(guest)}'
				union all select id from learning_tracks where user_id = '${uuidOf(guest)}'`), [], "a guest leaves nothing behind");
			assert.equal((await guest.get("/api/auth/me")).status, 401);
			return (await fresh(w).register()).post(op.path, { everywhere: true });
		},
	},
	createTrack: {
		400: body(() => ({ difficulty_level: "superhuman" })),
		429: tooMuch(),
	},
	createSession: { 429: tooMuch() },
	createChat: { 429: tooMuch() },
	listTracks: { 422: query({ limit: 0 }) },
	updateTrack: { 400: body(() => ({ status: "finished" })) },
	deleteTrack: { 200: onTrack },
	listSessions: { 422: query({ limit: "many" }) },
	listChats: { 422: query({ after: "no-id" }) },
	listUserChats: { 422: query({ limit: 1001 }) },
	listMessages: { 422: query({ before: 0 }) },
	getHistory: { 422: query({ before: "x" }) },
	setSessionStatus: { 422: query({ status: undefined }) },
	setChatStatus: { 422: query({ status: "x".repeat(21) }) },
	deleteChat: { 200: onChat },
	welcomeMessage: {
		/* However often it is asked for while it is being written. */
		200: async (w, op) => {
			const track = await w.user.createTrack();
			const request = { ...requestFor(op, w.user.things).body, session_id: track.session_id };
			const answers = await Promise.all(Array.from({ length: 4 }, () => w.user.post(op.path, request)));

			assert.deepEqual(new Set(answers.map((answer) => answer.body.message_id)).size, 1, answers.map((answer) => answer.text).join("\n"));
			return answers[0];
		},
		409: meanwhile((w) => ["/api/ai/chat-response", { session_id: "a reply first", message: SLOW }],
			(w) => ({ ...operation("welcomeMessage").body.example, session_id: "a reply first" })),
		429: tooMuch(() => ({ session_id: "one more" })),
	},
	testConnection: {
		429: tooOften(() => ({ base_url: "https://model.example.org/v1" })),
		/* More at once than chat lets have their turn. */
		503: async (w, op, headers) => {
			await w.stack.sim.script([{ match: "Say OK.", times: 20, first_delay: { ms: 1500 } }]);
			const addresses = Array.from({ length: 20 }, (_, i) => `127.0.1.${10 + i % 4}`);
			const answers = await Promise.all(addresses.map((address) => from(address, w.nobody, { method: op.method, path: op.path,
				body: {}, headers })));

			await w.stack.sim.forget("script");
			return answers.find((answer) => answer.status === 503) ?? answers[0];
		},
	},
	chatResponse: {
		409: meanwhile((w) => ["/api/ai/chat-response", { session_id: w.user.things.session, message: SLOW }],
			(w) => ({ session_id: w.user.things.session, message: "meanwhile" })),
		429: tooMuch(),
	},
	finalizeCoursePlan: {
		409: meanwhile((w) => ["/api/ai/chat-response", { session_id: w.user.things.session, message: SLOW }],
			(w) => ({ ...operation("finalizeCoursePlan").body.example, session_id: w.user.things.session, track_id: w.user.things.track,
				course_plan: "meanwhile" })),
		429: async (w, op, headers) => {
			const guest = await fullGuest(w);

			return guest.post(op.path, { ...op.body.example, session_id: guest.things.empty, track_id: guest.things.track, course_plan: "a plan" }, headers);
		},
	},
	generatePlan: {
		409: meanwhile((w) => ["/api/ai/generate-plan", { track_id: w.user.things.track, user_expectations: SLOW }],
			(w) => ({ track_id: w.user.things.track, user_expectations: "meanwhile" })),
		429: tooMuch(),
	},
	generateLesson: {
		409: meanwhileTutor(() => ({ ...operation("generateLesson").body.example, lesson_number: 7 })),
		429: tooMuch(),
	},
	changePassword: {
		200: async (w, op) => {
			const rest = await fresh(w).register();

			return rest.post(op.path, { current_password: rest.credentials.password, new_password: "another horse 2" });
		},
		409: changedTwice,
		429: guessing((password) => ({ current_password: password, new_password: "another horse 2" })),
	},
	removeMe: {
		200: async (w, op) => {
			const rest = await fresh(w).register();

			return rest.request("DELETE", op.path, { password: rest.credentials.password });
		},
		409: (w, op, headers) => w.admin.request("DELETE", op.path, { password: w.admin.credentials.password }, headers),
		429: guessing((password) => ({ password })),
	},
	resetPassword: {
		200: async (w, op) => {
			const rest = await fresh(w).register();

			return fresh(w).post(op.path, { token: await resetToken(w, rest), new_password: "another horse 2" });
		},
		/* Unknown, used, replaced, malformed: word for word the same. */
		400: async (w, op, headers) => {
			const rest = await fresh(w).register();
			const used = await resetToken(w, rest);
			const replaced = await resetToken(w, w.other);

			await resetToken(w, w.other);
			await fresh(w).ok("POST", op.path, { token: used, new_password: "another horse 2" });
			const answers = await Promise.all([used, replaced, op.body.example.token, "no-token"].map((token) =>
				fresh(w).post(op.path, { token, new_password: "third horse 3" }, headers)));

			assert.equal(new Set(answers.map((answer) => answer.text)).size, 1, answers.map((answer) => answer.text).join("\n"));
			assert.equal(answers[0].body.field ?? "token", "token");
			return answers[0];
		},
		429: tooOften(() => ({ token: "no-token", new_password: "another horse 2" })),
	},
	createPasswordReset: {
		201: (w, op) => send(w.admin, requestFor(op, { user: w.other.user.id })),
		409: async (w, op, headers) => {
			const rest = await fresh(w).register();

			await w.disable(rest);
			return send(w.admin, { ...requestFor(op, { user: rest.user.id }), headers });
		},
	},
	listUsers: {
		422: (w, op, headers) => w.admin.get(`${op.path}?limit=0`, headers),
	},
	setUserActive: {
		409: (w, op, headers) => w.admin.put(`/api/admin/users/${w.admin.user.id}/active`, { is_active: false }, headers),
	},
	moduleLearningStart: {
		409: meanwhileTutor(() => ({})),
		429: tooMuch(),
		500: async (w, op, headers) => {
			const { track, module, session } = await withModules(w);

			await w.stack.sim.script([{ match: "", status: { code: 400 }, times: 3 }]);
			const answer = await w.user.post(op.path, { track_id: track, module_id: module, session_id: session, user_id: "" }, headers);

			await w.stack.sim.forget("script");
			return answer;
		},
	},
	moduleChat: {
		409: meanwhileTutor(() => ({ message: "meanwhile" })),
		429: tooMuch(),
	},
};
