/*
 * The lessons of a module: one per learning goal, and one to practise. A
 * lesson gets its text when it is first opened; those that have one already
 * come from the server and keep their titles.
 */

export const PRACTICE = 'practice';
const THEORY = 'theory';

function planned(module, practiceTitle) {
	const goals = module.learning_objectives ?? [];

	return [
		...goals.map((title, i) => ({ lesson_number: i + 1, title, content_type: THEORY })),
		{ lesson_number: goals.length + 1, title: practiceTitle, content_type: PRACTICE },
	];
}

/** stored: lessons of the server; practiceTitle: what the last one is called. In order; `id` is null before there is a text. */
export function lessonPlan(module, stored, practiceTitle) {
	const byNumber = new Map(planned(module, practiceTitle).map((lesson) =>
		[lesson.lesson_number, { ...lesson, id: null, status: 'not_started', estimated_duration_minutes: null }]));

	for (const lesson of stored)
		byNumber.set(lesson.lesson_number, lesson);
	return [...byNumber.values()].sort((a, b) => a.lesson_number - b.lesson_number);
}

/** What the model is told about the module a lesson is of. */
export function moduleContext(track, module) {
	return [`${track.title}: ${module.title}`, module.description, ...(module.learning_objectives ?? [])].filter(Boolean).join('\n');
}
