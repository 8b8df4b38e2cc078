/*
 * Every field of every route, wrong in every way: the answer is a 4xx that names
 * the field, no daemon ends, nothing is stored.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAnswer, operations } from "./spec.js";
import { World, requestFor } from "./world.js";

let world, pids;

before(async () => {
	world = await World.start({ furnished: ["user"], env: { LOGIN_RATE_PER_MINUTE: "100000" } });
	await world.quiet();
	pids = world.stack.all.map((daemon) => daemon.pid);
});
after(async () => {
	try {
		assert.deepEqual(world.stack.all.map((daemon) => daemon.pid), pids, "no daemon ended");
	} finally {
		await world?.stop();
	}
});

/* ---- the ways ---------------------------------------------------------------------- */

const RAW = Symbol("JSON that JSON.stringify would not write");
const raw = (text) => ({ [RAW]: text });
const DEEP = 100;

function ofOtherTypes(field) {
	const all = { string: "text", integer: 7, number: 1.5, boolean: true, array: [], object: {} };
	const fits = new Set(field.types.length > 0 ? field.types : Object.keys(all));

	if (fits.has("number"))
		fits.add("integer");
	return Object.entries(all).filter(([type]) => !fits.has(type)).map(([type, value]) => [`${type} for ${[...fits]}`, value]);
}

function* outOfRange({ schema, types, required, owner }) {
	if (schema.minimum !== undefined)
		yield ["too small", schema.minimum - 1];
	if (schema.maximum !== undefined)
		yield ["too large", schema.maximum + 1];
	if (types.includes("integer") || types.includes("number"))
		yield ["infinite", raw("1e999")];
	if (types.includes("integer"))
		yield ["beyond exact numbers", raw("9007199254740993000")];
	if (schema.enum)
		yield ["an unknown value", "superhuman"];
	if (schema.minLength > 0)
		yield ["too short", "x".repeat(schema.minLength - 1)];
	if (schema.maxLength !== undefined && !owner)
		yield ["too long", "x".repeat(schema.maxLength + 1)];
	if (schema.format === "email")
		yield ["no address", "nobody"];
	if (schema.format === "uuid" && (required || !owner))
		yield ["no UUID", "not-a-uuid"];
}

function* everywhere({ types }) {
	if (types.includes("string")) {
		yield ["U+0000", raw('"a\\u0000b"')];
		yield ["a lone surrogate", raw('"a\\ud800b"')];
	}
	yield ["nested deeply", raw("[".repeat(DEEP) + "]".repeat(DEEP))];
}

/* The text of an object in which some members are written as they are. */
const written = (members) => `{${members.map(([name, value]) =>
	`${JSON.stringify(name)}:${value?.[RAW] ?? JSON.stringify(value)}`).join(",")}}`;

/* Every wrong body of an operation: { what, field, text }. */
function* wrongBodies(op, things) {
	const good = requestFor(op, things).body;
	const members = Object.entries(good);
	const put = (name, value) => written([...members.filter(([key]) => key !== name), [name, value]]);

	for (const field of op.body.fields) {
		const one = (what, text) => ({ what: `${field.name}: ${what}`, field, text });

		if (field.required) {
			yield one("missing", written(members.filter(([key]) => key !== field.name)));
			yield one("null", put(field.name, null));
		}
		for (const [what, value] of [...ofOtherTypes(field), ...outOfRange(field), ...everywhere(field)])
			yield one(what, put(field.name, value));
		yield one("given twice", written([...members.filter(([key]) => key !== field.name), [field.name, good[field.name] ?? "a"],
			[field.name, good[field.name] ?? "b"]]));
	}
}

const GROUP = 16;

/* A few at a time: neither one after the other, nor more than a client would have open. */
async function inGroups(items, work) {
	for (let i = 0; i < items.length; i += GROUP)
		await Promise.all(items.slice(i, i + GROUP).map(work));
}

/* ---- the answers --------------------------------------------------------------------- */

function assertRefused(op, { what, field, text }, answer) {
	const where = `${op.id}, ${what}: ${answer.status} ${answer.text.slice(0, 300)}\n  ${text.slice(0, 300)}`;

	checkAnswer(op, answer);
	assert.ok([422, field.fault].includes(answer.status), where);
	if (answer.status === 422) {
		assert.ok(answer.body.detail.some((entry) => entry.loc[1] === field.name), where);
		assert.ok(answer.body.message.includes(field.name), where);
	} else {
		assert.equal(answer.body.field, field.name, where);
	}
	assert.ok(!answer.text.includes("xxxxxxxx"), "what was sent is not sent back");
}

/* An optional field may be null: then it counts as not given, and the rest is wrong here. */
async function nullIsNotGiven(op, caller, things) {
	const [needed] = op.body.fields.filter((field) => field.required);

	for (const field of op.body.fields.filter((f) => !f.required && needed)) {
		const { body, path } = requestFor(op, things);
		const answer = await caller.request(op.method, path, { ...body, [needed.name]: {}, [field.name]: null });

		assert.deepEqual(answer.body.detail.map((entry) => entry.loc[1]), [needed.name], `${op.id}: ${field.name} is null: ${answer.text}`);
	}
}

/* Names no body may have, whatever the route. */
const NO_BODY = ["", "hello", '{"a":', "{} {}", "[]", "null", "5", '"x"', "\ufeff{}", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])];

for (const op of operations.filter((o) => o.body?.fields.length > 0)) {
	test(`${op.id} refuses every field that is wrong, and stores nothing`, async () => {
		const caller = op.admin ? world.admin : world.user;
		const things = op.admin ? world.pawn : world.user.things;
		const { path } = requestFor(op, things);
		const before = await world.fingerprint();
		const bodies = [...wrongBodies(op, things)];

		await inGroups(bodies, async (wrong) =>
			assertRefused(op, wrong, await caller.request(op.method, path, wrong.text, { "content-type": "application/json" })));
		await nullIsNotGiven(op, caller, things);
		for (const text of NO_BODY.filter((body) => body.length > 0 || op.body.required)) {
			const answer = await caller.request(op.method, path, text, { "content-type": "application/json" });

			checkAnswer(op, answer);
			assert.equal(answer.status, 422, `${op.id}: ${text}`);
		}
		assert.equal(await world.fingerprint(), before, `${op.id} stored something`);
		assert.ok(bodies.length >= op.body.fields.length * 4, `${bodies.length} bodies`);
	});
}

/* ---- paths and queries --------------------------------------------------------------------- */

const ODD = ["%00", "%ff%fe", "%ed%a0%80", "a%2Fb", "..", "%20", "x".repeat(300), "0", "null", "'%3B--", "%F0%9F%92%A9"];

test("odd ids in paths and queries find nothing and store nothing", async () => {
	const before = await world.fingerprint(world.user);

	for (const op of operations.filter((o) => o.parameters.some((p) => p.owner) && !o.admin))
		for (const odd of ODD) {
			const [first] = op.parameters.filter((p) => p.owner);
			const { path, body, method } = requestFor(op, { ...world.user.things, [first.owner]: "ODD" });
			const answer = await world.user.request(method, path.replace("ODD", odd), body).catch((err) => err);

			/* lws hangs up on a NUL */
			if (answer instanceof Error && odd === "%00")
				continue;
			assert.ok(answer.status < 500, `${op.id} ${odd}: ${answer.status ?? answer}`);
		}
	assert.equal(await world.fingerprint(world.user), before);
});

/* "ж" is six bytes of an address: characters count. */
const IN_PATHS = operations.flatMap((op) => op.parameters.filter((p) => p.in === "path").map((p) => ({ op, name: p.name, owner: p.owner })));
const withPathId = ({ op, owner }, caller, things, id) => {
	const { method, path, body } = requestFor(op, { ...things, [owner]: id });

	return caller.request(method, path, body);
};

test("an id in a path that is too long is refused by its name, whoever asks", async () => {
	const before = await world.fingerprint();

	for (const place of IN_PATHS)
		for (const name of ["user", "guest", "admin"])
			for (const id of ["x".repeat(201), "ж".repeat(201)]) {
				const answer = await withPathId(place, world[name], place.op.admin ? world.pawn : world.user.things, id);

				checkAnswer(place.op, answer);
				assert.equal(answer.status, 422, `${name}: ${place.op.id} ${answer.text}`);
				assert.deepEqual(answer.body.detail.map((entry) => [entry.type, entry.loc]), [["string_too_long", ["path", place.name]]]);
				assert.ok(!answer.text.includes(id.slice(0, 8)), "what was sent is not sent back");
			}
	assert.equal(await world.fingerprint(), before);
});

test("one of 200 characters is as any other that nobody has", async () => {
	for (const place of IN_PATHS.filter(({ op }) => !op.admin)) {
		const [longest, short] = await Promise.all(["ж".repeat(200), "nobody's"].map((id) =>
			withPathId(place, world.user, world.user.things, id)));

		assert.ok(![422, 500, 503].includes(longest.status), `${place.op.id} ${longest.text}`);
		assert.equal(longest.status, short.status, place.op.id);
	}
});
