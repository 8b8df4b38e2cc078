/*
 * The script: rules in order, each for some calls. A rule names the calls it
 * means (match, model, key, times) and any number of fault kinds, which
 * combine. A call takes the first rule that means it; without one it is
 * answered plainly.
 */

import { validateHeaderName, validateHeaderValue } from "node:http";
import { KINDS } from "./fault-kinds.js";

const RULES_MAX = 10000;
const SELECTORS = ["name", "match", "model", "key", "times"];

export class RuleError extends Error {}

function fail(where, what) {
	throw new RuleError(`${where}: ${what}`);
}

const CHECKS = {
	int(value, { min, max }, where) {
		if (!Number.isInteger(value) || value < min || value > max)
			fail(where, `expected a whole number from ${min} to ${max}`);
	},
	text(value, spec, where) {
		if (typeof value !== "string")
			fail(where, "expected a string");
	},
	flag(value, spec, where) {
		if (typeof value !== "boolean")
			fail(where, "expected true or false");
	},
	choice(value, { values }, where) {
		if (!values.includes(value))
			fail(where, `expected one of ${values.join(", ")}`);
	},
	positions(value, spec, where) {
		if (!Array.isArray(value) || value.some((n) => !Number.isInteger(n) || n < 1))
			fail(where, "expected an array of byte positions from 1");
	},
	any() {},
};

/* One kind's parameters, complete: what was given, checked, over the defaults. */
function checkKind(kind, given, where) {
	const { short, params } = KINDS[kind];

	if (given === true)
		given = {};
	else if (given === null || typeof given !== "object")
		given = short ? { [short]: given } : fail(where, "expected true or an object");
	for (const name of Object.keys(given)) {
		if (params[name] === undefined)
			fail(`${where}.${name}`, `no such parameter; known: ${Object.keys(params).join(", ") || "none"}`);
		CHECKS[params[name].type](given[name], params[name], `${where}.${name}`);
	}
	const defaults = Object.entries(params).map(([name, spec]) => [name, spec.def]);

	return { ...Object.fromEntries(defaults), ...given };
}

function checkHeaders({ set }, where) {
	if (set === null || typeof set !== "object" || Array.isArray(set))
		fail(where, "expected an object of header names and values");
	for (const [name, value] of Object.entries(set)) {
		try {
			validateHeaderName(name);
			validateHeaderValue(name, value);
		} catch (err) {
			fail(`${where}.${name}`, err.message);
		}
	}
}

function checkSelector(name, value, where) {
	if (name === "times" ? value !== "always" && !(Number.isInteger(value) && value > 0) : typeof value !== "string")
		fail(`${where}.${name}`, name === "times" ? "expected a whole number from 1 or \"always\"" : "expected a string");
}

/* A rule as given, checked and completed: { name, match, model, key, times, faults }. */
export function checkRule(given, where = "rule") {
	const rule = { times: 1, faults: {} };

	if (given === null || typeof given !== "object" || Array.isArray(given))
		fail(where, "expected an object");
	for (const [name, value] of Object.entries(given)) {
		if (SELECTORS.includes(name)) {
			checkSelector(name, value, where);
			rule[name] = value;
		} else if (!Object.hasOwn(KINDS, name)) {
			fail(`${where}.${name}`, "no such fault or selector");
		} else if (value !== false) {
			rule.faults[name] = checkKind(name, value, `${where}.${name}`);
		}
	}
	if (rule.faults.headers)
		checkHeaders(rule.faults.headers, `${where}.headers.set`);
	return rule;
}

function means(rule, call) {
	return (rule.match === undefined || call.userText.includes(rule.match))
		&& (rule.model === undefined || rule.model === call.model)
		&& (rule.key === undefined || rule.key === call.keyText);
}

export class Script {
	constructor() {
		this.rules = [];
	}

	/* All rules or none; throws RuleError naming the first wrong field. */
	add(given) {
		const list = Array.isArray(given) ? given : [given];

		if (this.rules.length + list.length > RULES_MAX)
			fail("script", `more than ${RULES_MAX} rules`);
		this.rules.push(...list.map((rule, i) => checkRule(rule, `rules[${i}]`)));
	}

	clear() {
		this.rules = [];
	}

	/* The rule for a call { userText, model, keyText }, or null; a rule that has served its times is gone. */
	take(call) {
		const at = this.rules.findIndex((rule) => means(rule, call));

		if (at < 0)
			return null;
		const rule = this.rules[at];

		if (rule.times !== "always" && --rule.times === 0)
			this.rules.splice(at, 1);
		return rule;
	}
}
