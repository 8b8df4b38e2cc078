/* Who one is: name, password, what is stored, and leaving for good. A guest can become a user here. */

import { formatDate, formatNumber, t } from '../i18n/index.js';
import { confirmDialog, openDialog } from '../ui/dialog.js';
import { download } from '../ui/download.js';
import { h } from '../ui/dom.js';
import { checkFields, field, passwordField, submitButton } from '../ui/field.js';
import { toast } from '../ui/notices.js';
import { facts, heading, loadInto } from '../ui/page.js';
import { namesProblem, passwordProblem } from '../ui/person_rules.js';

const NAME_MAX = 100;

function section(id, title, ...content) {
	return h('section', { class: 'card stack', 'aria-labelledby': id }, h('h2', { id }, title), ...content);
}

function whoSection(user, tracks) {
	return section('who', t('profile.who'), facts([
		['auth.email', user.is_guest ? t('profile.guest') : user.email],
		['profile.role', t(`role.${user.role ?? 'student'}`)],
		['profile.tracks', formatNumber(tracks)],
		['profile.since', formatDate(user.created_at)],
	]));
}

/* A form that says at a field what was wrong and in a toast that it worked. */
function smallForm({ fields, rules, send, done, submitText, testid }) {
	const submit = submitButton(submitText, { 'data-testid': testid });

	return h('form', {
		novalidate: true,
		async onsubmit(event) {
			event.preventDefault();
			if (submit.node.disabled || !checkFields(rules()))
				return;
			submit.setBusy(true);
			try {
				done(await send());
			} catch (error) {
				checkFields([[fields[0], error.message]]);
			} finally {
				submit.setBusy(false);
			}
		},
	}, fields.map((f) => f.node), h('div', { class: 'actions' }, submit.node));
}

function nameSection(app, user) {
	const first = field({ label: t('auth.firstName'), input: h('input', { value: user.first_name ?? '', maxlength: NAME_MAX, autocomplete: 'given-name', 'data-testid': 'first-name' }) });
	const last = field({ label: t('auth.lastName'), input: h('input', { value: user.last_name ?? '', maxlength: NAME_MAX, autocomplete: 'family-name', 'data-testid': 'last-name' }) });
	const value = (f) => f.input.value.trim();

	return section('name', t('profile.name'), smallForm({
		fields: [first, last], submitText: t('app.save'), testid: 'save-name',
		rules: () => [[first, namesProblem(value(first))], [last, namesProblem(value(last))]],
		send: () => app.api.saveName({ first_name: value(first), last_name: value(last) }),
		done(saved) {
			app.auth.setUser({ ...app.auth.user(), ...saved });
			app.redraw();
			toast(t('profile.saved'));
		},
	}));
}

function passwordSection(app, user) {
	const current = passwordField({ label: t('profile.currentPassword'), attributes: { autocomplete: 'current-password', 'data-testid': 'current-password' } });
	const fresh = passwordField({
		label: t('profile.newPassword'), hint: t('auth.password.hint'), attributes: { autocomplete: 'new-password', 'data-testid': 'new-password' },
	});
	/* tells a password manager whose password it is */
	const who = h('input', { type: 'text', autocomplete: 'username', value: user.email, readonly: true, hidden: true });
	const form = smallForm({
		fields: [current, fresh], submitText: t('profile.changePassword'), testid: 'change-password',
		rules: () => [[current, current.input.value ? '' : t('auth.bad.passwordEmpty')], [fresh, passwordProblem(fresh.input.value)]],
		send: () => app.api.changePassword({ current_password: current.input.value, new_password: fresh.input.value }),
		done(answer) {
			app.auth.save(answer);
			form.reset();
			toast(t('profile.passwordChanged'));
		},
	});

	form.prepend(who);
	return section('password', t('auth.password'), h('p', { class: 'field-hint' }, t('profile.password.hint')), form);
}

function dataSection(app) {
	const button = submitButton(t('profile.export'), { type: 'button', 'data-testid': 'export-data', class: 'button' });

	button.node.addEventListener('click', async () => {
		button.setBusy(true);
		try {
			download('my-data.json', JSON.stringify(await app.api.exportData(), null, 2), 'application/json');
		} catch (error) {
			toast(t('export.failed', { reason: error.message }), 'error');
		} finally {
			button.setBusy(false);
		}
	});
	return section('data', t('profile.data'), h('p', {}, t('profile.data.text')), h('div', { class: 'actions' }, button.node));
}

/* A user confirms with the password, a guest with a word. */
function deleteDialog(app, user) {
	if (user.is_guest)
		return confirmDialog({ title: t('profile.delete'), text: t('profile.delete.text'), yes: t('profile.delete') })
			.then((yes) => yes && app.api.deleteAccount());
	const password = passwordField({ label: t('auth.password'), attributes: { autocomplete: 'current-password', 'data-testid': 'delete-password' } });

	return openDialog({
		title: t('profile.delete'),
		build: (close) => h('div', { class: 'dialog-body' }, h('p', {}, t('profile.delete.text')), smallForm({
			fields: [password], submitText: t('profile.delete'), testid: 'delete-confirm',
			rules: () => [[password, password.input.value ? '' : t('auth.bad.passwordEmpty')]],
			send: () => app.api.deleteAccount(password.input.value),
			done: close,
		}), h('button', { type: 'button', class: 'button', onclick: () => close(null) }, t('app.cancel'))),
	});
}

function leaveSection(app, user) {
	async function remove() {
		try {
			if (await deleteDialog(app, user))
				app.leave(t('profile.deleted'));
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	async function everywhere() {
		try {
			await app.api.logout(true);
			app.leave(t('profile.leftEverywhere'));
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	return section('leave', t('profile.leave'),
		h('p', {}, t('profile.delete.text')),
		h('div', { class: 'actions' },
			!user.is_guest && h('button', { type: 'button', class: 'button', 'data-testid': 'sign-out-everywhere', onclick: everywhere }, t('profile.everywhere')),
			h('button', { type: 'button', class: 'button button-danger', 'data-testid': 'delete-account', onclick: remove }, t('profile.delete'))));
}

function guestSection() {
	return section('keep', t('profile.keep'), h('p', {}, t('profile.keep.text')),
		h('div', { class: 'actions' }, h('a', { class: 'button button-primary', href: '/auth?form=register' }, t('nav.keepWork')),
			h('a', { class: 'button', href: '/auth' }, t('profile.haveAccount'))));
}

function usageSection() {
	return section('usage', t('usage.title'), h('p', {}, t('usage.text')),
		h('div', { class: 'actions' }, h('a', { class: 'button', href: '/statistics', 'data-testid': 'to-statistics' }, t('stat.title'))));
}

export function profileView({ app }) {
	const node = h('div');
	let gone = false;

	loadInto(node, {
		kind: 'rows',
		load: async () => {
			const [me, tracks] = await Promise.all([app.api.me(), app.api.tracks()]);
			return { user: { ...app.auth.user(), ...me }, tracks: tracks.length };
		},
		build({ user, tracks }) {
			return h('div', { class: 'profile' },
				whoSection(user, tracks),
				user.is_guest ? guestSection() : nameSection(app, user),
				!user.is_guest && passwordSection(app, user),
				usageSection(), dataSection(app), leaveSection(app, user));
		},
		cancelled: () => gone,
	});
	return {
		title: t('profile.title'),
		node: h('div', {}, h('div', { class: 'page-head' }, heading(t('profile.title'))), node),
		destroy() { gone = true; },
	};
}
