/*
 * The module's teacher: the opening summary, the tutor's answers, a lesson. The
 * texts are made from the module's title, description and objectives.
 */

import { fitting } from "./render.js";
import { moduleByTitle } from "./plan.js";
import { TEACH } from "./teach-words.js";

function bullets(items) {
	return items.map((item) => `- ${item}`).join("\n");
}

function numbered(items) {
	return items.map((item, i) => `${i + 1}. ${item}`).join("\n");
}

/* What is known of the module the prompt names. */
function moduleOf(track, language) {
	const title = track.module ?? track.lesson ?? track.title;
	const known = moduleByTitle(title, track, language);
	const goals = track.objectives?.split(/\s*[;,]\s*/).filter((g) => g.length > 3);

	return { title, about: track.moduleAbout ?? known.about, goals: goals?.length ? goals : known.goals, task: known.task };
}

export function summary(request, track, language) {
	const m = moduleOf(track, language);
	const w = TEACH[language];

	return fitting(request.limit, (detail) => [
		`# 📘 ${m.title}`,
		`## 👋 ${w.introduction}`, w.hello(m, track),
		`## 🧭 ${w.concepts}`, bullets(m.goals.map((g) => w.concept(g))),
		...(detail >= 1 ? [`## 🔍 ${w.explanation}`, ...m.goals.map((g, i) => `### ${i + 1}. ${g}\n\n${w.explain[i % w.explain.length]}`)] : []),
		...(detail >= 2 ? [`## 🛠️ ${w.examples}`, w.example(m)] : []),
		`## 📌 ${w.keyPoints}`, bullets(w.points),
		`## ❓ ${w.selfCheck}`, numbered(w.checks(m)),
		w.invite,
	].join("\n\n"));
}

export function tutor(request, track, language) {
	const m = moduleOf(track, language);
	const w = TEACH[language];
	const question = request.messages.findLast((msg) => msg.role === "user")?.text ?? "";
	const kind = w.kinds.find(({ words }) => words.test(question));

	if (kind)
		return kind.answer(m);
	return w.answer(question.replace(/[|`*_#<>[\]]/g, " ").replace(/\s+/g, " ").trim().slice(0, 120), m);
}

export function lesson(request, track, language) {
	const m = moduleOf({ ...track, module: track.lesson ?? track.module }, language);
	const w = TEACH[language];

	return fitting(request.limit, (detail) => [
		`# 📗 ${m.title}`, m.about,
		`## ${w.concepts}`, bullets(m.goals),
		...(detail >= 1 ? [`## ${w.explanation}`, w.explain.join("\n\n")] : []),
		...(detail >= 2 ? [`## ${w.examples}`, w.example(m)] : []),
		`## ${w.exercises}`, numbered(w.checks(m)),
	].join("\n\n"));
}
