/*
 * Every screen of the application, with a person's work behind it: made once
 * through the API, looked at by the accessibility test, the pictures and the
 * report.
 */

import { Rest } from "../lib/rest.js";
import { until } from "../lib/until.js";

const WORDS = {
	ru: { title: "Python для анализа данных", description: "От первой программы до pandas и графиков", wish: "Хочу анализировать свои данные" },
	en: { title: "Python for data analysis", description: "From the first script to pandas and charts", wish: "I want to analyse my own data" },
};

/* A person with a finalized course, a module begun and a lesson written. The first one of a stack is its admin. */
export async function makeWork(url, language) {
	const person = { email: `${language}-${process.pid}-${Date.now()}@example.com`, password: "analytical1" };
	const rest = new Rest(url);
	const words = WORDS[language];
	const lang = { "accept-language": language };
	const signedIn = await rest.ok("POST", "/api/auth/register", { ...person, first_name: "Ada", last_name: "Lovelace" }, lang);

	rest.token = signedIn.access_token;
	const track = await rest.ok("POST", "/api/tracks", {
		title: words.title, description: words.description, user_expectations: words.wish,
		difficulty_level: "beginner", estimated_duration_hours: 30, language,
	}, lang);
	await until("the plan is there", async () =>
		(await rest.ok("GET", `/api/chat/chats/${track.chat_id}/history`)).history.length > 0, { ms: 60000 });
	const ids = { session_id: track.session_id, track_id: track.id, user_id: signedIn.user.id };
	const { modules } = await rest.ok("POST", "/api/ai/finalize-course-plan", { ...ids, skill_area: words.title }, lang);
	const [module] = modules;
	await rest.ok("POST", "/api/ai/module-learning-start", { ...ids, module_id: module.id }, lang);
	await rest.ok("POST", "/api/ai/generate-lesson", {
		lesson_title: module.learning_objectives[0], module_context: module.title, content_type: "theory",
		module_id: module.id, lesson_number: 1, track_id: track.id,
	}, lang);
	return { ...person, rest, track, module };
}

const track = (work) => `/tracks/${work.track.id}`;
const module = (work) => `${track(work)}/modules/${work.module.id}`;

/* ready: what is there when the screen is; open(visitor): what to press first; anonymous: seen without a sign-in */
export const SCREENS = [
	{ name: "landing", path: () => "/", ready: "start", anonymous: true },
	{ name: "sign-in", path: () => "/auth", ready: "login-submit", anonymous: true },
	{ name: "register", path: () => "/auth?form=register", ready: "register-submit", anonymous: true },
	{ name: "forgot", path: () => "/forgot", ready: "back-to-sign-in", anonymous: true },
	{ name: "reset-lost", path: () => "/reset", ready: "reset-lost", anonymous: true },
	{ name: "reset", path: () => "/reset#the-secret-of-a-link", ready: "reset-submit", anonymous: true },
	{ name: "settings-anonymous", path: () => "/settings", ready: "test-connection", anonymous: true },
	{ name: "missing", path: () => "/no/such/page", ready: null, anonymous: true },
	{ name: "tracks", path: () => "/tracks", ready: "track-card" },
	{ name: "new-track", path: () => "/tracks/new", ready: "create-track" },
	{ name: "plan", path: (work) => `${track(work)}/plan`, ready: "message-meta" },
	{ name: "chats", path: (work) => `${track(work)}/plan`, ready: "message-meta", open: (v) => v.at("chats").click() },
	{ name: "finalize", path: (work) => `${track(work)}/plan`, ready: "message-meta", open: (v) => v.at("finalize").click() },
	{ name: "track", path: track, ready: "module-item" },
	{ name: "module", path: module, ready: "lesson-item" },
	{ name: "learn", path: (work) => `${module(work)}/learn`, ready: "summary" },
	{ name: "tutor", path: (work) => `${module(work)}/learn?tab=chat`, ready: "composer" },
	{ name: "lesson", path: (work) => `${module(work)}/lessons/1`, ready: "lesson-text" },
	{ name: "profile", path: () => "/profile", ready: "delete-account" },
	{ name: "statistics", path: () => "/statistics", ready: "statistics" },
	{ name: "settings", path: () => "/settings", ready: "save-settings" },
	{ name: "users", path: () => "/users", ready: "user-row", admin: true },
	{ name: "reset-link", path: () => "/users", ready: "user-row", open: (v) => v.at("reset-user").first().click(), admin: true },
	{ name: "keys", path: () => "/tracks", ready: "track-card", open: (v) => v.page.keyboard.press("Control+Slash") },
];

/* Brings a visitor to a screen and waits until it is drawn and quiet. */
export async function show(visitor, screen, work) {
	await visitor.go(screen.path(work));
	if (screen.ready)
		await visitor.at(screen.ready).first().waitFor();
	await visitor.page.locator('[data-testid="skeleton"]:visible').first().waitFor({ state: "hidden" });
	if (screen.open) {
		await screen.open(visitor);
		await visitor.page.locator("dialog[open]").waitFor();
	}
	await visitor.page.evaluate(() => document.fonts.ready);
}
