/*
 * A plan read back from markdown: our own, or any that has a table of modules
 * with hours or headings like "Module 2. Title — 5 h". What the text does not
 * tell comes from the track and the catalogue.
 */

import { buildPlan, moduleByTitle, shareHours } from "./plan.js";
import { WORDS } from "./words.js";

const ROW = /^\|\s*(\d{1,2})\s*\|\s*(.+?)\s*\|\s*\**(\d{1,3})\**\s*(?:ч|h)?[^|]*\|/;
const TOTAL = /^\|[^|\n]*\|?\s*\**(?:Итого|Всего|Total)\**\s*\|\s*\**\d+/im;
const HEADING = /^\s*(?:#{1,6}\s*|\d+[.)]\s*|[-*•]\s*)?(?:\*\*)?\s*(?:\p{Extended_Pictographic}\ufe0f?\s*)?(?:Модуль|Module)\s+(\d{1,2})\s*[.:)—–-]\s*(.+?)\s*$/iu;
const HEADING_HOURS = /\s*[—–(,-]?\s*\(?(\d{1,3})\s*(?:ч(?:ас(?:а|ов)?)?|h(?:ours?)?)\.?\s*\)?\s*(?:\*\*)?\s*$/i;
const HOURS_UNKNOWN = 5;
const LINE_MAX = 400;

function splitHeading(rest) {
	const hours = Number(HEADING_HOURS.exec(rest)?.[1] ?? 0);

	return { title: rest.replace(HEADING_HOURS, "").replace(/\*\*/g, "").trim(), hours };
}

/* Modules of the table, null when it is missing or was cut off before its total. */
function tableModules(lines, text) {
	const rows = lines.map((line) => ROW.exec(line)).filter(Boolean);

	if (rows.length === 0 || !TOTAL.test(text))
		return null;
	return rows.map(([, , title, hours]) => ({ title: title.replace(/\*\*/g, ""), hours: Number(hours) }));
}

/* Sections under module headings: number -> { title, hours, about, goals, task }. */
function sections(lines) {
	const found = new Map();
	let current = null;

	for (const line of lines) {
		const heading = HEADING.exec(line);

		if (heading) {
			current = { ...splitHeading(heading[2]), about: "", goals: [], task: "" };
			if (!found.has(Number(heading[1])))
				found.set(Number(heading[1]), current);
		} else if (/^#{1,6}\s/.test(line)) {
			current = null;
		} else if (current) {
			readLine(current, line.trim());
		}
	}
	return found;
}

function readLine(module, line) {
	const goal = /^[-*•]\s+(.+)$/.exec(line);
	const task = /^🛠️?\s*\**(?:Практика|Practice):?\**:?\s*(.+)$/u.exec(line);

	if (task)
		module.task = task[1];
	else if (goal)
		module.goals.push(goal[1]);
	else if (line && !module.about && !line.startsWith("|") && !line.startsWith("🛠"))
		module.about = line;
}

function numberAfter(text, ...labels) {
	const found = new RegExp(`\\*\\*(?:${labels.join("|")}):\\*\\*\\s*(\\d+)`).exec(text);

	return found ? Number(found[1]) : null;
}

function levelIn(text) {
	const word = /\*\*(?:Уровень|Level):\*\*\s*([^\s·]+)/.exec(text)?.[1];

	return ["beginner", "intermediate", "advanced"].find((l) => WORDS.ru.level[l] === word || WORDS.en.level[l] === word);
}

function projectsIn(text) {
	const part = /^##\s+🚀.*\n+((?:\d+\.\s.*\n?)+)/m.exec(text)?.[1];

	return part?.trim().split("\n").map((line) => line.replace(/^\d+\.\s+/, ""));
}

/* Modules without hours share what the plan has; a plan that names none gets five each. */
function fillHours(modules, total) {
	if (modules.every((m) => m.hours > 0))
		return modules;
	const hours = total ? shareHours(total, modules.map(() => 1)) : modules.map(() => HOURS_UNKNOWN);

	return modules.map((m, i) => ({ ...m, hours: m.hours || hours[i] }));
}

/* The plan as far as the text itself tells it: bare modules by number, with their sections; null when incomplete. */
function readPlan(text) {
	const lines = text.split("\n").map((line) => line.slice(0, LINE_MAX));
	const details = sections(lines);
	const table = tableModules(lines, text);
	const half = table === null && /^\|\s*1\s*\|/m.test(text);	/* a table that was cut off: later rows are missing */
	const bare = table ?? [...details.values()];

	if (half || bare.length < (table ? 1 : 2))
		return null;
	return { bare, details, practice: numberAfter(text, "Практика", "Practice"), level: levelIn(text),
		pace: numberAfter(text, "Темп", "Pace"), projects: projectsIn(text) };
}

/* The first of the texts that describes a module of this title, for a text that only names it. */
function described(title, older) {
	for (const { details } of older) {
		const section = [...details.values()].find((s) => s.title === title && s.about);

		if (section)
			return section;
	}
	return undefined;
}

function fullModule(bare, section, track, language) {
	const known = moduleByTitle(bare.title, track, language);

	return {
		title: bare.title, hours: bare.hours,
		about: section?.about || known.about,
		goals: section?.goals.length ? section.goals : known.goals,
		task: section?.task || known.task,
	};
}

/*
 * The plan of texts[0], or null when it holds none or an incomplete one. What
 * it only names is looked up in the other texts, newest first.
 */
export function parsePlan([text, ...rest], track, language) {
	const read = readPlan(text);

	if (read === null)
		return null;
	const older = rest.map(readPlan).filter(Boolean);
	const fresh = buildPlan(track, language);
	const first = (field) => [read, ...older].map((r) => r[field]).find((value) => value != null);
	const practice = first("practice") ?? fresh.practice;
	const modules = fillHours(read.bare, track.hours).map((m, i) => {
		const own = read.details.get(i + 1);

		return fullModule(m, own?.about ? own : described(m.title, older), track, language);
	});

	return {
		...fresh, practice, modules,
		level: first("level") ?? track.level,
		pace: first("pace") ?? fresh.pace,
		hours: modules.reduce((sum, m) => sum + m.hours, 0),
		projects: first("projects") ?? fresh.projects,
	};
}
