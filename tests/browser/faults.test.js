/*
 * Nothing works as it should: errors of the server, lists of what is wrong
 * with a field, frames nobody knows, an endless answer, a slow server, a dead
 * one. The page says what happened and what to do, and nothing typed is lost.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/until.js";
import { fedPage, message } from "./fed_page.js";
import { useStack } from "./lib.js";
import { makeWork } from "./screens.js";

const TRACK = { title: "Основы Python", description: "Хочу читать таблицы.", expectations: "Без спешки." };
const NO_ANSWER = /сервер не отвечает\. Проверьте соединение/;

const world = useStack({ persona: "demo", tokenDelayMs: 0, env: { DEMO_MODEL: "true" } }, {
	prepare: async ({ url }) => { work = await makeWork(url, "ru"); },
});
let work;
let v;

/* The form of a new track, filled and sent; its answer is the route's. */
async function sendTrack() {
	await v.go("/tracks/new");
	await v.at("track-title").fill(TRACK.title);
	await v.at("track-description").fill(TRACK.description);
	await v.at("track-level").selectOption("beginner");
	await v.at("track-hours").fill("30");
	await v.at("track-expectations").fill(TRACK.expectations);
	await v.at("create-track").click();
}

async function nothingTypedIsLost() {
	assert.deepEqual(await Promise.all(["track-title", "track-description", "track-level", "track-hours", "track-expectations"]
		.map((id) => v.at(id).inputValue())), [TRACK.title, TRACK.description, "beginner", "30", TRACK.expectations]);
}

/* Answers these requests of the page instead of the server; the result stops that. */
async function answer(method, path, reply) {
	const handler = (route) => (route.request().method() === method ? reply(route) : route.fallback());

	await v.page.route(`**/api${path}`, handler);
	return () => v.page.unroute(`**/api${path}`, handler);
}

/* A server that takes its time: until go(). */
function slow() {
	const self = {
		asked: 0,
		async reply(route) {
			self.asked += 1;
			await open;
			return route.continue();
		},
	};
	const open = new Promise((resolve) => { self.go = resolve; });

	return self;
}

async function enter() {
	v = await world.enter();
	await v.prefer({ hint_planning: "seen" });
	await v.enterAsGuest();
}

const ERRORS = {
	"a page of a proxy": [{ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }, /ошибка сервера \(502\)/],
	"nothing at all": [{ status: 503, body: "" }, /ошибка сервера \(503\)/],
	"broken JSON": [{ status: 500, contentType: "application/json", body: "{\"detail\":" }, /ошибка сервера \(500\)/],
	"words": [{ status: 500, json: { detail: "База данных недоступна" } }, /База данных недоступна/],
};

test("an error of the server is said, whatever it looks like, and the form can be sent again", async () => {
	await enter();
	for (const [name, [reply, words]] of Object.entries(ERRORS)) {
		const stop = await answer("POST", "/tracks", (route) => route.fulfill(reply));
		await sendTrack();
		await until(`${name} is told`, async () => words.test(await v.page.getByRole("alert").allInnerTexts().then((all) => all.join())));
		await nothingTypedIsLost();
		await stop();
	}
	await v.page.reload();
	await nothingTypedIsLost();
	await v.at("create-track").click();
	await v.page.waitForURL(/\/tracks\/[^/]+\/plan$/);
	v.forgive(/status of 50\d/);
	assert.deepEqual(v.complaints, []);
});

test("what is wrong with a field stands at that field, never as [object Object]", async () => {
	await enter();
	const stop = await answer("POST", "/tracks", (route) => route.fulfill({ status: 422, json: {
		detail: [{ type: "too_long", loc: ["body", "description"], msg: "слишком много слов", input: {} }, { loc: ["body", 0], msg: {} }, null],
	} }));
	await sendTrack();
	const field = v.page.locator(".field", { has: v.at("track-description") });
	await field.getByText(/слишком много слов/).waitFor();
	assert.equal(await v.at("track-description").getAttribute("aria-invalid"), "true");
	assert.doesNotMatch(await v.page.locator("body").innerText(), /\[object/);
	await nothingTypedIsLost();
	await stop();
	await v.at("create-track").click();
	await v.page.waitForURL(/\/tracks\/[^/]+\/plan$/);
	v.forgive(/status of 422/);
	assert.deepEqual(v.complaints, []);
});

test("a list that does not load says so and loads when it is asked again", async () => {
	await enter();
	const stop = await answer("GET", "/tracks", (route) => route.fulfill({ status: 500, json: { detail: "База данных недоступна" } }));
	await v.page.reload();
	await v.at("load-failed").getByText("База данных недоступна").waitFor();
	await stop();
	await v.at("load-failed").getByRole("button").click();
	await v.page.getByRole("link", { name: "Создать первый трек" }).waitFor();
	v.forgive(/status of 500/);
	assert.deepEqual(v.complaints, []);
});

test("a slow server is waited for in sight, and one press makes one track", async () => {
	await enter();
	const list = slow();
	const stopList = await answer("GET", "/tracks", list.reply);
	await v.go("/tracks");
	await v.at("skeleton").first().waitFor();
	list.go();
	await v.page.getByRole("link", { name: "Создать первый трек" }).waitFor();
	await stopList();
	const creation = slow();
	await answer("POST", "/tracks", creation.reply);
	await sendTrack();
	await v.page.locator('[data-testid="create-track"][aria-busy="true"]').waitFor();
	assert.equal(await v.at("create-track").isDisabled(), true);
	await v.at("track-title").press("Enter");
	creation.go();
	await v.page.waitForURL(/\/tracks\/[^/]+\/plan$/);
	assert.equal(creation.asked, 1);
	assert.deepEqual(v.complaints, []);
});

test("frames nobody knows and damaged ones change nothing", async () => {
	const turn_id = "10000000-0000-4000-8000-000000000000";
	const { visitor, send, raw } = await fedPage(world.browser, world.url, work, {
		history: [message(0, "план")],
		onFrame(frame, say) {
			if (frame.message !== "вопрос")
				return;
			say({ type: "accepted", client_message_id: frame.client_message_id, turn_id, message_id: message(1, "").id, seq: 2 });
			say({ type: "ai_delta", turn_id, epoch: 1, offset: 0, text: "часть" });
			say({ type: "ai_response", turn_id, epoch: 1, message_id: message(2, "").id, message: "ответ", finish_reason: "a reason of tomorrow" });
		},
	});
	v = visitor;
	for (const type of ["teleport", "toString", "__proto__", "local.submit", "", null, 5, {}, ["ai_delta"]])
		send({ type, text: "<b>не показывать</b>", message: "не показывать", chats: 1, history: "x" });
	for (const text of ["", "no json", "[]", "null", "5", "\"text\"", "{\"type\":", "{}"])
		raw(text);
	send({ type: "error", code: "a_code_of_tomorrow", message: "Что-то новое случилось" });
	await v.at("toast").getByText("Что-то новое случилось").waitFor();
	await v.say("вопрос");
	await v.answerCount(2);
	assert.deepEqual((await v.bodies(v.answers())).map((text) => text.trim()), ["план", "ответ"]);
	assert.doesNotMatch(await v.page.locator("body").innerText(), /не показывать/);
	assert.deepEqual(v.complaints, []);
});

test("a megabyte of an answer, and a line without end, leave a page one can use", async () => {
	const words = "слово ".repeat(70_000);
	const history = [message(0, `${"x".repeat(300_000)} ${words} <img src=x onerror=alert(1)> ${"[".repeat(20_000)}`), message(2, `# Заголовок\n\n${"x".repeat(20_000)}\n\n|a|\n|-|\n${"|b|\n".repeat(3000)}`)];

	assert.ok(Buffer.byteLength(history[0].content) > 1_000_000);
	({ visitor: v } = await fedPage(world.browser, world.url, work, { history }));
	assert.equal(await v.answers().first().locator("img").count(), 0);
	assert.equal((await v.answers().first().locator(".message-body").textContent()).length, history[0].content.length);
	await v.answers().last().locator("table").waitFor();
	assert.ok(await v.overflow() <= 0);
	await v.at("composer").fill("дальше");
	await v.page.reload();
	await v.answers().last().locator("table").waitFor();
	assert.equal(await v.at("composer").inputValue(), "дальше");
	assert.deepEqual(v.complaints, []);
});

test("a dead server is told on every page, and what was typed goes out when it lives again", async () => {
	const { gateway } = world.stack.daemons;

	await enter();
	await v.createTrack(TRACK);
	await v.answerCount(1);
	const dialogue = v.page.url();
	gateway.keepAlive = false;
	gateway.kill("SIGKILL");
	await v.page.locator('.connection[data-state="reconnecting"]').waitFor();
	await v.say("не потеряйся");
	await v.page.locator('[data-testid="message-user"][data-state="offline"]').getByText("Не отправлено: нет связи").waitFor();

	/* other pages say it too, and can be left and come back to */
	await v.page.locator("header a.brand").click();
	await v.at("start").click();
	await v.at("load-failed").getByText(NO_ANSWER).waitFor();
	await v.page.goBack();
	await v.page.goBack();
	await v.at("load-failed").getByText(NO_ANSWER).waitFor();

	gateway.keepAlive = true;
	await gateway.start();
	await gateway.waitReady();
	await v.at("load-failed").getByRole("button").click();
	await v.answerCount(2);
	assert.deepEqual(await v.bodies(v.questions()), ["не потеряйся"]);
	assert.equal(v.page.url(), dialogue);
	v.forgive(/ERR_CONNECTION|WebSocket connection/);
	assert.deepEqual(v.complaints, []);
});
