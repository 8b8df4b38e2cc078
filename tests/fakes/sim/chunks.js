/*
 * A reply in the protocol's words: one JSON object when whole, or a list of
 * frames when streamed. A frame is { kind, data } with kind role, reasoning,
 * content, tool, finish, usage or done, `data` the text of one event and
 * `gap` the milliseconds since the frame before it.
 */

import { replyUsage } from "./reply.js";

const FINGERPRINT = "fp_simulator";
const NO_CHOICE_END = "\"logprobs\":null,\"finish_reason\":null}";
const choiceCache = new WeakMap();	/* bench replies share one array of pieces: their JSON is made once */

function deltaChoice(delta) {
	return `{"index":0,"delta":${JSON.stringify(delta)},${NO_CHOICE_END}`;
}

function contentChoices(pieces) {
	let choices = choiceCache.get(pieces);

	if (choices === undefined) {
		choices = pieces.map((piece) => deltaChoice({ content: piece }));
		choiceCache.set(pieces, choices);
	}
	return choices;
}

function toolChoices(toolCalls) {
	return toolCalls.flatMap(({ id, type, function: { name, arguments: args } }, index) => [
		deltaChoice({ tool_calls: [{ index, id, type, function: { name, arguments: "" } }] }),
		...(args.match(/[^]{1,8}/g) ?? []).map((part) =>
			deltaChoice({ tool_calls: [{ index, function: { arguments: part } }] })),
	]);
}

/* What surrounds the choices of every chunk of one call. */
export function envelope(request, call) {
	const head = `{"id":"${call.id}","object":"chat.completion.chunk","created":${call.created},`
		+ `"model":${JSON.stringify(request.model)},"service_tier":"default","system_fingerprint":"${FINGERPRINT}",`
		+ "\"choices\":[";
	const tail = request.includeUsage ? "],\"usage\":null}" : "]}";

	return { head, tail, chunk: (choice) => head + choice + tail,
		usageChunk: (usage) => `${head}],"usage":${JSON.stringify(usage)}}` };
}

/* The frames of a reply; pacing is { firstDelay, tokenDelay } in milliseconds. */
export function replyFrames(request, reply, { chunk, usageChunk }, pacing) {
	const gap = pacing.tokenDelay * reply.pace;
	const frames = [{ kind: "role", gap: pacing.firstDelay,
		data: chunk(deltaChoice({ role: "assistant", content: "", refusal: null })) }];
	const add = (kind, choices) => {
		for (const choice of choices)
			frames.push({ kind, gap, data: chunk(choice) });
	};

	if (reply.reasoning.length)
		add("reasoning", reply.reasoning.map((piece) => deltaChoice({ reasoning_content: piece })));
	if (reply.hasText)
		add("content", contentChoices(reply.pieces));
	if (reply.toolCalls)
		add("tool", toolChoices(reply.toolCalls));
	frames.push({ kind: "finish", gap: 0,
		data: chunk(`{"index":0,"delta":{},"logprobs":null,"finish_reason":${JSON.stringify(reply.finish)}}`) });
	if (request.includeUsage)
		frames.push({ kind: "usage", gap: 0, data: usageChunk(replyUsage(request, reply)) });
	frames.push({ kind: "done", gap: 0, data: "[DONE]" });
	return frames;
}

/* The whole reply as an object, for a request that does not stream. */
export function wholeReply(request, reply, call) {
	const message = { role: "assistant", content: reply.hasText ? reply.pieces.join("") : null, refusal: null };

	if (reply.reasoning.length)
		message.reasoning_content = reply.reasoning.join("");
	if (reply.toolCalls)
		message.tool_calls = reply.toolCalls;
	return {
		id: call.id, object: "chat.completion", created: call.created, model: request.model,
		choices: [{ index: 0, message, logprobs: null, finish_reason: reply.finish }],
		usage: replyUsage(request, reply),
		service_tier: "default", system_fingerprint: FINGERPRINT,
	};
}
