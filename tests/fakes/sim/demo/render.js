/*
 * A plan as markdown, in four levels of detail, so that a reply fits the
 * request's token limit: what is said last must not be cut off.
 */

import { countTokens } from "../tokens.js";
import { WORDS } from "./words.js";

function bullets(items) {
	return items.map((item) => `- ${item}`).join("\n");
}

export function renderTable(plan, language) {
	const { columns, total } = WORDS[language].plan;
	const rows = plan.modules.map((m, i) => `| ${i + 1} | ${m.title} | ${m.hours} |`);

	return [`| ${columns.join(" | ")} |`, "|---|---|---|", ...rows, `| | **${total}** | **${plan.hours}** |`].join("\n");
}

export function renderFacts(plan, language) {
	const words = WORDS[language];

	return words.plan.facts(plan, words.level[plan.level]);
}

function renderModule(m, i, language, detail) {
	const { module, task } = WORDS[language].plan;
	const parts = [`### ${module(i + 1, m)}`, m.about];

	if (detail >= 3)
		parts.push(bullets(m.goals));
	if (detail >= 2)
		parts.push(`🛠️ **${task}:** ${m.task}`);
	return parts.join("\n\n");
}

function renderModules(plan, language, detail) {
	return [`## ${WORDS[language].plan.modules}`, ...plan.modules.map((m, i) => renderModule(m, i, language, detail))];
}

function renderProjects(plan, language) {
	return [`## ${WORDS[language].plan.projects}`, plan.projects.map((p, i) => `${i + 1}. ${p}`).join("\n")];
}

function renderQuestions(language) {
	const { questionsHeading, questions } = WORDS[language].plan;

	return [`## ${questionsHeading}`, questions.map((q, i) => `${i + 1}. ${q}`).join("\n")];
}

/* The opening plan. */
function renderWelcome(plan, language, detail) {
	const words = WORDS[language].plan;
	const parts = [`# ${words.heading(plan.title)}`, words.welcome[plan.level], renderFacts(plan, language)];

	if (plan.expectations && detail >= 1)
		parts.push(words.expectations(plan.expectations));
	if (detail >= 2)
		parts.push(`## ${words.goalsHeading}`, bullets(words.goals(plan)));
	parts.push(`## ${words.table}`, renderTable(plan, language));
	if (detail >= 1)
		parts.push(...renderModules(plan, language, detail), ...renderProjects(plan, language));
	if (detail >= 3)
		parts.push(`## ${words.adviceHeading}`, words.advice(plan));
	parts.push(...renderQuestions(language));
	return parts.join("\n\n");
}

/* The plan after a change, with the notes of what was changed. */
function renderRevision(plan, notes, language, detail) {
	const { plan: words, talk } = WORDS[language];
	const parts = [notes.changed ? talk.done : talk.partly, `${talk.changes}\n${bullets(notes.list)}`,
		`# ${words.heading(plan.title)}`, renderFacts(plan, language), `## ${words.table}`, renderTable(plan, language)];

	if (detail >= 1)
		parts.push(...renderModules(plan, language, detail), ...renderProjects(plan, language));
	parts.push(...(detail >= 2 ? renderQuestions(language) : [talk.ask]));
	return parts.join("\n\n");
}

/* The richest of the detailed texts that fits the limit; the shortest when none does. */
export function fitting(limit, make) {
	for (const detail of [3, 2, 1]) {
		const text = make(detail);

		if (countTokens(text) <= limit)
			return text;
	}
	return make(0);
}

export const welcomeText = (plan, language, limit) =>
	fitting(limit, (detail) => renderWelcome(plan, language, detail));
export const revisionText = (plan, notes, language, limit) =>
	fitting(limit, (detail) => renderRevision(plan, notes, language, detail));
