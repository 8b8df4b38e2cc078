/*
 * Every route and every socket command, for everybody, with his own id, a
 * foreign, an unknown and a malformed one. What belongs to somebody else
 * answers exactly like what does not exist, and nothing changes.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Ws } from "../lib/ws.js";
import { heard, idsOf, operations } from "./spec.js";
import { World, requestFor, send } from "./world.js";

const OWNERS = ["user", "guest"];
const STRANGERS = ["other", "otherGuest", "user", "guest", "admin", "nobody"];
const REFUSED = { expired: 401, disabled: 401 };
const KINDS = ["track", "session", "chat", "message", "turn", "module", "lesson"];
let world, untouched;

before(async () => {
	world = await World.start();
	await world.quiet();
	untouched = await world.fingerprint();
});
after(() => world?.stop());

const unknown = () => Object.fromEntries(KINDS.map((kind) => [kind, randomUUID()]));

/* The answer without what differs by nature: times, and the ids that were asked for. */
function bare(answer, ...things) {
	const ids = things.flatMap((t) => Object.values(t));
	const text = ids.reduce((left, id) => left.replaceAll(id, "ID"), answer.text ?? JSON.stringify(answer));

	return `${answer.status ?? ""} ${text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")}`;
}

/* The stranger's own things, but for one that is foreign or unknown. */
const mixed = (stranger, kind, other) => ({ ...(world[stranger].things ?? other), [kind]: other[kind] });

/* All pairs of an owner and somebody else. */
const pairs = (strangers = STRANGERS) => OWNERS.flatMap((owner) => strangers.filter((name) => name !== owner).map((stranger) => ({ owner, stranger })));

const unchanged = async () => assert.equal(await world.fingerprint(), untouched, "nothing has changed");

async function foreignIsUnknown(op, { owner, stranger }, kind) {
	const nothing = unknown();
	const theirs = world[owner].things;
	const own = world[stranger].things ?? {};
	const asked = (other) => send(world[stranger], requestFor(op, mixed(stranger, kind, other), undefined, true));
	const [foreign, unheard] = await Promise.all([asked(theirs), asked(nothing)]);
	const where = `${stranger} asks ${op.id} for the ${kind} of ${owner}`;

	assert.equal(bare(foreign, theirs, own), bare(unheard, nothing, own), where);
	assert.ok(stranger === "nobody" && op.auth === "required" ? foreign.status === 403 : [403, 404].includes(foreign.status),
		`${where}: ${foreign.status} ${foreign.text.slice(0, 200)}`);
}

async function refusesTheRefused(op, name, status, things) {
	const answer = await send(world[name], requestFor(op, things));

	assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`);
}

const withIds = operations.filter((o) => idsOf(o).length > 0 && !o.admin);

for (const op of withIds)
	test(`${op.id}: foreign is unknown, and whose sign-in has ended gets nothing`, async () => {
		const kinds = [...new Set(idsOf(op).map((id) => id.owner))];

		await Promise.all(kinds.flatMap((kind) => pairs().map((pair) => foreignIsUnknown(op, pair, kind))));
		await Promise.all(Object.entries(REFUSED).flatMap(([name, status]) =>
			[world.user.things, unknown()].map((things) => refusesTheRefused(op, name, status, things))));
		await unchanged();
	});

/* ---- routes without an id: only one's own --------------------------------------------- */

for (const op of operations.filter((o) => o.method === "GET" && o.auth === "required" && idsOf(o).length === 0 && !o.admin)) {
	test(`${op.id} shows everybody his own only`, async () => {
		for (const owner of OWNERS)
			for (const stranger of STRANGERS.filter((name) => name !== owner)) {
				const { text } = await send(world[stranger], requestFor(op, {}));

				for (const id of [...Object.values(world[owner].things), world[owner].user.id])
					assert.ok(!text.includes(id), `${stranger} sees ${id} of ${owner}`);
			}
	});
}

for (const op of operations.filter((o) => o.admin)) {
	test(`${op.id} is for administrators only`, async () => {
		for (const name of ["user", "other", "guest", "nobody", "expired", "disabled"]) {
			const answer = await send(world[name], requestFor(op, { user: world.other.user.id }));

			assert.equal(answer.status, REFUSED[name] ?? 403, `${name}: ${answer.text.slice(0, 200)}`);
		}
		await unchanged();
	});
}

/* ---- sockets ------------------------------------------------------------------------------- */

const CHANNELS = { session: (id) => `/ws/chat/${id}`, switch: (id) => `/ws/chat/${id}/switch` };
const open = (rest, channel, session) => Ws.open(world.stack.wsUrl + CHANNELS[channel](session), { token: rest.token });
const ownSession = (rest) => rest.things?.session ?? "some-session";

/* Everything that a command answers, up to the end of the pong behind it. */
async function ask(ws, channel, frame) {
	const from = ws.frames.length;

	ws.send(frame);
	await ws.next(() => true);
	return ws.frames.slice(from);
}

const frameFor = (message, things) => ({ ...message.example, ...Object.fromEntries(message.fields.filter((field) => field.owner)
	.map((field) => [field.name, things[field.owner]])) });

const commands = Object.keys(CHANNELS).flatMap((channel) => heard(channel).map((message) => ({ channel, message })));

async function foreignCommandIsUnknown({ channel, message }, { owner, stranger }) {
	const ws = await open(world[stranger], channel, ownSession(world[stranger]));
	const fresh = message.name === "message" ? { client_message_id: randomUUID() } : {};

	for (const kind of new Set(message.fields.map((field) => field.owner).filter(Boolean))) {
		const nothing = unknown();
		const theirs = world[owner].things;
		const foreign = await ask(ws, channel, { ...frameFor(message, { ...nothing, [kind]: theirs[kind] }), ...fresh });
		const unheard = await ask(ws, channel, { ...frameFor(message, nothing), ...fresh });
		const where = `${stranger} sends ${message.name} for the ${kind} of ${owner}`;

		assert.equal(bare(foreign, theirs), bare(unheard, nothing), where);
		assert.deepEqual(foreign.map((f) => [f.type, f.code]), [["error", "not_found"]], where);
	}
	await ws.close();
}

for (const command of commands.filter(({ message: m }) => m.fields.some((field) => field.owner)))
	test(`socket ${command.message.name}: foreign is unknown`, async () => {
		await Promise.all(pairs().map((pair) => foreignCommandIsUnknown(command, pair)));
		await unchanged();
	});

async function foreignSessionIsUnknown({ channel, message }, { owner, stranger }) {
	const nothing = unknown();
	const theirs = world[owner].things;
	const said = message.name === "message" ? { client_message_id: undefined } : {};
	const [foreign, unheard] = await Promise.all([theirs, nothing].map(async (things) => {
		const ws = await open(world[stranger], channel, things.session);
		const answers = await ask(ws, channel, { ...frameFor(message, things), ...said });

		await ws.close();
		return answers;
	}));

	assert.equal(bare(foreign, theirs), bare(unheard, nothing), `${stranger} in the session of ${owner}`);
	for (const frame of foreign)
		assert.ok(frame.type === "error" || frame.has_existing_chat === false || frame.chats?.length === 0, JSON.stringify(frame));
}

for (const command of commands.filter(({ message: m }) => m.name !== "ping"))
	test(`socket ${command.message.name} in a foreign session is as in an unknown one`, async () => {
		await Promise.all(pairs().map((pair) => foreignSessionIsUnknown(command, pair)));
		await unchanged();
	});

test("a socket of one whose sign-in has ended is refused", async () => {
	for (const [name, status] of Object.entries(REFUSED))
		for (const channel of Object.keys(CHANNELS))
			await assert.rejects(open(world[name], channel, world.user.things.session), { status }, `${name} ${channel}`);
});

test("what happens in a session is heard by its owner's sockets only", async () => {
	const { session } = world.user.things;
	const [own, ...others] = await Promise.all([world.user, world.other, world.guest, world.admin, world.nobody]
		.map((rest) => open(rest, "session", session)));
	const { response } = await own.turn("What comes first?");

	assert.equal(response.state, "completed");
	for (const ws of others) {
		ws.send({ type: "ping", t: 1 });
		await ws.next("pong");
		assert.deepEqual(ws.frames.map((frame) => frame.type), ["pong"]);
		await ws.close();
	}
	await own.close();
});

/* The last: under a name of his own everybody may make himself a session. */
test("a malformed id finds nothing of anybody's", async () => {
	const before = await Promise.all(OWNERS.map((owner) => world.fingerprint(world[owner])));

	for (const op of withIds)
		await Promise.all(["other", "otherGuest", "admin", "nobody"].flatMap((caller) => idsOf(op).map(async ({ owner: kind }) => {
			const things = { ...(world[caller].things ?? unknown()), [kind]: "not-a-uuid" };
			const answer = await send(world[caller], requestFor(op, things, undefined, true));

			assert.ok(answer.status < 500, `${caller}: ${op.id} ${answer.status} ${answer.text.slice(0, 200)}`);
			for (const owner of OWNERS)
				for (const id of Object.values(world[owner].things))
					assert.ok(!answer.text.includes(id), `${caller} sees an id of ${owner}`);
		})));
	await world.quiet();
	assert.deepEqual(await Promise.all(OWNERS.map((owner) => world.fingerprint(world[owner]))), before);
});
