/*
 * The control API, on the same port: GET /__sim says what runs, POST
 * /__sim/script adds rules, GET /__sim/calls tells what was asked, DELETE
 * forgets. See ../README.md.
 */

import { ApiError } from "./errors.js";
import { readBody, sendJson } from "./http.js";

async function addRules(sim, req) {
	const text = (await readBody(req)).toString();
	let given;

	try {
		given = JSON.parse(text);
	} catch (err) {
		throw new ApiError(400, `The script is not valid JSON: ${err.message}`);
	}
	sim.script.add(given);
	return { rules: sim.script.rules.length };
}

function listCalls(sim, req) {
	const since = Number(new URL(req.url, "http://sim").searchParams.get("since") ?? 0);

	if (!Number.isInteger(since) || since < 0)
		throw new ApiError(400, "since: expected a whole number from 0", { param: "since" });
	return sim.calls.list(since);
}

function clear(sim, what) {
	if (what !== "calls")
		sim.script.clear();
	if (what !== "script")
		sim.calls.reset();
	return { rules: sim.script.rules.length, total: sim.calls.total };
}

function state(sim) {
	const { persona, tokenDelay, firstDelay, tokens, markers } = sim.options;

	return { persona, token_delay_ms: tokenDelay, first_delay_ms: firstDelay, tokens, markers,
		rules: sim.script.rules.length, total: sim.calls.total, open: sim.calls.open };
}

const ROUTES = {
	"GET /__sim": state,
	"DELETE /__sim": (sim) => clear(sim, "all"),
	"GET /__sim/script": (sim) => sim.script.rules,
	"POST /__sim/script": addRules,
	"DELETE /__sim/script": (sim) => clear(sim, "script"),
	"GET /__sim/calls": listCalls,
	"DELETE /__sim/calls": (sim) => clear(sim, "calls"),
};

export async function control(sim, req, res) {
	const found = ROUTES[`${req.method} ${req.url.split("?")[0]}`];

	if (found === undefined)
		throw new ApiError(404, `Unknown control URL; known: ${Object.keys(ROUTES).join(", ")}`);
	sendJson(res, 200, await found(sim, req));
}
