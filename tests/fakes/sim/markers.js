/*
 * Rules written into the user's text: [[sim:stall]], [[sim:stall=3]],
 * [[sim:status code=429 retry_after=2]]. Several markers combine into one rule.
 */

import { checkRule } from "./rules.js";

const MARKER = /\[\[sim:([a-z_]+)(?:=("[^"]*"|[^\s\]]+))?((?:\s+[a-z_]+=(?:"[^"]*"|[^\s\]]+))*)\s*\]\]/g;
const PARAMETER = /([a-z_]+)=("[^"]*"|\S+)/g;

function value(text) {
	try {
		return JSON.parse(text);
	} catch (err) {
		if (err instanceof SyntaxError)
			return text;	/* a bare word such as crlf */
		throw err;
	}
}

/* The rule the text's markers make together, or null; throws RuleError for an unknown kind or parameter. */
export function markerRule(text) {
	const given = {};

	for (const [, kind, short, parameters] of text.matchAll(MARKER)) {
		const named = [...parameters.matchAll(PARAMETER)].map(([, name, v]) => [name, value(v)]);

		given[kind] = short !== undefined ? value(short) : named.length ? Object.fromEntries(named) : true;
	}
	return Object.keys(given).length ? checkRule({ name: "marker", ...given }, "marker") : null;
}

export function withoutMarkers(text) {
	return text.includes("[[sim:") ? text.replace(MARKER, "").trim() : text;
}
