/*
 * A lesson. Its text is written when it is first opened and kept; from then
 * on it is read. While it is written it streams in.
 */

import { fileName } from '../export.js';
import { t } from '../i18n/index.js';
import { lessonPlan, moduleContext } from '../lesson_plan.js';
import { streamedAnswer } from '../sse.js';
import { turnBegin, turnDelta, turnReset } from '../turn.js';
import { download } from '../ui/download.js';
import { h, oncePerFrame, setText, WRITING_MS } from '../ui/dom.js';
import { showMarkdown } from '../ui/markdown.js';
import { loadModule, lockedPage, moduleCrumbs, moduleHref } from '../ui/module_page.js';
import { toast } from '../ui/notices.js';
import { badge, heading, loadInto, skeleton } from '../ui/page.js';
import { problemText } from '../ui/problem.js';

async function loadLesson(app, params) {
	const found = await loadModule(app, params);
	const stored = await app.api.lessons(found.module.id);
	const plan = lessonPlan(found.module, stored, t('lesson.practiceOf', { title: found.module.title }));
	const at = plan.findIndex((lesson) => String(lesson.lesson_number) === params.number);

	if (at < 0)
		throw new Error(t('lesson.missing'));
	return { ...found, lesson: plan[at], before: plan[at - 1] ?? null, after: plan[at + 1] ?? null };
}

function orderOf(track, module, lesson) {
	return {
		lesson_title: lesson.title, module_context: moduleContext(track, module), content_type: lesson.content_type,
		module_id: module.id, lesson_number: lesson.lesson_number, track_id: track.id,
	};
}

/* What a stream tells, as one growing text. */
function growingText(show) {
	let turn = turnBegin('lesson', 0, { epoch: -1 });

	return (event) => {
		if (event.type === 'ai_reset')
			turn = turnReset(turn, event, 0);
		else if (event.type === 'ai_delta')
			turn = turnDelta(turn, event, 0);
		show(turn.text);
	};
}

/** Writes the lesson and shows it growing; onDone(): it is stored. */
function writer({ app, track, module, lesson, onDone }) {
	const body = h('div', { class: 'md lesson-text' });
	const bones = skeleton('lines');
	const words = h('span', {}, t('lesson.writing'));
	const status = h('p', { class: 'message-status' }, words, h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
	const reason = h('p', {});
	const problem = h('div', { class: 'note note-bad', role: 'alert', hidden: true }, reason,
		h('button', { type: 'button', class: 'button', 'data-testid': 'lesson-retry', onclick: write }, t('app.retry')));
	const leaving = new AbortController();
	const show = oncePerFrame((text) => {
		bones.hidden = text !== '';
		showMarkdown(body, text, { final: false });
	}, WRITING_MS);

	async function write() {
		problem.hidden = true;
		status.hidden = bones.hidden = false;
		try {
			await streamedAnswer(await app.api.generateLesson(orderOf(track, module, lesson), leaving.signal), growingText(show));
			show.cancel();
			onDone();
		} catch (error) {
			if (leaving.signal.aborted)
				return;
			status.hidden = bones.hidden = true;
			problem.hidden = false;
			setText(reason, t('lesson.failed', { reason: error.message || problemText(error) }));
		}
	}

	write();
	return {
		node: h('div', { class: 'card stack', 'data-testid': 'lesson-writing' }, status, bones, body, problem),
		destroy() {
			leaving.abort();
			show.cancel();
		},
	};
}

function textOf(lesson) {
	const body = h('div', { class: 'card md lesson-text', 'data-testid': 'lesson-text' });

	showMarkdown(body, lesson.content ?? '');
	return body;
}

function lessonTools(app, lesson, reload) {
	async function set(status) {
		try {
			await app.api.setLessonStatus(lesson.id, status);
			reload();
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	const done = lesson.status === 'completed';
	return h('div', { class: 'actions lesson-tools' },
		h('button', {
			type: 'button', class: done ? 'button' : 'button button-primary', 'data-testid': 'lesson-done', onclick: () => set(done ? 'in_progress' : 'completed'),
		}, t(done ? 'lesson.undone' : 'lesson.done')),
		h('button', { type: 'button', class: 'button', onclick: () => download(fileName(lesson.title, 'md'), lesson.content, 'text/markdown') }, t('learn.download')),
		h('button', { type: 'button', class: 'button', onclick: () => print() }, t('learn.print')));
}

function neighbours(track, module, before, after) {
	const link = (lesson, text, side) => lesson && h('a', { class: `neighbour neighbour-${side}`, href: `${moduleHref(track, module)}/lessons/${lesson.lesson_number}` },
		h('span', { class: 'field-hint' }, t(text)), lesson.title);

	return h('nav', { class: 'neighbours', 'aria-label': t('lesson.title') }, link(before, 'lesson.before', 'before'), link(after, 'lesson.after', 'after'));
}

export function lessonView({ params, app }) {
	const node = h('div');
	let gone = false;
	let writing = null;

	/* Opening a lesson is beginning it; that it could not be noted is no reason not to read. */
	function begun(lesson) {
		if (lesson.id && lesson.status === 'not_started')
			app.api.setLessonStatus(lesson.id, 'in_progress').catch((error) => toast(error.message, 'error'));
	}

	function build({ track, module, lock, lesson, before, after }) {
		app.setTitle(lesson.title);
		if (lock.state !== 'open')
			return lockedPage(track, module, lock);
		begun(lesson);
		writing?.destroy();
		writing = lesson.id && lesson.content ? null : writer({ app, track, module, lesson, onDone: reload });
		return h('article', { class: 'stack lesson' },
			moduleCrumbs(track, module),
			h('div', { class: 'page-head' }, heading(`${lesson.lesson_number}. ${lesson.title}`), badge('lesson', lesson.id ? lesson.status : 'new')),
			h('h2', { class: 'visually-hidden' }, t('lesson.text')),
			writing ? writing.node : textOf(lesson),
			!writing && lessonTools(app, lesson, reload),
			neighbours(track, module, before, after));
	}

	function reload() {
		if (!gone)
			loadInto(node, { load: () => loadLesson(app, params), build, cancelled: () => gone, failedTitle: t('lesson.failedTitle') });
	}

	reload();
	return {
		title: t('lesson.title'),
		node,
		destroy() {
			gone = true;
			writing?.destroy();
		},
	};
}
