/*
 * Which operation a request is: told from what its prompts literally ask for,
 * not from any exact wording.
 */

import { trackOf } from "./track.js";

const WELCOME_WORDS = /план|курс|plan|course|curriculum|программ|modul|модул/i;
const LESSON_WORDS = /\blesson\b|урок/i;
const SUMMARY_WORDS = /конспект|summary|self-check|самопровер|введени|introduction/i;
const TUTOR_WORDS = /tutor|тьютор|наставник|репетитор|преподавател|teacher|mentor/i;
const TEST_WORDS = /connection|соединени|подключени|проверк|\bping\b|\btest\b|\bтест\b/i;
const SHORT_TEST = 60;

/* finalize, coursePlan, test, lesson, summary, tutor, welcome, dialogue or talk. */
export function operationOf(request, language) {
	const { messages } = request;
	const prompt = messages.filter((m) => m.role === "system").map((m) => m.text).join("\n");
	const last = messages.findLast((m) => m.role === "user")?.text ?? "";
	const answered = messages.some((m) => m.role === "assistant");
	const asked = `${prompt}\n${last}`;
	const track = trackOf(messages, language);

	if (/module_number/.test(asked))
		return "finalize";
	if (/course_description|final_project|practical_assignments/.test(asked))
		return "coursePlan";
	if (!answered && last.length <= SHORT_TEST && (request.limit <= 16 || (!track.known && TEST_WORDS.test(last))))
		return "test";
	if (track.lesson || (!answered && LESSON_WORDS.test(prompt) && !track.known))
		return "lesson";
	if (track.module)
		return !answered && SUMMARY_WORDS.test(asked) && !isQuestion(last) ? "summary" : "tutor";
	if (TUTOR_WORDS.test(prompt) && !WELCOME_WORDS.test(prompt))
		return "tutor";
	if (!answered && (track.known || WELCOME_WORDS.test(last)))
		return isDialogue(prompt, last) ? "dialogue" : "welcome";
	return track.known || WELCOME_WORDS.test(prompt) ? "dialogue" : "talk";
}

function isQuestion(text) {
	return text.length < 200 && /\?\s*$/.test(text);
}

/* The first message of a dialogue may be a person's own words rather than the service's request for a plan. */
function isDialogue(prompt, last) {
	return trackOf([{ role: "system", text: prompt }], "en").known && last.length < 200
		&& !/план|plan|course|курс|начн|start|привет|hello|здравств/i.test(last);
}
