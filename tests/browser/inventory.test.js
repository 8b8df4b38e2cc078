/*
 * What was broken or faked in the original application and is shown by no
 * other test; docs/inventory.md lists all of it with its tests.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Rest } from "../lib/rest.js";
import { until } from "../lib/until.js";
import { useStack } from "./lib.js";

const PASSWORD = "парольпароль1";
const TRACK = { title: "<img src=x onerror=\"window.hacked=1\"> Python", description: "<b>таблицы</b> & графики" };
const PATIENT = { ms: 60000 };

const world = useStack({ persona: "demo", tokenDelayMs: 0, env: { DEMO_MODEL: "true" } });
let v;
let n = 0;

async function enter() {
	v = await world.enter();
	await v.prefer({ hint_planning: "seen" });
}

/* Somebody registered, with a track whose plan is there. */
async function planner() {
	const person = { email: `inventory-${process.pid}-${++n}@example.com`, password: PASSWORD };

	await new Rest(world.url).ok("POST", "/api/auth/register", { ...person, first_name: "Ada", last_name: "Lovelace" });
	await enter();
	await v.signIn(person);
	await v.createTrack(TRACK);
	await v.answerCount(1);
	return person;
}

const pageText = () => v.page.locator("body").innerText();

test("signing in asks for no more than the server does, and a password can be seen", async () => {
	await enter();
	await v.go("/auth?form=register");
	await v.at("first-name").fill("Ада");
	await v.at("last-name").fill("Лавлейс");
	await v.at("email").fill(`inventory-${process.pid}@example.com`);
	await v.at("password").fill("буквы");
	await v.at("register-submit").click();
	await v.page.getByText("Нужно не меньше 8 знаков").and(v.page.locator(".field-error")).waitFor();
	for (const id of ["password", "confirm"]) {
		await v.at(id).fill(PASSWORD);
		assert.equal(await v.at(id).getAttribute("autocomplete"), "new-password");
	}
	await v.page.getByLabel("Показать пароль").check();
	assert.equal(await v.at("password").getAttribute("type"), "text");
	await v.at("register-submit").click();
	await v.page.waitForURL(`${world.url}/tracks`);

	/* a password by other rules is for the server to judge */
	await v.at("sign-out").click();
	await v.go("/auth");
	await v.at("email").fill("elsewhere@example.com");
	await v.at("password").fill("old");
	assert.equal(await v.at("password").getAttribute("autocomplete"), "current-password");
	const [answer] = await Promise.all([v.page.waitForResponse(/\/api\/auth\/login$/), v.at("login-submit").click()]);
	assert.equal(answer.status(), 401);
	v.forgive(/status of 401/);
	assert.deepEqual(v.complaints, []);
});

test("without a server nobody becomes a guest", async () => {
	await enter();
	await v.go("/auth");
	await v.page.route("**/api/auth/guest-login", (route) => route.abort());
	await v.at("enter-guest").click();
	await v.page.getByRole("alert").getByText("сервер не отвечает").waitFor();
	await v.go("/tracks");
	await v.at("login-submit").waitFor();
	v.forgive(/ERR_FAILED/);
	assert.deepEqual(v.complaints, []);
});

test("names, titles and times are shown as they are", async () => {
	await planner();
	const about = await v.page.locator(".plan-side").innerText();
	assert.match(about, /30 часов/);
	assert.match(about, /Начальный/);
	assert.ok(about.includes(TRACK.title) && about.includes(TRACK.description));
	await v.page.reload();
	await v.answerCount(1);
	assert.match(await v.at("message-meta").first().innerText(), /\d{1,2}:\d{2}/);
	assert.doesNotMatch(await pageText(), /Invalid|undefined|NaN/);
	await v.go("/tracks");
	await v.at("track-card").waitFor();
	assert.ok((await pageText()).includes(TRACK.title));
	await v.go("/profile");
	assert.equal(await v.at("first-name").inputValue(), "Ada");
	assert.doesNotMatch(await pageText(), /undefined/);
	assert.equal(await v.page.evaluate(() => window.hacked), undefined);

	/* 255 characters are a title, one more is said at its field */
	await v.go("/tracks/new");
	await v.at("track-title").fill("т".repeat(256));
	await v.at("create-track").click();
	await v.page.getByText("Не больше 255 знаков.").waitFor();
	await v.createTrack({ title: "т".repeat(255), description: "длинное название" });
	v.forgive(/ERR_ABORTED/);
	assert.deepEqual(v.complaints, []);
});

test("an answer that failed is no message, and can be asked for again", async () => {
	await planner();
	await world.stack.sim.script([{ status: { code: 400 }, times: "always" }]);
	await v.say("вопрос");
	await v.at("retry").waitFor();
	assert.equal(await v.answers().count(), 1);
	await v.page.reload();
	await v.at("retry").waitFor();
	assert.equal(await v.answers().count(), 1, "the failure is not stored as an answer");
	await world.stack.sim.forget("script");
	await v.at("retry").click();
	await v.answerCount(2);
	assert.deepEqual(v.complaints, []);
});

test("going away and coming back opens no second connection, and a new chat is the server's", async () => {
	const sockets = [];
	const person = await planner();

	v.page.on("websocket", (socket) => sockets.push(socket));
	await v.page.reload();
	await v.answerCount(1);
	for (let i = 0; i < 2; i++) {
		await v.at("to-track").click();
		await v.at("to-plan").click();
		await v.answerCount(1);
	}
	assert.equal(sockets.filter((socket) => !socket.isClosed()).length, 1);
	await v.at("new-chat").click();
	await v.at("new-chat-name").fill("Второй");
	await v.at("new-chat-create").click();
	await until("it is open", async () => await v.at("chat-name").innerText() === "Второй");
	const place = v.page.url();
	await v.context.close();
	await enter();
	await v.signIn(person);
	await v.page.goto(place);
	await until("another browser has it", async () => await v.at("chat-name").innerText() === "Второй");
	assert.deepEqual(v.complaints, []);
});

test("a course stays where the person is, and its progress is what was done, in every browser", async () => {
	const person = await planner();
	const progress = () => v.at("progress").first().evaluate((bar) => bar.value);

	/* made, and nothing moves by itself */
	await v.page.clock.install();
	await v.page.reload();
	await v.answerCount(1);
	await v.at("finalize").click();
	await v.at("finalize-go").click();
	await v.at("finalize-done").waitFor();
	await v.page.clock.fastForward("00:15");
	assert.match(v.page.url(), /\/plan$/);
	assert.equal(await v.at("finalize-done").isVisible(), true);
	await v.at("show-modules").click();
	await v.at("module-item").first().waitFor();
	const track = v.page.url();

	assert.equal(await progress(), 0);
	await v.page.reload();
	await v.at("module-item").first().waitFor();
	assert.equal(await progress(), 0);
	assert.equal(await v.page.getByRole("switch").count(), 2, "no way around the locks for everybody");
	const shown = await v.at("module-item").count();
	await v.at("pref-adaptiveLearning").uncheck();
	assert.ok(await v.at("module-item").count() > shown, "far modules are hidden step by step only");

	/* begun is stored, the tutor's dialogue and the end too: another browser knows */
	await v.at("module-learn").first().click();
	await until("the summary is complete", async () => !await v.at("download-summary").isDisabled(), PATIENT);
	await v.at("tab-chat").click();
	await v.say("Объясни проще");
	await v.answerCount(1);
	const tutor = v.page.url();
	await v.page.goto(track);
	await v.page.locator('[data-testid="module-item"] .badge[data-status="in_progress"]').first().waitFor();
	await v.context.close();

	await enter();
	await v.signIn(person);
	await v.page.goto(tutor);
	await v.answerCount(1);
	assert.deepEqual(await v.bodies(v.questions()), ["Объясни проще"]);
	await v.at("complete-module").click();
	await v.page.getByRole("dialog").getByRole("button").last().click();
	await v.page.waitForURL(track);
	await v.at("module-item").first().waitFor();
	const done = await progress();
	assert.ok(done > 0);
	await v.page.reload();
	await v.at("module-item").first().waitFor();
	assert.equal(await progress(), done);

	/* a lesson is text for people, and paper is paper */
	await v.at("module-link").first().click();
	await v.at("lesson-item").first().getByRole("link").click();
	await v.at("lesson-text").locator("h2, h3, h4").first().waitFor();
	assert.doesNotMatch(await v.at("lesson-text").innerText(), /^#+ |\*\*/m);
	await v.page.evaluate(() => { window.print = () => { window.printed = true; }; });
	await v.page.getByRole("button", { name: /Печать|PDF/ }).click();
	assert.equal(await v.page.evaluate(() => window.printed), true);
	await v.page.emulateMedia({ media: "print" });
	assert.equal(await v.page.locator("header").first().isVisible(), false);
	assert.equal(await v.at("lesson-text").isVisible(), true);
	assert.deepEqual(v.complaints, []);
});
