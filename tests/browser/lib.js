/* What browser tests, pictures and the report share: the browser, the hooks of a test file, a page that complains, the usual steps. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";
import { startStack } from "../lib/stack.js";

export const CHROMIUM = {
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"],
};
export const DESKTOP = { viewport: { width: 1280, height: 860 } };
export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
export const PATIENCE_MS = 90000;

export const launch = () => chromium.launch(CHROMIUM);

/* The source of axe-core: the page's policy allows no foreign script tag, so it is run through the debugger's door. */
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/* Every step is taken, also behind one that failed; the failures are thrown afterwards. */
async function takeAll(steps) {
	const errors = [];

	for (const step of steps)
		try {
			await step();
		} catch (error) {
			errors.push(error);
		}
	if (errors.length > 0)
		throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map((error) => error.message).join("\n"));
}

/*
 * The stack and the browser of a test file, from its first test to its last;
 * people who entered are shown out after each test, whatever became of it.
 * options: of startStack. prepare(world): what all tests need, done once.
 * address: of a running product, tested in the place of a stack.
 */
export function useStack(options, { prepare, address } = {}) {
	const world = {
		stack: null,
		browser: null,
		url: address?.replace(/\/$/, ""),
		/* options: of the browser's context */
		enter: (options) => Visitor.enter(world.browser, world.url, options),
	};

	before(async () => {
		if (!address) {
			world.stack = await startStack(options);
			world.url = world.stack.url;
		}
		world.browser = await launch();
		await prepare?.(world);
	});
	afterEach(() => takeAll((world.browser?.contexts() ?? []).map((context) => () => context.close())));
	after(() => takeAll([() => world.browser?.close(), () => world.stack?.stop()]));
	return world;
}

/* One person's browser. complaints: script errors, refused styles, failed loads. */
export class Visitor {
	complaints = [];

	static async enter(browser, url, options = {}) {
		const visitor = new Visitor();

		visitor.url = url;
		visitor.context = await browser.newContext({ locale: "ru-RU", ...DESKTOP, ...options });
		await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(url).origin });
		visitor.page = await visitor.context.newPage();
		visitor.page.setDefaultTimeout(PATIENCE_MS);
		visitor.listen(visitor.page);
		return visitor;
	}

	listen(page) {
		page.on("pageerror", (error) => this.complaints.push(`page error: ${error.message}`));
		page.on("console", (message) => {
			if (message.type() === "error")
				this.complaints.push(`console: ${message.text()}`);
		});
	}

	at(id) {
		return this.page.getByTestId(id);
	}

	go(path) {
		return this.page.goto(this.url + path);
	}

	/* Complaints that the test provoked are forgotten. */
	forgive(pattern) {
		this.complaints = this.complaints.filter((text) => !pattern.test(text));
	}

	async leave() {
		await this.context.close();
		assert.deepEqual(this.complaints, []);
	}

	/* Choices that are kept in the browser, made before the page is loaded. */
	prefer(choices) {
		return this.context.addInitScript((values) => {
			for (const [key, value] of Object.entries(values))
				localStorage.setItem(key, value);
		}, choices);
	}

	async enterAsGuest() {
		await this.go("/auth");
		await this.at("enter-guest").click();
		await this.page.waitForURL(`${this.url}/tracks`);
	}

	async signIn({ email, password }) {
		await this.go("/auth");
		await this.at("email").fill(email);
		await this.at("password").fill(password);
		await this.at("login-submit").click();
		await this.page.waitForURL(`${this.url}/tracks`);
	}

	async createTrack({ title, description, expectations = "" }) {
		await this.go("/tracks/new");
		await this.at("track-title").fill(title);
		await this.at("track-description").fill(description);
		await this.at("track-level").selectOption("beginner");
		await this.at("track-hours").fill("30");
		await this.at("track-expectations").fill(expectations);
		await this.at("create-track").click();
		await this.page.waitForURL(/\/tracks\/[^/]+\/plan$/);
	}

	answers() {
		return this.page.locator('[data-testid="message-ai"][data-state="stored"]');
	}

	questions() {
		return this.page.locator('[data-testid="message-user"][data-state="stored"]');
	}

	/* not innerText: the browser leaves out what is scrolled away and not drawn */
	bodies(messages) {
		return messages.locator(".message-body").allTextContents();
	}

	async answerCount(n) {
		await this.answers().nth(n - 1).waitFor();
		assert.equal(await this.answers().count(), n);
	}

	async say(text) {
		await this.at("composer").fill(text);
		await this.at("send").click();
	}

	async finalize() {
		await this.at("finalize").click();
		await this.at("finalize-go").click();
		await this.at("finalize-done").waitFor();
		await this.at("show-modules").click();
		await this.at("module-item").first().waitFor();
	}

	/* Changes the look of the page as it is, and waits until every colour has arrived. */
	wear(theme) {
		return this.page.evaluate(async (value) => {
			document.documentElement.dataset.theme = value;
			await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
		}, theme);
	}

	/* What axe-core finds wrong, one line each; only: the rules to look at, all by default. */
	async violations(only = undefined) {
		if (!await this.page.evaluate(() => "axe" in globalThis))
			await this.page.evaluate(AXE);
		const { violations } = await this.page.evaluate((rules) => globalThis.axe.run(document,
			{ resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) }), only);

		return violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.target.join(" ")}: ${node.failureSummary?.split("\n").at(-1)?.trim()}`));
	}

	/* The same in both looks; in the second one only what colours can spoil. */
	async violationsInBothLooks() {
		await this.wear("light");
		const light = await this.violations();
		await this.wear("dark");
		const dark = await this.violations(["color-contrast"]);

		return [...light.map((text) => `light: ${text}`), ...dark.map((text) => `dark: ${text}`)];
	}

	/* How much wider than the window the page is, in pixels. */
	overflow() {
		return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
	}
}
