/*
 * Every fault a rule can ask for, once: its parameters with their types, ranges
 * and defaults, and which parameter a bare value stands for ("stall": 3 is
 * "stall": {"after_chunks": 3}). Checking, markers and the README's table go by
 * this list.
 */

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MS = 3600000;

const int = (def, min, max) => ({ type: "int", def, min, max });
const text = (def = null) => ({ type: "text", def });
const choice = (...values) => ({ type: "choice", def: values[0], values });
const flag = (def = false) => ({ type: "flag", def });
const any = (def = null) => ({ type: "any", def });
const positions = () => ({ type: "positions", def: [] });

const afterChunks = (def) => int(def, 0, 1000000);

export const KINDS = {
	/* what the reply says */
	text: { short: "value", params: { value: text("") } },
	tokens: { short: "count", params: { count: int(20, 0, 1000000) } },
	marked: { short: "count", params: { count: int(20, 0, 100000) } },
	reasoning: { short: "text", params: { text: text("Let me think about it.") } },
	tool_calls: { short: "name", params: { name: text("get_weather"), arguments: text("{\"city\":\"Paris\"}"),
		with_text: flag() } },
	finish: { short: "reason", params: { reason: any("length") } },
	usage: { short: "mode", params: { mode: choice("missing", "early", "late", "split", "repeated",
		"running", "in_finish", "null", "invalid"), value: any() } },

	/* before and around the body */
	status: { short: "code", params: { code: int(500, 200, 599), retry_after: any(),
		body: choice("json", "html", "text", "empty", "broken"), message: text(), type: text(),
		error_code: text(), content_type: text() } },
	redirect: { short: "location", params: { location: text("http://127.0.0.1:9/v1/chat/completions"),
		code: int(307, 300, 399) } },
	content_type: { short: "value", params: { value: text("text/html; charset=utf-8") } },
	headers: { params: { set: any({}), filler_bytes: int(0, 0, 1024 * 1024) } },
	framing: { short: "mode", params: { mode: choice("close", "length", "chunked") } },
	trailer: { short: "value", params: { value: text("trailer-value") } },
	gzip: { short: "bomb_bytes", params: { bomb_bytes: int(0, 0, 1024 * 1024 * 1024) } },
	after_end: { short: "bytes", params: { bytes: text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") } },

	/* time */
	first_delay: { short: "ms", params: { ms: int(0, 0, MAX_MS) } },
	token_delay: { short: "ms", params: { ms: int(0, 0, MAX_MS) } },
	hang: { short: "ms", params: { ms: int(0, 0, MAX_MS), headers: flag() } },
	stall: { short: "after_chunks", params: { after_chunks: afterChunks(2), ms: int(0, 0, MAX_MS) } },
	drip: { short: "ms", params: { ms: int(100, 1, MAX_MS), bytes: int(1, 1, 65536) } },

	/* the connection */
	drop: { short: "how", params: { how: choice("rst", "fin") } },
	cut: { short: "after_chunks", params: { after_chunks: afterChunks(null),
		after_bytes: int(null, 0, MAX_BYTES), how: choice("fin", "rst") } },
	write: { short: "size", params: { size: int(null, 1, 65536), at: positions() } },

	/* the event stream */
	no_done: { params: {} },
	no_finish: { params: {} },
	no_role: { params: {} },
	error_event: { short: "after_chunks", params: { after_chunks: afterChunks(2),
		message: text("The server had an error while processing your request."),
		type: text("server_error"), error_code: any(), go_on: flag() } },
	bad_json: { short: "how", params: { how: choice("malformed", "truncated", "deep", "huge",
		"scalar", "array", "blank"), after_chunks: afterChunks(2), depth: int(100000, 1, 1000000),
		bytes: int(8 * 1024 * 1024, 1, MAX_BYTES) } },
	sse: { params: { eol: choice("lf", "cr", "crlf", "mixed"), bom: flag(), comments: flag(),
		multiline: flag(), fields: flag(), no_space: flag(), no_final_blank: flag() } },
	odd_chunk: { short: "shape", params: { shape: choice("empty_choices", "no_choices",
		"null_choices", "no_delta", "null_delta", "null_content", "number_content", "array_content",
		"empty_content", "extra_choice", "no_index"), after_chunks: afterChunks(1), times: int(1, 1, 10000000) } },
	extra_fields: { params: {} },
	invalid_utf8: { short: "hex", params: { hex: text("fffe"), after_chunks: afterChunks(1) } },
	escapes: { params: { split_pairs: flag() } },
	huge_delta: { short: "bytes", params: { bytes: int(1024 * 1024, 1, MAX_BYTES) } },
	endless: { short: "max_bytes", params: { max_bytes: int(MAX_BYTES, 1, 1024 * 1024 * 1024) } },
};
