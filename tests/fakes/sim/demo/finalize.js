/*
 * The plan as JSON: the modules of the newest plan, in the shape the prompt
 * names, and the course plan with a description and a final project.
 */

import { countTokens } from "../tokens.js";
import { newestPlan } from "./dialogue.js";
import { parsePlan } from "./parse-plan.js";
import { buildPlan } from "./plan.js";
import { WORDS } from "./words.js";

const GOALS_MAX = 4;

/* The newest plan anywhere: in the dialogue, else quoted in a prompt, else built from the track. */
function planOf(messages, track, language) {
	const quoted = messages.filter((m) => m.role !== "assistant").toReversed()
		.map((m) => parsePlan([m.text], track, language)).find(Boolean);

	return newestPlan(messages, track, language).plan ?? quoted ?? buildPlan(track, language);
}

function moduleObject(m, i, language, detail) {
	const task = `${WORDS[language].plan.task}: ${m.task}.`;

	return {
		module_number: i + 1,
		title: m.title,
		description: detail > 1 ? `${m.about} ${task}` : m.about,
		estimated_duration_hours: m.hours,
		learning_objectives: m.goals.slice(0, detail > 0 ? GOALS_MAX : 2),
		status: "not_started",
	};
}

/* A prompt that asks for an array and names no `modules` key gets an array. */
function wantsArray(request) {
	const asked = request.messages.filter((m) => m.role !== "assistant").map((m) => m.text).join("\n");

	if (request.format !== "text" || /["'`]modules["'`]\s*:/.test(asked))
		return false;
	return /json[\s-]*(?:array|массив)|(?:array|массив[а-яё]*)\s+(?:of\s+)?(?:json|modules|объект|модул)|\[\s*\{\s*"module_number"/i.test(asked);
}

/* The modules a prompt lists as there already, one JSON object a line, by their titles. */
function existingIds(messages) {
	const lines = messages.filter((m) => m.role !== "assistant").flatMap((m) => m.text.split("\n"));
	const listed = lines.map((line) => /^\{"id":(\d+),"title":(".*")\}$/.exec(line)).filter(Boolean);

	return new Map(listed.map(([, id, title]) => [JSON.parse(title).toLowerCase(), Number(id)]));
}

export function finalModules(request, track, language) {
	const { modules } = planOf(request.messages, track, language);
	const array = wantsArray(request);
	const ids = existingIds(request.messages);
	const texts = [2, 1, 0].map((detail) => {
		const list = modules.map((m, i) => {
			const module = moduleObject(m, i, language, detail);

			return ids.size > 0 ? { id: ids.get(m.title.toLowerCase()) ?? null, ...module } : module;
		});

		return JSON.stringify(array ? list : { modules: list });
	});

	return texts.find((text) => countTokens(text) <= request.limit) ?? texts.at(-1);
}

export function coursePlan(track, language) {
	const plan = buildPlan(track, language);
	const words = WORDS[language].plan;

	return JSON.stringify({
		course_description: `${words.welcome[plan.level]} ${words.heading(plan.title)}.`,
		learning_objectives: words.goals(plan),
		modules: plan.modules.map((m, i) => ({
			...moduleObject(m, i, language, 2), topics: m.goals,
		})),
		practical_assignments: plan.projects.map((p) => p.replace(/\*\*/g, "")),
		final_project: plan.modules.at(-1).about,
	});
}
