/* A track: what it is, how far one is, its modules and how they open. */

import { t } from '../i18n/index.js';
import { loadLearning, saveLearning } from '../learning_prefs.js';
import { nextModule, unlockStates } from '../unlock.js';
import { openDialog } from '../ui/dialog.js';
import { h } from '../ui/dom.js';
import { learningList } from '../ui/module_list.js';
import { toast } from '../ui/notices.js';
import { badge, crumbs, emptyState, heading, loadInto, progressBar, trackFacts } from '../ui/page.js';
import { trackForm } from '../ui/track_form.js';
import { deleteTrack } from './tracks.js';

const PREFS = ['progressiveUnlock', 'adaptiveLearning'];

function editDialog(app, track) {
	return openDialog({
		title: t('track.edit'),
		'data-testid': 'edit-track',
		build: (close) => trackForm({
			values: {
				title: track.title, description: track.description, level: track.difficulty_level,
				hours: String(track.estimated_duration_hours || ''), expectations: track.user_expectations,
			},
			submitText: t('app.save'),
			onCancel: () => close(null),
			send: async (order) => close(await app.api.updateTrack(track.id, order)),
		}),
	});
}

function switches(prefs, onChange) {
	return h('fieldset', { class: 'card switches' },
		h('legend', {}, t('learning.title')),
		PREFS.map((name) => h('label', { class: 'switch' },
			h('input', {
				type: 'checkbox', role: 'switch', checked: prefs[name], 'data-testid': `pref-${name}`,
				onchange: (event) => onChange({ [name]: event.target.checked }),
			}),
			h('span', {}, h('strong', {}, t(`learning.${name}`)), h('span', { class: 'field-hint' }, t(`learning.${name}.hint`))))));
}

function goOn(track) {
	const next = nextModule(track.modules);
	const base = `/tracks/${encodeURIComponent(track.id)}`;

	if (!next)
		return h('p', { class: 'done-note', 'data-testid': 'track-done' }, t('track.done'));
	return h('a', { class: 'button button-primary', href: `${base}/modules/${encodeURIComponent(next.id)}/learn`, 'data-testid': 'continue-learning' },
		t('track.continue', { title: next.title }));
}

/* With the next step in view, what is still far away is folded. */
function moduleSection(track, prefs, change) {
	const states = unlockStates(track.modules, prefs);
	const folded = prefs.adaptiveLearning && !prefs.showLockedModules ? states.filter((entry) => entry.state === 'locked') : [];
	const shown = states.filter((entry) => !folded.includes(entry));

	return h('div', { class: 'stack' },
		learningList(track, shown),
		folded.length > 0 && h('button', {
			type: 'button', class: 'button', 'data-testid': 'show-locked', onclick: () => change({ showLockedModules: true }),
		}, `🔒 ${t('module.showLocked', { n: folded.length })}`),
		folded.length === 0 && prefs.showLockedModules && prefs.adaptiveLearning && prefs.progressiveUnlock && h('button', {
			type: 'button', class: 'button button-quiet', onclick: () => change({ showLockedModules: false }),
		}, t('module.hideLocked')));
}

function modulesOf(track) {
	const place = h('div', { class: 'stack' });

	function draw() {
		const prefs = loadLearning();
		const change = (values) => {
			saveLearning({ ...loadLearning(), ...values });
			draw();
		};
		place.replaceChildren(moduleSection(track, prefs, change), switches(prefs, change));
	}

	draw();
	return place;
}

function overview(app, track, reload) {
	const plan = `/tracks/${encodeURIComponent(track.id)}/plan`;
	const has = track.modules?.length > 0;

	async function edit() {
		if (await editDialog(app, track))
			reload();
	}

	async function pause() {
		try {
			await app.api.updateTrack(track.id, { status: track.status === 'paused' ? 'active' : 'paused' });
			reload();
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	async function remove() {
		if (await deleteTrack(app, track))
			app.navigate('/tracks', { replace: true });
	}

	return h('section', { class: 'card stack' },
		h('p', { class: 'prose' }, track.description),
		track.user_expectations && h('p', { class: 'prose' }, h('strong', {}, `${t('track.expectations')}: `), track.user_expectations),
		trackFacts(track),
		has && progressBar(track.progress),
		h('div', { class: 'actions' },
			has && goOn(track),
			h('a', { class: has ? 'button' : 'button button-primary', href: plan, 'data-testid': 'to-plan' }, t(has ? 'track.editPlan' : 'track.toPlan')),
			h('button', { type: 'button', class: 'button', 'data-testid': 'edit', onclick: edit }, t('track.edit')),
			['active', 'paused'].includes(track.status) && h('button', { type: 'button', class: 'button', 'data-testid': 'pause', onclick: pause },
				t(track.status === 'paused' ? 'track.resume' : 'track.pause')),
			h('button', { type: 'button', class: 'button button-danger', 'data-testid': 'delete-track', onclick: remove }, t('track.delete'))));
}

function trackPage(app, track, reload) {
	return h('div', {},
		crumbs(['/tracks', t('nav.tracks')]),
		h('div', { class: 'page-head' }, heading(track.title), badge('status', track.status)),
		overview(app, track, reload),
		h('section', { 'aria-labelledby': 'modules' },
			h('h2', { id: 'modules' }, t('track.modules')),
			track.modules?.length ? modulesOf(track) : emptyState({ text: t('track.modules.none') })));
}

export function trackView({ params, app }) {
	const node = h('div');
	let gone = false;

	const reload = () => loadInto(node, {
		load: () => app.loadTrack(params.id),
		build(track) {
			app.setTitle(track.title);
			return trackPage(app, track, reload);
		},
		cancelled: () => gone,
		failedTitle: t('track.failed'),
	});

	reload();
	return { title: t('track.modules'), node, destroy() { gone = true; } };
}
