/*
 * make frontend-report: the figures of the web application, measured on the
 * built pages in Debian's Chromium against the real stack with the demo model.
 *
 *   first load      compressed JavaScript and style sheets of the first page
 *   accessibility   what axe-core finds on every screen, both looks and languages
 *   lighthouse      its scores for the first page, when npx can get it
 *   streaming       how busy the main thread is with 60 deltas a second
 *   scrolling       frames per second through a dialogue of 1,000 messages, and
 *                   what each costs the main thread whatever else the machine does
 */

import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/daemon.js";
import { startStack } from "../lib/stack.js";
import { CHROMIUM, launch, Visitor } from "./lib.js";
import { makeWork, SCREENS, show } from "./screens.js";

const DIST = join(ROOT, "frontend/dist");
const DELTAS_PER_S = 60;
const WORDS = 3000;
const MESSAGES = 1000;
const SCROLL_MS = 4000;
const LIGHTHOUSE = "lighthouse@12";
const LIGHTHOUSE_MS = 240000;

const rows = [];
const tell = (name, value, goal, good) => rows.push({ name, value, goal, verdict: good === null ? "" : good ? "ok" : "MISSED" });

/* ---- first load ---------------------------------------------------------------- */

/* What index.html names itself: scripts, what they preload, styles. */
function firstLoad() {
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
}

/* ---- accessibility ---------------------------------------------------------------- */

async function accessibility(browser, url, works) {
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

/* ---- lighthouse ---------------------------------------------------------------------- */

function lighthouse(url) {
	return new Promise((resolve) => {
		const child = spawn("npx", ["--yes", LIGHTHOUSE, url, "--quiet", "--output=json", "--output-path=stdout",
			"--only-categories=performance,accessibility,best-practices", "--chrome-flags=--headless=new --no-sandbox --disable-gpu"],
		{ env: { ...process.env, CHROME_PATH: CHROMIUM.executablePath }, stdio: ["ignore", "pipe", "ignore"] });
		const timer = setTimeout(() => child.kill(), LIGHTHOUSE_MS);
		let text = "";

		child.stdout.on("data", (piece) => { text += piece; });
		child.once("error", () => resolve(null));
		child.once("close", () => {
			clearTimeout(timer);
			try {
				resolve(JSON.parse(text).categories);
			} catch {
				resolve(null);
			}
		});
	});
}

async function scores(url) {
	const categories = await lighthouse(url);

	if (categories === null) {
		tell("lighthouse", "could not be run (npx and a network are needed)", "95 each", null);
		return;
	}
	for (const { title, score } of Object.values(categories))
		tell(`lighthouse, ${title.toLowerCase()}`, String(Math.round(score * 100)), "at least 95", score >= 0.95);
}

/* ---- the dialogue, fed by ourselves ---------------------------------------------------- */

/* A planning page whose socket is this program: it answers the restore, and sends what it is told. */
async function fedPage(browser, url, work, history) {
	const visitor = await Visitor.enter(browser, url);
	let socket = null;
	const connected = new Promise((resolve) => {
		visitor.page.routeWebSocket(/\/ws\/chat\//, (ws) => {
			ws.onMessage((data) => {
				const frame = JSON.parse(data);
				if (frame.type === "restore_chat") {
					ws.send(JSON.stringify({
						type: "chat_restored", has_existing_chat: true, success: true, chat_id: work.track.chat_id, session_id: work.track.session_id,
						history, message_count: history.length, active_turn: null, chat_info: null,
					}));
					socket = ws;
					resolve();
				}
			});
		});
	});

	await visitor.prefer({ hint_planning: "seen" });
	await visitor.signIn(work);
	await visitor.go(`/tracks/${work.track.id}/plan`);
	await connected;
	await visitor.page.locator('[data-testid="message-ai"]').last().waitFor();
	return { visitor, send: (frame) => socket.send(JSON.stringify({ chat_id: work.track.chat_id, ...frame })) };
}

const message = (i, content) => ({
	id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`, sender: i % 2 ? "user" : "ai", content, message_type: "text",
	timestamp: new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString(), tokens_used: 100, ai_model_used: "demo",
});

function longAnswer() {
	const paragraph = "Это **важное** слово и `код`, затем обычный текст абзаца, который читают внимательно. ";
	const piece = `### Раздел\n\n${paragraph.repeat(3)}\n\n1. первый пункт\n2. второй пункт\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\`\`\`python\nprint("да")\n\`\`\`\n\n`;
	const times = Math.ceil(WORDS / piece.split(/\s+/).length);

	return piece.repeat(times);
}

/* CPU time of the page's main thread so far, in seconds: a busy machine does not count. */
async function threadClock(visitor) {
	const cdp = await visitor.context.newCDPSession(visitor.page);

	await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
	return async () => (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
}

async function busyShare(browser, url, work) {
	const { visitor, send } = await fedPage(browser, url, work, [message(0, "начало"), message(1, "расскажи")]);
	const turn_id = "10000000-0000-4000-8000-000000000000";
	const text = longAnswer();
	const size = Math.ceil(text.length / (WORDS / 3));	/* three words a delta, as models do at this pace */
	const task = await threadClock(visitor);

	send({ type: "ai_status", turn_id, state: "streaming" });
	const before = await task();
	const start = performance.now();
	let offset = 0;
	for (let at = 0; at < text.length; at += size, offset++) {
		send({ type: "ai_delta", turn_id, epoch: 1, offset, text: text.slice(at, at + size) });
		const due = start + (offset + 1) * 1000 / DELTAS_PER_S;
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
	}
	const elapsed = (performance.now() - start) / 1000;
	const share = (await task() - before) / elapsed;
	tell("main thread busy", `${(share * 100).toFixed(1)} % at ${(offset / elapsed).toFixed(0)} deltas/s, ${text.split(/\s+/).length} words`,
		"under 30 %", share < 0.3);
	await visitor.context.close();
}

async function scrolling(browser, url, work) {
	const history = Array.from({ length: MESSAGES }, (_, i) => message(i, i % 2 ? `Вопрос ${i}` : `## Ответ ${i}\n\nТекст **ответа** с \`кодом\`.\n\n- раз\n- два\n\n${"Слова абзаца. ".repeat(20)}`));
	const { visitor } = await fedPage(browser, url, work, history);

	await visitor.page.locator(".message").nth(MESSAGES - 1).waitFor({ state: "attached" });
	const task = await threadClock(visitor);
	const before = await task();
	const { frames, seconds } = await visitor.page.evaluate(async (ms) => {
		const place = document.querySelector('[data-testid="messages"]');
		const start = performance.now();
		let frames = 0;
		let top = 0;
		place.scrollTop = 0;
		while (performance.now() - start < ms) {
			await new Promise(requestAnimationFrame);
			top = (top + 120) % (place.scrollHeight - place.clientHeight);
			place.scrollTop = top;
			frames += 1;
		}
		return { frames, seconds: (performance.now() - start) / 1000 };
	}, SCROLL_MS);
	const fps = frames / seconds;
	const perFrame = (await task() - before) * 1000 / frames;
	tell("scrolling", `${fps.toFixed(0)} fps through ${MESSAGES} messages`, "60 fps", fps >= 57);
	tell("main thread, a frame", `${perFrame.toFixed(1)} ms while scrolling`, "under 8 ms", perFrame < 8);
	await visitor.context.close();
}

/* ---- all of it ---------------------------------------------------------------------- */

const stack = await startStack({ persona: "demo", tokenDelayMs: 0, build: process.env.BUILD ?? "release", env: { DEMO_MODEL: "true" } });
let browser = null;

try {
	const works = { ru: await makeWork(stack.url, "ru"), en: await makeWork(stack.url, "en") };

	firstLoad();
	await scores(stack.url);
	browser = await launch();
	await busyShare(browser, stack.url, works.ru);
	await scrolling(browser, stack.url, works.ru);
	await accessibility(browser, stack.url, works);
} finally {
	await browser?.close();
	await stack.stop();
}

const width = Math.max(...rows.map((row) => row.name.length));
for (const { name, value, goal, verdict } of rows)
	console.log(`${name.padEnd(width)}  ${value}${goal ? `  (goal: ${goal})` : ""}  ${verdict}`);
process.exitCode = rows.some((row) => row.verdict === "MISSED") ? 1 : 0;
