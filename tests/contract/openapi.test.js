/*
 * docs/openapi.yaml and the program are the same: every operation of one is in
 * the other, every status that is documented is brought about, and every
 * answer keeps to its schema, as JSON and as a problem.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Rest } from "../lib/rest.js";
import { FILES, problemsOf } from "./lint.js";
import { allOperations, checkAnswer, faults, idsOf, isRouted, openapi, operations, pointer, routes } from "./spec.js";
import { SPECIAL } from "./statuses.js";
import { documents } from "./table.js";
import { World, requestFor, send } from "./world.js";

const PROBLEM = { accept: "application/problem+json" };
let world;
const seen = new Map(operations.map((op) => [op.id, new Set()]));

before(async () => {
	world = await World.start({ furnished: ["user"], env: { BUS_TIMEOUT_MS: "2000",
		LOGIN_RATE_PER_MINUTE: "20", GUEST_RATE_PER_MINUTE: "20",
		GUEST_TRACKS_MAX: "1", GUEST_SESSIONS_MAX: "4", GUEST_CHATS_MAX: "2", GUEST_MESSAGES_MAX: "8" } });
	await world.quiet();
});
after(() => world?.stop());

/* ---- the two lists ------------------------------------------------------------------------ */

test("every route of the program is documented", () => {
	const documented = allOperations.map((op) => `${op.method} ${op.path}`);

	assert.deepEqual(routes.map((r) => `${r.method} ${r.pattern}`).filter((r) => !documented.includes(r)), []);
});

test("every documented operation is a route of the program", () => {
	const missing = allOperations.filter((op) => !op.planned && !op.file && !isRouted(op));

	assert.deepEqual(missing.map((op) => `${op.method} ${op.path}`), []);
});

test("who must sign in, and who must send a body, is documented as it is", () => {
	for (const op of operations.filter(isRouted)) {
		const route = routes.find((r) => r.method === op.method && r.pattern === op.path);

		assert.equal(op.auth === "required", route.auth === "REQUIRED", `${op.id}: sign-in ${op.auth}, ${route.auth}`);
		assert.equal(op.body?.required === true, route.body === "JSON", `${op.id}: body`);
	}
});

test("every example keeps to its own schema", () => {
	for (const [name, schema] of Object.entries(openapi.components.schemas)) {
		assert.ok(schema.examples?.length > 0, `${name} has an example`);
		for (const example of schema.examples)
			assert.equal(faults(`openapi.yaml${pointer("components", "schemas", name)}`, example), "", name);
	}
});

test("the table of docs/contract.md is current", () => {
	const { is, should } = documents();

	assert.equal(is, should, "node tests/contract/table.js --write");
});

for (const file of FILES)
	test(`docs/${file} keeps to its standard`, async () => {
		assert.deepEqual((await problemsOf(file)).map((problem) => `${problem.ruleId}: ${problem.message}`), []);
	});

/* ---- how each status is brought about ------------------------------------------------------- */

/* Without its length, as a client does that streams its body. */
function chunked(rest, { method, path, headers }) {
	return new Promise((resolve, reject) => {
		const out = httpRequest(rest.url + path, { method, agent: false, headers: { "content-type": "application/json",
			"transfer-encoding": "chunked", ...(rest.token ? { authorization: `Bearer ${rest.token}` } : {}), ...headers } });

		out.once("error", reject);
		out.once("response", async (answer) => {
			const text = (await answer.toArray()).join("");

			resolve({ status: answer.statusCode, headers: new Headers(answer.headers), text, body: JSON.parse(text) });
		});
		out.end("{}");
	});
}

const withBody = (body, headers) => (w, op, parts) => send(caller(w, op), { ...requestFor(op, thingsOf(w, op), (p) => {
	p.body = body;
}), headers: { ...parts, ...headers } });

/* Who may call an operation: the world's user, but where only an admin may. */
const caller = (w, op) => op.admin ? w.admin : w.user;
const thingsOf = (w, op) => op.admin ? w.pawn : w.user.things;

const IDS = { unknown: randomUUID, malformed: () => "not-a-uuid", "too long": () => "x".repeat(201) };

function withId(kind) {
	return (w, op, headers) => {
		const [first] = idsOf(op);
		const request = requestFor(op, thingsOf(w, op), (p) => {
			const place = { path: p.params, query: p.query, body: p.body }[first.in];

			place[first.name] = IDS[kind]();
		}, true);

		return send(caller(w, op), { ...request, headers: { ...request.headers, ...headers } });
	};
}

function as(rest) {
	return (w, op, headers) => {
		const request = requestFor(op, thingsOf(w, op));

		return send(Object.assign(new Rest(w.stack.url), { token: rest(w).token }), { ...request, headers: { ...request.headers, ...headers } });
	};
}

const GENERIC = {
	200: (w, op) => send(caller(w, op), requestFor(op, thingsOf(w, op))),
	400: withId("malformed"),
	401: as((w) => w.expired),
	403: (w, op, headers) => {
		const request = requestFor(op, thingsOf(w, op));

		return send(op.admin ? w.user : w.nobody, { ...request, headers: { ...request.headers, ...headers } });
	},
	404: withId("unknown"),
	411: (w, op, headers) => chunked(caller(w, op), { ...requestFor(op, thingsOf(w, op)), headers }),
	413: withBody({ filler: "x".repeat(300000) }),
	415: withBody("{}", { "content-type": "text/plain" }),
	422: (w, op, headers) => op.body
		? withBody(Object.fromEntries(op.body.fields.map((field) => [field.name, {}])))(w, op, headers)
		: withId("too long")(w, op, headers),
};

/* Brings a status about, as JSON and (an error) as a problem; what else comes is wrong. */
async function bring(op, status) {
	const how = SPECIAL[op.id]?.[status] ?? GENERIC[status];

	assert.ok(how, `${op.id} ${status}: nobody knows how to bring it about`);
	for (const headers of status >= 400 ? [{}, PROBLEM] : [{}]) {
		const answer = await how(world, op, headers);

		checkAnswer(op, answer);
		assert.equal(answer.status, status, `${op.id}: ${answer.text.slice(0, 500)}`);
		if (headers.accept && !op.raw.responses[status].content)
			assert.match(answer.headers.get("content-type"), /problem\+json/, op.id);
		if (status < 400)
			SPECIAL[op.id]?.check?.(answer, world);
	}
	seen.get(op.id).add(status);
}

/* Errors first: a success may take away what the others need. */
for (const op of operations) {
	const statuses = op.statuses.filter((status) => status !== 503 || SPECIAL[op.id]?.[503]).sort((a, b) => b - a);

	test(`${op.id} answers ${statuses.join(", ")}`, { skip: op.planned && !isRouted(op) }, async () => {
		for (const status of statuses)
			await bring(op, status);
	});
}

/* ---- what is the same everywhere ---------------------------------------------------------------- */

test("a slash too many, a wrong method, an unknown path", async () => {
	const slash = await world.user.get("/api/tracks/");
	const method = await world.user.put("/api/auth/login", {});
	const unknown = await world.user.get("/api/nothing");

	assert.deepEqual([slash.status, slash.headers.get("location")], [307, "/api/tracks"]);
	assert.deepEqual([method.status, method.headers.get("allow")], [405, "POST"]);
	assert.equal(unknown.status, 404);
	for (const answer of [method, unknown])
		assert.equal(faults(`openapi.yaml${pointer("components", "schemas", "ErrorDetail")}`, answer.body), "");
});

test("the served documents are the files", async () => {
	const { body } = await world.nobody.get("/openapi.json");

	assert.ok(isDeepStrictEqual(body, openapi), "make frontend-build is needed after a change of docs/openapi.yaml");
});

/* ---- without a daemon: the last, nothing works afterwards ------------------------------------------ */

/* Operations say with x-needs which daemon they cannot do without, when it is not the store. */
for (const daemon of ["store", "chat"])
	test(`without ${daemon} all that needs it answers 503, and says when to come again`, async () => {
		const needs = operations.filter((op) => op.statuses.includes(503) && !SPECIAL[op.id]?.[503] && (op.raw["x-needs"] ?? "store") === daemon);

		await world.stack.daemons[daemon].stop(10000);
		await Promise.all(needs.map(async (op) => {
			const answer = await send(caller(world, op), requestFor(op, thingsOf(world, op)));

			checkAnswer(op, answer);
			assert.equal(answer.status, 503, `${op.id}: ${answer.text.slice(0, 300)}`);
			seen.get(op.id).add(503);
		}));
	});

test("every documented status of every operation was seen", () => {
	const unseen = operations.flatMap((op) => op.statuses.filter((status) => !seen.get(op.id).has(status)).map((status) => `${op.id} ${status}`));

	assert.deepEqual(unseen, []);
});
