/*
 * A plan as data, and building one from a track:
 * { title, skill, level, hours, expectations, pace, practice, modules, projects },
 * a module is { title, about, goals, task, hours }. The hours of the modules
 * always add up to the plan's hours.
 */

import { FIELDS_EN } from "./catalog-en.js";
import { FIELDS_RU } from "./catalog-ru.js";
import { WORDS } from "./words.js";

const FIELD_WORDS = [
	["web", /\b(html|css|javascript|typescript|react|vue|angular|frontend|front-end|web)\b|фронт[еэ]нд|в[её]рст|(?:^|[^а-я])веб/i],
	["data", /data|sql|statistic|analytic|machine learning|\bml\b|данн|аналити|статисти|машинн|нейросет/i],
	["language", /\b(english|german|french|spanish|italian|chinese|japanese|russian|korean|language learning|foreign language)\b|английск|немецк|французск|испанск|итальянск|китайск|японск|корейск|русский язык|иностранн/i],
	["programming", /\b(python|java|kotlin|golang|go|rust|php|ruby|swift|scala|programming|coding|backend|devops|docker|c)\b|c\+\+|c#|программир|бэкенд|бекенд|алгоритм|разработк/i],
];
const LANGUAGE_NAME = /python|javascript|typescript|java|kotlin|golang|\bgo\b|rust|php|ruby|swift|scala|c\+\+|c#|\bc\b/i;
const SPELLED = { python: "Python", java: "Java", kotlin: "Kotlin", golang: "Go", go: "Go", rust: "Rust", php: "PHP",
	ruby: "Ruby", swift: "Swift", scala: "Scala", "c++": "C++", "c#": "C#", c: "C", javascript: "JavaScript", typescript: "TypeScript" };

const FIRST_TOPIC = { beginner: 0, intermediate: 2, advanced: 4 };
const PRACTICE = { beginner: 50, intermediate: 60, advanced: 70 };
const PACE_DEFAULT = 5;
/* Later modules get a little more time than the first ones, the last topic less. */
const SHARES = [1, 1.15, 1.25, 1.2, 1.1, 1.3];

function moduleCount(hours) {
	if (hours < 4)
		return hours;
	if (hours < 16)
		return 4;
	return hours < 45 ? 5 : 6;
}

/* Whole hours in proportion to the weights, at least 1 each where the total allows, adding up to total. */
export function shareHours(total, weights) {
	const sum = weights.reduce((a, b) => a + b, 0);
	const spare = Math.max(total - weights.length, 0);
	const exact = weights.map((w) => spare * w / sum);
	const hours = exact.map((h) => 1 + Math.floor(h));
	const order = exact.map((h, i) => [h - Math.floor(h), i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
	let left = total - hours.reduce((a, b) => a + b, 0);

	for (const [, i] of order) {
		if (left <= 0)
			break;
		hours[i]++;
		left--;
	}
	return hours;
}

export function setHours(plan, total) {
	const hours = shareHours(total, plan.modules.map((m) => m.hours));

	plan.hours = total;
	plan.modules.forEach((m, i) => {
		m.hours = hours[i];
	});
}

function fieldOf(text) {
	return FIELD_WORDS.find(([, words]) => words.test(text))?.[0] ?? "general";
}

/* The field's topics and projects in the language, with the subject's words filled in. */
export function subject(track, language) {
	const about = `${track.skill} ${track.title}`;
	const field = (language === "ru" ? FIELDS_RU : FIELDS_EN)[fieldOf(about)];
	const name = SPELLED[LANGUAGE_NAME.exec(about)?.[0].toLowerCase()] ?? WORDS[language].yourLanguage;
	const fill = (text) => text.replaceAll("{name}", name).replaceAll("{skill}", track.skill);

	return {
		topics: field.topics.map(([title, text, goals, task]) => ({
			title: fill(title), about: fill(text), goals: goals.map(fill), task: fill(task),
		})),
		projects: field.projects.map(fill),
	};
}

export function capstone(track, language) {
	const words = WORDS[language].capstone;

	return {
		title: words.title(track.skill),
		about: track.expectations ? words.aboutGoal(track.expectations) : words.about,
		goals: words.goals, task: words.task,
	};
}

/* A module on a subject the learner asked for. */
export function customModule(title, language) {
	const words = WORDS[language].custom;

	return { title, about: words.about(title), goals: words.goals(title), task: words.task };
}

/* Everything but the hours of a module known only by its title. */
export function moduleByTitle(title, track, language) {
	const known = [...subject(track, language).topics, capstone(track, language)];

	return known.find((m) => m.title === title) ?? customModule(title, language);
}

/* The subject's topics that suit a level, easiest first. */
export function topicsFor(level, track, language) {
	return subject(track, language).topics.slice(FIRST_TOPIC[level]);
}

export function buildPlan(track, language) {
	const { projects } = subject(track, language);
	const count = moduleCount(track.hours);
	const modules = [...topicsFor(track.level, track, language).slice(0, count - 1), capstone(track, language)]
		.map((m, i) => ({ ...m, hours: SHARES[i] }));
	const plan = {
		title: track.title, skill: track.skill, level: track.level, hours: track.hours,
		expectations: track.expectations, pace: PACE_DEFAULT, practice: PRACTICE[track.level],
		modules, projects: projects.slice(0, track.level === "beginner" ? 2 : 3),
	};

	setHours(plan, track.hours);
	return plan;
}

/* Topics of the subject that a plan does not have yet. */
export function unusedTopics(plan, track, language) {
	const titles = plan.modules.map((m) => m.title);

	return subject(track, language).topics.filter((t) => !titles.includes(t.title));
}
