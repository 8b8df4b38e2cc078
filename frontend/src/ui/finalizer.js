/*
 * The button that turns the plan into modules: first what will be taken, then
 * what came of it. The answer of the request and the push on the socket tell
 * of the same thing; the one who pressed hears it from the request.
 */

import { currentDialogue } from '../dialogue.js';
import { t } from '../i18n/index.js';
import { isReply } from '../message.js';
import { turnIsRunning } from '../turn.js';
import { openDialog } from './dialog.js';
import { h, setText } from './dom.js';
import { submitButton } from './field.js';
import { showMarkdown } from './markdown.js';
import { moduleList } from './module_list.js';
import { toast } from './notices.js';

const CHANGES = ['added', 'changed', 'kept', 'removed'];

/** The text that a finalization takes: the newest reply of the planning chat that announces nothing. */
export function planOf(state, chatId) {
	return state.dialogues[chatId]?.messages.findLast(isReply)?.content ?? '';
}

function previewDialog(plan, again) {
	const text = h('div', { class: 'md' });

	showMarkdown(text, plan);
	return openDialog({
		title: t('finalize.preview.title'),
		'data-testid': 'finalize-preview',
		build: (close) => h('div', { class: 'dialog-body' },
			h('p', {}, t('finalize.preview.text')),
			again && h('p', { class: 'warning', 'data-testid': 'finalize-again' }, t('finalize.again.text')),
			plan && h('details', { open: true }, h('summary', {}, t('finalize.preview.show')), h('div', { class: 'dialog-scroll', tabindex: '0' }, text)),
			h('div', { class: 'dialog-actions' },
				h('button', { type: 'button', class: 'button', onclick: () => close(false) }, t('app.cancel')),
				h('button', {
					type: 'button', class: 'button button-primary', autofocus: true, 'data-testid': 'finalize-go', onclick: () => close(true),
				}, t('finalize.go')))),
	});
}

/* What a further finalization changed: counts of those that are not zero. */
function changesText(changes) {
	return CHANGES.filter((name) => changes?.[name]?.length > 0)
		.map((name) => t(`finalize.${name}`, { n: changes[name].length })).join(' · ');
}

function doneDialog({ modules, changes }, again) {
	const n = modules.reduce((sum, module) => sum + module.estimated_duration_hours, 0);
	const what = again ? changesText(changes) : '';

	return openDialog({
		title: t('plan.done.title'),
		'data-testid': 'finalize-done',
		build: (close) => h('div', { class: 'dialog-body' },
			h('p', {}, t('plan.done.text', { modules: t('modulesCount', { n: modules.length }), hours: t('hours', { n }) })),
			what && h('p', { 'data-testid': 'finalize-changes' }, what),
			h('div', { class: 'dialog-scroll', tabindex: '0' }, moduleList(modules)),
			h('div', { class: 'dialog-actions' },
				h('button', { type: 'button', class: 'button', onclick: () => close('stay') }, t('plan.done.stay')),
				h('button', {
					type: 'button', class: 'button button-primary', autofocus: true, 'data-testid': 'show-modules', onclick: () => close('show'),
				}, t('plan.done.show')))),
	});
}

/** onDone(): the track has modules now, by this button or by another page. */
export function finalizer({ app, track, session, onDone }) {
	const button = submitButton(t('plan.finalize'), { type: 'button', 'data-testid': 'finalize' });
	const hint = h('p', { class: 'field-hint' }, t('plan.finalize.hint'));
	/* the same, where one is after reading: a small screen has no place for both */
	const near = submitButton(t('plan.finalize.near'), { type: 'button', 'data-testid': 'finalize-near' });
	const nearPlace = h('div', { class: 'finalize-near', hidden: true }, near.node);
	const problem = h('p', { class: 'field-error', role: 'alert', hidden: true });
	let busy = false;
	let again = (track.modules?.length ?? 0) > 0;
	/* from the press until its result was read: the push tells nothing new */
	let ours = false;
	let heard = session.state().finalized;
	let gone = false;

	function setBusy(value) {
		busy = value;
		button.setBusy(value);
		near.setBusy(value);
		setText(button.node, t(value ? 'plan.finalizing' : 'plan.finalize'));
		setText(near.node, t(value ? 'plan.finalizing' : 'plan.finalize.near'));
	}

	async function finalizeNow() {
		session.finalizing(true);
		try {
			return await app.api.finalize({
				session_id: track.session_id,
				user_id: app.auth.user().id,
				skill_area: track.skill_area || track.title,
				track_id: track.id,
			});
		} finally {
			session.finalizing(false);
		}
	}

	function done() {
		again = true;
		onDone();
	}

	async function carryOut() {
		const before = again;
		setBusy(true);
		ours = true;
		problem.hidden = true;
		try {
			const answer = await finalizeNow();
			setBusy(false);
			done();
			if (gone)
				return;
			if (await doneDialog(answer, before) === 'show' && !gone)
				app.navigate(`/tracks/${encodeURIComponent(track.id)}`);
		} catch (error) {
			problem.hidden = false;
			setText(problem, t('plan.finalize.failed', { reason: error.message }));
			problem.scrollIntoView({ block: 'nearest' });
		} finally {
			setBusy(false);
			update(session.state());
			ours = false;
		}
	}

	async function press() {
		if (!busy && await previewDialog(planOf(session.state(), track.chat_id), again) && !gone)
			await carryOut();
	}

	function update(state) {
		const d = currentDialogue(state);
		const hasPlan = Object.values(state.dialogues).some((x) => x.messages.some((m) => m.sender === 'ai'));

		button.node.disabled = busy || !hasPlan || turnIsRunning(d?.turn ?? null);
		nearPlace.hidden = again || (button.node.disabled && !busy);
		if (state.finalized > heard && !ours) {
			toast(t('plan.done.elsewhere'));
			done();
		}
		heard = state.finalized;
	}

	button.node.addEventListener('click', press);
	near.node.addEventListener('click', press);
	return {
		near: nearPlace,
		node: h('div', { class: 'finalize' }, button.node, hint, problem),
		update,
		destroy() { gone = true; },
	};
}
