/*
 * The first page is in index.html, to be read while the scripts are on their
 * way: in the reader's language, like the living page that takes its place,
 * and only where it is what the person came for.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { until } from "../lib/until.js";
import { PHONE, useStack } from "./lib.js";

const TITLES = { ru: "Учитесь по плану, который составлен для вас", en: "Learn by a plan made for you" };

const world = useStack({ sim: false, workers: 0, env: { DEMO_MODEL: "true" } });

/* A visitor whose page gets no module scripts until release(). */
async function withoutScripts(options) {
	const v = await world.enter(options);
	let release;
	const released = new Promise((resolve) => { release = resolve; });

	await v.page.route("**/assets/*.js", async (route) => {
		await released;
		await route.continue();
	});
	return { v, release };
}

const visit = (v, path) => v.page.goto(v.url + path, { waitUntil: "commit" });

/* What somebody sees of it: tags, words, and where they stand. */
function seen(page) {
	return page.evaluate(() => [...document.querySelectorAll("#app *")].filter((node) => node.checkVisibility() && node.localName !== "option")
		.filter((node) => !node.matches(".first-page, .demo-banner, .demo-banner *"))
		.map((node) => {
			const { x, y, width, height } = node.getBoundingClientRect();
			const own = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE).map((child) => child.data).join("");

			return `${node.localName} ${own} at ${Math.round(x)},${Math.round(y)} ${Math.round(width)}x${Math.round(height)}`;
		}));
}

/* From the first paint on; see shifts(). */
function observeShifts(page) {
	return page.evaluate(() => {
		globalThis.shifts = [];
		new PerformanceObserver((list) => globalThis.shifts.push(...list.getEntries().map(({ value, sources }) => ({ value,
			moved: sources.map(({ node, previousRect, currentRect }) => [node?.outerHTML?.slice(0, 120) ?? node?.nodeValue,
				previousRect.toJSON(), currentRect.toJSON()]) }))))
			.observe({ type: "layout-shift", buffered: true });
	});
}

/* What has moved up to the next frame but one, and by how much. */
async function shifts(page) {
	await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
	return page.evaluate(() => globalThis.shifts);
}

const hidden = (v) => v.page.locator("html:not([data-first-page])").waitFor();

for (const [name, options] of Object.entries({ "ru, desktop": { locale: "ru-RU" }, "en, phone, dark": { locale: "en-US", colorScheme: "dark", ...PHONE } }))
	test(`it is read before the scripts are there, and nothing moves when they are: ${name}`, async () => {
		const { v, release } = await withoutScripts(options);
		const language = name.slice(0, 2);

		await visit(v, "/");
		await v.page.getByRole("heading", { name: TITLES[language], exact: true }).waitFor();
		assert.equal(await v.page.getAttribute("html", "lang"), language);
		assert.equal(await v.page.getByRole("heading", { level: 1 }).count(), 1, "one language is shown");
		await observeShifts(v.page);
		const before = await seen(v.page);
		release();
		await v.at("start").waitFor();
		await v.at("demo-banner").waitFor();
		assert.deepEqual(await seen(v.page), before);
		assert.deepEqual(await shifts(v.page), []);
		await v.leave();
	});

/* The product's address, with the first page sent in two pieces: the second one when release() was called. */
async function inPieces(url) {
	const page = await (await fetch(url)).text();
	const cut = page.indexOf("</button>", page.indexOf("header-end"));
	let release;
	const released = new Promise((resolve) => { release = resolve; });
	const server = createServer(async (request, answer) => {
		if (request.url === "/") {
			answer.writeHead(200, { "content-type": "text/html" }).write(page.slice(0, cut));
			await released;
			answer.end(page.slice(cut));
			return;
		}
		const file = await fetch(url + request.url);

		answer.writeHead(file.status, { "content-type": file.headers.get("content-type") }).end(Buffer.from(await file.arrayBuffer()));
	});

	await once(server.listen(0, "127.0.0.1"), "listening");
	return { url: `http://127.0.0.1:${server.address().port}/`, release,
		stop() {
			server.close();
			server.closeAllConnections();
		} };
}

test("it is painted whole, also when it arrives in pieces", async () => {
	const { v, release } = await withoutScripts({ locale: "ru-RU" });
	const pieces = await inPieces(v.url);

	try {
		await v.page.goto(pieces.url, { waitUntil: "commit" });
		await v.page.locator(".header-end").first().waitFor({ state: "attached" });
		await observeShifts(v.page);
		/* half a page that is not painted leaves no mark; one that is does so at once */
		await until("half a page is painted", () => v.page.evaluate(() => performance.getEntriesByType("paint").length > 0), { ms: 1000 })
			.catch(() => {});
		pieces.release();
		await v.page.getByRole("heading", { name: TITLES.ru, exact: true }).waitFor();
		await until("the page is painted", () => v.page.evaluate(() => performance.getEntriesByType("paint").length > 0));
		assert.deepEqual(await shifts(v.page), []);
		release();
	} finally {
		pieces.release();
		pieces.stop();
	}
});

test("its links work without scripts, and it is not shown in the place of another page", async () => {
	const { v, release } = await withoutScripts({});

	await visit(v, "/");
	await v.page.getByRole("link", { name: "Начать обучение" }).click({ noWaitAfter: true });
	await v.page.waitForURL(`${v.url}/auth`, { waitUntil: "commit" });
	await hidden(v);
	assert.equal(await v.page.getByRole("heading").count(), 0);
	release();
	await v.at("login-submit").waitFor();
	await v.leave();
});

test("a choice of language and look holds from the first paint; whoever is signed in waits for the page that knows", async () => {
	const { v, release } = await withoutScripts({ locale: "ru-RU" });

	await v.prefer({ language: "en", theme: "dark" });
	await visit(v, "/");
	await v.page.getByRole("heading", { name: TITLES.en, exact: true }).waitFor();
	assert.equal(await v.page.getAttribute("html", "data-theme"), "dark");
	release();
	await v.enterAsGuest();

	const known = await withoutScripts({});
	await known.v.prefer({ signed_in_as: "somebody" });
	await visit(known.v, "/");
	await hidden(known.v);
	assert.equal(await known.v.page.getByRole("heading").count(), 0);
	known.release();
	await known.v.at("start").waitFor();
});
