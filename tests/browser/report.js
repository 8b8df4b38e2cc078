/*
 * make frontend-report: the figures of the web application, measured on the
 * built pages in Debian's Chromium against the real stack with the demo model.
 *
 *   load            compressed JavaScript and style sheets of the first page
 *   accessibility   what axe-core finds on every screen, both looks and languages
 *   lighthouse      its scores for the first page, when npx can get it
 *   streaming       how busy the main thread is with 60 deltas a second
 *   scrolling       frames per second through a dialogue of 1,000 messages, and
 *                   what each costs the main thread whatever else the machine does
 *
 * PARTS="streaming scrolling" measures these only.
 */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/daemon.js";
import { startStack } from "../lib/stack.js";
import { launch, Visitor } from "./lib.js";
import { scrolling, streaming } from "./report_dialogue.js";
import { lighthouse } from "./report_lighthouse.js";
import { threadClock } from "./thread_clock.js";
import { makeWork, SCREENS, show } from "./screens.js";

const DIST = join(ROOT, "frontend/dist");

const rows = [];
const tell = (name, value, goal, good) => rows.push({ name, value, goal, verdict: good === null ? "" : good ? "ok" : "MISSED" });

/* ---- first load ---------------------------------------------------------------- */

/* What index.html names itself: scripts, what they preload, styles. */
async function firstLoad({ browser, url }) {
	const html = readFileSync(join(DIST, "index.html"), "utf8");
	const files = [...new Set([...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1]))];
	const size = (suffix) => files.reduce((sum, file) => {
		try {
			return sum + statSync(join(DIST, file + suffix)).size;
		} catch {
			/* too small to be worth packing */
			return sum + statSync(join(DIST, file)).size;
		}
	}, 0) / 1024;
	const gzip = size(".gz");

	tell("first load, gzip", `${gzip.toFixed(1)} KiB`, "at most 100 KiB", gzip <= 100);
	tell("first load, brotli", `${size(".br").toFixed(1)} KiB`, "", null);
	const visitor = await Visitor.enter(browser, url);
	const clock = await threadClock(visitor);
	await visitor.go("/");
	await visitor.at("start").waitFor();
	tell("first page, main thread", `${((await clock()).work).toFixed(0)} ms of scripts, style and layout`, "", null);
	await visitor.context.close();
}

/* ---- accessibility ---------------------------------------------------------------- */

async function accessibility({ browser, url, works }) {
	const found = [];
	let looked = 0;

	for (const [language, work] of Object.entries(works)) {
		const visitor = await Visitor.enter(browser, url, { locale: language === "ru" ? "ru-RU" : "en-US", reducedMotion: "reduce" });
		await visitor.prefer({ hint_planning: "seen" });
		const look = async (screen) => {
			await show(visitor, screen, work);
			found.push(...(await visitor.violationsInBothLooks()).map((text) => `${screen.name} ${language} ${text}`));
			looked += 2;
		};
		for (const screen of SCREENS.filter((s) => s.anonymous))
			await look(screen);
		await visitor.signIn(work);
		for (const screen of SCREENS.filter((s) => !s.anonymous && (!s.admin || language === "ru")))
			await look(screen);
		await visitor.context.close();
	}
	tell("axe violations", `${found.length} in ${looked} looks`, "none", found.length === 0);
	found.forEach((text) => console.log(`  ${text}`));
}

/* ---- all of it ---------------------------------------------------------------------- */

const PARTS = { load: firstLoad, lighthouse, streaming, scrolling, accessibility };
const wanted = process.env.PARTS?.split(/[ ,]+/) ?? Object.keys(PARTS);
const unknown = wanted.filter((name) => !(name in PARTS));

if (unknown.length > 0)
	throw new Error(`PARTS: ${unknown.join(", ")}: there are ${Object.keys(PARTS).join(", ")}`);
const stack = await startStack({ persona: "demo", tokenDelayMs: 0, build: process.env.BUILD ?? "release", env: { DEMO_MODEL: "true" } });
let browser = null;

try {
	const works = { ru: await makeWork(stack.url, "ru"), en: await makeWork(stack.url, "en") };

	browser = await launch();
	for (const [name, measure] of Object.entries(PARTS)) {
		if (wanted.includes(name))
			await measure({ browser, url: stack.url, work: works.ru, works, tell });
	}
} finally {
	await browser?.close();
	await stack.stop();
}

const width = Math.max(...rows.map((row) => row.name.length));
for (const { name, value, goal, verdict } of rows)
	console.log(`${name.padEnd(width)}  ${value}${goal ? `  (goal: ${goal})` : ""}  ${verdict}`);
process.exitCode = rows.some((row) => row.verdict === "MISSED") ? 1 : 0;
