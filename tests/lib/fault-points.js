/* The fault points of services/common/fault_points.def, as tests see them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./daemon.js";

const FAULT = /^FAULT\((\w+), (GATEWAY|CHAT|AI|STORE), "([^"]+)"\)$/gm;

/* [{ name, daemon, what }], in the order of a turn. */
export function faultPoints() {
	const text = readFileSync(join(ROOT, "services/common/fault_points.def"), "utf8");

	return [...text.matchAll(FAULT)].map(([, name, daemon, what]) => ({ name, daemon: daemon.toLowerCase(), what }));
}
