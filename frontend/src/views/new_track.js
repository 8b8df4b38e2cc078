/* The form that creates a track. What is typed is kept in this tab until it is sent. */

import { currentLanguage, LANGUAGES, t } from '../i18n/index.js';
import { h, setText } from '../ui/dom.js';
import { checkFields, field, submitButton } from '../ui/field.js';
import { heading } from '../ui/page.js';
import { loadForm, saveForm } from '../unsent.js';
import { uuid } from '../uuid.js';

const DRAFT = 'new-track';
const TITLE_MAX = 255;
const TEXT_MAX = 8000;
const HOURS_MAX = 500;
const LEVELS = ['beginner', 'intermediate', 'advanced'];

function requiredProblem(text, max) {
	if (!text)
		return t('new.bad.required');
	return [...text].length > max ? t('new.bad.long', { n: max }) : '';
}

function hoursProblem(text) {
	const hours = Number(text);

	return text && Number.isInteger(hours) && hours >= 1 && hours <= HOURS_MAX ? '' : t('new.bad.hours');
}

function makeFields() {
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
		language: field({
			label: t('new.language'),
			input: h('select', { 'data-testid': 'track-language' }, Object.entries(LANGUAGES).map(([code, name]) => option(code, name))),
		}),
	};
}

function valuesOf(fields) {
	return Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, f.input.value.trim()]));
}

function fill(fields, values) {
	fields.language.input.value = currentLanguage();
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
		language: v.language,
	};
}

/* One key per content: pressing twice, or again after a lost answer, makes one track. */
function keyring() {
	let last = { content: null, key: null };

	return (order) => {
		const content = JSON.stringify(order);
		if (content !== last.content)
			last = { content, key: uuid() };
		return last.key;
	};
}

export function newTrackView({ app }) {
	const fields = makeFields();
	const submit = submitButton(t('new.submit'), { 'data-testid': 'create-track' });
	const problem = h('p', { class: 'field-error', role: 'alert' });
	const keyFor = keyring();

	async function onsubmit(event) {
		event.preventDefault();
		const values = valuesOf(fields);
		if (submit.node.disabled || !checkFields(rules(fields, values)))
			return;
		submit.setBusy(true);
		setText(problem, '');
		try {
			const order = orderOf(values);
			const track = await app.api.createTrack(order, keyFor(order));
			saveForm(app.storage, DRAFT, null);
			app.navigate(`/tracks/${encodeURIComponent(track.id)}/plan`, { replace: true });
		} catch (error) {
			setText(problem, error.message);
			submit.setBusy(false);
		}
	}

	fill(fields, loadForm(app.storage, DRAFT));
	const node = h('div', { class: 'narrow' },
		heading(t('new.title')),
		h('form', {
			class: 'card', novalidate: true, onsubmit,
			oninput: () => saveForm(app.storage, DRAFT, valuesOf(fields)),
		}, Object.values(fields).map((f) => f.node), problem, submit.node));

	return { node, title: t('new.title') };
}
