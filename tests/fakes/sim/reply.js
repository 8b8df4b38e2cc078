/*
 * One reply, before it becomes bytes: what is said, in pieces of a token each,
 * why it ends and what it costs. Personas make it, rules change it.
 */

import { errorBody } from "./errors.js";
import { splitTokens } from "./tokens.js";

const CACHE_MIN = 1024;
const CACHE_STEP = 128;

/* The text up to the first stop sequence. */
function beforeStop(text, stop) {
	const ends = stop.map((s) => text.indexOf(s)).filter((at) => at >= 0);

	return ends.length ? text.slice(0, Math.min(...ends)) : text;
}

/*
 * A reply to `request` from what a persona said: { text } or { pieces } and
 * optionally pace (its share of the token delay, 1 when absent).
 */
export function makeReply(request, said) {
	let pieces = said.pieces ?? splitTokens(said.text);
	let finish = "stop";

	if (request.stop.length)
		pieces = splitTokens(beforeStop(pieces.join(""), request.stop));
	if (pieces.length > request.limit) {
		pieces = pieces.slice(0, request.limit);
		finish = "length";
	}
	return { pieces, finish, pace: said.pace ?? 1, reasoning: [], toolCalls: null, hasText: true };
}

/*
 * Prompt tokens a real server would have found in its cache: the prompt of an
 * earlier turn of the same dialogue, in steps. It is read off the request
 * alone, so that equal requests cost the same.
 */
function cachedTokens(request) {
	const roles = request.messages.map((m) => m.role);

	if (!roles.includes("assistant") || request.promptTokens < CACHE_MIN)
		return 0;
	return Math.floor(request.promptTokens * 0.8 / CACHE_STEP) * CACHE_STEP;
}

export function replyUsage(request, reply) {
	const completion = reply.pieces.length + reply.reasoning.length;

	return {
		prompt_tokens: request.promptTokens,
		completion_tokens: completion,
		total_tokens: request.promptTokens + completion,
		prompt_tokens_details: { cached_tokens: cachedTokens(request), audio_tokens: 0 },
		completion_tokens_details: { reasoning_tokens: reply.reasoning.length, audio_tokens: 0,
			accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
	};
}

/* The faults that change what is said rather than how it is sent. */
export function bendReply(reply, request, faults, callNumber) {
	const say = (pieces) => Object.assign(reply, makeReply(request, { pieces }));

	if (faults.text)
		Object.assign(reply, makeReply(request, { text: faults.text.value }));
	if (faults.tokens)
		say(Array.from({ length: faults.tokens.count }, (_, i) => `w${i % 100} `.padStart(4, "w")));
	if (faults.marked)
		say(Array.from({ length: faults.marked.count }, (_, i) => `c${callNumber}w${i} `));
	if (faults.huge_delta)
		say(["x".repeat(faults.huge_delta.bytes)]);
	if (faults.escapes?.split_pairs)
		reply.pieces = reply.pieces.flatMap((piece) => piece.split(/(?<=[\ud800-\udbff])(?=[\udc00-\udfff])/));
	if (faults.reasoning)
		reply.reasoning = splitTokens(faults.reasoning.text);
	if (faults.tool_calls) {
		const { name, arguments: args, with_text: withText } = faults.tool_calls;

		reply.toolCalls = [{ id: `call_${callNumber}`, type: "function", function: { name, arguments: args } }];
		reply.hasText = withText;
		reply.finish = "tool_calls";
	}
	if (faults.finish)
		reply.finish = faults.finish.reason;
	return reply;
}

/* What a 200 or an error says in its body when a rule asks for a status. */
export function statusBody({ code, body, message, type, error_code: errorCode, content_type: contentType }) {
	const named = STATUS[code] ?? (code >= 500 ? STATUS[500] : STATUS[400]);
	const bodies = {
		json: ["application/json", errorBody(message ?? named[0], type ?? named[1], null, errorCode ?? named[2])],
		html: ["text/html; charset=utf-8",
			`<!DOCTYPE html><html><head><title>${code}</title></head><body><h1>${code} ${message ?? "Error"}</h1></body></html>`],
		text: ["text/plain; charset=utf-8", message ?? "upstream connect error or disconnect/reset before headers"],
		empty: [null, ""],
		broken: ["application/json", "{\"error\":{\"message\":\"cut of"],
	};

	return { type: contentType ?? bodies[body][0], text: bodies[body][1] };
}

const STATUS = {
	400: ["Invalid request.", "invalid_request_error", null],
	401: ["Incorrect API key provided.", "invalid_request_error", "invalid_api_key"],
	402: ["Insufficient balance.", "insufficient_quota", "insufficient_quota"],
	403: ["You do not have access to this resource.", "invalid_request_error", "unsupported_country_region_territory"],
	404: ["The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"],
	408: ["Request timed out.", "timeout", null],
	409: ["Conflict.", "invalid_request_error", null],
	422: ["Unprocessable entity.", "invalid_request_error", null],
	429: ["Rate limit reached for requests.", "requests", "rate_limit_exceeded"],
	500: ["The server had an error while processing your request.", "server_error", null],
	503: ["The engine is currently overloaded, please try again later.", "server_error", null],
};
