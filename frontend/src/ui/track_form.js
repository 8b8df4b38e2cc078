/* The form of a track, for making one and for changing one. */

import { LANGUAGES, t } from '../i18n/index.js';
import { errorField } from '../api.js';
import { h, setText } from './dom.js';
import { checkFields, field, submitButton } from './field.js';

const TITLE_MAX = 255;
const TEXT_MAX = 8000;
const HOURS_MAX = 500;
const LEVELS = ['beginner', 'intermediate', 'advanced'];
/* what the server calls them */
const NAMES = {
	title: 'title', description: 'description', difficulty_level: 'level', estimated_duration_hours: 'hours',
	user_expectations: 'expectations', language: 'language',
};

function requiredProblem(text, max) {
	if (!text)
		return t('new.bad.required');
	return [...text].length > max ? t('new.bad.long', { n: max }) : '';
}

function hoursProblem(text) {
	const hours = Number(text);

	return text && Number.isInteger(hours) && hours >= 1 && hours <= HOURS_MAX ? '' : t('new.bad.hours');
}

function makeFields(withLanguage) {
	const option = (value, text) => h('option', { value }, text);

	return {
		title: field({ label: t('new.name'), input: h('input', { required: true, 'data-testid': 'track-title' }) }),
		description: field({
			label: t('new.description'), hint: t('new.description.hint'),
			input: h('textarea', { rows: '3', required: true, 'data-testid': 'track-description' }),
		}),
		level: field({
			label: t('new.level'),
			input: h('select', { required: true, 'data-testid': 'track-level' },
				option('', t('new.level.choose')), LEVELS.map((level) => option(level, t(`level.${level}.long`)))),
		}),
		hours: field({
			label: t('new.hours'), hint: t('new.hours.hint'),
			input: h('input', { type: 'number', min: '1', max: HOURS_MAX, step: '1', required: true, inputmode: 'numeric', 'data-testid': 'track-hours' }),
		}),
		expectations: field({
			label: t('new.expectations'), hint: t('new.expectations.hint'),
			input: h('textarea', { rows: '4', 'data-testid': 'track-expectations' }),
		}),
		...(withLanguage && {
			language: field({
				label: t('new.language'),
				input: h('select', { 'data-testid': 'track-language' }, Object.entries(LANGUAGES).map(([code, name]) => option(code, name))),
			}),
		}),
	};
}

function valuesOf(fields) {
	return Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, f.input.value.trim()]));
}

function fill(fields, values) {
	for (const [name, f] of Object.entries(fields)) {
		if (typeof values[name] === 'string')
			f.input.value = values[name];
	}
}

function rules(fields, v) {
	return [
		[fields.title, requiredProblem(v.title, TITLE_MAX)],
		[fields.description, requiredProblem(v.description, TEXT_MAX)],
		[fields.level, v.level ? '' : t('new.bad.level')],
		[fields.hours, hoursProblem(v.hours)],
		[fields.expectations, v.expectations ? requiredProblem(v.expectations, TEXT_MAX) : ''],
	];
}

function orderOf(v) {
	return {
		title: v.title,
		description: v.description,
		difficulty_level: v.level,
		estimated_duration_hours: Number(v.hours),
		user_expectations: v.expectations,
		...(v.language && { language: v.language }),
	};
}

/** values: {title, description, level, hours, expectations, language?} as texts; send(order): a promise; onInput(values)? */
export function trackForm({ values, submitText, send, onInput, onCancel }) {
	const fields = makeFields('language' in values);
	const submit = submitButton(submitText, { 'data-testid': 'create-track' });
	const problem = h('p', { class: 'field-error', role: 'alert' });

	/* A refusal is shown at the field it names, in the server's words. */
	function refuse(error) {
		const blamed = fields[NAMES[errorField(error)]];

		if (blamed)
			checkFields([[blamed, error.message]]);
		else
			setText(problem, error.message);
	}

	async function onsubmit(event) {
		event.preventDefault();
		const typed = valuesOf(fields);
		if (submit.node.disabled || !checkFields(rules(fields, typed)))
			return;
		submit.setBusy(true);
		setText(problem, '');
		try {
			await send(orderOf(typed));
		} catch (error) {
			refuse(error);
			submit.setBusy(false);
		}
	}

	fill(fields, values);
	return h('form', { novalidate: true, onsubmit, oninput: () => onInput?.(valuesOf(fields)) },
		Object.values(fields).map((f) => f.node), problem,
		h('div', { class: 'actions' }, submit.node,
			onCancel && h('button', { type: 'button', class: 'button', onclick: onCancel }, t('app.cancel'))));
}
