/* Lighthouse's scores for the first page, as a desktop and as a slow phone, when npx can get it. */

import { spawn } from "node:child_process";
import { CHROMIUM } from "./lib.js";

const LIGHTHOUSE = "lighthouse@12";
const TIMEOUT_MS = 240000;
const PRESETS = { phone: [], desktop: ["--preset=desktop"] };
/* what the performance score is made of */
const TIMES = {
	"first-contentful-paint": "first paint", "largest-contentful-paint": "largest paint", "speed-index": "speed index",
	"total-blocking-time": "blocked", "cumulative-layout-shift": "shift",
};

function run(url, more) {
	return new Promise((resolve) => {
		const child = spawn("npx", ["--yes", LIGHTHOUSE, url, "--quiet", "--output=json", "--output-path=stdout", ...more,
			"--only-categories=performance,accessibility,best-practices", `--chrome-flags=--headless=new ${CHROMIUM.args.join(" ")}`],
		{ env: { ...process.env, CHROME_PATH: CHROMIUM.executablePath }, stdio: ["ignore", "pipe", "ignore"] });
		const timer = setTimeout(() => child.kill(), TIMEOUT_MS);
		let text = "";

		child.stdout.on("data", (piece) => { text += piece; });
		child.once("error", () => resolve(null));
		child.once("close", () => {
			clearTimeout(timer);
			try {
				resolve(JSON.parse(text));
			} catch {
				resolve(null);
			}
		});
	});
}

export async function lighthouse({ url, tell }) {
	for (const [preset, more] of Object.entries(PRESETS)) {
		const result = await run(url, more);
		if (result === null) {
			tell(`lighthouse, ${preset}`, "could not be run (npx and a network are needed)", "95 each", null);
			continue;
		}
		/* its times come from the clock, so a busy machine spoils them; an idle desktop has an index above 1000 */
		tell(`  ${preset}, the machine`, `benchmark index ${Math.round(result.environment.benchmarkIndex)}`, "", null);
		for (const { title, score } of Object.values(result.categories))
			tell(`lighthouse, ${preset}, ${title.toLowerCase()}`, String(Math.round(score * 100)), "at least 95", score >= 0.95);
		tell(`  ${preset}`, Object.entries(TIMES).map(([id, name]) => `${name} ${result.audits[id].displayValue}`).join(", "), "", null);
	}
}
