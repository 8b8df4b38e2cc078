/*
 * The track's data out of a prompt's plain lines (`Skill: ...`, `Навык: ...`).
 * System messages count first, then the user's; the first value of a label wins.
 */

const LABELS = {
	title: ["track", "track title", "course", "course title", "title", "трек", "курс", "название трека", "название курса", "название"],
	skill: ["skill", "skill area", "subject", "topic", "навык", "область", "область навыков", "область знаний", "тема", "предмет"],
	level: ["level", "difficulty", "difficulty level", "уровень", "уровень сложности", "сложность"],
	hours: ["hours", "duration", "total hours", "duration hours", "estimated hours", "estimated duration", "часы", "часов", "длительность", "продолжительность", "количество часов", "объём", "объем"],
	expectations: ["expectations", "user expectations", "goals", "goal", "learner expectations", "student expectations", "ожидания", "цели", "цель", "ожидания пользователя", "ожидания ученика"],
	module: ["module", "module title", "модуль", "название модуля"],
	moduleAbout: ["module description", "description of the module", "описание модуля"],
	objectives: ["objectives", "learning objectives", "module objectives", "цели модуля", "цели обучения", "учебные цели"],
	lesson: ["lesson", "lesson title", "урок", "название урока", "тема урока"],
	language: ["language", "язык"],
};

const BY_LABEL = new Map(Object.entries(LABELS).flatMap(([field, names]) => names.map((name) => [name, field])));
const LINE = /^[\s>*•\-]*(?:\*\*)?([\p{L} ]{3,30}?)(?:\s*\([^)]*\))?(?:\*\*)?\s*:\s*(?:\*\*)?\s*(.+?)\s*$/u;
const VALUE_MAX = 240;
const LINE_MAX = 1000;
const HOURS_DEFAULT = 20;
const HOURS_MAX = 500;

/* One line of plain words: what would break our markdown is taken out; a lone dash stands for nothing. */
function clean(value) {
	const plain = value.replace(/[|`*_#<>[\]]/g, " ").replace(/\s+/g, " ").replace(/^["'«„“]+|["'»“”]+$/g, "").trim();

	if (/^[—–-]*$/.test(plain))
		return "";
	return plain.length > VALUE_MAX ? `${plain.slice(0, VALUE_MAX).trim()}…` : plain;
}

function labelledValues(messages) {
	const ordered = [...messages.filter((m) => m.role === "system"), ...messages.filter((m) => m.role === "user")];
	const found = {};

	for (const { text } of ordered) {
		for (const line of text.split("\n")) {
			const [, label, value] = LINE.exec(line.slice(0, LINE_MAX)) ?? [];
			const field = label && BY_LABEL.get(label.trim().toLowerCase());

			if (field && found[field] === undefined && clean(value))
				found[field] = clean(value);
		}
	}
	return found;
}

function levelOf(text = "") {
	if (/advanced|expert|продвинут|эксперт|сложн/i.test(text))
		return "advanced";
	return /intermediate|medium|средн|продолжающ/i.test(text) ? "intermediate" : "beginner";
}

function hoursOf(text) {
	const hours = Number(/\d+/.exec(text ?? "")?.[0] ?? HOURS_DEFAULT);

	return Math.min(Math.max(hours, 1), HOURS_MAX);
}

/* { title, skill, level, hours, expectations, ... } with defaults; `known` says whether any of it was given. */
export function trackOf(messages, language) {
	const given = labelledValues(messages);
	const skill = given.skill ?? given.title ?? (language === "ru" ? "Новый навык" : "A new skill");

	return {
		...given,
		known: given.skill !== undefined || given.title !== undefined,
		title: given.title ?? skill,
		skill,
		level: levelOf(given.level),
		hours: hoursOf(given.hours),
		expectations: given.expectations ?? "",
	};
}
