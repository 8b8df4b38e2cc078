/* Learning in a real browser: the summary, the tutor, lessons, completion, locks; on a desktop and a phone, in both languages. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { until } from "../lib/until.js";
import { DESKTOP, PHONE, useStack } from "./lib.js";

const world = useStack({ persona: "demo", tokenDelayMs: 1, env: { DEMO_MODEL: "true" } });
let v;

async function course(options) {
	v = await world.enter(options);
	await v.prefer({ hint_planning: "seen" });
	await v.enterAsGuest();
	await v.createTrack({ title: "Python", description: "Tables and charts" });
	await v.answerCount(1);
	await v.finalize();
}

const locks = () => v.at("module-item").evaluateAll((all) => all.map((node) => node.dataset.lock));
const summaryText = () => v.at("summary").textContent();

for (const [name, options] of Object.entries({
	"ru, desktop": { locale: "ru-RU", ...DESKTOP }, "en, phone": { locale: "en-US", ...PHONE },
})) {
	test(`a module is learned from its summary to its completion: ${name}`, async () => {
		await course(options);
		await v.at("show-locked").click();
		const before = await locks();
		assert.equal(before[0], "open");
		assert.ok(before.slice(1).every((lock) => lock === "locked"));

		/* the summary is written once, and is the same after a reload */
		await v.at("module-learn").first().click();
		await until("the summary is complete", async () => !await v.at("download-summary").isDisabled(), { ms: 60000 });
		assert.equal(await v.page.locator(".plan-head .badge").getAttribute("data-status"), "in_progress");
		const text = await summaryText();
		assert.ok(text.length > 200);
		await v.page.reload();
		await until("the summary is there again", async () => await summaryText() === text, { ms: 60000 });
		assert.equal(await v.page.evaluate(() => scrollY), 0, "a summary is read from its beginning");
		const [file] = await Promise.all([v.page.waitForEvent("download"), v.at("download-summary").click()]);
		assert.match(file.suggestedFilename(), /\.md$/);
		assert.match(await readFile(await file.path(), "utf8"), /^# /, "Markdown, not its rendering");

		/* the tutor: a hint fills the field, the answer streams, the dialogue is there after a reload */
		await v.at("tab-chat").click();
		await v.at("hint-example").click();
		assert.notEqual(await v.at("composer").inputValue(), "");
		await v.at("send").click();
		await v.answerCount(1);
		const [answer] = await v.bodies(v.answers());
		await v.page.reload();
		await v.answerCount(1);
		assert.deepEqual(await v.bodies(v.answers()), [answer]);

		/* completion opens the next module and shows in every place */
		await v.at("complete-module").click();
		await v.page.getByRole("dialog").getByRole("button").last().click();
		await v.page.waitForURL(/\/tracks\/[^/]+$/);
		await v.at("module-item").first().waitFor();
		assert.deepEqual((await locks()).slice(0, 2), ["open", "open"]);
		assert.ok(Number(await v.at("progress").first().evaluate((bar) => bar.value)) > 0);
		await v.go("/tracks");
		assert.ok(Number(await v.at("progress").first().evaluate((bar) => bar.value)) > 0);
		assert.ok(await v.overflow() <= 0);
		assert.deepEqual(v.complaints, []);
	});
}

test("a lesson is written once, read again, and counts", async () => {
	await course();
	await v.at("module-link").first().click();
	await v.at("lesson-item").first().waitFor();
	const lessons = await v.at("lesson-item").count();
	assert.ok(lessons >= 2, "one per goal and one to practise");
	await v.at("lesson-item").first().getByRole("link").click();
	await v.at("lesson-text").waitFor();
	const text = await v.at("lesson-text").textContent();
	await v.page.reload();
	await v.at("lesson-text").waitFor();
	assert.equal(await v.at("lesson-text").textContent(), text);
	await v.at("lesson-done").click();
	await v.page.locator('.badge[data-status="completed"]').first().waitFor();
	await v.page.goBack();
	await v.at("lesson-item").first().waitFor();
	await v.page.locator('[data-testid="lesson-item"] .badge[data-status="completed"]').waitFor();
	assert.deepEqual(v.complaints, []);
});

test("a locked module says what opens it, also by its address; the order can be switched off", async () => {
	await course();
	await v.at("pref-progressiveUnlock").uncheck();
	const href = await v.at("module-link").nth(1).getAttribute("href");
	await v.at("pref-progressiveUnlock").check();
	await v.go(`${href}/learn`);
	await v.at("module-locked").waitFor();
	await v.page.goBack();
	await v.at("pref-progressiveUnlock").uncheck();
	assert.ok((await locks()).every((lock) => lock === "open"));
	await v.go(`${href}/learn`);
	await v.at("tab-summary").waitFor();
	assert.deepEqual(v.complaints, []);
});

test("a summary that fails says why and can be tried again", async () => {
	await course();
	await world.stack.sim.script([{ status: 500, times: "always" }]);
	await v.at("module-learn").first().click();
	await v.at("summary-retry").waitFor();
	await world.stack.sim.forget("script");
	await v.at("summary-retry").click();
	await until("the summary is written", async () => !await v.at("download-summary").isDisabled(), { ms: 60000 });
	v.forgive(/50\d/);
	assert.deepEqual(v.complaints, []);
});

test("a second finalization says what it changed", async () => {
	await course();
	await v.at("to-plan").click();
	await v.answerCount(2);
	await v.say("добавь, пожалуйста, модуль о базах данных");
	await v.answerCount(3);
	await v.at("finalize").click();
	await v.at("finalize-again").waitFor();
	await v.at("finalize-go").click();
	const said = await v.at("finalize-changes").textContent();
	assert.match(said, /^Новых: 1(?: · |$)/);
	const staying = said.split(" · ").filter((part) => !part.startsWith("Убрано"));
	const sum = staying.reduce((n, part) => n + Number(/\d+$/.exec(part)), 0);
	assert.equal(sum, await v.at("finalize-done").getByTestId("module-item").count());
	assert.deepEqual(v.complaints, []);
});
