/*
 * Waiting for events, never for a number of seconds: ask again until the answer
 * is true or the deadline has passed, then say what was waited for.
 */

import { setTimeout as sleep } from "node:timers/promises";

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/*
 * Resolves to the first truthy value of ask(). An error of ask counts as "not
 * yet" and is shown at the deadline, unless it says that it is final.
 */
export async function until(what, ask, { ms = 10000 } = {}) {
	const end = performance.now() + ms;
	let pause = FIRST_PAUSE_MS;
	let last;

	for (;;) {
		try {
			last = await ask();
			if (last)
				return last;
		} catch (err) {
			if (err.final)
				throw err;
			last = err;
		}
		if (performance.now() >= end)
			throw new Error(`${what}: not within ${ms} ms (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`);
		await sleep(pause);
		pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
	}
}

/* The promise's value, or an error naming what took too long. */
export async function within(ms, what, promise) {
	const abort = new AbortController();
	const late = sleep(ms, undefined, { signal: abort.signal }).then(() => {
		throw new Error(`${what}: not within ${ms} ms`);
	}, () => {});

	try {
		return await Promise.race([promise, late]);
	} finally {
		abort.abort();
	}
}
