/*
 * One running product with everybody in it that the contract knows: a user and
 * a guest who own something of each kind, two strangers who do too, and those
 * who may not come in at all.
 */

import { createHmac, randomUUID } from "node:crypto";
import { psql } from "../lib/pg.js";
import { Rest } from "../lib/rest.js";
import { startStack } from "../lib/stack.js";
import { until } from "../lib/until.js";
import { operations } from "./spec.js";

const SETTINGS = { LOGIN_RATE_PER_MINUTE: "300", GUEST_RATE_PER_MINUTE: "300", DRAIN_MS: "3000" };
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const has = (id) => operations.some((op) => op.id === id);

/* The same token, as it will be when its time is over. */
export function expired(token, key) {
	const [head, body] = token.split(".");
	const claims = JSON.parse(Buffer.from(body, "base64url"));
	const signing = `${head}.${b64({ ...claims, iat: claims.iat - 7200, nbf: claims.nbf && claims.nbf - 7200, exp: claims.iat - 3600 })}`;

	return `${signing}.${createHmac("sha256", key).update(signing).digest("base64url")}`;
}

/* A track with a plan and modules, a message and its reply: the ids of one of each kind. */
export async function furnish(rest) {
	const track = await rest.createTrack({ language: "en" });
	const names = { session_id: track.session_id, track_id: track.id };

	await rest.welcome({ session_id: track.session_id, skill_area: "Python" });
	const reply = await rest.ok("POST", "/api/ai/chat-response", { message: "Add a module about testing", session_id: track.session_id });
	const final = await rest.finalize({ ...names, skill_area: "Python" });

	if (!final.success)
		throw new Error(`finalization: ${final.error}`);
	const things = { track: track.id, session: track.session_id, chat: track.chat_id, message: reply.message_id,
		turn: reply.turn_id, module: final.modules[0].id };

	rest.things = await learn(rest, things);
	return rest;
}

/* A lesson and the module's tutor. */
async function learn(rest, things) {
	const first = { track_id: things.track, module_id: things.module };

	if (has("moduleLearningStart"))
		await rest.ok("POST", "/api/ai/module-learning-start", { ...first, session_id: things.session, user_id: "" });
	if (has("getLesson")) {
		const lesson = await rest.ok("POST", "/api/ai/generate-lesson", { ...first, lesson_number: 1, lesson_title: "Loops", module_context: "Python" });

		things.lesson = lesson.lesson_id;
	}
	return things;
}

export class World {
	static async start({ furnished = ["user", "guest", "other", "otherGuest"], env = {} } = {}) {
		const world = new World();

		world.stack = await startStack({ persona: "demo", tokenDelayMs: 0, env: { ...SETTINGS, ...env } });
		try {
			await world.#people();
			await Promise.all(furnished.map((name) => furnish(world[name])));
			await world.quiet();
		} catch (err) {
			await world.stack.stop().catch((more) => {
				err.message += `\n${more.message}`;
			});
			throw err;
		}
		return world;
	}

	async #people() {
		const { url } = this.stack;
		const person = () => new Rest(url);

		this.nobody = person();
		this.admin = await person().register();	/* the first one */
		[this.user, this.other, this.disabled, this.guest, this.otherGuest] = await Promise.all([person().register(),
			person().register(), person().register(), person().guest(), person().guest()]);
		this.expired = person();
		this.expired.token = expired(this.user.token, this.stack.env.SECRET_KEY);
		await this.disable(this.disabled);
	}

	/* For administrators: an account that something can be done to. */
	get pawn() {
		return { user: this.disabled.user.id };
	}

	disable(rest) {
		return this.admin.ok("PUT", `/api/admin/users/${rest.user.id}/active`, { is_active: false });
	}

	/* No reply is being written any more. */
	quiet() {
		return until("all replies have ended", async () =>
			(await this.stack.db("select id from turns where state = 'running'")).length === 0, { ms: 60000 });
	}

	/* A reply is being written. */
	running() {
		return until("a reply is being written", async () =>
			(await this.stack.db("select id from turns where state = 'running'")).length > 0);
	}

	stop() {
		return this.stack.stop();
	}

	/*
	 * One line for each table: its rows, and a sum over them. owner: only what
	 * belongs to him. What the clock does by itself is left out.
	 */
	async fingerprint(owner) {
		this.tables ??= await this.#tables();
		const mine = (table) => owner && table.owned ? `where ${table.name === "users" ? "id" : "user_id"} = '${uuidOf(owner)}'` : "";
		const sum = (table) => `select '${table.name}', count(*), md5(coalesce(string_agg(r, ',' order by r), '')) from (
			select (to_jsonb(t) - array['last_seen_at', 'last_used_at', 'lease_until'])::text as r from ${table.name} t ${mine(table)}) x`;

		return psql(this.stack.database.url, this.tables.map(sum).join(" union all "));
	}

	async #tables() {
		const found = await this.stack.db(`select c.relname as name, (c.relname = 'users' or exists (select from pg_attribute a
			where a.attrelid = c.oid and a.attname = 'user_id')) as owned from pg_class c
			where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace order by 1`);

		return found.filter((table) => table.name !== "schema_migrations");
	}
}

/* A guest's id has no hyphens. */
export function uuidOf(rest) {
	const hex = rest.user.id.replace(/^guest_/, "").replaceAll("-", "");

	return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/* ---- requests --------------------------------------------------------------------------- */

const MALFORMED = "not-a-uuid";

export const unknownId = (kind) => kind === "malformed" ? MALFORMED : randomUUID();

/*
 * A request that the operation accepts: { method, path, body, headers }. things: ids by kind. Optional ids are
 * left out unless `all` are wanted. change(request parts) may alter { params, query, body, headers } before they
 * are put together.
 */
export function requestFor(op, things, change = () => {}, all = false) {
	const parts = { params: {}, query: {}, headers: {}, body: op.body ? structuredClone(op.body.example) : undefined };

	for (const p of op.parameters)
		if (p.in === "path")
			parts.params[p.name] = p.owner ? things[p.owner] : String(p.schema.examples?.[0] ?? p.example ?? "x");
		else if (p.in === "query" && (p.required || (p.owner && all)))
			parts.query[p.name] = p.owner ? things[p.owner] : String(p.schema.examples?.[0] ?? p.example ?? "x");
	for (const field of op.body?.fields ?? [])
		if (field.owner && (field.required || field.name in parts.body || all))
			parts.body[field.name] = things[field.owner];
	change(parts);
	const path = op.path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(parts.params[name]));
	const query = new URLSearchParams(Object.entries(parts.query).filter(([, value]) => value !== undefined)).toString();

	return { method: op.method, path: query ? `${path}?${query}` : path, body: parts.body, headers: parts.headers };
}

export const send = (rest, { method, path, body, headers }) => rest.request(method, path, body, headers);
