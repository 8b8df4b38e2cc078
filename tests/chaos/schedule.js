/*
 * What is done to the stack, and when: made of the seed alone, before anything
 * runs. [{ at: ms from the start, kind, target, ms?, ... }], in order.
 */

export const KINDS = { kill: 30, point: 16, stop: 10, slow: 4, term: 4, partition: 6, frames: 10, cut: 4, pg: 5, sim: 3 };
const POSTGRES = ["fast", "immediate", "kill", "backend"];
const DIRECTIONS = ["up", "down", "both"];
const QUIET_MS = 3000;	/* at the start: the first dialogues are under way */

/* How a link plays with messages. What is asked and answered is not dropped: TCP does not either. */
function frames(random, link) {
	const lossy = link.transport === "tcp";

	return { duplicate: random.pick([0, 0.1, 0.5]), reorder: random.pick([0, 0.2, 0.5]),
		drop: lossy ? random.pick([0, 0.1, 0.5, 1]) : 0, delay: random.pick([null, [0, 50], [0, 300]]) };
}

const MAKE = {
	kill: (random, { daemons }) => ({ target: random.pick(daemons) }),
	point: (random, { daemons, points }) => {
		const target = random.pick(daemons);
		const point = random.pick(points.filter((p) => target.startsWith(p.daemon)));

		return { target, spec: `${point.name}=kill@${random.int(1, 6)}` };
	},
	stop: (random, { daemons }) => ({ target: random.pick(daemons), ms: random.int(100, 4500) }),
	slow: (random, { daemons }) => ({ target: random.pick(daemons), ms: random.int(1000, 4000) }),
	term: (random, { daemons }) => ({ target: random.pick(daemons) }),
	partition: (random, { links }) => ({ target: random.pick(links).name, direction: random.pick(DIRECTIONS), ms: random.int(200, 4000) }),
	frames: (random, { links }) => {
		const link = random.pick(links);

		return { target: link.name, rules: { up: frames(random, link), down: frames(random, link) }, ms: random.int(1000, 6000) };
	},
	cut: (random, { links }) => ({ target: random.pick(links).name }),
	pg: (random) => ({ target: "postgres", how: random.pick(POSTGRES) }),
	sim: (random) => ({ target: "model-sim", how: random.pick(["kill", "stop"]), ms: random.int(300, 2500) }),
};

/*
 * what: { daemons: [name], links: [{ name, transport }], points: [{ name, daemon }] }.
 * everyMs: mean pause. kinds: weights over the usual ones; { kill: 1 } alone only kills.
 */
export function makeSchedule(random, what, { ms, everyMs, kinds = KINDS }) {
	const faults = [];

	for (let at = QUIET_MS; at < ms; at += random.int(everyMs * 0.4, everyMs * 1.6)) {
		const kind = random.weighted(kinds);

		faults.push({ at: Math.round(at), kind, ...MAKE[kind](random, what) });
	}
	return faults;
}

/* n faults of a kind, evenly spread: those that a campaign promises. */
export function spread(random, what, kind, n, ms) {
	return Array.from({ length: n }, (_, i) => ({ at: Math.round(QUIET_MS + (ms - QUIET_MS) * (i + random.next()) / n), kind,
		...MAKE[kind](random, what) }));
}
