/*
 * The demo persona understands the prompts that the chat service really sends:
 * its templates, filled in as it fills them.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { simulator } from "./testing.js";

const TEMPLATES = new URL("../../services/chat/prompts/", import.meta.url);
const VALUES = {
	ru: { title: "Игра на гитаре с нуля", skill: "Гитара", level: "beginner", hours: "24", description: "—", expectations: "Играть у костра" },
	en: { title: "Python for analysts", skill: "Python", level: "intermediate", hours: "36", description: "—", expectations: "—" },
};
const CHANGE = { ru: "Добавь модуль про бой и перебор и сделай 30 часов", en: "Add a module about pandas and make it 40 hours" };
const ADDED = { ru: "Бой и перебор", en: "Pandas" };

/* The messages of a template: the system text, and the user's part behind `---`. */
async function fill(language, name, values) {
	const template = await readFile(new URL(`${language}/${name}.md`, TEMPLATES), "utf8");
	const filled = template.replace(/\{\{(\w+)\}\}/g, (_, field) => values[field]);
	const [system, user] = filled.split("\n---\n");

	return [{ role: "system", content: system }, ...(user === undefined ? [] : [{ role: "user", content: user }])];
}

const hoursIn = (reply) => [...reply.matchAll(/^\| \d+ \| .+ \| (\d+) \|$/gm)].reduce((sum, [, h]) => sum + Number(h), 0);

for (const language of ["ru", "en"]) {
	test(`welcome, dialogue, finalization and repair (${language})`, async (t) => {
		const sim = await simulator(t, "--token-delay-ms", "0");
		const values = VALUES[language];
		const ask = async (messages, more) => (await sim.client().chat.completions.create(
			{ model: "gpt-4o-mini", messages, max_tokens: 3000, ...more })).choices[0].message.content;
		const welcome = await ask(await fill(language, "welcome", values));

		assert.ok(welcome.includes(values.title) && welcome.includes(values.skill));
		assert.equal(welcome.includes("💬"), values.expectations !== "—");
		assert.equal(hoursIn(welcome), Number(values.hours));
		assert.equal([...welcome.matchAll(/^\d\. .*\?$/gm)].length, 3);

		const plan = await ask([...await fill(language, "dialogue", values), { role: "assistant", content: welcome },
			{ role: "user", content: CHANGE[language] }]);

		assert.ok(plan.includes(`| ${ADDED[language]} |`));
		const hours = Number(/\d+/.exec(CHANGE[language])[0]);

		assert.equal(hoursIn(plan), hours);

		const finalize = await fill(language, "finalize", { ...values, plan });
		const options = { max_tokens: 4000, response_format: { type: "json_object" } };
		const answer = await ask(finalize, options);
		const { modules } = JSON.parse(answer);

		assert.ok(modules.some((m) => m.title === ADDED[language]));
		assert.equal(modules.reduce((sum, m) => sum + m.estimated_duration_hours, 0), hours);
		const repair = await fill(language, "repair", { complaint: "broken JSON" });

		assert.equal(await ask([...finalize, { role: "assistant", content: "[oops" },
			{ role: "user", content: repair[0].content }], options), answer);
	});
}
