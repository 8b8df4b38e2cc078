/*
 * The checker of a chaos run: pure functions over its logs (logs.js). Each
 * invariant yields violations { turn?, cmid?, text }.
 */

import { inv10 } from "./ledger.js";
import { inv09 } from "./liveness.js";
import { groupBy, invalidities, isKill, timeLine } from "./logs.js";
import { inv01, inv02, inv03 } from "./messages.js";
import { inv11, inv12 } from "./privacy.js";
import { inv14 } from "./resources.js";
import { inv07, inv08 } from "./streams.js";
import { inv13 } from "./structure.js";
import { inv04, inv05, inv06 } from "./turns.js";

export const INVARIANTS = {
	"INV-01": inv01, "INV-02": inv02, "INV-03": inv03, "INV-04": inv04, "INV-05": inv05, "INV-06": inv06, "INV-07": inv07,
	"INV-08": inv08, "INV-09": inv09, "INV-10": inv10, "INV-11": inv11, "INV-12": inv12, "INV-13": inv13, "INV-14": inv14,
};

/* { invalid: [why], violations: [{ inv, turn?, cmid?, text }] } */
export function check(logs) {
	const invalid = invalidities(logs);

	if (invalid.length > 0)
		return { invalid, violations: [] };
	return { invalid, violations: Object.entries(INVARIANTS).flatMap(([inv, run]) => [...run(logs)].map((v) => ({ inv, ...v }))) };
}

const VIOLATIONS_SHOWN = 20;

/* For people: what was done, and each violation with the seed and the turn's time line. */
export function report(logs, { invalid, violations }) {
	const lines = invalid.map((why) => `INVALID: ${why}`);

	for (const v of violations.slice(0, VIOLATIONS_SHOWN))
		lines.push(`${v.inv} (seed ${logs.seed}): ${v.text}`,
			...(v.turn || v.cmid ? timeLine(logs, v) : []).map((line) => `    ${line}`));
	if (violations.length > VIOLATIONS_SHOWN)
		lines.push(`... and ${violations.length - VIOLATIONS_SHOWN} more`);
	return lines.join("\n");
}

/* The run in figures. */
export function summary(logs) {
	const kills = logs.faults.filter(isKill);
	const count = (list, key) => Object.fromEntries([...groupBy(list, key)].map(([k, l]) => [k, l.length]).sort());
	const sends = logs.client.filter((e) => e.ev === "send");

	return {
		seconds: Math.round((logs.clock.faultsEnd - logs.clock.start) / 1000),
		messages: new Set(sends.map((e) => e.cmid)).size, sends: sends.length,
		turns: count(logs.db.turns, (t) => t.state), calls: logs.sim.length,
		faults: count(logs.faults, (f) => f.kind), kills: count(kills, (f) => f.target),
		hits: `${kills.filter((f) => f.hit).length} of ${kills.length}`,
		resets: logs.client.filter((e) => e.ev === "reset").length,
		readyMs: Math.round(logs.clock.ready - logs.clock.faultsEnd),
	};
}
