/*
 * Which module a clause means, and which place in the list.
 */

import { AFTER, AT_END, AT_START, BEFORE, LAST, MODULE, ORDINALS, TO_PLACE } from "./wish-words.js";

/* The module a clause names, by number, ordinal or words of its title: an index, or -1. */
export function moduleAt(clause, plan) {
	const numbered = new RegExp(`${MODULE}\\s*(?:№|номер|number|#)?\\s*(\\d{1,2})(?!\\d|\\s*(?:ч|h))`, "i").exec(clause)
		?? new RegExp(`(\\d{1,2})(?:-?(?:й|ый|ой|ий|го|м|st|nd|rd|th))?\\s+${MODULE}`, "i").exec(clause);

	if (numbered)
		return Number(numbered[1]) <= plan.modules.length ? Number(numbered[1]) - 1 : -1;
	if (new RegExp(MODULE, "i").test(clause)) {
		const nth = ORDINALS.findIndex((word) => word.test(clause));

		if (nth >= 0)
			return nth < plan.modules.length ? nth : -1;
		if (LAST.test(clause))
			return plan.modules.length - 1;
	}
	return moduleByWords(clause, plan);
}

const STEM = 4;

function stems(text) {
	return (text.toLowerCase().match(/[a-zа-яё]{4,}/g) ?? []).map((word) => word.slice(0, STEM))
		.filter((stem) => !/^(?:моду|modu|убер|удал|доба|remo|dele|abou|пере|rena|нача|начн|star|with|пост|курс|cour|коне|move|from|plan|план|итог|caps|proj|прое)/.test(stem));
}

/* The module whose title shares most words with the clause. */
export function moduleByWords(clause, plan) {
	const wanted = stems(clause);
	const scores = plan.modules.map((m) => stems(m.title).filter((s) => wanted.includes(s)).length);
	const best = Math.max(...scores, 0);

	return best > 0 ? scores.indexOf(best) : -1;
}

/* The two modules a clause names by numbers or ordinals, as indexes, or null. */
export function twoModules(clause) {
	const found = [...clause.matchAll(/\d{1,2}/g)].map(([n]) => Number(n) - 1);

	if (found.length >= 2)
		return found.slice(0, 2);
	const ordinals = ORDINALS.map((word, i) => [clause.search(word), i]).filter(([at]) => at >= 0);

	return ordinals.length >= 2 ? ordinals.sort((a, b) => a[0] - b[0]).slice(0, 2).map(([, i]) => i) : null;
}

/* Where a clause wants a module: an index for the list without it, or null. */
export function placeIn(clause, from, count) {
	const shift = (n) => (from >= 0 && n > from ? n - 1 : n);
	const number = (re) => Number(re.exec(clause)?.slice(1).find(Boolean) ?? 0);

	if (number(AFTER))
		return shift(number(AFTER));
	if (number(BEFORE))
		return shift(number(BEFORE) - 1);
	if (number(TO_PLACE))
		return number(TO_PLACE) - 1;
	if (AT_START.test(clause))
		return 0;
	return AT_END.test(clause) ? count - 1 : null;
}
