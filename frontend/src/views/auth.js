/* Sign in, register, or enter as a guest; then back to where the person wanted to be. */

import { t } from '../i18n/index.js';
import { safePath } from '../router.js';
import { h, setText } from '../ui/dom.js';
import { checkFields, field, passwordField, submitButton } from '../ui/field.js';
import { heading } from '../ui/page.js';
import { emailProblem, namesProblem, passwordProblem } from '../ui/person_rules.js';

function textField(label, attributes) {
	return field({ label: t(label), input: h('input', { required: true, ...attributes }) });
}

/* A form whose send() signs somebody in; the server's refusal is shown at `blame`. */
function signInForm({ fields, blame, rules, send, submitText, testid, done }) {
	const submit = submitButton(submitText, { 'data-testid': `${testid}-submit` });

	async function onsubmit(event) {
		event.preventDefault();
		if (!checkFields(rules()))
			return;
		submit.setBusy(true);
		try {
			done(await send());
		} catch (error) {
			blame.setError(error.message);
		} finally {
			submit.setBusy(false);
		}
	}

	return h('form', { onsubmit, novalidate: true, 'data-testid': `${testid}-form` }, fields.map((f) => f.node), submit.node);
}

function loginForm(api, claim, done) {
	const email = textField('auth.email', { type: 'email', autocomplete: 'username', name: 'email', 'data-testid': 'email' });
	const password = passwordField({
		label: t('auth.password'), attributes: { autocomplete: 'current-password', name: 'password', 'data-testid': 'password' },
	});

	return signInForm({
		fields: [email, password], blame: email, testid: 'login', submitText: t('auth.signIn.submit'), done,
		rules: () => [
			[email, emailProblem(email.input.value.trim())],
			[password, password.input.value ? '' : t('auth.bad.passwordEmpty')],
		],
		send: async () => api.login({ email: email.input.value.trim(), password: password.input.value, ...await claim() }),
	});
}

function registerForm(api, claim, done) {
	const first = textField('auth.firstName', { autocomplete: 'given-name', name: 'first_name', 'data-testid': 'first-name' });
	const last = textField('auth.lastName', { autocomplete: 'family-name', name: 'last_name', 'data-testid': 'last-name' });
	const email = textField('auth.email', { type: 'email', autocomplete: 'username', name: 'email', 'data-testid': 'email' });
	const password = passwordField({
		label: t('auth.password'), hint: t('auth.password.hint'),
		attributes: { autocomplete: 'new-password', name: 'password', 'data-testid': 'password' },
	});
	const again = textField('auth.confirm', { type: 'password', autocomplete: 'new-password', name: 'confirm', 'data-testid': 'confirm' });

	return signInForm({
		fields: [first, last, email, password, again], blame: email, testid: 'register', submitText: t('auth.register.submit'), done,
		rules: () => [
			[first, namesProblem(first.input.value.trim())],
			[last, namesProblem(last.input.value.trim())],
			[email, emailProblem(email.input.value.trim())],
			[password, passwordProblem(password.input.value)],
			[again, again.input.value === password.input.value ? '' : t('auth.bad.confirm')],
		],
		send: async () => api.register({
			email: email.input.value.trim(),
			password: password.input.value,
			first_name: first.input.value.trim(),
			last_name: last.input.value.trim(),
			...await claim(),
		}),
	});
}

function guestEntry(api, done) {
	const button = submitButton(t('auth.guest'), { type: 'button', class: 'button button-wide', 'data-testid': 'enter-guest' });
	const problem = h('p', { class: 'field-error', role: 'alert' });

	button.node.addEventListener('click', async () => {
		setText(problem, '');
		button.setBusy(true);
		try {
			done(await api.guestLogin());
		} catch (error) {
			setText(problem, error.message);
		} finally {
			button.setBusy(false);
		}
	});
	return h('div', { class: 'guest' }, h('p', { class: 'divider' }, t('auth.or')), button.node, problem,
		h('p', { class: 'field-hint' }, t('auth.guest.hint')));
}

export function authView({ query, app }) {
	const goal = safePath(query.get('next'), '/tracks');
	const registering = query.get('form') === 'register';
	const done = (answer) => app.signedIn(answer, goal);
	const other = new URLSearchParams(query);
	const title = t(registering ? 'auth.register' : 'auth.signIn');

	if (registering)
		other.delete('form');
	else
		other.set('form', 'register');
	const guest = app.auth.user()?.is_guest === true;

	/* A guest's token may have run out while the form was filled in; asking who it is renews it. */
	async function claim() {
		if (!guest)
			return {};
		try {
			await app.api.me();
		} catch (error) {
			/* the guest is gone: there is nothing left to keep */
			if (app.auth.isSignedIn())
				throw error;
		}
		return app.auth.user()?.is_guest ? { guest_token: app.auth.token() } : {};
	}

	const node = h('div', { class: 'card auth' },
		heading(title),
		guest ? h('p', { class: 'note', 'data-testid': 'guest-keeps' }, t('auth.keeps')) : null,
		query.has('reset') ? h('p', { class: 'note', role: 'status', 'data-testid': 'password-reset' }, t('reset.done')) : null,
		query.has('next') ? h('p', { class: 'note' }, t('auth.again')) : null,
		registering ? registerForm(app.api, claim, done) : loginForm(app.api, claim, done),
		registering ? null : h('p', {}, h('a', { href: '/forgot', 'data-testid': 'forgot' }, t('auth.forgot'))),
		h('p', {}, h('a', { href: `/auth?${other}`, 'data-testid': 'auth-other' }, t(registering ? 'auth.toSignIn' : 'auth.toRegister'))),
		guest ? null : guestEntry(app.api, done));

	return { node, title };
}
