/* A forgotten password: the administrator makes a link, its owner opens it in a browser of his own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Rest } from "../lib/rest.js";
import { useStack } from "./lib.js";

const OLD = "analytical1";
const NEW = "difference2";

const world = useStack({ sim: false, workers: 0 }, {
	/* the first one is the admin */
	async prepare({ url }) {
		admin = await register(url, "admin");
		member = await register(url, "member");
	},
});
let admin, member;

async function register(url, name) {
	const person = { email: `${name}-${process.pid}@example.com`, password: OLD };
	const rest = new Rest(url);

	rest.first = await rest.ok("POST", "/api/auth/register", { ...person, first_name: "Ada", last_name: "Lovelace" });
	return { ...person, token: rest.first.access_token };
}

const post = (path, body) => new Rest(world.url).post(path, body);

/* The link that the administrator copies for somebody, by keyboard. */
async function linkFor(person) {
	const v = await world.enter();

	await v.signIn(admin);
	await v.go("/users");
	await v.at("user-search").fill(person.email);
	await v.page.getByTestId("user-row").filter({ hasText: "admin" }).waitFor({ state: "detached" });
	await v.at("reset-user").focus();
	await v.page.keyboard.press("Enter");
	const link = await v.at("reset-link").inputValue();
	await v.at("copy-reset-link").focus();
	await v.page.keyboard.press("Enter");
	await v.page.getByText("Ссылка скопирована.").waitFor();
	assert.equal(await v.page.evaluate(() => navigator.clipboard.readText()), link);
	await v.page.keyboard.press("Escape");
	await v.at("reset-link").waitFor({ state: "detached" });
	assert.ok(!(await v.page.content()).includes(link.split("#")[1]), "it is shown once");
	assert.deepEqual(await v.violationsInBothLooks(), []);
	await v.leave();
	return link;
}

async function setPassword(v, password, again = password) {
	await v.at("new-password").fill(password);
	await v.at("confirm").fill(again);
	await v.at("reset-submit").click();
}

test("a forgotten password is replaced through a link of the administrator, once", async () => {
	const link = await linkFor(member);
	const secret = link.split("#")[1];
	assert.match(link, /\/reset#[\w-]{43}$/);

	/* somebody who is still signed in elsewhere */
	const elsewhere = await world.enter();
	await elsewhere.signIn(member);

	const v = await world.enter();
	const asked = [];
	v.page.on("request", (request) => asked.push(request.url()));
	await v.go("/auth");
	await v.at("forgot").click();
	await v.page.getByText("Этот сервер не отправляет писем.").waitFor();
	await v.page.goto(link);
	await v.at("reset-submit").waitFor();
	assert.equal(v.page.url(), `${world.url}/reset`, "the secret is gone from the address");
	await v.at("lang-switch").selectOption("en");	/* drawn anew, the page still has it */
	for (const id of ["new-password", "confirm"])
		assert.equal(await v.at(id).getAttribute("autocomplete"), "new-password");
	await v.page.getByLabel("Show password").check();
	assert.equal(await v.at("new-password").getAttribute("type"), "text");

	await setPassword(v, "short1");
	await v.page.locator(".field-bad").getByText("At least 8 characters").and(v.page.locator(".field-error")).waitFor();
	await setPassword(v, NEW, "another2");
	await v.page.getByText("The passwords differ.").waitFor();
	await setPassword(v, NEW);
	await v.at("password-reset").waitFor();
	assert.equal(v.page.url(), `${world.url}/auth?reset=done`);
	assert.deepEqual(asked.filter((url) => url.includes(secret)).map((url) => url.replace(link, "LINK")), [], "no request has the secret in its address");
	assert.ok(!(await v.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).includes(secret));

	await v.at("email").fill(member.email);
	await v.at("password").fill(NEW);
	await v.at("login-submit").click();
	await v.page.waitForURL(`${world.url}/tracks`);
	await v.leave();

	/* the old password and what was signed in with it are good no more */
	assert.equal((await post("/api/auth/login", { email: member.email, password: OLD })).status, 401);
	assert.equal((await new Rest(world.url, member.token).get("/api/auth/me")).status, 401);
	await elsewhere.go("/profile");
	await elsewhere.at("login-submit").waitFor();
	elsewhere.forgive(/40[13]/);
	await elsewhere.leave();

	/* the link was good once */
	const late = await world.enter({ locale: "en-US" });
	await late.page.goto(link);
	await setPassword(late, "once more 3");
	await late.at("reset-failed").getByText("The link is not valid").waitFor();
	late.forgive(/400/);
	await late.at("reset-failed").getByRole("link").click();
	await late.page.waitForURL(`${world.url}/forgot`);
	await late.leave();
	assert.equal((await post("/api/auth/login", { email: member.email, password: NEW })).status, 200);
});

test("without its secret, or loaded anew, the page says to open the link again", async () => {
	const v = await world.enter();

	await v.go("/reset#some-secret");
	await v.at("reset-submit").waitFor();
	await v.page.reload();
	await v.at("reset-lost").waitFor();
	await v.go("/reset");
	await v.at("reset-lost").waitFor();
	await v.leave();
});
