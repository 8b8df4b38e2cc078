/*
 * Somebody who has read nothing: from the first page to a finalized course and
 * through its first module, by what is written on the buttons. The demo model
 * writes as fast as in the product.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/until.js";
import { PHONE, useStack } from "./lib.js";

const ACTIONS_MAX = 14;	/* presses and filled fields */
const GOAL_S = 180;
const READING_MS = 60000;

const world = useStack({ persona: "demo", tokenDelayMs: 25, env: { DEMO_MODEL: "true" } });

/* the button of the plan that is in sight after reading it */
const SIZES = { desktop: [{}, "✅ Завершить план"], phone: [PHONE, "План подходит: создать модули"] };

for (const [size, [options, finalize]] of Object.entries(SIZES)) {
	test(`a newcomer gets from the first page through a module: ${size}`, async (t) => {
		const v = await world.enter(options);
		const { page } = v;
		let actions = 0;
		const start = performance.now();
		const press = async (role, name, place = page) => {
			actions += 1;
			await place.getByRole(role, { name, exact: true }).click();
		};
		const fill = async (label, text) => {
			actions += 1;
			await page.getByLabel(label, { exact: true }).fill(text);
		};

		await v.go("/");
		await press("link", "Начать обучение");
		await press("button", "👤 Войти как гость");
		await press("link", "Создать первый трек");
		await fill("Название", "Python для анализа данных");
		await fill("Чему хотите научиться", "Читать таблицы и рисовать графики");
		actions += 1;
		await page.getByLabel("Ваш уровень").selectOption({ label: "Начальный: начинаю с нуля" });
		await fill("Сколько часов готовы уделить", "20");
		await press("button", "Начать планирование с ИИ");

		/* the plan comes by itself */
		await v.answerCount(1);
		await press("button", finalize);
		await press("button", "Создать модули");
		await v.at("show-modules").waitFor({ timeout: READING_MS });
		actions += 1;
		await v.at("show-modules").click();

		/* the first module is open; what it teaches comes by itself */
		await v.at("module-item").first().waitFor();
		actions += 1;
		await v.at("module-learn").first().click();
		await until("the summary is complete", async () => !await v.at("download-summary").isDisabled(), { ms: READING_MS });
		await press("button", "Завершить модуль");
		await press("button", "Завершить модуль", page.getByRole("dialog"));
		await page.waitForURL(/\/tracks\/[^/]+$/);
		await until("the next module is open", async () => await v.at("module-item").nth(1).getAttribute("data-lock") === "open");
		assert.ok(Number(await v.at("progress").first().evaluate((bar) => bar.value)) > 0);

		const seconds = (performance.now() - start) / 1000;
		t.diagnostic(`${actions} actions, ${seconds.toFixed(1)} s without the time to think (goal: ${GOAL_S} s)`);
		assert.ok(actions <= ACTIONS_MAX, `${actions} actions`);
		await v.leave();
	});
}
