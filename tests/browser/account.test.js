/* Accounts in a real browser: a guest who stays, a sign-in that runs out, profile, settings, administration. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { until } from "../lib/until.js";
import { Rest } from "../lib/rest.js";
import { useStack } from "./lib.js";

const PASSWORD = "analytical1";

const world = useStack({ persona: "demo", tokenDelayMs: 0, env: { DEMO_MODEL: "true" } }, {
	/* the first one is the admin */
	prepare: () => person("admin"),
});
let v;
let n = 0;

async function person(name = "user") {
	const email = `${name}-${process.pid}-${++n}@example.com`;

	await new Rest(world.url).ok("POST", "/api/auth/register", { email, password: PASSWORD, first_name: "Ada", last_name: "Lovelace" });
	return { email, password: PASSWORD };
}

async function enter(who, options) {
	v = await world.enter(options);
	if (who)
		await v.signIn(who);
	return v;
}

test("a guest registers and keeps the work", async () => {
	const email = `guest-${process.pid}@example.com`;

	await enter(null);
	await v.enterAsGuest();
	await v.createTrack({ title: "Гостевой трек", description: "Останется со мной." });
	await v.answerCount(1);
	await v.at("keep-work").click();
	await v.at("guest-keeps").waitFor();
	await v.at("first-name").fill("Ада");
	await v.at("last-name").fill("Лавлейс");
	await v.at("email").fill(email);
	await v.at("password").fill(PASSWORD);
	await v.at("confirm").fill(PASSWORD);
	await v.at("register-submit").click();
	await v.page.waitForURL(`${world.url}/tracks`);
	assert.match(await v.at("track-card").innerText(), /Гостевой трек/);
	assert.match(await v.at("user-name").innerText(), /Ада Лавлейс/);
	assert.deepEqual(v.complaints, []);
});

test("a token that ran out is renewed without a word, and a new tab knows who it is", async () => {
	await enter(await person());
	await v.page.evaluate(() => sessionStorage.setItem("auth_token", "worn.out.token"));
	await v.page.reload();
	await v.at("new-track").waitFor();
	await v.page.getByText("Здесь будут ваши треки").waitFor();
	v.forgive(/401/);
	const tab = await v.context.newPage();
	await tab.goto(`${world.url}/profile`);
	await tab.getByTestId("delete-account").waitFor();
	/* no token where scripts of another day could find it */
	const kept = await tab.evaluate(() => JSON.stringify(localStorage));
	assert.doesNotMatch(kept, /eyJ|token/);
	assert.deepEqual(v.complaints, []);
});

test("a sign-in that is over leads to the form and back, with what was typed", async () => {
	const who = await person();

	await enter(who);
	await v.createTrack({ title: "Трек", description: "Описание" });
	await v.answerCount(1);
	await v.at("composer").fill("не потеряйся");
	const place = v.page.url();
	await v.context.clearCookies();
	await v.page.evaluate(() => sessionStorage.setItem("auth_token", "worn.out.token"));
	await v.page.reload();
	await v.at("login-submit").waitFor();
	await v.at("email").fill(who.email);
	await v.at("password").fill(PASSWORD);
	await v.at("login-submit").click();
	await v.page.waitForURL(place);
	await v.answerCount(1);
	assert.equal(await v.at("composer").inputValue(), "не потеряйся");
	v.forgive(/401/);
	assert.deepEqual(v.complaints, []);
});

test("name and password are changed, data downloaded, the account deleted", async () => {
	const who = await person();

	await enter(who);
	await v.go("/profile");
	await v.at("first-name").fill("Грейс");
	await v.at("save-name").click();
	await until("the header shows the new name", async () => /Грейс/.test(await v.at("user-name").innerText()));

	await v.at("current-password").fill("wrong-pass1");
	await v.at("new-password").fill("changed-pass2");
	await v.at("change-password").click();
	await v.page.locator(".field-bad").waitFor();
	v.forgive(/40\d|422/);
	await v.at("current-password").fill(PASSWORD);
	await v.at("change-password").click();
	await v.page.getByText("Пароль сменён.").waitFor();

	const [file] = await Promise.all([v.page.waitForEvent("download"), v.at("export-data").click()]);
	assert.match(await readFile(await file.path(), "utf8"), new RegExp(who.email));

	await v.at("delete-account").click();
	await v.at("delete-password").fill("changed-pass2");
	await v.at("delete-confirm").click();
	await v.page.waitForURL(`${world.url}/`);
	assert.equal(await v.page.evaluate(() => sessionStorage.length + Number(localStorage.getItem("signed_in_as") !== null)), 0);
	const again = await new Rest(world.url).post("/api/auth/login", { email: who.email, password: "changed-pass2" });
	assert.equal(again.status, 401);
	assert.deepEqual(v.complaints, []);
});

test("signing out clears this browser, in every tab", async () => {
	await enter(await person());
	const tab = await v.context.newPage();
	await tab.goto(`${world.url}/profile`);
	await tab.getByTestId("delete-account").waitFor();
	await v.at("sign-out").click();
	await v.page.waitForURL(`${world.url}/`);
	await tab.getByTestId("login-submit").waitFor();
	assert.equal(await v.page.evaluate(() => sessionStorage.length), 0);
	assert.deepEqual(v.complaints, []);
});

test("the settings of the model are kept on the server, the key is not shown again", async () => {
	await enter(await person());
	await v.go("/settings");
	await v.at("max-tokens").fill("0");
	await v.at("save-settings").click();
	await v.page.locator(".field-bad").waitFor();
	await v.at("max-tokens").fill("1500");
	await v.at("api-key").fill("sk-test-1234567890abcd");
	await v.at("save-settings").click();
	await v.at("remove-key").waitFor();
	await v.page.reload();
	await v.at("remove-key").waitFor();
	assert.equal(await v.at("max-tokens").inputValue(), "1500");
	assert.equal(await v.at("api-key").inputValue(), "");
	await v.page.getByText(/заканчивается на abcd/).waitFor();
	assert.doesNotMatch(await v.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })), /sk-test/);
	await v.at("remove-key").click();
	await v.page.getByText("Ключ удалён").waitFor();
	assert.deepEqual(v.complaints, []);
});

test("the connection is tested without signing in", async () => {
	await enter(null, { locale: "en-US" });
	await v.go("/settings");
	await v.at("test-connection").click();
	await until("there is a result", async () => (await v.at("test-result").innerText()).length > 0);
	assert.match(await v.at("test-result").innerText(), /✅[\s\S]*🤖/);
	assert.deepEqual(v.complaints, []);
});

test("an admin closes and opens a sign-in; nobody else comes to that page", async () => {
	const who = await person("closed");

	await enter({ email: `admin-${process.pid}-1@example.com`, password: PASSWORD });
	await v.go("/users");
	await v.at("user-search").fill(who.email);
	await until("one row is left", async () => await v.at("user-row").count() === 1);
	await v.at("toggle-user").click();
	await v.page.getByRole("dialog").getByRole("button", { name: "Закрыть вход" }).click();
	await until("it is closed", async () => /Закрыт/.test(await v.at("user-row").innerText()));
	assert.notEqual((await new Rest(world.url).post("/api/auth/login", who)).status, 200);
	await v.at("toggle-user").click();
	await until("it is open again", async () => /Разрешён/.test(await v.at("user-row").innerText()));
	assert.equal((await new Rest(world.url).post("/api/auth/login", who)).status, 200);
	assert.deepEqual(v.complaints, []);
	await v.context.close();

	await enter(who);
	await v.go("/users");
	await v.page.waitForURL(`${world.url}/tracks`);
	assert.equal(await v.page.locator('[data-nav="/users"]').count(), 0);
});

test("the look is the system's until one is chosen, and the choice stays", async () => {
	const background = () => v.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

	await enter(null, { colorScheme: "dark" });
	await v.go("/");
	const dark = await background();
	await v.at("theme-switch").selectOption("light");
	assert.notEqual(await background(), dark);
	await v.page.reload();
	await v.at("start").waitFor();
	assert.notEqual(await background(), dark);
	await v.at("theme-switch").selectOption("system");
	assert.equal(await background(), dark);
	assert.deepEqual(v.complaints, []);
});

test("what the original application left is taken over once, its tracks when one wants them", async () => {
	await enter(null);
	await v.go("/");
	await v.page.evaluate(() => {
		localStorage.setItem("ailearning_settings", '{"api_key":"sk-old-secret"}');
		localStorage.setItem("session_1", "old");
		localStorage.setItem("learningConfig", '{"progressiveUnlock":false}');
		localStorage.setItem("ailearning_tracks", '[{"id":"1","title":"Старый трек","duration_hours":10,"difficulty_level":"beginner"}]');
	});
	await v.enterAsGuest();
	await v.at("import-tracks").click();
	await v.at("track-card").waitFor();
	assert.match(await v.at("track-card").innerText(), /Старый трек/);
	const kept = await v.page.evaluate(() => ({ ...localStorage }));
	assert.deepEqual(Object.keys(kept).filter((key) => /ailearning|session_1|learningConfig/.test(key)), []);
	assert.equal(JSON.parse(kept.learning).progressiveUnlock, false);
	assert.deepEqual(v.complaints, []);
});
