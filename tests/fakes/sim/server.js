/*
 * The simulator as an HTTP server: routes, keys, bodies, and the record of each
 * call. Everything about one reply is in completion.js.
 */

import { createServer } from "node:http";
import { Calls } from "./calls.js";
import { answerCompletion } from "./completion.js";
import { control } from "./control.js";
import { ApiError, errorBody } from "./errors.js";
import { bearer, readBody, sendJson, sendText } from "./http.js";
import { markerRule } from "./markers.js";
import { Models } from "./models.js";
import { personas } from "./personas.js";
import { lastUserText, parseCompletion } from "./request.js";
import { RuleError, Script } from "./rules.js";

const KEEP_ALIVE_MS = 120000;

function checkKey(sim, key) {
	if (sim.options.key === null || key === sim.options.key)
		return;
	if (key === null)
		throw new ApiError(401, "You didn't provide an API key. You need to provide your API key in an "
			+ "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).");
	throw new ApiError(401, `Incorrect API key provided: ${key.slice(0, 3)}***${key.length > 12 ? key.slice(-4) : ""}.`,
		{ code: "invalid_api_key" });
}

function outcomeOf(res, wire) {
	if (wire?.ended)
		return "cut";
	if (!res.writableFinished)
		return "client_gone";
	return res.statusCode === 200 ? "completed" : "fault";
}

/* The rule of a call: a marker in the text comes before the script. */
function ruleFor(sim, request, key) {
	const userText = lastUserText(request.messages);

	return (sim.options.markers && markerRule(userText))
		|| sim.script.take({ userText, model: request.model, keyText: key });
}

async function completion(sim, req, res, path) {
	const key = bearer(req);
	const call = sim.calls.begin({ path, key, trace: req.headers.traceparent });
	let refused = false;

	call.id = `chatcmpl-sim${String(call.n).padStart(8, "0")}`;
	call.created = Math.floor(Date.now() / 1000);
	res.once("close", () => {
		call.bytes = call.wire?.bytes ?? 0;
		if (call.request?.stream)
			call.sentPieces = call.wire?.sentPieces ?? 0;
		sim.calls.end(call, refused ? "refused" : outcomeOf(res, call.wire));
		call.wire = null;	/* the record outlives the connection */
	});
	try {
		const body = await readBody(req);

		checkKey(sim, key);
		call.request = parseCompletion(body, sim.models);
		sim.calls.asked(call);
		const rule = ruleFor(sim, call.request, key);

		call.rule = rule && (rule.name ?? (Object.keys(rule.faults).join("+") || "plain"));
		await answerCompletion(sim, res, call.request, rule, call);
	} catch (err) {
		refused = true;
		call.status = err.status ?? 500;
		throw err;
	}
}

async function route(sim, req, res) {
	const path = req.url.split("?")[0];
	const api = path.startsWith("/v1/") ? path.slice(3) : path;

	if (path === "/__sim" || path.startsWith("/__sim/"))
		return control(sim, req, res);
	if (api === "/chat/completions" && req.method === "POST")
		return completion(sim, req, res, path);
	if (api === "/chat/completions")
		throw new ApiError(405, `Not allowed to ${req.method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
			{ code: "method_not_supported" });
	if (req.method === "GET" && (api === "/models" || api.startsWith("/models/"))) {
		checkKey(sim, bearer(req));
		return sendJson(res, 200, api === "/models" ? sim.models.list()
			: sim.models.get(decodeURIComponent(api.slice("/models/".length))));
	}
	throw new ApiError(404, `Unknown request URL: ${req.method} ${path}. Please check the URL for typos, `
		+ "or see the docs at https://platform.openai.com/docs/api-reference/.", { code: "unknown_url" });
}

function fail(req, res, err) {
	if (err instanceof RuleError)
		err = new ApiError(400, err.message, { code: "bad_rule" });
	else if (err instanceof URIError)
		err = new ApiError(400, "The path is not valid percent-encoded UTF-8.");
	else if (err.code === "ECONNRESET")
		return res.destroy();	/* the client left before its request was complete */
	else if (!(err instanceof ApiError))
		process.stderr.write(`model simulator: ${req.method} ${req.url}: ${err.stack}\n`);
	if (res.headersSent || res.destroyed)
		return res.destroy();
	if (!req.complete)
		res.setHeader("Connection", "close");	/* the rest of the body is not worth reading */
	sendText(res, err.status ?? 500, err.body?.()
		?? errorBody("The simulator failed; see its standard error.", "server_error"));
}

/*
 * options: { persona, tokenDelay, firstDelay, tokens, key, markers, models, log }.
 * listen(host, port) resolves to the port; close() cuts what is open and resolves.
 */
export function createSimulator(options) {
	const sim = {
		options,
		persona: personas[options.persona](options),
		models: new Models(options.models),
		script: new Script(),
		calls: new Calls(options.log, options.trace, options.firstCall),
	};
	let requests = 0;

	sim.server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (req, res) => {
		res.setHeader("X-Request-Id", `req_sim${String(++requests).padStart(8, "0")}`);
		route(sim, req, res).catch((err) => fail(req, res, err));
	});
	sim.listen = (host, port) => new Promise((resolve, reject) => {
		sim.server.once("error", reject);
		sim.server.listen(port, host, 1024, () => resolve(sim.server.address().port));
	});
	sim.close = () => new Promise((resolve) => {
		sim.server.close(() => {
			sim.calls.close();
			resolve();
		});
		sim.server.closeAllConnections();
	});
	return sim;
}
