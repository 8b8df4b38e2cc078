/* A module: what it is about, its goals, its lessons and tasks, and how far one is. */

import { hasText, t } from '../i18n/index.js';
import { lessonPlan, PRACTICE } from '../lesson_plan.js';
import { isCompleted, isStarted } from '../unlock.js';
import { h } from '../ui/dom.js';
import { badge, facts, failure, heading, loadInto, progressBar, skeleton } from '../ui/page.js';
import { loadModule, lockedPage, moduleCrumbs, moduleHref } from '../ui/module_page.js';

const LAYOUT_KEY = 'lessons_layout';

function kindText(type) {
	return hasText(`lesson.kind.${type}`) ? t(`lesson.kind.${type}`) : type;
}

function lessonItem(track, module, lesson) {
	const minutes = lesson.estimated_duration_minutes;

	return h('li', { class: 'card lesson-item', 'data-testid': 'lesson-item' },
		h('span', { class: 'lesson-number', 'aria-hidden': 'true' }, lesson.lesson_number),
		h('div', { class: 'lesson-about' },
			h('h3', {}, h('a', { class: 'card-link', href: `${moduleHref(track, module)}/lessons/${lesson.lesson_number}` }, lesson.title)),
			h('p', { class: 'field-hint' }, [kindText(lesson.content_type), minutes && t('minutes', { n: minutes })].filter(Boolean).join(' · '))),
		badge('lesson', lesson.id ? lesson.status : 'new'));
}

function layoutSwitch(lists) {
	let layout = localStorage.getItem(LAYOUT_KEY) === 'grid' ? 'grid' : 'list';
	const button = (name) => h('button', {
		type: 'button', class: 'button button-small', 'data-layout': name, 'data-testid': `layout-${name}`,
		onclick() {
			localStorage.setItem(LAYOUT_KEY, name);
			use(name);
		},
	}, t(`lesson.layout.${name}`));
	const node = h('div', { class: 'layout-switch', role: 'group', 'aria-label': t('lesson.layout') }, button('list'), button('grid'));

	function use(name) {
		layout = name;
		for (const list of lists)
			list.dataset.layout = layout;
		for (const child of node.children)
			child.setAttribute('aria-pressed', String(child.dataset.layout === layout));
	}

	use(layout);
	return node;
}

function lessonSection(id, title, list, ...more) {
	return h('section', { class: 'stack', 'aria-labelledby': id }, h('div', { class: 'section-head' }, h('h2', { id }, title), ...more), list);
}

function lessonsOf(track, module, stored) {
	const plan = lessonPlan(module, stored, t('lesson.practiceOf', { title: module.title }));
	const items = (lessons) => h('ul', { class: 'lessons' }, lessons.map((lesson) => lessonItem(track, module, lesson)));
	const theory = items(plan.filter((lesson) => lesson.content_type !== PRACTICE));
	const practice = items(plan.filter((lesson) => lesson.content_type === PRACTICE));

	return h('div', { class: 'stack' },
		lessonSection('lessons', t('lesson.title'), theory, layoutSwitch([theory, practice])),
		lessonSection('practice', t('lesson.practice'), practice));
}

function overview(track, module) {
	const verb = isCompleted(module) ? 'module.repeat' : (isStarted(module) ? 'module.continue' : 'module.begin');

	return h('section', { class: 'card stack' },
		h('p', { class: 'prose' }, module.description),
		facts([
			['track.hours', t('hours', { n: module.estimated_duration_hours })],
			['track.objectives', t('module.goals', { n: module.learning_objectives?.length ?? 0 })],
		]),
		progressBar(module.progress, t('module.progress')),
		h('div', { class: 'actions' },
			h('a', { class: 'button button-primary', href: `${moduleHref(track, module)}/learn`, 'data-testid': 'module-learn' }, t(verb)),
			h('a', { class: 'button', href: `${moduleHref(track, module)}/learn?tab=chat` }, t('module.ask'))));
}

function goals(module) {
	return module.learning_objectives?.length > 0 && h('section', { class: 'stack', 'aria-labelledby': 'goals' },
		h('h2', { id: 'goals' }, t('module.goalsTitle')),
		h('ul', { class: 'goal-grid' }, module.learning_objectives.map((goal) => h('li', { class: 'card' }, goal))));
}

function modulePage(app, { track, module, lock }, isGone) {
	if (lock.state !== 'open')
		return lockedPage(track, module, lock);
	const lessons = h('div', { class: 'stack' });

	async function load() {
		lessons.replaceChildren(skeleton('rows'));
		try {
			const stored = await app.api.lessons(module.id);
			if (!isGone())
				lessons.replaceChildren(lessonsOf(track, module, stored));
		} catch (error) {
			if (!isGone())
				lessons.replaceChildren(failure(error, load));
		}
	}

	load();
	return h('div', { class: 'stack module-page' },
		moduleCrumbs(track),
		h('div', { class: 'page-head' }, heading(`${module.module_number}. ${module.title}`), badge('module', module.status)),
		overview(track, module), goals(module), lessons);
}

export function moduleView({ params, app }) {
	const node = h('div');
	let gone = false;

	loadInto(node, {
		load: () => loadModule(app, params),
		build(found) {
			app.setTitle(found.module.title);
			return modulePage(app, found, () => gone);
		},
		cancelled: () => gone,
		failedTitle: t('module.failed'),
	});
	return { title: t('module.title'), node, destroy() { gone = true; } };
}
