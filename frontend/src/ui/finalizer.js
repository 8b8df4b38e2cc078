/*
 * The button that turns the plan into modules, and what comes after it. The
 * answer of the request and the push on the socket tell of the same thing;
 * the one who pressed hears it from the request.
 */

import { currentDialogue } from '../dialogue.js';
import { t } from '../i18n/index.js';
import { turnIsRunning } from '../turn.js';
import { openDialog } from './dialog.js';
import { h, setText } from './dom.js';
import { submitButton } from './field.js';
import { moduleList } from './module_list.js';
import { toast } from './notices.js';

function doneDialog(modules) {
	const n = modules.reduce((sum, module) => sum + module.estimated_duration_hours, 0);

	return openDialog({
		title: t('plan.done.title'),
		'data-testid': 'finalize-done',
		build: (close) => h('div', { class: 'dialog-body' },
			h('p', {}, t('plan.done.text', { modules: t('modulesCount', { n: modules.length }), hours: t('hours', { n }) })),
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
	const problem = h('p', { class: 'field-error', role: 'alert', hidden: true });
	let busy = false;
	/* from the press until its result was read: the push tells nothing new */
	let ours = false;
	let heard = session.state().finalized;
	let gone = false;

	function setBusy(value) {
		busy = value;
		button.setBusy(value);
		setText(button.node, t(value ? 'plan.finalizing' : 'plan.finalize'));
	}

	async function finalizeNow() {
		session.finalizing(true);
		try {
			const { modules } = await app.api.finalize({
				session_id: track.session_id,
				user_id: app.auth.user().id,
				skill_area: track.skill_area || track.title,
				track_id: track.id,
			});
			return modules;
		} finally {
			session.finalizing(false);
		}
	}

	async function press() {
		if (busy)
			return;
		setBusy(true);
		ours = true;
		problem.hidden = true;
		try {
			const modules = await finalizeNow();
			setBusy(false);
			onDone();
			if (gone)
				return;
			if (await doneDialog(modules) === 'show' && !gone)
				app.navigate(`/tracks/${encodeURIComponent(track.id)}`);
		} catch (error) {
			problem.hidden = false;
			setText(problem, t('plan.finalize.failed', { reason: error.message }));
		} finally {
			setBusy(false);
			update(session.state());
			ours = false;
		}
	}

	function update(state) {
		const d = currentDialogue(state);
		const hasPlan = Object.values(state.dialogues).some((x) => x.messages.some((m) => m.sender === 'ai'));

		button.node.disabled = busy || !hasPlan || turnIsRunning(d?.turn ?? null);
		if (state.finalized > heard && !ours) {
			toast(t('plan.done.elsewhere'));
			onDone();
		}
		heard = state.finalized;
	}

	button.node.addEventListener('click', press);
	return {
		node: h('div', { class: 'finalize' }, button.node, hint, problem),
		update,
		destroy() { gone = true; },
	};
}
