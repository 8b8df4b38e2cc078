/*
 * Stands in for a daemon in the tests of the harness and of the make targets:
 * it answers /readyz, logs as the daemons do and ends on SIGTERM. STANDIN_FAULT
 * plants one defect, in the daemon that STANDIN_WHERE names.
 */

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";

const [name, option] = process.argv.slice(2);
const fault = process.env.STANDIN_WHERE === name ? process.env.STANDIN_FAULT : undefined;

if (option === "--check-config" && process.env.LOG_LEVEL === "loud") {
	console.error(`alp-${name}: LOG_LEVEL: debug, info, warning or error was expected`);
	process.exit(1);
}
if (option === "--password-reset")
	console.log("/reset#of-a-stand-in");
if (option !== undefined)
	process.exit(0);

const [host, port] = process.env[`${name.toUpperCase()}_HEALTH`].split(":");

function log(level, event, fields = {}) {
	console.log(JSON.stringify({ time: new Date().toISOString(), service: name, level, event, ...fields }));
}

const FAULTS = {
	error: () => log("error", "planted.error", { reason: "a test asked for it" }),
	exit: () => setTimeout(() => process.exit(75), 300),
	report: () => writeFileSync(`${/log_path=([^:]*)/.exec(process.env.ASAN_OPTIONS)[1]}.${process.pid}`, "ERROR: planted leak"),
	refuse: () => {
		console.error("planted refusal");
		process.exit(1);
	},
};

FAULTS[fault]?.();
createServer((request, response) => {
	response.statusCode = request.url === "/readyz" && fault !== "unready" ? 200 : 503;
	response.end(JSON.stringify({ name, version: "stand-in", dependencies: { store: "not there", chat: "up" }, warnings: ["a warning"],
		pid: process.pid, turns_waiting: 0, idle: 0, env: process.env }));
}).listen(Number(port), host, () => log("info", "daemon.ready", { pid: process.pid }));
process.on("SIGTERM", () => {
	if (fault === "hang")
		return;
	log("info", "daemon.stop");
	process.exit(fault === "status" ? 3 : 0);
});
