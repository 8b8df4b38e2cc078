/*
 * How an event is framed: plain `data: ...` and a blank line, or any variant
 * the standard (WHATWG, server-sent events) allows.
 */

const EOLS = { lf: ["\n"], cr: ["\r"], crlf: ["\r\n"], mixed: ["\n", "\r", "\r\n"] };

export function plainEvent(frame) {
	return typeof frame.data === "string" ? `data: ${frame.data}\n\n`
		: Buffer.concat([Buffer.from("data: "), frame.data, Buffer.from("\n\n")]);
}

function dataLines(data, options) {
	const field = options.no_space ? "data:" : "data: ";
	const lines = options.multiline && data.startsWith("{")
		? JSON.stringify(JSON.parse(data), null, 1).split("\n") : [data];

	return lines.map((line) => field + line);
}

function extraLines(n, options) {
	const lines = [];

	if (options.comments)
		lines.push(n % 2 ? ":" : ": keep-alive");
	if (options.fields)
		lines.push("event: message", `id: ${n}`, "retry: 1000", "unknown: field", "nocolon");
	return lines;
}

/*
 * Makes an encoder of frames for one reply. Every event keeps to one line end:
 * a CR followed by an LF of the next line would read as one CRLF.
 */
export function sseEncoder(options, lastFrame) {
	const eols = EOLS[options.eol];
	let n = 0;

	return (frame) => {
		if (typeof frame.data !== "string")
			return plainEvent(frame);
		const eol = eols[n % eols.length];
		const lines = [...extraLines(n, options), ...dataLines(frame.data, options)];
		const bom = options.bom && n === 0 ? "\ufeff" : "";
		const between = options.comments && n > 0 ? `: between events${eol}${eol}` : "";

		n++;
		if (options.no_final_blank && frame === lastFrame)
			return bom + between + lines.join(eol);
		return bom + between + lines.map((line) => line + eol).join("") + eol;
	};
}
