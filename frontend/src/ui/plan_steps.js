/*
 * Where the planning stands, by what really happened: the goals are the
 * track, a plan is an answer of the AI, it is discussed once the person
 * answered, and it is done when there are modules.
 */

import { t } from '../i18n/index.js';
import { turnIsRunning } from '../turn.js';
import { h, setAttribute } from './dom.js';

const STEPS = ['goals', 'plan', 'discussion', 'modules'];

/** {goals, plan, discussion, modules}: done | active | pending */
export function planStates(dialogues, { finalized, finalizing }) {
	const all = Object.values(dialogues);
	const answered = all.some((d) => d.messages.some((m) => m.sender === 'ai'));
	const argued = all.some((d) => d.messages.some((m) => m.sender === 'user'));
	const running = all.some((d) => turnIsRunning(d.turn));

	return {
		goals: 'done',
		plan: answered ? 'done' : (running ? 'active' : 'pending'),
		discussion: argued ? 'done' : (answered && !finalized ? 'active' : 'pending'),
		modules: finalized && !finalizing ? 'done' : (finalizing ? 'active' : 'pending'),
	};
}

export function planSteps(track) {
	let finalized = (track.modules?.length ?? 0) > 0;
	const items = Object.fromEntries(STEPS.map((name) => [name, h('li', { 'data-step': name }, t(`plan.step.${name}`),
		h('span', { class: 'visually-hidden' }))]));
	const node = h('ol', { class: 'steps', 'aria-label': t('plan.steps'), 'data-testid': 'plan-steps' }, Object.values(items));

	return {
		node,
		finalized() { finalized = true; },
		update(state) {
			for (const [name, value] of Object.entries(planStates(state.dialogues, { finalized, finalizing: state.finalizing }))) {
				if (items[name].dataset.state === value)
					continue;
				setAttribute(items[name], 'data-state', value);
				items[name].lastChild.textContent = ` (${t(`plan.stepState.${value}`)})`;
			}
		},
	};
}
