/*
 * Carrying out wishes: each changes the plan and returns { note, changed }.
 */

import { customModule, setHours, subject, topicsFor, unusedTopics } from "./plan.js";
import { WORDS } from "./words.js";
import { moduleByWords } from "./module-ref.js";
import { eachWish } from "./wishes.js";

const MODULES_MAX = 10;
const HOURS_MAX = 500;
const PACE = { min: 1, max: 30, slower: 0.6, faster: 1.6 };
const PRACTICE = { min: 20, max: 90, step: 15 };
const LEVELS = ["beginner", "intermediate", "advanced"];

const yes = (note) => ({ note, changed: true });
const no = (note) => ({ note, changed: false });
const clamp = (n, min, max) => Math.min(Math.max(n, min), max);

/* The topic as the catalogue tells it when it knows it, else made from the words. */
function newModule(topic, plan, track, language) {
	const unused = unusedTopics(plan, track, language);
	const at = moduleByWords(topic, { modules: unused });

	return at >= 0 ? { ...unused[at], title: topic } : customModule(topic, language);
}

const ACTIONS = {
	add(plan, { topic, to }, { note, track, language }) {
		if (plan.modules.some((m) => m.title.toLowerCase() === topic.toLowerCase()))
			return no(note.exists(topic));
		if (plan.modules.length >= MODULES_MAX)
			return no(note.full);
		const total = Math.max(plan.hours, plan.modules.length + 1);
		const at = to ?? plan.modules.length - 1;	/* the final work stays last */
		const hours = Math.max(1, Math.round(total / (plan.modules.length + 1)));

		plan.modules.splice(at, 0, { ...newModule(topic, plan, track, language), hours });
		setHours(plan, total);
		return yes(note.added(topic, plan.modules.findIndex((m) => m.title === topic) + 1,
			plan.modules.find((m) => m.title === topic).hours));
	},
	remove(plan, { at }, { note }) {
		if (at < 0)
			return no(note.missing);
		if (plan.modules.length === 1)
			return no(note.last);
		const [gone] = plan.modules.splice(at, 1);

		setHours(plan, plan.hours);
		return yes(note.removed(gone.title));
	},
	hours(plan, { total }, { note }) {
		const before = plan.hours;
		const after = clamp(total, plan.modules.length, HOURS_MAX);

		setHours(plan, after);
		return total < plan.modules.length ? no(note.fewest(after)) : yes(note.hours(before, after));
	},
	moduleHours(plan, { at, hours }, { note }) {
		plan.modules[at].hours = clamp(hours, 1, HOURS_MAX);
		plan.hours = plan.modules.reduce((sum, m) => sum + m.hours, 0);
		return yes(note.moduleHours(at + 1, plan.modules[at].hours, plan.hours));
	},
	slower(plan, wish, { note }) {
		plan.pace = clamp(Math.floor(plan.pace * PACE.slower), PACE.min, PACE.max);
		return yes(note.slower(plan.pace));
	},
	faster(plan, wish, { note }) {
		plan.pace = clamp(Math.ceil(plan.pace * PACE.faster), PACE.min, PACE.max);
		return yes(note.faster(plan.pace));
	},
	practice(plan, wish, { note, track, language }) {
		const more = subject(track, language).projects.find((p) => !plan.projects.includes(p));

		plan.practice = clamp(plan.practice + PRACTICE.step, PRACTICE.min, PRACTICE.max);
		if (more)
			plan.projects.push(more);
		return yes(note.practice(plan.practice, more !== undefined));
	},
	theory(plan, wish, { note }) {
		plan.practice = clamp(plan.practice - PRACTICE.step, PRACTICE.min, PRACTICE.max);
		return yes(note.theory(plan.practice));
	},
	harder: (plan, wish, context) => changeLevel(plan, 1, context),
	easier: (plan, wish, context) => changeLevel(plan, -1, context),
	swap(plan, { pair: [a, b] }, { note }) {
		const { modules } = plan;

		if (!modules[a] || !modules[b] || a === b)
			return no(note.missing);
		[modules[a], modules[b]] = [modules[b], modules[a]];
		return yes(note.swapped(a + 1, b + 1));
	},
	move(plan, { at, to }, { note }) {
		const [module] = plan.modules.splice(at, 1);
		const place = clamp(to, 0, plan.modules.length);

		plan.modules.splice(place, 0, module);
		return yes(note.moved(module.title, place + 1));
	},
	reorder(plan, wish, { note }) {
		const last = plan.modules.pop();

		plan.modules = [...plan.modules.slice(0, 1), ...plan.modules.slice(1).reverse(), last];
		return yes(note.reordered);
	},
	rename(plan, { at, title }, { note }) {
		if (at < 0)
			return no(note.missing);
		plan.modules[at].title = title;
		return yes(note.renamed(at + 1, title));
	},
};

/* Topics of the old level give way to those of the new one; modules the learner added stay. */
function changeLevel(plan, step, { note, track, language }) {
	const level = LEVELS[clamp(LEVELS.indexOf(plan.level) + step, 0, LEVELS.length - 1)];

	if (level === plan.level)
		return no(note.sameLevel(WORDS[language].level[level]));
	const known = subject(track, language).topics.map((t) => t.title);
	const fresh = topicsFor(level, track, language);

	plan.modules = plan.modules.map((m) => (known.includes(m.title) && fresh.length
		? { ...fresh.shift(), hours: m.hours } : m));
	plan.level = level;
	return yes(note[step > 0 ? "harder" : "easier"](WORDS[language].level[level]));
}

/* Changes the plan as the message asks; { changed, list of notes }, an empty list when it asks for nothing. */
export function revise(plan, text, track, language) {
	const context = { note: WORDS[language].note, track, language };
	const notes = { changed: false, list: [] };

	eachWish(text, plan, (wish) => {
		const { note, changed } = ACTIONS[wish.do](plan, wish, context);

		notes.list.push(note);
		notes.changed ||= changed;
	});
	return notes;
}
