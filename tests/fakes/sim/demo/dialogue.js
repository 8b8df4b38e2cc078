/*
 * The planning dialogue. The service keeps no state for us: the newest complete
 * plan among the assistant's messages is the base, and every user message after
 * it is carried out in order; without one the plan is built from the track.
 */

import { parsePlan } from "./parse-plan.js";
import { buildPlan } from "./plan.js";
import { renderFacts, renderTable, revisionText, welcomeText } from "./render.js";
import { revise } from "./revise.js";
import { moduleAt } from "./module-ref.js";
import { WORDS } from "./words.js";

const QUOTE_MAX = 120;

/* The newest complete plan the assistant showed and where it stands; { plan: null, at: -1 } without one. */
export function newestPlan(messages, track, language) {
	const said = messages.map((m, at) => ({ ...m, at })).filter((m) => m.role === "assistant").toReversed();

	for (let i = 0; i < said.length; i++) {
		const plan = parsePlan(said.slice(i).map((m) => m.text), track, language);

		if (plan)
			return { plan, at: said[i].at };
	}
	return { plan: null, at: -1 };
}

export function welcome(request, track, language) {
	return welcomeText(buildPlan(track, language), language, request.limit);
}

function quote(text) {
	const line = text.replace(/[|`*_#<>[\]]/g, " ").replace(/\s+/g, " ").trim();

	return line.length > QUOTE_MAX ? `${line.slice(0, QUOTE_MAX).trim()}…` : line;
}

function describeModule(plan, at, language) {
	const { talk } = WORDS[language];
	const module = plan.modules[at];

	return `${talk.about(at + 1, module)}\n\n${talk.skills}\n${module.goals.map((g) => `- ${g}`).join("\n")}`;
}

/* An answer that changes nothing. */
function remark(text, plan, language) {
	const { talk } = WORDS[language];
	const at = moduleAt(text, plan);

	if (/финализ|заверш|готов|утвержда|finali[sz]e|ready|approve|go ahead/i.test(text))
		return talk.ready;
	if (/спасибо|отличн|нравит|класс|супер|хорош|соглас|подходит|^да\b|thank|great|good|love|like it|perfect|fine|^yes\b|^ok/i.test(text))
		return talk.thanks;
	if (/сколько|как долго|недел|how long|how many|weeks/i.test(text) && at < 0)
		return talk.time(plan);
	if (at >= 0)
		return describeModule(plan, at, language);
	if (/^(?:привет|здравств|добр|hello|hi\b|hey)/i.test(text.trim()))
		return talk.hello;
	return `${talk.unclear(quote(text))}\n${talk.examples.map((e) => `- ${e}`).join("\n")}`;
}

export function dialogue(request, track, language) {
	const { messages } = request;
	const found = newestPlan(messages, track, language);
	const plan = found.plan ?? buildPlan(track, language);
	const wishes = messages.slice(found.at + 1).filter((m) => m.role === "user").map((m) => m.text);
	const last = wishes.pop() ?? "";

	for (const text of wishes)
		revise(plan, text, track, language);
	const notes = revise(plan, last, track, language);

	if (notes.list.length)
		return revisionText(plan, notes, language, request.limit);
	return [remark(last, plan, language), `### ${WORDS[language].talk.current}`,
		renderFacts(plan, language), renderTable(plan, language)].join("\n\n");
}
