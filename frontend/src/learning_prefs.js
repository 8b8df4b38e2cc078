/*
 * How a person learns, kept in this browser: whether modules open one after
 * the other, whether locked ones are shown, and whether the next step is
 * suggested. The names are those of the original application.
 */

const KEY = 'learning';
const DEFAULTS = { progressiveUnlock: true, showLockedModules: false, adaptiveLearning: true };

function onlyKnown(values) {
	return Object.fromEntries(Object.keys(DEFAULTS).filter((name) => typeof values?.[name] === 'boolean')
		.map((name) => [name, values[name]]));
}

export function loadLearning(storage = localStorage) {
	try {
		return { ...DEFAULTS, ...onlyKnown(JSON.parse(storage.getItem(KEY))) };
	} catch {
		/* damaged by hand */
		return { ...DEFAULTS };
	}
}

export function saveLearning(values, storage = localStorage) {
	storage.setItem(KEY, JSON.stringify({ ...DEFAULTS, ...onlyKnown(values) }));
}
