/*
 * The logs of a run as a file, for --check: a line for each entry of a list,
 * { at: ["db", "turns"], entry }, and for each other value, { at, value }. Ten
 * minutes of a fast machine are more than one text can hold.
 */

import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

const isGroup = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function* linesOf(value, at = []) {
	if (isGroup(value) && at.length < 2)
		for (const [key, member] of Object.entries(value))
			yield* linesOf(member, [...at, key]);
	else if (!Array.isArray(value))
		yield { at, value };
	else {
		yield { at, value: [] };
		for (const entry of value)
			yield { at, entry };
	}
}

export function saveLogs(file, logs) {
	const fd = openSync(file, "w");

	try {
		for (const line of linesOf(logs))
			writeSync(fd, `${JSON.stringify(line)}\n`);
	} finally {
		closeSync(fd);
	}
}

export async function readLogs(file) {
	const logs = {};

	for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
		const { at, value, entry } = JSON.parse(text);
		const last = at.at(-1), group = at.length > 1 ? logs[at[0]] ??= {} : logs;

		if (entry === undefined)
			group[last] = value;
		else
			group[last].push(entry);
	}
	return logs;
}
