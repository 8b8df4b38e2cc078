/*
 * How a status is brought about where openapi.test.js has no rule for it: by
 * operation and status, (world, operation, headers) => answer.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { Rest } from "../lib/rest.js";
import { requestFor, send } from "./world.js";

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

/* More requests from one address than a minute's allowance. */
const tooOften = (make = () => undefined) => async (w, op, headers) => {
	const address = `127.0.0.${addresses++}`;

	const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => from(address, w.nobody, { method: op.method, path: op.path,
		body: make(i), headers })));

	return answers.find((answer) => answer.status === 429) ?? answers[0];
};

export const SPECIAL = {
	register: {
		200: (w, op) => fresh(w).post(op.path, { email: email(), password: PASSWORD, first_name: "Ada", last_name: "Lovelace" }),
		400: (w, op, headers) => fresh(w).post(op.path, { ...w.user.credentials, first_name: "Ada", last_name: "Lovelace" }, headers),
		429: tooOften((i) => ({ email: `x${i}@example.org`, password: PASSWORD, first_name: "Ada", last_name: "Lovelace" })),
	},
	login: {
		200: (w, op) => fresh(w).post(op.path, w.user.credentials),
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
		200: async (w, op) => (await fresh(w).register()).post(op.path, { everywhere: true }),
	},
	createTrack: {
		400: body(() => ({ difficulty_level: "superhuman" })),
	},
	welcomeMessage: {
		/* However often it is asked for while it is being written. */
		200: async (w, op) => {
			const track = await w.user.createTrack();
			const request = { session_id: track.session_id, skill_area: "Python" };
			const answers = await Promise.all(Array.from({ length: 4 }, () => w.user.post(op.path, request)));

			assert.deepEqual(new Set(answers.map((answer) => answer.body.message_id)).size, 1, answers.map((answer) => answer.text).join("\n"));
			return answers[0];
		},
	},
	chatResponse: {
		409: async (w, op, headers) => {
			await w.stack.sim.script([{ match: "a slow one", first_delay: { ms: 1500 } }]);
			const session = { session_id: w.user.things.session };
			const slow = w.user.post(op.path, { ...session, message: "a slow one" });

			try {
				await w.running();
				return await w.user.post(op.path, { ...session, message: "meanwhile" }, headers);
			} finally {
				assert.equal((await slow).status, 200);
			}
		},
	},
};
