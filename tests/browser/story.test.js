/*
 * The whole story in a real browser: enter as a guest, create a track, see the
 * plan stream in, argue with it, finalize it into modules, reload and find
 * everything there; several chats, two languages, a message typed offline.
 *
 * Runs against ALP_URL when that is set (a running product with the demo
 * model), else against a stack of its own.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";
import { until } from "../lib/until.js";
import { startStack } from "../lib/stack.js";

const CHROMIUM = {
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"],
};
const PATIENCE_MS = 90000;
const TRACK = {
	title: "Основы Python для анализа данных",
	description: "Хочу читать таблицы и строить графики.",
	expectations: "Небольшой проект в конце.",
};

let stack;
let browser;
let context;
let page;
let complaints;
let url;

before(async () => {
	if (!process.env.ALP_URL)
		stack = await startStack({ persona: "demo", tokenDelayMs: 5, env: { DEMO_MODEL: "true" } });
	url = (process.env.ALP_URL ?? stack.url).replace(/\/$/, "");
	browser = await chromium.launch(CHROMIUM);
});

after(async () => {
	await browser?.close();
	await stack?.stop();
});

/* A script error, a refused inline style, a failed load: each is a defect of the page. */
function listen(target) {
	target.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
	target.on("console", (message) => {
		if (message.type() === "error")
			complaints.push(`console: ${message.text()}`);
	});
}

async function open(locale, viewport = { width: 1280, height: 860 }) {
	context = await browser.newContext({ locale, viewport });
	await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(url).origin });
	page = await context.newPage();
	page.setDefaultTimeout(PATIENCE_MS);
	listen(page);
}

beforeEach(() => {
	complaints = [];
});

afterEach(async () => {
	await context?.close();
	assert.deepEqual(complaints, []);
});

const at = (id) => page.getByTestId(id);
const answers = () => page.locator('[data-testid="message-ai"][data-state="stored"]');
const questions = () => page.locator('[data-testid="message-user"][data-state="stored"]');
const streaming = () => page.locator('[data-testid="message-ai"][data-state="streaming"]');
/* not innerText: the browser leaves out what is scrolled away and not drawn */
const bodies = (messages) => messages.locator(".message-body").allTextContents();

async function say(text) {
	await at("composer").fill(text);
	await at("composer").press("Enter");
}

async function answerCount(n) {
	await answers().nth(n - 1).waitFor();
	assert.equal(await answers().count(), n);
}

async function enterAsGuest() {
	await page.goto(`${url}/auth`);
	await at("enter-guest").click();
	await page.waitForURL(`${url}/tracks`);
}

async function createTrack({ title, description, expectations }) {
	await page.goto(`${url}/tracks/new`);
	await at("track-title").fill(title);
	await at("track-description").fill(description);
	await at("track-level").selectOption("beginner");
	await at("track-hours").fill("30");
	await at("track-expectations").fill(expectations);
	await at("create-track").click();
	await page.waitForURL(/\/tracks\/[^/]+\/plan$/);
}

async function finalize() {
	await at("finalize").click();
	await at("finalize-go").click();
	await at("finalize-done").waitFor();
	await at("show-modules").click();
	await page.waitForURL(/\/tracks\/[^/]+$/);
	await at("module-item").first().waitFor();
}

test("a guest plans a course, finalizes it, and finds everything after a reload", async () => {
	await open("ru-RU");
	await page.goto(url);
	assert.equal(await page.getAttribute("html", "lang"), "ru");
	await at("demo-banner").waitFor();
	await at("start").click();
	await at("enter-guest").click();
	await page.waitForURL(`${url}/tracks`);
	await createTrack(TRACK);

	/* the plan comes by itself, piece by piece, and the page says who answers */
	await streaming().waitFor();
	await answerCount(1);
	assert.match((await bodies(answers()))[0], /Python/);
	assert.ok(await answers().first().locator("h3, h4").count() > 0, "markdown is rendered");
	assert.match(await at("message-meta").first().innerText(), /\d+ токен.*🤖 \S+/s);
	assert.equal(await at("chat-type").innerText(), "🗺️ Планирование");
	assert.notEqual(await at("chat-name").innerText(), "");

	/* the chat's number: eight characters shown, the whole copied */
	const shown = await at("chat-id").innerText();
	assert.match(shown, /^#[0-9a-f]{8}$/);
	await at("chat-id").click();
	const copied = await until("the number is on the clipboard", () => page.evaluate(() => navigator.clipboard.readText()));
	assert.match(copied, /^[0-9a-f]{8}-[0-9a-f]{4}-/);
	assert.equal(copied.slice(0, 8), shown.slice(1));

	/* argue */
	await say("Сделай проще: убери теорию\nи добавь больше практики.");
	await questions().first().waitFor();
	await answerCount(2);
	const dialogue = { questions: await bodies(questions()), answers: await bodies(answers()) };
	assert.deepEqual(dialogue.questions, ["Сделай проще: убери теорию\nи добавь больше практики."]);
	assert.notEqual(dialogue.answers[0], dialogue.answers[1]);

	/* everything is there after a reload */
	await at("composer").fill("набросок");
	await page.reload();
	await answerCount(2);
	assert.deepEqual({ questions: await bodies(questions()), answers: await bodies(answers()) }, dialogue);
	assert.equal(await at("composer").inputValue(), "набросок");
	assert.equal(await at("chat-id").innerText(), shown);

	/* modules */
	await finalize();
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
	await answerCount(3);
	assert.deepEqual((await bodies(answers())).slice(0, 2), dialogue.answers);

	/* the list of tracks, by the browser's own back and forward too */
	await page.goto(`${url}/tracks`);
	assert.match(await at("track-card").innerText(), /Основы Python/);
	await page.goBack();
	await answerCount(3);
	await page.goForward();
	await at("track-card").waitFor();
});

test("a reload in the middle of an answer shows what was written and goes on to the same end", async () => {
	await open("ru-RU");
	await enterAsGuest();
	await createTrack(TRACK);
	await streaming().waitFor();
	await page.reload();
	await answerCount(1);
	const [whole] = await bodies(answers());
	await page.reload();
	await answerCount(1);
	assert.equal((await bodies(answers()))[0], whole);
});

test("several chats of a session keep their own dialogue, name and draft", async () => {
	await open("ru-RU");
	await enterAsGuest();
	await createTrack(TRACK);
	await answerCount(1);
	const first = await at("chat-id").innerText();
	const [plan] = await bodies(answers());
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
	await questions().first().waitFor();
	await answerCount(1);
	assert.notEqual((await bodies(answers()))[0], plan);

	/* a reload stays in the chosen chat, the selector leads back */
	await page.reload();
	await answerCount(1);
	assert.equal(await at("chat-name").innerText(), "Вопросы по модулям");
	await at("chats").click();
	await at("chats-search").fill(first.slice(1));
	await at("chat-open").click();
	await until("the first chat is open", async () => await at("chat-id").innerText() === first);
	await answerCount(1);
	assert.deepEqual(await bodies(answers()), [plan]);
	assert.equal(await questions().count(), 0);
	assert.equal(await at("composer").inputValue(), "черновик первого чата");
});

test("a message typed without a connection is kept and goes out by itself", async () => {
	await open("ru-RU");
	await enterAsGuest();
	await createTrack(TRACK);
	await answerCount(1);
	await context.setOffline(true);
	await page.locator('[data-testid="connection-state"]:not([data-state="open"])').waitFor();
	await say("Написано без связи");
	await page.locator('[data-testid="message-user"][data-state="offline"]').waitFor();
	await context.setOffline(false);
	await questions().first().waitFor();
	await answerCount(2);
	assert.deepEqual(await bodies(questions()), ["Написано без связи"]);
	/* the browser itself reports the connections it could not make */
	complaints = complaints.filter((text) => !/ERR_INTERNET_DISCONNECTED|WebSocket connection/.test(text));
});

test("an answer can be stopped, and what was written stays", async () => {
	await open("ru-RU");
	await enterAsGuest();
	await createTrack(TRACK);
	await streaming().waitFor();
	await at("stop").click();
	await answerCount(1);
	await at("stop").waitFor({ state: "hidden" });
	const [piece] = await bodies(answers());
	await page.reload();
	await answerCount(1);
	assert.equal((await bodies(answers()))[0], piece);
});

test("the language is the browser's until another is chosen, and the choice stays", async () => {
	await open("en-US", { width: 360, height: 740 });
	await page.goto(url);
	assert.equal(await page.getAttribute("html", "lang"), "en");
	await page.getByRole("heading", { name: "Learn by a plan made for you" }).waitFor();
	await at("menu-button").click();
	await at("lang-switch").selectOption("ru");
	await page.getByRole("heading", { name: "Учитесь по плану, который составлен для вас" }).waitFor();
	await page.reload();
	await page.getByRole("heading", { name: "Учитесь по плану, который составлен для вас" }).waitFor();
	assert.equal(await page.getAttribute("html", "lang"), "ru");
	const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
	assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
});

test("somebody registers, leaves, signs in again and finds the track", async () => {
	const email = `story-${process.pid}-${Date.now()}@example.com`;

	await open("en-US");
	await page.goto(`${url}/tracks`);
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
	await page.waitForURL(`${url}/tracks`);
	await createTrack({ title: "Statistics from scratch", description: "Means, spreads, tests.", expectations: "" });
	await answerCount(1);

	await at("sign-out").click();
	await page.waitForURL(`${url}/`);
	await page.goto(`${url}/auth`);
	await at("email").fill(email);
	await at("password").fill("analytical1");
	await at("login-submit").click();
	await page.waitForURL(`${url}/tracks`);
	await at("track-card").getByRole("link", { name: "Statistics from scratch" }).click();
	await answerCount(1);
	assert.match((await bodies(answers()))[0], /Statistics from scratch/);
	/* What was on its way when he left is refused, and the browser says so. */
	complaints = complaints.filter((complaint) => !/status of 401/.test(complaint));
});
