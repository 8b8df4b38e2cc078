/*
 * docs/openapi.yaml and docs/asyncapi.yaml as programs see them: every
 * operation, every field of every body, every frame, and whether an answer
 * keeps to what is written there.
 */

import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../lib/daemon.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

const load = (file) => parse(readFileSync(join(ROOT, "docs", file), "utf8"));

export const openapi = load("openapi.yaml");
export const asyncapi = load("asyncapi.yaml");

const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });

addFormats(ajv);
ajv.addSchema(openapi, "openapi.yaml");
ajv.addSchema(asyncapi, "asyncapi.yaml");

const DOCUMENTS = { "openapi.yaml": openapi, "asyncapi.yaml": asyncapi };
const escaped = (part) => part.replaceAll("~", "~0").replaceAll("/", "~1");
export const pointer = (...parts) => `#/${parts.map(escaped).map(encodeURIComponent).join("/")}`;

/* What a $ref stands for; anything else is itself. */
export function resolved(node, file = "openapi.yaml") {
	if (node?.$ref === undefined)
		return node;
	const [document, path] = node.$ref.split("#");
	const target = document || file;
	const found = path.slice(1).split("/").map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
		.reduce((at, part) => at[part], DOCUMENTS[target]);

	return { ...resolved(found, target), ...Object.fromEntries(Object.entries(node).filter(([key]) => key !== "$ref")) };
}

const compiled = new Map();

function validator(ref) {
	if (!compiled.has(ref))
		compiled.set(ref, ajv.compile({ $ref: ref }));
	return compiled.get(ref);
}

/* What is wrong with a value, "" when nothing is. */
export function faults(ref, value) {
	const check = validator(ref);

	return check(value) ? "" : ajv.errorsText(check.errors, { separator: "\n  " });
}

/* ---- operations --------------------------------------------------------------------- */

/* none: a token is not looked at; optional; required. */
function authOf(op) {
	const security = op.security ?? openapi.security;

	if (security.length === 0)
		return "none";
	return security.some((way) => Object.keys(way).length === 0) ? "optional" : "required";
}

/* A property by itself, or what one of several alternatives says of it. */
function fieldOf(name, node, required) {
	const schema = resolved(node);
	const types = [schema.type ?? []].flat();

	return { name, schema, required, types: types.filter((type) => type !== "null"), nullable: types.includes("null"),
		owner: schema["x-owner"], fault: schema["x-fault"] ?? 422 };
}

function bodyOf(op) {
	if (op.requestBody === undefined)
		return null;
	const body = resolved(op.requestBody);
	const schema = resolved(body.content["application/json"].schema);

	return { required: body.required === true, schema, example: schema.examples?.[0] ?? {},
		fields: Object.entries(schema.properties ?? {}).map(([name, node]) =>
			fieldOf(name, node, (schema.required ?? []).includes(name))) };
}

function operationOf(method, path, item) {
	const op = item[method];
	const parameters = [...(item.parameters ?? []), ...(op.parameters ?? [])].map((node) => resolved(node))
		.map((p) => ({ ...p, owner: p["x-owner"], schema: resolved(p.schema) }));

	return { id: op.operationId, method: method.toUpperCase(), path, auth: authOf(op), parameters, body: bodyOf(op),
		statuses: Object.keys(op.responses).map(Number), file: op["x-file"] === true, admin: op["x-admin"] === true,
		planned: op["x-planned"] === true, tags: op.tags, raw: op };
}

/* As the gateway's routes.def writes it. */
function routesOf(text) {
	const row = /^ROUTE\((\w+), "([^"]+)", (\w+), (\w+), (\w+)\)/gm;

	return [...text.matchAll(row)].map(([, method, pattern, auth, body, handler]) => ({ method, pattern, auth, body, handler }));
}

export const routes = routesOf(readFileSync(join(ROOT, "services/gateway/routes.def"), "utf8"));
export const isRouted = (op) => routes.some((r) => r.method === op.method && r.pattern === op.path);

export const allOperations = Object.entries(openapi.paths).flatMap(([path, item]) =>
	METHODS.filter((method) => item[method]).map((method) => operationOf(method, path, item)));

/* Those the program has: a planned one counts from the day its route is there. */
export const operations = allOperations.filter((op) => !op.planned || isRouted(op));
export const operation = (id) => {
	const found = operations.find((op) => op.id === id);

	if (!found)
		throw new Error(`no operation ${id}`);
	return found;
};

/* Every id of an operation that belongs to somebody: { name, in, owner }. */
export const idsOf = (op) => [
	...op.parameters.filter((p) => p.owner).map((p) => ({ name: p.name, in: p.in, owner: p.owner })),
	...(op.body?.fields ?? []).filter((f) => f.owner).map((f) => ({ name: f.name, in: "body", owner: f.owner })),
];

/* Throws unless an answer of fetch, read by Rest, is one that the operation documents. */
export function checkAnswer(op, answer) {
	const where = `${op.id} ${answer.status}`;
	const response = resolved(op.raw.responses[answer.status]);

	if (!response)
		throw new Error(`${where} is not documented: ${answer.text.slice(0, 300)}`);
	for (const [name, header] of Object.entries(response.headers ?? {})) {
		const value = answer.headers.get(name);

		if (header.required !== false && value === null)
			throw new Error(`${where}: the header ${name} is missing`);
		if (!ajv.validate(resolved(header).schema, value ?? ""))
			throw new Error(`${where}: the header ${name} is ${value}`);
	}
	if (response.content === undefined)
		return;
	const type = (answer.headers.get("content-type") ?? "").split(";")[0];

	if (response.content[type] === undefined)
		throw new Error(`${where}: content type ${type} is not documented`);
	const path = op.raw.responses[answer.status].$ref?.slice(2).split("/")
		?? ["paths", op.path, op.method.toLowerCase(), "responses", String(answer.status)];
	const wrong = type.includes("json") ? faults(`openapi.yaml${pointer(...path, "content", type, "schema")}`, answer.body) : "";

	if (wrong)
		throw new Error(`${where} is not as documented:\n  ${wrong}\n  ${answer.text.slice(0, 600)}`);
}

/* ---- frames ------------------------------------------------------------------------------ */

const messagesOf = (channel, action) => Object.values(asyncapi.operations)
	.filter((o) => o.action === action && o.channel.$ref === `#/channels/${channel}`)
	.flatMap((o) => o.messages.map((m) => resolved(m, "asyncapi.yaml").$ref ?? m.$ref))
	.map((ref) => ref.split("/").at(-1));

const messageNode = (channel, name) => asyncapi.channels[channel].messages[name].$ref.split("/").at(-1);

/* Of one socket ("session" or "switch"): what it hears and what it tells, by name. */
export const heard = (channel) => messagesOf(channel, "receive").map((name) => {
	const payload = asyncapi.components.messages[messageNode(channel, name)].payload;

	return { name, payload, example: payload.examples[0], fields: Object.entries(payload.properties)
		.map(([field, node]) => fieldOf(field, node, payload.required.includes(field))) };
});
export const told = (channel) => messagesOf(channel, "send");

/* What is wrong with a frame that a client received, "" when nothing is. */
export function frameFaults(channel, frame) {
	if (!told(channel).includes(frame.type))
		return `a frame of the type ${frame.type} is not documented`;
	return faults(`asyncapi.yaml${pointer("components", "messages", messageNode(channel, frame.type), "payload")}`, frame);
}
