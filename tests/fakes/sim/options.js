/*
 * The command line. SIM_LISTEN stands in for --listen.
 */

import { parseArgs } from "node:util";

const DEFAULT_LISTEN = "127.0.0.1:8190";
const DEFAULT_DELAY = { demo: 25, echo: 0, bench: 0 };

export const USAGE = `usage: node model-sim.js [options]
  --listen HOST:PORT     where to listen; port 0 takes a free one (SIM_LISTEN, ${DEFAULT_LISTEN})
  --persona NAME         demo (default): plans courses; echo: repeats; bench: a fixed number of tokens
  --token-delay-ms N     pause before each token (demo 25, others 0)
  --first-delay-ms N     pause before the first byte (0)
  --tokens N             length of a bench reply (20)
  --models A,B           models to answer for besides the built-in ones
  --key K                refuse every other key with 401
  --markers              obey [[sim:fault]] markers in the user's text
  --log FILE             append one JSON line per finished call
  --trace FILE           append one JSON line when a call was understood and one when it ended, at once
  --first-call N         number of the first call (1)
`;

export class UsageError extends Error {}

function number(name, text, max) {
	if (!/^\d{1,9}$/.test(text) || Number(text) > max)
		throw new UsageError(`--${name}: expected a whole number from 0 to ${max}, got '${text}'`);
	return Number(text);
}

function address(text) {
	const found = /^(\[[0-9a-f:.]+\]|[^:[\]/\s]+):(\d{1,5})$/i.exec(text);

	if (!found || Number(found[2]) > 65535)
		throw new UsageError(`--listen: expected HOST:PORT, got '${text}'`);
	return { host: found[1].replace(/^\[|\]$/g, ""), port: Number(found[2]) };
}

const string = (def) => ({ type: "string", default: def });

function parse(argv) {
	try {
		return parseArgs({ args: argv, options: {
			listen: string(), persona: string("demo"), "token-delay-ms": string(), "first-delay-ms": string("0"),
			tokens: string(), models: string(""), key: string(), log: string(), trace: string(), "first-call": string("1"),
			markers: { type: "boolean", default: false }, help: { type: "boolean", default: false },
		} }).values;
	} catch (err) {
		throw new UsageError(err.message);
	}
}

/* Options for createSimulator plus host and port; throws UsageError. */
export function parseOptions(argv, env) {
	const given = parse(argv);

	if (!Object.hasOwn(DEFAULT_DELAY, given.persona))
		throw new UsageError(`--persona: expected demo, echo or bench, got '${given.persona}'`);
	if (given.tokens !== undefined && given.persona !== "bench")
		throw new UsageError("--tokens: only the bench persona has a fixed length");
	return {
		...address(given.listen ?? (env.SIM_LISTEN || DEFAULT_LISTEN)),
		help: given.help,
		persona: given.persona,
		tokenDelay: number("token-delay-ms", given["token-delay-ms"] ?? String(DEFAULT_DELAY[given.persona]), 3600000),
		firstDelay: number("first-delay-ms", given["first-delay-ms"], 3600000),
		tokens: number("tokens", given.tokens ?? "20", 100000),
		models: given.models.split(",").map((m) => m.trim()).filter(Boolean),
		key: given.key ?? null,
		log: given.log ?? null,
		trace: given.trace ?? null,
		firstCall: number("first-call", given["first-call"], 999999999),
		markers: given.markers,
	};
}
