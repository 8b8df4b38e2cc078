/*
 * People who never give up: they send until they are answered, over whatever
 * gateway is there, reload when they like, ask twice, stop, and have a second
 * tab that looks on and sometimes speaks as well.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { Rest } from "../lib/rest.js";
import { Tab } from "./tab.js";

const ANSWER_MS = 12000;
const END_MS = 20000;
const LAST_END_MS = 60000;	/* longer than the bench waits for the last word: run.js */
const RESTORE_MS = 12000;
const PAUSE_MS = [20, 250];	/* before a socket is opened again */
const BETWEEN_MS = [0, 400];	/* two messages of one person */
const FOR_GOOD = new Set(["cmid_conflict", "not_found", "blank_message", "too_long", "bad_frame"]);

/* A guest's id is shown as guest_<32 digits>; its row has the same as a UUID. */
const rowId = (id) => id.replace(/^guest_(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

export class User {
	constructor({ n, bed, random, log, guest }) {
		Object.assign(this, { n, bed, log, random: random.fork(`user${n}`), name: `user${n}`, open: 0 });
		this.rest = new Rest(`http://${random.pick(bed.gateways)}`);
		this.guest = guest;
		this.running = true;
	}

	async signIn(monotonicMs) {
		await (this.guest ? this.rest.guest() : this.rest.register());
		this.token = this.rest.token;
		this.log.push({ t: monotonicMs(), user: this.name, tab: 0, ev: "user", id: rowId(this.rest.user.id) });
	}

	/* places: dialogues at once; the first has a second tab. Resolves when all have said their last. */
	talk(places) {
		const tabs = Array.from({ length: places }, (_, i) => new Speaker(this, `place${this.n}x${i}`, i + 1, i === 0 ? 0.85 : 1));

		tabs.push(new Speaker(this, `place${this.n}x0`, places + 1, 0.15));
		this.tabs = tabs;
		return Promise.all(tabs.map((tab) => tab.run()));
	}

	/* Every dialogue as a fresh page shows it. */
	async look() {
		for (const tab of this.tabs)
			await tab.look();
	}
}

class Speaker {
	constructor(user, place, n, talkative) {
		Object.assign(this, { user, place, talkative, random: user.random.fork(`tab${n}`) });
		this.tab = new Tab({ user, n, place, log: user.log });
	}

	get running() {
		return this.user.running;
	}

	async run() {
		while (this.running) {
			await this.#ready();
			if (this.random.chance(this.talkative))
				await this.#say();
			else
				await this.tab.next(() => false, this.random.int(100, 1500));
			await sleep(this.random.int(...BETWEEN_MS));
			if (this.random.chance(0.05))
				this.tab.drop();
		}
		this.tab.note("silent");
	}

	async look() {
		this.tab.drop();
		await this.#ready();
		this.tab.note("looked");
	}

	/* An open socket whose dialogue is restored. */
	async #ready() {
		while (!this.tab.isOpen) {
			if (!await this.tab.open(this.random.pick(this.user.bed.gateways))) {
				await sleep(this.random.int(...PAUSE_MS));
				continue;
			}
			const restored = this.tab.next((e) => e.ev === "history" || (e.ev === "error" && !e.turn), RESTORE_MS);

			this.tab.restore();
			if ((await restored)?.ev !== "history") {
				this.tab.drop();
				await sleep(this.random.int(...PAUSE_MS));
			}
		}
	}

	#message() {
		const cmid = this.random.uuid();
		const words = this.random.int(5, 60);

		return { cmid, text: `@${this.user.name} @${this.place} @msg=${cmid} and then? [[sim:marked=${words}]] `
			+ `[[sim:token_delay=${this.random.int(3, 25)}]] [[sim:first_delay=${this.random.int(0, 200)}]]` };
	}

	/* One message, until its end is known. */
	async #say() {
		const { cmid, text } = this.#message();
		const habits = { reload: this.random.chance(0.12), twice: this.random.chance(0.12), stop: this.random.chance(0.06) };

		this.user.open++;
		try {
			while (!await this.#try(cmid, text, habits))
				await this.#ready();
		} finally {
			this.user.open--;
		}
	}

	/* True when there is nothing more to ask about this message. */
	async #try(cmid, text, habits) {
		const answered = this.tab.next((e) => (e.ev === "ack" || e.ev === "nack") && e.cmid === cmid, ANSWER_MS);

		this.tab.post(cmid, text);
		const answer = await answered;

		if (answer?.ev === "nack") {
			if (FOR_GOOD.has(answer.code))
				return true;
			await sleep(Math.min(answer.after ?? 300, 300) + this.random.int(0, 200));
			return answer.code === "turn_in_progress" && !this.running;
		}
		if (answer?.ev !== "ack")
			return this.#late(answer);
		return this.#listen(answer, cmid, text, habits);
	}

	/* No answer in time: whoever does not hear of his gateway for so long goes to another. */
	#late(answer) {
		if (answer === null)
			this.tab.drop();
		return false;
	}

	/* When all is mended nobody loses patience: an end must come to the socket that waits for it. */
	async #lastEnd(isEnd) {
		return this.running ? null : this.tab.next(isEnd, LAST_END_MS);
	}

	async #listen(ack, cmid, text, habits) {
		const isEnd = (e) => ["final", "failed", "stopped"].includes(e.ev) && e.turn === ack.turn;
		const ended = this.tab.next(isEnd, END_MS);

		if (habits.twice)
			this.tab.post(cmid, text);
		if (habits.reload || habits.stop) {
			await Promise.race([ended, sleep(this.random.int(10, 600))]);
			if (habits.stop)
				this.tab.stop(ack.turn);
			if (habits.reload)
				this.tab.drop();
			habits.reload = habits.stop = false;
		}
		const end = await ended ?? await this.#lastEnd(isEnd);

		if (end === null)
			this.tab.drop();
		habits.twice = false;
		return end !== null && end.ev !== "close";
	}
}
