/*
 * The body of a chat completion request: checked as the real API checks it,
 * refused with the field's name, and brought into one form for the rest.
 */

import { isUtf8 } from "node:buffer";
import { ApiError, badField } from "./errors.js";
import { countPrompt } from "./tokens.js";

const CONTEXT_WINDOW = 128000;

const ROLES = ["system", "assistant", "user", "function", "tool", "developer"];
const KNOWN = new Set(`model messages stream stream_options max_tokens max_completion_tokens
	temperature top_p n stop presence_penalty frequency_penalty logit_bias logprobs top_logprobs
	user seed response_format tools tool_choice parallel_tool_calls functions function_call
	modalities audio prediction metadata store service_tier reasoning_effort verbosity
	web_search_options prompt_cache_key prompt_cache_retention safety_identifier`.trim().split(/\s+/));

function typeName(value) {
	if (value === null)
		return "null";
	if (Array.isArray(value))
		return "an array";
	if (typeof value === "number")
		return Number.isInteger(value) ? "an integer" : "a decimal";
	return { string: "a string", boolean: "a boolean", object: "an object" }[typeof value];
}

function wrongType(param, expected, value) {
	return badField(param, "invalid_type",
		`Invalid type for '${param}': expected ${expected}, but got ${typeName(value)} instead.`);
}

function missing(param) {
	return badField(param, "missing_required_parameter", `Missing required parameter: '${param}'.`);
}

function checkNumber(body, param, { min, max, integer = false }) {
	const value = body[param];
	const kind = integer ? "integer" : "decimal";

	if (value === undefined || value === null)
		return;
	if (typeof value !== "number" || (integer && !Number.isInteger(value)))
		throw wrongType(param, integer ? "an integer" : "a decimal", value);
	if (value < min)
		throw badField(param, `${kind}_below_min_value`,
			`Invalid '${param}': ${kind} below minimum value. Expected a value >= ${min}, but got ${value} instead.`);
	if (value > max)
		throw badField(param, `${kind}_above_max_value`,
			`Invalid '${param}': ${kind} above maximum value. Expected a value <= ${max}, but got ${value} instead.`);
}

function checkBoolean(object, param, name = param) {
	if (object[param] !== undefined && object[param] !== null && typeof object[param] !== "boolean")
		throw wrongType(name, "a boolean", object[param]);
}

/* The text of a message's content: a string, null, or an array of parts whose text parts count. */
function contentText(content, param) {
	if (content === undefined || content === null)
		return "";
	if (typeof content === "string")
		return content;
	if (!Array.isArray(content))
		throw wrongType(param, "one of a string or array of objects", content);
	return content.map((part, i) => {
		if (part === null || typeof part !== "object")
			throw wrongType(`${param}[${i}]`, "an object", part);
		if (part.type === "text" && typeof part.text !== "string")
			throw wrongType(`${param}[${i}].text`, "a string", part.text);
		return part.type === "text" ? part.text : "";
	}).join("");
}

function checkMessage(message, i) {
	const at = `messages[${i}]`;

	if (message === null || typeof message !== "object" || Array.isArray(message))
		throw wrongType(at, "an object", message);
	if (message.role === undefined)
		throw missing(`${at}.role`);
	if (!ROLES.includes(message.role))
		throw badField(`${at}.role`, "invalid_value", `Invalid value: '${message.role}'. Supported values are: `
			+ `${ROLES.map((r) => `'${r}'`).join(", ")}.`);
	if (message.content === undefined && message.role !== "assistant")
		throw missing(`${at}.content`);
	if (message.content === null && message.role !== "assistant")
		throw badField(`${at}.content`, "invalid_type",
			`Invalid value for 'content': expected a string, got null.`);
	return { role: message.role === "developer" ? "system" : message.role,
		text: contentText(message.content, `${at}.content`) };
}

function checkMessages(messages) {
	if (messages === undefined)
		throw missing("messages");
	if (!Array.isArray(messages))
		throw wrongType("messages", "an array of objects", messages);
	if (messages.length === 0)
		throw badField("messages", "empty_array", "Invalid 'messages': empty array. "
			+ "Expected an array with minimum length 1, but got an empty array instead.");
	return messages.map(checkMessage);
}

function checkFormat(format, messages) {
	if (format === undefined || format === null)
		return "text";
	if (typeof format !== "object")
		throw wrongType("response_format", "an object", format);
	if (!["text", "json_object", "json_schema"].includes(format.type))
		throw badField("response_format.type", "invalid_value", `Invalid value: '${format.type}'. `
			+ "Supported values are: 'text', 'json_object', and 'json_schema'.");
	if (format.type === "json_schema" && typeof format.json_schema?.name !== "string")
		throw missing("response_format.json_schema.name");
	if (format.type === "json_object" && !messages.some((m) => /json/i.test(m.text)))
		throw badField("messages", null, "'messages' must contain the word 'json' in some form, "
			+ "to use 'response_format' of type 'json_object'.");
	return format.type;
}

function checkStreaming(body) {
	checkBoolean(body, "stream");
	const options = body.stream_options;

	if (options === undefined || options === null)
		return;
	if (typeof options !== "object" || Array.isArray(options))
		throw wrongType("stream_options", "an object", options);
	if (!body.stream)
		throw badField("stream_options", null,
			"The 'stream_options' parameter is only allowed when 'stream' is enabled.");
	checkBoolean(options, "include_usage", "stream_options.include_usage");
}

function checkStop(stop) {
	if (stop === undefined || stop === null)
		return [];
	const list = Array.isArray(stop) ? stop : [stop];

	if (list.length > 4 || list.some((s) => typeof s !== "string" || s === ""))
		throw wrongType("stop", "a string or an array of up to 4 strings", stop);
	return list;
}

function checkLimits(body) {
	checkNumber(body, "temperature", { min: 0, max: 2 });
	checkNumber(body, "top_p", { min: 0, max: 1 });
	checkNumber(body, "presence_penalty", { min: -2, max: 2 });
	checkNumber(body, "frequency_penalty", { min: -2, max: 2 });
	checkNumber(body, "n", { min: 1, max: 1, integer: true });
	checkNumber(body, "max_tokens", { min: 1, max: CONTEXT_WINDOW, integer: true });
	checkNumber(body, "max_completion_tokens", { min: 1, max: CONTEXT_WINDOW, integer: true });
	if (body.max_tokens != null && body.max_completion_tokens != null)
		throw badField("max_tokens", "invalid_parameter_combination",
			"Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.");
}

function parseObject(bytes) {
	let body;

	try {
		body = isUtf8(bytes) ? JSON.parse(bytes.toString()) : undefined;
	} catch (err) {
		if (!(err instanceof SyntaxError))
			throw err;
	}
	if (body === undefined || body === null || typeof body !== "object" || Array.isArray(body))
		throw new ApiError(400, "We could not parse the JSON body of your request. "
			+ "The OpenAI API expects a JSON payload, but what was sent was not a valid JSON object.");
	return body;
}

function checkModel(model, models) {
	if (model === undefined)
		throw new ApiError(400, "you must provide a model parameter");
	if (typeof model !== "string")
		throw wrongType("model", "a string", model);
	if (!models.has(model))
		throw new ApiError(404, `The model \`${model}\` does not exist or you do not have access to it.`,
			{ code: "model_not_found" });
}

/*
 * From the request's bytes to
 * { raw, model, messages: [{role, text}], stream, includeUsage, limit, stop, format, promptTokens }.
 */
export function parseCompletion(bytes, models) {
	const raw = parseObject(bytes);
	const unknown = Object.keys(raw).find((name) => !KNOWN.has(name));

	if (unknown !== undefined)
		throw badField(unknown, "unknown_parameter", `Unknown parameter: '${unknown}'.`);
	checkModel(raw.model, models);
	const messages = checkMessages(raw.messages);

	checkStreaming(raw);
	checkLimits(raw);
	const promptTokens = countPrompt(messages);

	if (promptTokens > CONTEXT_WINDOW)
		throw badField("messages", "context_length_exceeded",
			`This model's maximum context length is ${CONTEXT_WINDOW} tokens. However, your messages `
			+ `resulted in ${promptTokens} tokens. Please reduce the length of the messages.`);
	return {
		raw, messages, promptTokens,
		model: raw.model,
		stream: raw.stream === true,
		includeUsage: raw.stream_options?.include_usage === true,
		limit: raw.max_completion_tokens ?? raw.max_tokens ?? Infinity,
		stop: checkStop(raw.stop),
		format: checkFormat(raw.response_format, messages),
	};
}

/* The text of the newest user message, "" when there is none. */
export function lastUserText(messages) {
	return messages.findLast((m) => m.role === "user")?.text ?? "";
}
