/*
 * The chat manager in a real browser: find, rename, archive, delete and undo;
 * another version of an answer; edit and send again; what is copied, exported
 * and queued; a hostile answer.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { manyRows } from "../lib/many_rows.js";
import { Rest } from "../lib/rest.js";
import { until } from "../lib/until.js";
import { PHONE, useStack } from "./lib.js";

const TRACK = { title: "Основы Python", description: "Хочу читать таблицы." };

const world = useStack({ persona: "echo", tokenDelayMs: 2 });
let v;

async function begin(options) {
	v = await world.enter(options);
	await v.prefer({ hint_planning: "seen" });
	await v.enterAsGuest();
	await v.createTrack(TRACK);
	await v.answerCount(1);
}

const rows = () => v.at("chat-row");
const names = () => v.page.locator(".chat-row-name").allTextContents();

async function newChat(name) {
	await v.at("new-chat").click();
	await v.at("new-chat-name").fill(name);
	await v.at("new-chat-type").selectOption("discussion");
	await v.at("new-chat-create").click();
	await until(`${name} is open`, async () => await v.at("chat-name").innerText() === name);
}

test("chats are found, renamed, archived and taken back, deleted and undone", async () => {
	await begin();
	await newChat("Вопросы");
	await newChat("Практика");
	await v.at("chats").click();
	assert.equal(await rows().count(), 3);
	await v.at("chats-search").fill("вопр");
	assert.deepEqual(await names(), ["Вопросы"]);

	await v.at("chat-rename").click();
	await v.at("chat-rename-input").fill("Вопросы по теме");
	await v.at("chat-rename-input").press("Enter");
	await until("the new name is in the list", async () => (await names()).join() === "Вопросы по теме");

	await v.at("chat-archive").click();
	await until("it left the list", async () => await rows().count() === 0);
	await v.at("chats-archived").check();
	await v.at("chat-unarchive").click();
	await until("it left the archive", async () => await rows().count() === 0);
	await v.at("chats-archived").uncheck();
	await until("it is in the list again", async () => await rows().count() === 1);

	/* deleted, and undone by the toast */
	await v.at("chat-delete").click();
	await until("it is gone", async () => await rows().count() === 0);
	await v.page.keyboard.press("Escape");
	await v.at("toast-action").click();
	await v.at("chats").click();
	await until("all three are there", async () => await rows().count() === 3);

	/* the open one, deleted, leads back to the dialogue of the track */
	await v.at("chats-search").fill("Практика");
	await v.at("chat-delete").click();
	await v.page.keyboard.press("Escape");
	await until("the planning chat is open", async () => await v.at("chat-type").innerText() === "🗺️ Планирование");
	assert.deepEqual(v.complaints, []);
});

test("a change in one tab is seen in the other", async () => {
	await begin();
	const other = await v.context.newPage();
	await other.goto(v.page.url());
	await other.getByTestId("message-ai").first().waitFor();
	await newChat("Из первой вкладки");
	await until("the other tab counts two", async () => /2/.test(await other.getByTestId("chats").innerText()));
	assert.deepEqual(v.complaints, []);
});

test("another answer is a version one can switch to and from", async () => {
	await begin();
	await v.say("первый вопрос");
	await v.answerCount(2);
	await world.stack.sim.script([{ text: "совсем другой ответ" }]);
	await v.at("regenerate").click();
	await until("the second version is there", async () => /2/.test(await v.at("version").last().textContent()));
	await v.answerCount(2);
	assert.match((await v.bodies(v.answers()))[1], /совсем другой ответ/);
	await v.at("version-back").last().click();
	await until("the first version is shown", async () => /первый вопрос/.test((await v.bodies(v.answers()))[1]));
	await v.page.reload();
	await v.answerCount(2);
	assert.match((await v.bodies(v.answers()))[1], /совсем другой ответ/);
	assert.deepEqual(v.complaints, []);
});

test("a question is taken back into the field, changed and sent again", async () => {
	await begin();
	await v.say("что токое pandas");
	await v.answerCount(2);
	const edit = () => v.questions().first().getByTestId("edit").click();
	const written = () => v.at("composer").inputValue();

	/* what was being written waits, and comes back when the change is given up */
	await v.at("composer").fill("набросок");
	await edit();
	assert.equal(await written(), "что токое pandas");
	await v.at("edit-note").waitFor();
	await v.at("composer").fill("что-то другое");
	await edit();
	await v.at("composer").press("Escape");
	await v.at("edit-note").waitFor({ state: "hidden" });
	assert.equal(await written(), "набросок");

	/* or when it is sent, also after a reload */
	await edit();
	await v.at("composer").fill("что такое pandas");
	await v.page.reload();
	await v.at("edit-note").waitFor();
	assert.equal(await written(), "что такое pandas");
	await v.at("composer").press("Enter");
	await v.answerCount(3);
	assert.deepEqual(await v.bodies(v.questions()), ["что токое pandas", "что такое pandas"]);
	await v.at("edit-note").waitFor({ state: "hidden" });
	assert.equal(await written(), "набросок");
	assert.deepEqual(v.complaints, []);
});

test("one message waits for the running answer, a second one stays in the field", async () => {
	await begin();
	await world.stack.sim.script([{ text: "слово ".repeat(400), token_delay: 10 }]);
	await v.say("первое");
	await v.page.locator('[data-testid="message-ai"][data-state="streaming"]').waitFor();
	await v.say("второе");
	await v.page.locator('[data-testid="message-user"][data-state="queued"]').waitFor();
	await v.at("composer").fill("третье");
	assert.equal(await v.at("send").isDisabled(), true);
	await v.at("composer").press("Enter");
	assert.equal(await v.at("composer").inputValue(), "третье");
	await v.answerCount(3);
	assert.deepEqual(await v.bodies(v.questions()), ["первое", "второе"]);
	assert.equal(await v.at("composer").inputValue(), "третье");
	assert.deepEqual(v.complaints, []);
});

test("a finished dialogue goes along as Markdown and JSON, and tells what it cost", async () => {
	await begin();
	await v.say("вопрос для файла");
	await v.answerCount(2);
	const save = async (id) => {
		await v.at("export").click();
		const [file] = await Promise.all([v.page.waitForEvent("download"), v.at(id).click()]);
		return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
	};
	const markdown = await save("export-markdown");
	assert.match(markdown.name, /\.md$/);
	assert.match(markdown.text, /\*\*Вы\*\*[\s\S]*вопрос для файла/);
	const json = JSON.parse((await save("export-json")).text);
	assert.equal(json.messages.length, 3);

	const receipt = v.at("message-meta").last();
	await receipt.locator("summary").click();
	await receipt.getByText("До первого слова").waitFor();
	assert.deepEqual(v.complaints, []);
});

test("a long dialogue comes page by page, the reader stays where he is, a file has all of it", async () => {
	const person = { email: `long-${process.pid}@example.com`, password: "analytical1" };
	const { user } = await new Rest(world.url).ok("POST", "/api/auth/register", { ...person, first_name: "Ada", last_name: "Lovelace" });
	const made = manyRows(user.id, { tracks: 1, messages: 450 });

	await world.stack.db(made.sql);
	v = await world.enter();
	await v.prefer({ hint_planning: "seen" });
	await v.signIn(person);
	await v.go(`/tracks/${made.track}/plan`);
	await v.answerCount(100);
	const messages = v.page.locator(".message");
	assert.equal(await messages.count(), 200);
	const first = await messages.first().elementHandle();
	const top = () => first.evaluate((node) => Math.round(node.getBoundingClientRect().top));

	await v.at("messages").evaluate((node) => { node.scrollTop = 0; });
	await v.at("earlier").getByText("250").waitFor();
	const before = await top();
	await v.at("earlier").click();
	await until("the page before is there", async () => await messages.count() === 400);
	const after = await top();
	assert.ok(Math.abs(after - before) <= 60, `the message that was read went from ${before} to ${after} px`);
	await v.at("earlier").getByText("50").waitFor();
	await v.at("earlier").click();
	await until("all is there", async () => await messages.count() === 450);
	assert.equal(await v.at("earlier").isVisible(), false);

	/* a connection that came back reads the newest page again and keeps the others */
	await v.say("и ещё");
	await v.answerCount(226);
	await v.context.setOffline(true);
	await v.page.locator('.connection[data-state="offline"]').waitFor();
	await v.context.setOffline(false);
	await v.page.locator('.connection[data-state="open"]').waitFor();
	await v.at("composer").fill("здесь");
	assert.equal(await messages.count(), 452);
	await v.at("export").click();
	const [file] = await Promise.all([v.page.waitForEvent("download"), v.at("export-json").click()]);
	assert.equal(JSON.parse(await readFile(await file.path(), "utf8")).messages.length, 452);
	v.forgive(/ERR_INTERNET_DISCONNECTED|WebSocket connection/);
	assert.deepEqual(v.complaints, []);
});

test("a hostile answer loads nothing, runs nothing and leads nowhere it should not", async () => {
	const asked = [];

	await begin();
	v.page.on("request", (request) => asked.push(request.url()));
	await world.stack.sim.script([{ text: [
		"<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 1\">",
		"![pixel](https://evil.example/pixel.png)",
		"[press](javascript:window.hacked=1) [data](data:text/html,<script>1</script>) [good](https://good.example/)",
		"| a | b |\n|---|---|\n" + "| <svg onload=window.hacked=1> | x |\n".repeat(200),
		"$$\\href{javascript:window.hacked=1}{x} \\frac{1}{2}$$",
		"```html\n<b onclick=1>code</b>\n```",
	].join("\n\n") }]);
	await v.say("покажи");
	await v.answerCount(2);
	const answer = v.answers().last();
	await answer.locator("table").waitFor();
	const links = await answer.locator("a").evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.rel]));
	assert.deepEqual(links.map(([href]) => href).filter(Boolean), ["https://evil.example/pixel.png", "https://good.example/"]);
	for (const [href, rel] of links)
		assert.ok(!href || /noopener/.test(rel));
	assert.equal(await answer.locator("script, img, svg, [onerror], [onclick], [onload], [style]").count(), 0);
	assert.equal(await v.page.evaluate(() => window.hacked), undefined);
	assert.deepEqual(asked.filter((address) => !address.startsWith(world.url)), []);
	assert.ok(await v.overflow() <= 0);
	assert.deepEqual(v.complaints, []);
});

test("formulas are drawn, code is coloured and can be copied", async () => {
	await begin();
	await world.stack.sim.script([{ text: "Вот $x^2$ и\n\n$$\\frac{a}{b}$$\n\n```python\ndef f():\n    return 'да'\n```\n\nЦена $5 и $6." }]);
	await v.say("формула");
	await v.answerCount(2);
	const answer = v.answers().last();
	await answer.locator("math").nth(1).waitFor();
	assert.equal(await answer.locator("math").count(), 2);
	await answer.locator(".hljs-keyword").first().waitFor();
	await answer.getByTestId("copy-code").click();
	const copied = await until("the code is on the clipboard", () => v.page.evaluate(() => navigator.clipboard.readText()));
	assert.equal(copied.trim(), "def f():\n    return 'да'");
	assert.match(await answer.textContent(), /Цена \$5 и \$6/);
	assert.deepEqual(v.complaints, []);
});

test("on a phone the button sends, Enter begins a line, and every control can be reached", async () => {
	await begin(PHONE);
	await v.at("composer").fill("первая");
	await v.at("composer").press("Enter");
	await v.page.keyboard.type("вторая");
	await v.at("send").click();
	await v.answerCount(2);
	assert.deepEqual(await v.bodies(v.questions()), ["первая\nвторая"]);
	await v.at("menu-button").click();
	await v.page.getByRole("link", { name: "Настройки ИИ" }).click();
	await v.at("test-connection").waitFor();
	assert.ok(await v.overflow() <= 0);
	assert.deepEqual(v.complaints, []);
});
