/* Debian's promtool, which judges what we export and what is made of it. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./daemon.js";

const OWN = join(ROOT, "var/promtool/promtool");	/* where make deps puts it */

/* { code, out } of a run; input goes to its standard input. */
export function promtool(args, { input, cwd = ROOT } = {}) {
	return new Promise((resolve, reject) => {
		const child = execFile(existsSync(OWN) ? OWN : "promtool", args, { cwd, timeout: 60000 }, (err, stdout, stderr) => {
			if (err?.code === "ENOENT")
				reject(new Error("promtool is missing; deploy/dev/deps.sh test brings it"));
			else
				resolve({ code: err ? err.code ?? err.signal : 0, out: stdout + stderr });
		});

		child.stdin.on("error", () => {});	/* it was not found: said above */
		child.stdin.end(input);
	});
}
