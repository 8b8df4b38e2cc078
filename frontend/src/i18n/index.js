/*
 * The words of the interface. One dictionary per language, the same keys in
 * both (a test compares them). A value with plural forms is chosen by `n`.
 */

import en from './en.js';
import ru from './ru.js';

const STORAGE_KEY = 'language';
const dictionaries = { ru, en };

export const LANGUAGES = { ru: 'Русский', en: 'English' };

let language = 'ru';
let plural = new Intl.PluralRules('ru');
const listeners = new Set();

/** The choice made before, else the browser's language, else Russian only for those who read it. */
export function chooseLanguage(stored, preferred) {
	if (Object.hasOwn(dictionaries, stored ?? ''))
		return stored;
	return /^(ru|be|uk|kk)\b/i.test(preferred ?? '') ? 'ru' : 'en';
}

function use(next) {
	language = next;
	plural = new Intl.PluralRules(next);
	if (globalThis.document)
		document.documentElement.lang = next;
}

export function initLanguage(storage = localStorage, preferred = navigator.language) {
	use(chooseLanguage(storage.getItem(STORAGE_KEY), preferred));
}

export function setLanguage(next, storage = localStorage) {
	if (next === language || !Object.hasOwn(dictionaries, next))
		return;
	storage.setItem(STORAGE_KEY, next);
	use(next);
	for (const listener of listeners)
		listener(next);
}

export const currentLanguage = () => language;
export const onLanguage = (listener) => listeners.add(listener);

export function hasText(key) {
	return Object.hasOwn(dictionaries[language], key);
}

/** t('hours', {n: 3}). A key that does not exist comes back as it is, visible to whoever looks. */
export function t(key, params = {}) {
	const entry = hasText(key) ? dictionaries[language][key] : key;
	const text = typeof entry === 'string' ? entry : (entry[plural.select(params.n)] ?? entry.other);

	return text.replace(/\{(\w+)\}/g, (whole, name) => {
		const value = params[name];
		if (value === undefined)
			return whole;
		return typeof value === 'number' ? formatNumber(value) : String(value);
	});
}

/* ---- numbers and times in the chosen language -------------------------- */

export function formatNumber(value, options) {
	return new Intl.NumberFormat(language, options).format(value);
}

export function formatTime(iso) {
	const date = new Date(iso);

	return Number.isNaN(date.getTime()) ? ''
		: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' }).format(date);
}

export function formatDate(iso) {
	const date = new Date(iso);

	return Number.isNaN(date.getTime()) ? ''
		: new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', year: 'numeric' }).format(date);
}

/** "today" and "yesterday" by name, other days by date. */
export function formatDay(iso, now = new Date()) {
	const date = new Date(iso);
	const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
	const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);

	if (days === 0 || days === -1)
		return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day');
	return formatDate(iso);
}

/** cost: {amount, currency}; null when nothing can be said. A cost below a cent keeps its digits. */
export function formatCost(cost) {
	const amount = Number(cost?.amount);

	if (!cost?.currency || !Number.isFinite(amount))
		return null;
	return formatNumber(amount, {
		style: 'currency', currency: cost.currency, minimumFractionDigits: 2, maximumSignificantDigits: amount < 1 ? 2 : undefined,
	});
}

export function formatMicroseconds(us) {
	const seconds = us / 1_000_000;

	if (us < 100_000)
		return t('milliseconds', { n: Number((us / 1000).toFixed(us < 10_000 ? 1 : 0)) });
	return t('seconds', { n: Number(seconds.toFixed(seconds < 10 ? 1 : 0)) });
}
