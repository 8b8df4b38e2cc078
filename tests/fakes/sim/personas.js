/*
 * Who answers. A persona is made once from the options and then asked with each
 * checked request; it returns { text } or { pieces }, and may add pace (its
 * share of the token delay) and json (the text is JSON already).
 */

import { demo } from "./demo/demo.js";
import { lastUserText } from "./request.js";

/* The user's last words back. */
function echo() {
	return (request) => ({ text: lastUserText(request.messages) });
}

const BENCH_WORDS = ["the ", "and ", "for ", "one ", "two ", "run ", "new ", "way ", "all ", "end "];

/* A fixed number of tokens, always the same ones: nothing is computed per call. */
function bench({ tokens }) {
	const pieces = Array.from({ length: tokens }, (_, i) => BENCH_WORDS[i % BENCH_WORDS.length]);

	return () => ({ pieces });
}

export const personas = { demo, echo, bench };
