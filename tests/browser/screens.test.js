/*
 * Every screen, in both languages and both looks: axe-core finds nothing, and
 * nothing is wider than the window from 320 to 2560 pixels.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { DESKTOP, PHONE, useStack } from "./lib.js";
import { makeWork, SCREENS, show } from "./screens.js";

const LOCALES = { ru: "ru-RU", en: "en-US" };
const SCREEN_MS = 30000;
const WIDTHS = [320, 768, 1024, 1280, 2560];

const world = useStack({ persona: "demo", tokenDelayMs: 0, env: { DEMO_MODEL: "true" } }, {
	async prepare({ url }) {
		works.ru = await makeWork(url, "ru");
		works.en = await makeWork(url, "en");
	},
});
const works = {};

/* The first person of a stack is its admin; the other one has no screen of users. */
const screensFor = (language) => SCREENS.filter((screen) => !screen.admin || language === "ru");

async function visit(language, options) {
	const visitor = await world.enter({ locale: LOCALES[language], reducedMotion: "reduce", ...options });

	await visitor.prefer({ hint_planning: "seen" });
	return visitor;
}

/* Those without a sign-in first. A screen that does not come is told of with the rest. */
async function eachScreen(visitor, language, look) {
	const screens = screensFor(language);
	const missing = [];
	const visitAll = async (some) => {
		for (const screen of some)
			try {
				await show(visitor, screen, works[language]);
				await look(screen);
			} catch (err) {
				missing.push(`${screen.name} did not come: ${err.message.split("\n")[0]}`);
			}
	};

	visitor.page.setDefaultTimeout(SCREEN_MS);
	await visitAll(screens.filter((s) => s.anonymous));
	await visitor.signIn(works[language]);
	await visitAll(screens.filter((s) => !s.anonymous));
	return missing;
}

async function tooWide(visitor) {
	const found = [];

	for (const width of WIDTHS) {
		await visitor.page.setViewportSize({ width, height: 800 });
		const overflow = await visitor.overflow();
		if (overflow > 0)
			found.push(`at ${width}: ${overflow} px too wide`);
	}
	await visitor.page.setViewportSize(DESKTOP.viewport);
	return found;
}

for (const language of Object.keys(LOCALES)) {
	for (const [size, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
		test(`everybody can use every screen: ${language}, ${size}, both looks`, async () => {
			const visitor = await visit(language, options);
			const found = [];

			const missing = await eachScreen(visitor, language, async (screen) => {
				const wide = size === "desktop" ? await tooWide(visitor) : [];
				found.push(...[...wide, ...await visitor.violationsInBothLooks()].map((text) => `${screen.name}, ${text}`));
			});
			assert.deepEqual([...missing, ...found], []);
			await visitor.leave();
		});
	}
}
