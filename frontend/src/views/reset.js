/* A forgotten password: what to do about it, and the page that an administrator's link leads to. */

import { errorField } from '../api.js';
import { t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { checkFields, field, passwordField, submitButton } from '../ui/field.js';
import { heading } from '../ui/page.js';
import { passwordProblem } from '../ui/person_rules.js';

const page = (title, ...content) => ({ title, node: h('div', { class: 'card auth' }, heading(title), content) });

export function forgotView() {
	return page(t('forgot.title'),
		h('p', {}, t('forgot.text')), h('p', {}, t('forgot.admin')), h('p', {}, t('forgot.guest')),
		h('p', {}, h('a', { href: '/auth', 'data-testid': 'back-to-sign-in' }, t('forgot.back'))));
}

/* The link's secret. It is kept here and nowhere else, for as long as the page is not loaded anew. */
let secret = '';

/* Takes it out of the address, so that it is in no history, bookmark or screenshot. */
function takeSecret() {
	if (location.hash.length > 1) {
		secret = location.hash.slice(1);
		history.replaceState(null, '', location.pathname + location.search);
	}
	return secret;
}

function resetForm(app, token) {
	const fresh = passwordField({
		label: t('profile.newPassword'), hint: t('auth.password.hint'),
		attributes: { autocomplete: 'new-password', name: 'password', 'data-testid': 'new-password' },
	});
	const again = field({
		label: t('auth.confirm'),
		input: h('input', { type: 'password', required: true, autocomplete: 'new-password', name: 'confirm', 'data-testid': 'confirm' }),
	});
	const submit = submitButton(t('reset.submit'), { 'data-testid': 'reset-submit' });
	const problem = h('p', { class: 'field-error', role: 'alert', 'data-testid': 'reset-failed' });

	/* What is wrong with the password stands at its field; a link that is good no more, below the form. */
	function tell(error) {
		if (errorField(error) === 'new_password')
			checkFields([[fresh, error.message]]);
		else
			problem.replaceChildren(error.message, ' ', error.status === 400 && h('a', { href: '/forgot' }, t('reset.ask')));
	}

	async function onsubmit(event) {
		event.preventDefault();
		problem.replaceChildren();
		const good = checkFields([
			[fresh, passwordProblem(fresh.input.value)],
			[again, again.input.value === fresh.input.value ? '' : t('auth.bad.confirm')],
		]);
		if (!good || submit.node.disabled)
			return;
		submit.setBusy(true);
		try {
			await app.api.resetPassword({ token, new_password: fresh.input.value });
			secret = '';
			app.navigate('/auth?reset=done', { replace: true });
		} catch (error) {
			tell(error);
		} finally {
			submit.setBusy(false);
		}
	}

	return h('form', { onsubmit, novalidate: true, 'data-testid': 'reset-form' }, fresh.node, again.node, submit.node, problem);
}

export function resetView({ app }) {
	const token = takeSecret();

	if (!token)
		return page(t('reset.title'), h('p', { 'data-testid': 'reset-lost' }, t('reset.lost')), h('p', {}, h('a', { href: '/forgot' }, t('reset.ask'))));
	return page(t('reset.title'), h('p', {}, t('reset.text')), resetForm(app, token));
}
