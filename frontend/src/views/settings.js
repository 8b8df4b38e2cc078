/*
 * The model one talks to. Kept on the server; the key is sent once, encrypted
 * there, and never comes back: only its last four characters do.
 */

import { errorField } from '../api.js';
import { formatNumber, t } from '../i18n/index.js';
import { h, setText } from '../ui/dom.js';
import { checkFields, field, passwordField, submitButton } from '../ui/field.js';
import { toast } from '../ui/notices.js';
import { heading, loadInto } from '../ui/page.js';

const TOKENS_MAX = 4000;
const NAMES = { model_name: 'model', base_url: 'url', api_key: 'key', max_tokens: 'tokens', temperature: 'temperature' };

function urlProblem(text) {
	if (!text)
		return '';
	try {
		return ['http:', 'https:'].includes(new URL(text).protocol) ? '' : t('settings.bad.url');
	} catch {
		return t('settings.bad.url');
	}
}

function tokensProblem(text) {
	const n = Number(text);

	return Number.isInteger(n) && n >= 1 && n <= TOKENS_MAX ? '' : t('settings.bad.tokens', { max: TOKENS_MAX });
}

function keyHint(config) {
	if (config.has_custom_key && config.key_hint)
		return t('settings.key.have', { hint: config.key_hint });
	return t(config.has_custom_key ? 'settings.key.haveUnknown' : 'settings.key.none');
}

function makeFields(config) {
	const shown = h('output', { class: 'slider-value' });
	const slider = h('input', {
		type: 'range', min: '0', max: '1', step: '0.1', value: config.temperature ?? 0.7, 'data-testid': 'temperature',
		oninput: () => setText(shown, formatNumber(Number(slider.value), { minimumFractionDigits: 1 })),
	});

	setText(shown, formatNumber(Number(slider.value), { minimumFractionDigits: 1 }));
	return {
		model: field({ label: t('settings.model'), hint: t('settings.model.hint'), input: h('input', { value: config.model_name ?? '', maxlength: 100, autocomplete: 'off', spellcheck: 'false', 'data-testid': 'model' }) }),
		url: field({ label: t('settings.url'), hint: t('settings.url.hint'), input: h('input', { type: 'url', value: config.base_url ?? '', maxlength: 500, autocomplete: 'off', 'data-testid': 'base-url' }) }),
		key: passwordField({ label: t('settings.key'), hint: keyHint(config), showText: t('settings.key.show'), attributes: { autocomplete: 'off', required: false, maxlength: 500, 'data-testid': 'api-key' } }),
		tokens: field({ label: t('settings.tokens'), hint: t('settings.tokens.hint', { max: TOKENS_MAX }), input: h('input', { type: 'number', min: '1', max: TOKENS_MAX, step: '1', inputmode: 'numeric', value: config.max_tokens ?? 2000, 'data-testid': 'max-tokens' }) }),
		temperature: field({ label: t('settings.temperature'), hint: t('settings.temperature.hint'), input: slider, after: shown }),
	};
}

/* Only what was changed is sent: an untouched field goes on following the server. */
function changes(fields, config) {
	const value = (f) => f.input.value.trim();
	const all = {
		model_name: value(fields.model), base_url: value(fields.url), max_tokens: Number(value(fields.tokens)),
		temperature: Number(fields.temperature.input.value),
	};
	const set = Object.fromEntries(Object.entries(all).filter(([name, v]) => v !== (config[name] ?? '')));

	return value(fields.key) ? { ...set, api_key: value(fields.key) } : set;
}

function settingsForm(app, config, reload) {
	const signedIn = app.auth.isSignedIn();
	const fields = makeFields(config);
	const save = submitButton(t('app.save'), { 'data-testid': 'save-settings' });
	const test = submitButton(t('settings.test'), { type: 'button', class: 'button', 'data-testid': 'test-connection' });
	const result = h('p', { class: 'test-result', role: 'status', 'data-testid': 'test-result' });
	const problem = h('p', { class: 'field-error', role: 'alert' });
	const rules = () => [[fields.url, urlProblem(fields.url.input.value.trim())], [fields.tokens, tokensProblem(fields.tokens.input.value)]];

	async function store(values, done) {
		save.setBusy(true);
		setText(problem, '');
		try {
			await app.api.saveUserConfig(values);
			toast(t(done));
			reload();
		} catch (error) {
			const blamed = fields[NAMES[errorField(error)]];
			if (blamed)
				checkFields([[blamed, error.message]]);
			else
				setText(problem, error.message);
			save.setBusy(false);
		}
	}

	function onsubmit(event) {
		event.preventDefault();
		if (save.node.disabled || !checkFields(rules()))
			return;
		const values = changes(fields, config);
		if (Object.keys(values).length === 0)
			toast(t('settings.unchanged'));
		else
			store(values, 'settings.saved');
	}

	async function tryIt() {
		if (!checkFields(rules()))
			return;
		test.setBusy(true);
		setText(result, '');
		try {
			const { success, message, model_used: model, tokens_used: tokens, error } = await app.api.testConnection({
				model_name: fields.model.input.value.trim(), base_url: fields.url.input.value.trim(), api_key: fields.key.input.value.trim(),
			});
			result.classList.toggle('field-error', !success);
			setText(result, success
				? ['✅', message, model && `🤖 ${model}`, Number.isFinite(tokens) && `🔢 ${t('tokens', { n: tokens })}`].filter(Boolean).join(' · ')
				: t('settings.test.failed', { reason: error || message || '' }));
		} catch (error) {
			result.classList.add('field-error');
			setText(result, t('settings.test.failed', { reason: error.message }));
		} finally {
			test.setBusy(false);
		}
	}

	test.node.addEventListener('click', tryIt);
	return h('form', { class: 'card', novalidate: true, onsubmit }, Object.values(fields).map((f) => f.node), problem,
		h('div', { class: 'actions' }, signedIn && save.node, test.node,
			signedIn && config.has_custom_key && config.key_hint && h('button', {
				type: 'button', class: 'button button-danger', 'data-testid': 'remove-key', onclick: () => store({ api_key: '' }, 'settings.keyRemoved'),
			}, t('settings.removeKey'))),
		result,
		!signedIn && h('p', { class: 'field-hint' }, t('settings.signInToSave'), ' ', h('a', { href: '/auth?next=%2Fsettings' }, t('nav.signIn'))));
}

export function settingsView({ app }) {
	const node = h('div');
	let gone = false;

	const reload = () => loadInto(node, {
		kind: 'rows',
		load: () => (app.auth.isSignedIn() ? app.api.userConfig() : app.api.defaultConfig()),
		build: (config) => settingsForm(app, config, reload),
		cancelled: () => gone,
	});

	reload();
	return {
		title: t('settings.title'),
		node: h('div', { class: 'narrow' }, heading(t('settings.title')), h('p', { class: 'field-hint' }, t('settings.text')), node),
		destroy() { gone = true; },
	};
}
