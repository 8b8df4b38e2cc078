/*
 * Which modules are open. The first always is; each further one opens when
 * the one before it is completed. The second is half open while the first is
 * in progress: it can be looked at, and the list says what is missing.
 */

export function isCompleted(module) {
	return module.status === 'completed' || module.progress >= 100;
}

export function isStarted(module) {
	return module.status === 'in_progress' || module.progress > 0;
}

export function inOrder(modules) {
	return [...(modules ?? [])].sort((a, b) => a.module_number - b.module_number);
}

/** [{module, state: open | half | locked, after}] in order; after: the module to finish first, or null. */
export function unlockStates(modules, { progressiveUnlock }) {
	return inOrder(modules).map((module, i, all) => {
		const before = all[i - 1] ?? null;
		const open = !progressiveUnlock || before === null || isCompleted(before) || isCompleted(module) || isStarted(module);

		if (open)
			return { module, state: 'open', after: null };
		return { module, state: i === 1 && isStarted(before) ? 'half' : 'locked', after: before };
	});
}

/** Where to go on: the first open module that is not completed; null when all are done. */
export function nextModule(modules) {
	return inOrder(modules).find((module) => !isCompleted(module)) ?? null;
}
