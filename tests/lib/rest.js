/*
 * A small client of the REST interface. Every call resolves to { status, body,
 * headers, text }; the named calls demand 200 and resolve to the body.
 */

import { randomUUID } from "node:crypto";

export class Rest {
	constructor(url, token = null) {
		this.url = url;
		this.token = token;
		this.user = null;
	}

	/* body: an object is sent as JSON, a string or Buffer as it is. */
	async request(method, path, body, headers = {}) {
		const raw = typeof body === "string" || body instanceof Uint8Array;
		const answer = await fetch(this.url + path, {
			method, redirect: "manual",
			body: body === undefined || raw ? body : JSON.stringify(body),
			headers: {
				...(body === undefined ? {} : { "content-type": "application/json" }),
				...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
				...headers,
			},
		});
		const text = await answer.text();
		const json = /json/.test(answer.headers.get("content-type") ?? "");

		return { status: answer.status, headers: answer.headers, text, body: json ? JSON.parse(text) : null };
	}

	get(path, headers) {
		return this.request("GET", path, undefined, headers);
	}

	post(path, body, headers) {
		return this.request("POST", path, body, headers);
	}

	put(path, body, headers) {
		return this.request("PUT", path, body, headers);
	}

	patch(path, body, headers) {
		return this.request("PATCH", path, body, headers);
	}

	delete(path, headers) {
		return this.request("DELETE", path, undefined, headers);
	}

	/* The body of a 200, or an error with everything that was said. */
	async ok(method, path, body, headers) {
		const answer = await this.request(method, path, body, headers);

		if (answer.status !== 200)
			throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
		return answer.body;
	}

	async #signIn(path, body) {
		const { access_token: token, refresh_token: refreshToken, user } = await this.ok("POST", path, body);

		this.token = token;
		this.refreshToken = refreshToken;
		this.user = user;
		return this;
	}

	/* A new token for one that is good no more, as pages do it. */
	async refresh() {
		const { access_token: token, refresh_token: refreshToken } = await this.ok("POST", "/api/auth/refresh", { refresh_token: this.refreshToken });

		Object.assign(this, { token, refreshToken });
	}

	/* Resolve to this client, signed in. */
	guest() {
		return this.#signIn("/api/auth/guest-login");
	}

	register({ email = `${randomUUID()}@example.org`, password = "correct horse 1", first_name = "Ada", last_name = "Lovelace" } = {}) {
		this.credentials = { email, password };
		return this.#signIn("/api/auth/register", { email, password, first_name, last_name });
	}

	login({ email, password } = this.credentials) {
		return this.#signIn("/api/auth/login", { email, password });
	}

	createTrack(fields = {}) {
		return this.ok("POST", "/api/tracks", {
			title: "Python for data analysis", description: "From zero to pandas", difficulty_level: "beginner",
			estimated_duration_hours: 30, user_expectations: "Analyse my own data", ...fields,
		});
	}

	tracks() {
		return this.ok("GET", "/api/tracks");
	}

	track(id) {
		return this.ok("GET", `/api/tracks/${id}`);
	}

	history(chatId) {
		return this.ok("GET", `/api/chat/chats/${chatId}/history`);
	}

	welcome(body) {
		return this.ok("POST", "/api/ai/welcome-message", { user_id: this.user?.id ?? "", skill_area: "Python", user_expectations: "",
			difficulty_level: "beginner", duration_hours: 30, ...body });
	}

	finalize(body) {
		return this.ok("POST", "/api/ai/finalize-course-plan", { user_id: this.user?.id ?? "", skill_area: "Python", ...body });
	}
}

/* Fresh clients of a stack, signed in. */
export const guestOf = (stack) => new Rest(stack.url).guest();
export const userOf = (stack, fields) => new Rest(stack.url).register(fields);
