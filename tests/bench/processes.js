/* What the four daemons cost, from /proc. */

import { readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;	/* USER_HZ, fixed in the Linux ABI */

export function cpuSeconds(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");

	return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function residentMiB(pid) {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}

export const cpuOf = (daemons) => Object.fromEntries(daemons.map((d) => [d.name, cpuSeconds(d.pid)]));
export const memoryOf = (daemons) => Object.fromEntries(daemons.map((d) => [d.name, residentMiB(d.pid)]));
export const total = (values) => Object.values(values).reduce((sum, value) => sum + value, 0);
