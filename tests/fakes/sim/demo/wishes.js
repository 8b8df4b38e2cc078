/*
 * What a learner asks to change, read from their message: wishes such as
 * { do: "add", topic, to } or { do: "remove", at }. Both languages are
 * understood whatever the reply's language is.
 */

import { moduleAt, placeIn, twoModules } from "./module-ref.js";
import { addedTopic, capital, cleanTopic } from "./topic.js";
import { ADD, AFTER, BEFORE, CLAUSE, FEWER_HOURS, HOURS, LEVELS, MODULE, MORE_HOURS, MOVE, PACES, PRACTICE, RELATIVE,
	REMOVE, RENAME, REORDER, START, SWAP, THEORY } from "./wish-words.js";

function hoursWish(clause, plan) {
	const named = HOURS.exec(clause);
	const amount = named && Number(named[1]);
	const more = MORE_HOURS.test(clause);
	const fewer = FEWER_HOURS.test(clause);

	if (named && new RegExp(MODULE, "i").test(clause) && moduleAt(clause, plan) >= 0)
		return { do: "moduleHours", at: moduleAt(clause, plan), hours: amount };
	if (named && RELATIVE.test(clause) && (more || fewer))
		return { do: "hours", total: plan.hours + (fewer ? -amount : amount) };
	if (named)
		return { do: "hours", total: amount };
	if (fewer)
		return { do: "hours", total: Math.round(plan.hours * 0.75) };
	return more ? { do: "hours", total: Math.round(plan.hours * 1.25) } : null;
}

function moveWish(clause, plan) {
	const at = moduleAt(clause.replace(AFTER, "").replace(BEFORE, ""), plan);

	if (START.test(clause))
		return at >= 0 ? { do: "move", at, to: 0 } : null;
	const to = placeIn(clause, at, plan.modules.length);

	return at >= 0 && to !== null ? { do: "move", at, to } : null;
}

function renameWish(clause, plan) {
	const title = /["«“](.+?)["»”]/.exec(clause)?.[1] ?? /\d\S*\s+(?:в|на|to|as|into)\s+(.+)$/i.exec(clause)?.[1];

	return title ? { do: "rename", at: moduleAt(clause.replace(title, ""), plan), title: capital(cleanTopic(title)) } : null;
}

function addWish(clause, plan) {
	const topic = addedTopic(clause);

	return topic ? { do: "add", topic, to: placeIn(clause, -1, plan.modules.length + 1) } : null;
}

/* "Add a module about removing files" asks to add: the verb that comes first counts. */
function asksRemoval(clause) {
	const add = clause.search(ADD);
	const remove = clause.search(REMOVE);

	return remove >= 0 && (add < 0 || remove < add) && !HOURS.test(clause);
}

/* One clause, one wish; null when it asks for nothing. */
function wishOf(clause, plan) {
	const pace = PACES.find(([, words]) => words.test(clause));
	const level = LEVELS.find(([, words]) => words.test(clause));

	if (RENAME.test(clause))
		return renameWish(clause, plan);
	if (SWAP.test(clause) && twoModules(clause))
		return { do: "swap", pair: twoModules(clause) };
	if (PRACTICE.test(clause))
		return { do: "practice" };
	if (THEORY.test(clause))
		return { do: "theory" };
	if (asksRemoval(clause))
		return { do: "remove", at: moduleAt(clause, plan) };
	if (ADD.test(clause) && new RegExp(`${MODULE}|тем[ауы]|раздел`, "i").test(clause) && addedTopic(clause))
		return addWish(clause, plan);
	if (hoursWish(clause, plan))
		return hoursWish(clause, plan);
	if (START.test(clause) || MOVE.test(clause))
		return moveWish(clause, plan);
	if (REORDER.test(clause))
		return { do: "reorder" };
	if (pace)
		return { do: pace[0] };
	if (level)
		return { do: level[0] };
	return ADD.test(clause) ? addWish(clause, plan) : null;
}

const TEXT_MAX = 4000;	/* wishes are short; what is pasted behind them is not read */

function isQuestion(text) {
	return /\?\s*$/.test(text) && !/можно|могли бы|можешь|давай|could you|can you|can we|would you|please|пожалуйста/i.test(text);
}

/*
 * Calls apply(wish) for each wish of a message in order: a later clause must
 * see the plan as the earlier ones left it.
 */
export function eachWish(text, plan, apply) {
	const plain = text.slice(0, TEXT_MAX).replace(/[^\S\n]+/g, " ").trim();

	if (isQuestion(plain))
		return;
	for (const clause of plain.split(CLAUSE)) {
		const wish = clause && wishOf(clause.trim(), plan);

		if (wish)
			apply(wish);
	}
}
