/* INV-14: after the quiet, everything is as small as before. */

const FDS = 12;	/* keep-alive connections to the model and the database, which come and go */
const THREADS = 2;
const GROWTH = 1.5;	/* of anonymous memory, over a warmed-up process */
const GROWTH_KB = 32768;
const SESSIONS = 4;

export function* inv14({ resources }) {
	const { before, after, cores, reports, sanitized } = resources;

	for (const core of cores)
		yield { text: `a core: ${core}` };
	for (const report of reports)
		yield { text: `a sanitizer's report: ${report}` };
	for (const [name, was] of Object.entries(before.processes)) {
		const is = after.processes[name];

		if (is === undefined) {
			yield { text: `${name} is not there any more` };
			continue;
		}
		if (is.fds > was.fds + FDS)
			yield { text: `${name} has ${is.fds} descriptors, had ${was.fds}` };
		if (is.threads > was.threads + THREADS)
			yield { text: `${name} has ${is.threads} threads, had ${was.threads}` };
		if (!sanitized && is.kb > was.kb * GROWTH + GROWTH_KB)
			yield { text: `${name} has ${is.kb} KiB, had ${was.kb}` };
	}
	if (after.sessions > before.sessions + SESSIONS)
		yield { text: `${after.sessions} database sessions, there were ${before.sessions}` };
}
