/*
 * The whole story in a real browser: enter as a guest, create a track, see the
 * plan stream in, argue with it, finalize it into modules, reload and find
 * everything there; several chats, two languages, a message typed offline.
 *
 * Runs against ALP_URL when that is set (a running product with the demo
 * model), else against a stack of its own.
 */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { until } from "../lib/until.js";
import { useStack } from "./lib.js";

const TRACK = {
	title: "Основы Python для анализа данных",
	description: "Хочу читать таблицы и строить графики.",
	expectations: "Небольшой проект в конце.",
};

const world = useStack({ persona: "demo", tokenDelayMs: 5, env: { DEMO_MODEL: "true" } }, { address: process.env.ALP_URL });
let v;
let page;

async function open(locale, more = {}) {
	v = await world.enter({ locale, ...more });
	page = v.page;
}

/* A script error, a refused inline style, a failed load: each is a defect of the page. */
afterEach(() => {
	assert.deepEqual(v?.complaints ?? [], []);
});

const at = (id) => v.at(id);
const streaming = () => page.locator('[data-testid="message-ai"][data-state="streaming"]');

/* The next answer falls silent in the middle: a page on a busy machine is there while it is written. */
const pauseNextAnswer = (ms) => world.stack?.sim.script([{ stall: { after_chunks: 20, ms } }]);

async function say(text) {
	await at("composer").fill(text);
	await at("composer").press("Enter");
}

test("a guest plans a course, finalizes it, and finds everything after a reload", async () => {
	await open("ru-RU");
	await v.go("/");
	assert.equal(await page.getAttribute("html", "lang"), "ru");
	await at("demo-banner").waitFor();
	await at("start").click();
	await at("enter-guest").click();
	await page.waitForURL(`${world.url}/tracks`);
	await pauseNextAnswer(8000);
	await v.createTrack(TRACK);

	/* the plan comes by itself, piece by piece, and the page says who answers */
	await streaming().waitFor();
	assert.equal(await streaming().getByTestId("message-meta").isVisible(), false, "there is nothing to tell of an answer that is being written");
	await v.answerCount(1);
	assert.match((await v.bodies(v.answers()))[0], /Python/);
	assert.ok(await v.answers().first().locator("h3, h4").count() > 0, "markdown is rendered");
	assert.match(await at("message-meta").first().innerText(), /\d+ токен.*🤖 \S+/s);
	assert.equal(await at("chat-type").innerText(), "🗺️ Планирование");
	assert.equal(await at("chat-name").innerText(), "План курса", "the server's name, in the reader's language");

	/* the chat's number: eight characters shown, the whole copied */
	const shown = await at("chat-id").innerText();
	assert.match(shown, /^#[0-9a-f]{8}$/);
	await at("chat-id").click();
	const copied = await until("the number is on the clipboard", () => page.evaluate(() => navigator.clipboard.readText()));
	assert.match(copied, /^[0-9a-f]{8}-[0-9a-f]{4}-/);
	assert.equal(copied.slice(0, 8), shown.slice(1));

	/* argue */
	await say("Сделай проще: убери теорию\nи добавь больше практики.");
	await v.questions().first().waitFor();
	await v.answerCount(2);
	const dialogue = { questions: await v.bodies(v.questions()), answers: await v.bodies(v.answers()) };
	assert.deepEqual(dialogue.questions, ["Сделай проще: убери теорию\nи добавь больше практики."]);
	assert.notEqual(dialogue.answers[0], dialogue.answers[1]);

	/* everything is there after a reload */
	await at("composer").fill("набросок");
	await page.reload();
	await v.answerCount(2);
	assert.deepEqual({ questions: await v.bodies(v.questions()), answers: await v.bodies(v.answers()) }, dialogue);
	assert.equal(await at("composer").inputValue(), "набросок");
	assert.equal(await at("chat-id").innerText(), shown);

	/* modules */
	await v.finalize();
	await at("show-locked").click();
	const modules = await at("module-item").allInnerTexts();
	assert.ok(modules.length >= 2);
	for (const text of modules)
		assert.match(text, /\d+ час/);
	await page.reload();
	await at("module-item").first().waitFor();
	assert.deepEqual(await at("module-item").allInnerTexts(), modules);

	/* the dialogue tells of it once, and goes on */
	await at("to-plan").click();
	await v.answerCount(3);
	assert.deepEqual((await v.bodies(v.answers())).slice(0, 2), dialogue.answers);

	/* the list of tracks, by the browser's own back and forward too */
	await v.go("/tracks");
	assert.match(await at("track-card").innerText(), /Основы Python/);
	await page.goBack();
	await v.answerCount(3);
	await page.goForward();
	await at("track-card").waitFor();
});

test("a reload in the middle of an answer shows what was written and goes on to the same end", async () => {
	await open("ru-RU");
	await v.enterAsGuest();
	await pauseNextAnswer(12000);
	await v.createTrack(TRACK);
	await streaming().waitFor();
	await page.reload();
	await v.answerCount(1);
	const [whole] = await v.bodies(v.answers());
	await page.reload();
	await v.answerCount(1);
	assert.equal((await v.bodies(v.answers()))[0], whole);
});

test("several chats of a session keep their own dialogue, name and draft", async () => {
	await open("ru-RU");
	await v.enterAsGuest();
	await v.createTrack(TRACK);
	await v.answerCount(1);
	const first = await at("chat-id").innerText();
	const [plan] = await v.bodies(v.answers());
	await at("composer").fill("черновик первого чата");

	await at("new-chat").click();
	await at("new-chat-name").fill("Вопросы по модулям");
	await at("new-chat-type").selectOption("discussion");
	await at("new-chat-create").click();
	await until("the new chat is open", async () => await at("chat-name").innerText() === "Вопросы по модулям");
	assert.equal(await at("chat-type").innerText(), "💬 Обсуждение");
	assert.notEqual(await at("chat-id").innerText(), first);
	assert.equal(await at("composer").inputValue(), "");
	await say("С чего начать?");
	await v.questions().first().waitFor();
	await v.answerCount(1);
	assert.notEqual((await v.bodies(v.answers()))[0], plan);

	/* a reload stays in the chosen chat, the selector leads back */
	await page.reload();
	await v.answerCount(1);
	assert.equal(await at("chat-name").innerText(), "Вопросы по модулям");
	await at("chats").click();
	await at("chats-search").fill(first.slice(1));
	await at("chat-open").click();
	await until("the first chat is open", async () => await at("chat-id").innerText() === first);
	await v.answerCount(1);
	assert.deepEqual(await v.bodies(v.answers()), [plan]);
	assert.equal(await v.questions().count(), 0);
	assert.equal(await at("composer").inputValue(), "черновик первого чата");
});

test("a message typed without a connection is kept and goes out by itself", async () => {
	await open("ru-RU");
	await v.enterAsGuest();
	await v.createTrack(TRACK);
	await v.answerCount(1);
	await v.context.setOffline(true);
	await page.locator('[data-testid="connection-state"]:not([data-state="open"])').waitFor();
	await say("Написано без связи");
	await page.locator('[data-testid="message-user"][data-state="offline"]').waitFor();
	await v.context.setOffline(false);
	await v.questions().first().waitFor();
	await v.answerCount(2);
	assert.deepEqual(await v.bodies(v.questions()), ["Написано без связи"]);
	/* the browser itself reports the connections it could not make */
	v.forgive(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
});

test("an answer can be stopped, and what was written stays", async () => {
	await open("ru-RU");
	await v.enterAsGuest();
	await pauseNextAnswer(20000);
	await v.createTrack(TRACK);
	await streaming().waitFor();
	await at("stop").click();
	await v.answerCount(1);
	await at("stop").waitFor({ state: "hidden" });
	const [piece] = await v.bodies(v.answers());
	await page.reload();
	await v.answerCount(1);
	assert.equal((await v.bodies(v.answers()))[0], piece);
});

test("the language is the browser's until another is chosen, and the choice stays", async () => {
	await open("en-US", { viewport: { width: 360, height: 740 } });
	await v.go("/");
	assert.equal(await page.getAttribute("html", "lang"), "en");
	await page.getByRole("heading", { name: "Learn by a plan made for you" }).waitFor();
	await at("menu-button").click();
	await at("lang-switch").selectOption("ru");
	await page.getByRole("heading", { name: "Учитесь по плану, который составлен для вас" }).waitFor();
	await page.reload();
	await page.getByRole("heading", { name: "Учитесь по плану, который составлен для вас" }).waitFor();
	assert.equal(await page.getAttribute("html", "lang"), "ru");
	const overflow = await v.overflow();
	assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
});

test("somebody registers, leaves, signs in again and finds the track", async () => {
	const email = `story-${process.pid}-${Date.now()}@example.com`;

	await open("en-US");
	await v.go("/tracks");
	await page.waitForURL(/\/auth\?next=/);
	await at("auth-other").click();
	await at("first-name").fill("Ada");
	await at("last-name").fill("Lovelace");
	await at("email").fill(email);
	await at("password").fill("analytical1");
	await at("confirm").fill("analytical2");
	await at("register-submit").click();
	await page.getByText("The passwords differ.").waitFor();
	await at("confirm").fill("analytical1");
	await at("register-submit").click();
	await page.waitForURL(`${world.url}/tracks`);
	await v.createTrack({ title: "Statistics from scratch", description: "Means, spreads, tests.", expectations: "" });
	await v.answerCount(1);

	await at("sign-out").click();
	await page.waitForURL(`${world.url}/`);
	await v.go("/auth");
	await at("email").fill(email);
	await at("password").fill("analytical1");
	await at("login-submit").click();
	await page.waitForURL(`${world.url}/tracks`);
	await at("track-card").getByRole("link", { name: "Statistics from scratch" }).click();
	await v.answerCount(1);
	assert.match((await v.bodies(v.answers()))[0], /Statistics from scratch/);
	/* What was on its way when he left is refused, and the browser says so. */
	v.forgive(/status of 401/);
});
