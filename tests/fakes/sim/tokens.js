/*
 * A deterministic token estimate. It is not a real tokenizer: Latin text costs
 * one token per 4 characters, Cyrillic one per 2.2, any other character (emoji,
 * CJK) one each. A streamed reply is cut into exactly as many pieces as it
 * costs tokens, so "n tokens" and "n content chunks" mean the same thing.
 */

/* Weights in 1/44 of a token: 4 * 11 = 44 and 2.2 * 20 = 44, so the sums stay whole. */
const TOKEN = 44;
const LATIN = 11;
const CYRILLIC = 20;

function weight(code) {
	if (code < 0x250 || (code >= 0x2000 && code < 0x2070))
		return LATIN;
	if (code >= 0x400 && code < 0x530)
		return CYRILLIC;
	return TOKEN;
}

/* Tokens of a text; 0 for the empty one. */
export function countTokens(text) {
	let sum = 0;

	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);

		if (code >= 0xdc00 && code < 0xe000)	/* second half of a pair, already counted */
			continue;
		sum += weight(code);
	}
	return Math.ceil(sum / TOKEN);
}

/* The text as an array of countTokens(text) non-empty pieces; no surrogate pair is split. */
export function splitTokens(text) {
	const pieces = [];
	let start = 0;
	let sum = 0;
	let bound = 0;

	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);

		if (code >= 0xdc00 && code < 0xe000)
			continue;
		sum += weight(code);
		if (sum > bound + TOKEN) {
			pieces.push(text.slice(start, i));
			start = i;
			bound += TOKEN;
		}
	}
	if (start < text.length)
		pieces.push(text.slice(start));
	return pieces;
}

/* What a message list costs: its texts plus 4 tokens a message and 3 for the reply's opening. */
export function countPrompt(messages) {
	return messages.reduce((sum, m) => sum + 4 + countTokens(m.text), 3);
}
