/*
 * The demo persona: a course curator and teacher without a model behind it.
 * The same request always gets the same answer.
 */

import { dialogue, welcome } from "./dialogue.js";
import { coursePlan, finalModules } from "./finalize.js";
import { operationOf } from "./intent.js";
import { languageOf } from "./language.js";
import { lesson, summary, tutor } from "./teach.js";
import { TEACH } from "./teach-words.js";
import { trackOf } from "./track.js";

const JSON_PACE = 0.1;	/* nobody watches JSON being written */

function quoteLast(messages) {
	const last = messages.findLast((m) => m.role === "user")?.text ?? "";

	return last.replace(/\s+/g, " ").trim().slice(0, 120);
}

const OPERATIONS = {
	finalize: (...args) => ({ text: finalModules(...args), json: true, pace: JSON_PACE }),
	coursePlan: (request, track, language) => ({ text: coursePlan(track, language), json: true, pace: JSON_PACE }),
	test: (request, track, language) => ({ text: TEACH[language].test }),
	welcome: (...args) => ({ text: welcome(...args) }),
	dialogue: (...args) => ({ text: dialogue(...args) }),
	summary: (...args) => ({ text: summary(...args) }),
	tutor: (...args) => ({ text: tutor(...args) }),
	lesson: (...args) => ({ text: lesson(...args) }),
	talk: (request, track, language) => ({ text: TEACH[language].talk(quoteLast(request.messages)) }),
};

export function demo() {
	return (request) => {
		const language = languageOf(request.messages);

		return OPERATIONS[operationOf(request, language)](request, trackOf(request.messages, language), language);
	};
}
