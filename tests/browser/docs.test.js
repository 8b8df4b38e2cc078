/* The API's documentation in a real browser: it needs no other server and breaks no rule of the page's content policy. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { useStack } from "./lib.js";

const world = useStack({ sim: false, workers: 0 });

for (const path of ["/docs", "/redoc"])
	test(`${path} shows every group of operations, by itself`, async () => {
		const page = await world.browser.newPage();
		const complaints = [];
		const foreign = [];

		page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
		page.on("pageerror", (err) => complaints.push(String(err)));
		page.on("request", (request) => request.url().startsWith(world.url) || request.url().startsWith("data:") || foreign.push(request.url()));
		await page.goto(world.url + path);
		await page.getByRole("link", { name: "auth", exact: true }).waitFor();
		const summary = page.getByText("Make an account and sign in");

		await summary.waitFor();
		await summary.click();
		await page.getByText("Request body").first().waitFor();
		assert.deepEqual(complaints, []);
		assert.deepEqual(foreign, []);
	});
