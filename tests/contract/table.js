/*
 * The table of docs/contract.md, made from the two documents: every endpoint
 * and every frame with its test.
 *
 *   node tests/contract/table.js [--write | --check]
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/daemon.js";
import { allOperations, heard, idsOf, told } from "./spec.js";

const FILE = join(ROOT, "docs/contract.md");
const BEGIN = "<!-- made by tests/contract/table.js -->\n";
const END = "<!-- to here -->\n";

function testsOf(op) {
	return [`openapi: \`${op.id}\``, idsOf(op).length > 0 && "authorization", op.body?.fields.length > 0 && "bad input"]
		.filter(Boolean).join(", ");
}

const endpointRow = (op) =>
	`| ${op.method} \`${op.path}\` | ${op.admin ? "admin" : op.auth} | ${op.raw.summary} | ${op.statuses.join(" ")} | ${testsOf(op)} |`;

const frameRow = (channel) => (direction, name) =>
	`| \`${channel === "session" ? "/ws/chat/{session_id}" : "/ws/chat/{session_id}/switch"}\` | ${direction} | \`${name}\` | asyncapi${
		direction === "in" && heard(channel).find((m) => m.name === name).fields.some((f) => f.owner) ? ", authorization" : ""} |`;

/* Tests are files of tests/contract; behind "openapi" stands the name of the operation's test. */
export function table() {
	const frames = ["session", "switch"].flatMap((channel) => [
		...heard(channel).map((m) => frameRow(channel)("in", m.name)), ...told(channel).map((name) => frameRow(channel)("out", name))]);

	return [BEGIN, "| endpoint | sign-in | what | statuses | tests |", "|---|---|---|---|---|", ...allOperations.filter((op) => !op.planned).map(endpointRow),
		"", "| socket | | frame | tests |", "|---|---|---|---|", ...frames, END].join("\n").replace(`${BEGIN}\n`, BEGIN);
}

/* docs/contract.md as it is, and as it should be. */
export function documents() {
	const is = readFileSync(FILE, "utf8");
	const from = is.indexOf(BEGIN);
	const to = is.indexOf(END);

	if (from < 0 || to < from)
		throw new Error("docs/contract.md has no place for the table");
	return { is, should: is.slice(0, from) + table() + is.slice(to + END.length) };
}

if (process.argv[1] === import.meta.filename) {
	if (process.argv.includes("--write"))
		writeFileSync(FILE, documents().should);
	else if (process.argv.includes("--check"))
		process.exitCode = documents().is === documents().should ? 0 : 1;
	else
		process.stdout.write(table());
}
