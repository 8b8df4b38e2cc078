/*
 * Ports that stay ours for as long as this process lives, also while a killed
 * daemon is being started again. They lie below the range from which the kernel
 * takes the ports of outgoing connections, and each is claimed by holding an
 * abstract unix socket of that name: no file to go stale, and parallel test
 * processes see each other.
 */

import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const LOWEST = 10240;
const TRIES = 200;

function highest() {
	return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/)[0]) - 1;
}

function listen(server, ...where) {
	return new Promise((resolve) => {
		server.once("error", () => resolve(false));
		server.listen(...where, () => resolve(true));
	});
}

const close = (server) => new Promise((resolve) => server.close(resolve));

/* The claim on one port, or null when another has it or something listens there. */
async function claim(port) {
	const mark = createServer().unref();
	const probe = createServer();

	if (!await listen(mark, `\0alp-test-port-${port}`))
		return null;
	if (!await listen(probe, port, "127.0.0.1")) {
		await close(mark);
		return null;
	}
	await close(probe);
	return mark;
}

async function claimRun(first, count) {
	const marks = [];

	for (let port = first; port < first + count; port++) {
		const mark = await claim(port);

		if (mark === null) {
			await Promise.all(marks.map(close));
			return null;
		}
		marks.push(mark);
	}
	return marks;
}

/* count ports in a row: { ports, release() }. */
export async function claimPorts(count) {
	const span = highest() - count - LOWEST;

	for (let i = 0; i < TRIES; i++) {
		const first = LOWEST + Math.floor(Math.random() * span);
		const marks = await claimRun(first, count);

		if (marks !== null)
			return {
				ports: Array.from({ length: count }, (_, n) => first + n),
				release: () => Promise.all(marks.map(close)),
			};
	}
	throw new Error(`no ${count} free ports in a row found in ${TRIES} tries`);
}
