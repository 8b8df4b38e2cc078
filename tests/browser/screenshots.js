/*
 * make screenshots: pictures of the running product for the README, from the
 * real stack with the demo model. Written to docs/images.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ROOT } from "../lib/daemon.js";
import { startStack } from "../lib/stack.js";

const OUT = join(ROOT, "docs/images");
const CHROMIUM = { executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"] };
const VIEWS = [
	{ name: "", colorScheme: "light", locale: "en-US", viewport: { width: 1280, height: 860 } },
	{ name: "-dark-ru", colorScheme: "dark", locale: "ru-RU", viewport: { width: 1280, height: 860 } },
	{ name: "-phone", colorScheme: "light", locale: "ru-RU", viewport: { width: 360, height: 740 } },
];
const WORDS = {
	en: { title: "Python for data analysis", what: "From the first script to pandas and charts", wish: "I want to analyse my own data", argue: "Add a module about testing" },
	ru: { title: "Python для анализа данных", what: "От первой программы до pandas и графиков", wish: "Хочу анализировать свои данные", argue: "Добавь модуль про тестирование" },
};

async function story(browser, url, view) {
	const context = await browser.newContext(view);
	const page = await context.newPage();
	const words = view.locale.startsWith("ru") ? WORDS.ru : WORDS.en;
	const at = (id) => page.getByTestId(id);
	const shot = (name) => page.screenshot({ path: join(OUT, `${name}${view.name}.png`) });

	await page.goto(url);
	await shot("landing");
	await page.goto(`${url}/auth`);
	await at("enter-guest").click();
	await page.goto(`${url}/tracks/new`);
	await at("track-title").fill(words.title);
	await at("track-description").fill(words.what);
	await at("track-level").selectOption("beginner");
	await at("track-hours").fill("30");
	await at("track-expectations").fill(words.wish);
	await shot("create");
	await at("create-track").click();
	await at("message-meta").first().waitFor({ timeout: 60000 });
	await at("composer").fill(words.argue);
	await at("send").click();
	await at("message-meta").nth(1).waitFor({ timeout: 60000 });
	await shot("planning");
	await at("finalize").click();
	await at("show-modules").click({ timeout: 30000 });
	await at("module-item").first().waitFor({ timeout: 60000 });
	await shot("modules");
	await context.close();
}

mkdirSync(OUT, { recursive: true });
const stack = await startStack({ persona: "demo", tokenDelayMs: 0, build: process.env.BUILD ?? "release", env: { DEMO_MODEL: "true" } });
const browser = await chromium.launch(CHROMIUM);

try {
	for (const view of VIEWS)
		await story(browser, stack.url, view);
	console.log(`pictures are in ${OUT}`);
} finally {
	await browser.close();
	await stack.stop();
}
