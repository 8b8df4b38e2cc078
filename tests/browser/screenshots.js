/*
 * make screenshots: pictures of every screen of the running product, in both
 * looks and languages, on a desktop and a phone, from the real stack with the
 * demo model. All go to var/screenshots; those of the README to docs/images.
 */

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/daemon.js";
import { startStack } from "../lib/stack.js";
import { DESKTOP, launch, PHONE, Visitor } from "./lib.js";
import { makeWork, SCREENS, show } from "./screens.js";

const OUT = process.env.SCREENSHOTS_DIR ?? join(ROOT, "var/screenshots");
const README = join(ROOT, "docs/images");
const LOCALES = { ru: "ru-RU", en: "en-US" };
const SIZES = { desktop: DESKTOP, phone: PHONE };
/* the README's picture: which screen, language, look and size it is */
const SHOWN = {
	"planning.png": "plan-en-light-desktop",
	"modules.png": "track-en-light-desktop",
	"learning-dark-ru.png": "learn-ru-dark-desktop",
	"planning-phone.png": "plan-ru-light-phone",
};

async function pictures(browser, url, work, { language, theme, size }) {
	const visitor = await Visitor.enter(browser, url, { locale: LOCALES[language], ...SIZES[size] });
	const ending = `${language}-${theme}-${size}`;
	const take = async (screen) => {
		await show(visitor, screen, work);
		await visitor.page.screenshot({ path: join(OUT, `${screen.name}-${ending}.png`) });
	};
	const screens = SCREENS.filter((screen) => !screen.admin || work.admin);

	await visitor.prefer({ theme, hint_planning: "seen" });
	for (const screen of screens.filter((s) => s.anonymous))
		await take(screen);
	await visitor.signIn(work);
	for (const screen of screens.filter((s) => !s.anonymous))
		await take(screen);
	await visitor.leave();
}

mkdirSync(OUT, { recursive: true });
mkdirSync(README, { recursive: true });
const stack = await startStack({ persona: "demo", tokenDelayMs: 0, build: process.env.BUILD ?? "release", env: { DEMO_MODEL: "true" } });
const browser = await launch();

try {
	const works = { ru: { ...await makeWork(stack.url, "ru"), admin: true }, en: await makeWork(stack.url, "en") };
	for (const language of Object.keys(LOCALES))
		for (const theme of ["light", "dark"])
			for (const size of Object.keys(SIZES))
				await pictures(browser, stack.url, works[language], { language, theme, size });
	for (const [name, source] of Object.entries(SHOWN))
		copyFileSync(join(OUT, `${source}.png`), join(README, name));
	console.log(`pictures are in ${OUT}, those of the README in ${README}`);
} finally {
	await browser.close();
	await stack.stop();
}
