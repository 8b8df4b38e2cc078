/*
 * Texts that come again and again are kept once. A history is told at each
 * reconnection, and to the model with each question: in ten minutes of a quick
 * machine that is gigabytes of the same few thousand messages.
 */

const kept = new Map();

/* The same text, in the memory of the first one like it. Anything else as it is. */
export function once(text) {
	if (typeof text !== "string")
		return text;
	const first = kept.get(text);

	if (first === undefined)
		kept.set(text, text);
	return first ?? text;
}
