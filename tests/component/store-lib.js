/*
 * A real store on a database of its own, and a way to ask it anything: what
 * alp-probe prints, with the blobs back in their places.
 */

import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Daemon, buildDir, sanitizerReports } from "../lib/daemon.js";
import { createDatabase, psql, rows, sharedCluster } from "../lib/pg.js";
import { claimPorts } from "../lib/ports.js";

const BLOBS = new Set(["lesson", "lessons", "user", "track", "tracks", "session", "sessions", "chat", "chats", "chat_info", "history",
	"messages", "partial", "reply", "modules", "plan", "changes", "course_plan", "told", "usage", "figures", "rows", "users"]);
const NAMES = { rows: "text", history: "list", messages: "list", reply: "text", partial: "text", plan: "text" };

export const NOBODY = "00000000-0000-0000-0000-000000000000";
export const uuid = randomUUID;

function blobValue(key, text) {
	switch (NAMES[key]) {
	case "text": return text;
	case "list": return JSON.parse(`[${text}]`);
	default: return JSON.parse(text);
	}
}

function withBlobs(value, bytes) {
	for (const [key, item] of Object.entries(value)) {
		if (BLOBS.has(key) && Array.isArray(item))
			value[key] = blobValue(key, bytes.subarray(item[0], item[0] + item[1]).toString("utf8"));
		else if (item !== null && typeof item === "object")
			withBlobs(item, bytes);
	}
	return value;
}

/*
 * One alp-probe that stays: every question is a line, every answer another.
 * A new one is a new connection to the store, as of a client that came back.
 */
export class Probe {
	#waiting = new Map();
	#next = 0;

	constructor(bus, key) {
		this.child = spawn("setpriv", ["--pdeathsig", "KILL", "--", join(buildDir("debug"), "proto/alp-probe"), "batch", bus],
			{ env: { PATH: process.env.PATH, BUS_KEY: key, ASAN_OPTIONS: "detect_leaks=0" }, stdio: ["pipe", "pipe", "pipe"] });
		this.stderr = "";
		this.child.stderr.on("data", (data) => {
			this.stderr += data;
		});
		createInterface({ input: this.child.stdout }).on("line", (line) => this.#answer(JSON.parse(line)));
		this.ended = new Promise((resolve) => this.child.once("close", resolve)).then(() => this.#end());
	}

	#answer({ id, rc, body, blob, field, message }) {
		this.#waiting.get(id).resolve(rc === "ok" ? { rc, ...withBlobs(body, Buffer.from(blob)) } : { rc, field, message });
		this.#waiting.delete(id);
	}

	#end() {
		for (const { reject } of this.#waiting.values())
			reject(new Error(`alp-probe ended: ${this.stderr}`));
	}

	ask(who, message, body) {
		const id = this.#next++;
		const caller = who?.user ? { kind: "user", caller: who.user } : who?.guest ? { kind: "guest", caller: who.guest } : {};

		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			this.child.stdin.write(`${JSON.stringify({ id, message, ...caller, body })}\n`);
		});
	}

	stop() {
		this.child.stdin.end();
		return this.ended;
	}
}

export class Store {
	constructor({ dir, claim, database, url, env }) {
		const [bus, health] = claim.ports.map((port) => `127.0.0.1:${port}`);

		Object.assign(this, { dir, claim, database, url, bus });
		this.key = randomBytes(32).toString("hex");
		this.daemon = new Daemon({
			program: "store", dir, health, keepAlive: true,
			settings: { DATABASE_URL: url, BUS_KEY: this.key, BUS_STORE: bus, STORE_HEALTH: health, PG_CONNECTIONS: "4", ...env },
		});
	}

	/* { rc: "ok", ...answer } or { rc, field, message }. who: { user } or { guest }, else nobody. */
	ask(who, name, body = {}) {
		this.probe ??= new Probe(this.bus, this.key);
		return this.probe.ask(who, name, body);
	}

	/* From here on questions come over a new connection. */
	async reconnect() {
		await this.probe?.stop();
		this.probe = null;
	}

	/* The answer, or an error when it is a refusal. */
	async must(who, name, body) {
		const answer = await this.ask(who, name, body);

		if (answer.rc !== "ok")
			throw new Error(`${name}: ${answer.rc} ${answer.field}: ${answer.message}`);
		return answer;
	}

	db(sql) {
		return /^\s*(select|values|table)\b/i.test(sql) ? rows(this.url, sql) : psql(this.url, sql);
	}

	/* Ends everything; rejects with error lines that were not announced and sanitizer reports. */
	async stop({ expected = [] } = {}) {
		await this.probe?.stop();
		const exit = await this.daemon.stop();
		const complaints = [
			...sanitizerReports(this.dir),
			...this.daemon.errors().filter((line) => !expected.some((pattern) => pattern.test(line))),
			...(exit && exit.asked && exit.code !== 0 ? [`ended with ${exit.signal ?? exit.code}:\n${this.daemon.tail()}`] : []),
		];

		await this.database?.drop();
		await this.claim.release();
		rmSync(this.dir, { recursive: true, force: true });
		if (complaints.length > 0)
			throw new Error(complaints.join("\n"));
	}
}

/*
 * prepare(url): fills the database before the store sees it. cluster: the
 * test's own; ready: wait for it; through(url): the way the store takes to it.
 */
export async function startStore({ env = {}, prepare, cluster, ready = true, through = (url) => url } = {}) {
	const database = await createDatabase(cluster ? cluster.url("postgres") : await sharedCluster());
	const store = new Store({
		dir: mkdtempSync(join(tmpdir(), "alp-store-")), claim: await claimPorts(2), database, url: database.url,
		env: { DATABASE_URL: through(database.url), ...env },
	});

	await prepare?.(database.url);
	await store.daemon.start();
	if (ready)
		await store.daemon.waitReady();
	return store;
}

/* ---- what a gateway and a chat would ask ------------------------------------ */

export async function makeUser(store, more = {}) {
	const user_id = uuid();

	await store.must(null, "user_create", {
		user_id, is_guest: false, email: `${user_id.slice(0, 13)}@example.org`, password_hash: "hash",
		first_name: "Anna", last_name: "Test", ...more,
	});
	return { user: user_id };
}

export async function makeGuest(store) {
	const user_id = uuid();

	await store.must(null, "user_create", { user_id, is_guest: true, email: "", first_name: "Гость", last_name: "Пользователь" });
	return { guest: user_id };
}

/* { track_id, session_id, chat_id, turn_id, track } */
export async function makeTrack(store, who, more = {}) {
	const ids = { track_id: uuid(), session_id: uuid(), chat_id: uuid(), turn_id: uuid() };
	const made = await store.must(who, "track_create", {
		...ids, title: "Python", description: "basics", skill_area: "Programming", difficulty_level: "beginner", hours: 40,
		expectations: "to write tools", language: "en", ...more,
	});

	return { ...ids, ...made };
}

export function turnWish(more = {}) {
	return {
		turn_id: uuid(), kind: "message", new_session_id: uuid(), new_chat_id: uuid(), user_message_id: uuid(),
		owner: "chat-1", lease_ms: 10000, history_tokens: 6000, client_message_id: uuid(), body: "hello",
		message_type: "text", ...more,
	};
}

export function begin(store, who, more = {}) {
	const wish = turnWish(more);

	for (const key of ["client_message_id", "body", "message_type"])
		if (wish.kind !== "message" && !Object.hasOwn(more, key))
			delete wish[key];
	return store.ask(who, "turn_begin", wish);
}

export function finish(store, turn_id, { attempt = 1, owner = "chat-1", reply = "an answer", ...more } = {}) {
	return store.ask(null, "turn_finish", {
		turn_id, owner, attempt,
		outcome: {
			state: "completed", "blob:reply": reply, model: "sim", finish_reason: "stop",
			usage: { prompt_tokens: 11, cached_tokens: 2, completion_tokens: 7, cost_nano: 5000, currency: "USD" },
			timing: { gateway_in: 1, chat: 2, store: 3, ai_queue: 4, provider_first_token: 5, provider_total: 6, total: 21 },
			...more,
		},
	});
}

/* One whole exchange in a session; resolves to { question, answer }: the answers of begin and finish. */
export async function exchange(store, who, session_id, body, reply) {
	const question = await begin(store, who, { session_id, body });

	if (!question.begun)
		throw new Error(`not begun: ${JSON.stringify(question)}`);
	return { question, answer: await finish(store, question.context.turn_id, { reply }) };
}
