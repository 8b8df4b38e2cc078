/*
 * The one source of chance of a run. fork(name) gives a generator of its own,
 * so that what one user draws does not change what another does.
 */

function hash(text) {
	let h = 2166136261;

	for (const c of text)
		h = Math.imul(h ^ c.codePointAt(0), 16777619);
	return h >>> 0;
}

export class Random {
	#state;

	constructor(seed) {
		this.seed = String(seed);
		this.#state = hash(this.seed);
	}

	fork(name) {
		return new Random(`${this.seed}/${name}`);
	}

	/* [0, 1): mulberry32 */
	next = () => {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let z = this.#state;

		z = Math.imul(z ^ (z >>> 15), z | 1);
		z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
		return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
	};

	chance(p) {
		return this.next() < p;
	}

	/* A whole number from a to b. */
	int(a, b) {
		return a + Math.floor(this.next() * (b - a + 1));
	}

	pick(list) {
		return list[this.int(0, list.length - 1)];
	}

	/* A key of { key: weight }. */
	weighted(weights) {
		const entries = Object.entries(weights).filter(([, w]) => w > 0);
		let at = this.next() * entries.reduce((sum, [, w]) => sum + w, 0);

		return (entries.find(([, w]) => (at -= w) < 0) ?? entries.at(-1))[0];
	}

	uuid() {
		const hex = Array.from({ length: 32 }, () => this.int(0, 15).toString(16));

		hex[12] = "4";
		hex[16] = "8";
		return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
	}
}
