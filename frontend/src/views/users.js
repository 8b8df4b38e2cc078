/* Administration: who is here, and who may sign in. */

import { formatDate, t } from '../i18n/index.js';
import { confirmDialog } from '../ui/dialog.js';
import { h } from '../ui/dom.js';
import { toast } from '../ui/notices.js';
import { failure, heading, skeleton } from '../ui/page.js';
import { showResetLink } from '../ui/reset_link.js';

const PAGE = 50;
const TYPING_MS = 300;

function actions(user, { me, toggle, makeLink }) {
	const button = (key, testid, onclick) => h('button', {
		type: 'button', class: 'button button-small', 'data-testid': testid, onclick: () => onclick(user),
		'aria-label': t(`${key}.label`, { email: user.email }),
	}, t(key));

	return h('div', { class: 'actions' },
		user.id === me ? t('users.you') : button(user.is_active ? 'users.disable' : 'users.enable', 'toggle-user', toggle),
		user.is_active && button('users.link', 'reset-user', makeLink));
}

function userRow(user, does) {
	const name = [user.first_name, user.last_name].filter(Boolean).join(' ');

	return h('tr', { 'data-testid': 'user-row' },
		h('th', { scope: 'row' }, user.email, name && h('span', { class: 'cell-more' }, name)),
		h('td', {}, t(`role.${user.role}`)),
		h('td', {}, formatDate(user.created_at)),
		h('td', {}, h('span', { class: 'badge', 'data-status': user.is_active ? 'active' : 'off' }, t(user.is_active ? 'users.active' : 'users.off'))),
		h('td', {}, actions(user, does)));
}

export function usersView({ app }) {
	const body = h('tbody');
	const table = h('div', { class: 'table-place', tabindex: '0' }, h('table', { class: 'table' },
		h('caption', { class: 'visually-hidden' }, t('users.title')),
		h('thead', {}, h('tr', {}, ['users.who', 'profile.role', 'profile.since', 'users.state', 'users.action'].map((key) => h('th', { scope: 'col' }, t(key))))),
		body));
	const status = h('div', {});
	const more = h('button', { type: 'button', class: 'button', hidden: true, 'data-testid': 'more-users', onclick: () => load() }, t('app.more'));
	let timer = null;
	let next = null;
	let asked = 0;
	const search = h('input', {
		type: 'search', class: 'search', placeholder: t('users.search'), 'aria-label': t('users.search'), 'data-testid': 'user-search',
		oninput() {
			clearTimeout(timer);
			timer = setTimeout(restart, TYPING_MS);
		},
	});

	async function toggle(user) {
		if (user.is_active && !await confirmDialog({ title: t('users.disable'), text: t('users.disable.text', { email: user.email }), yes: t('users.disable') }))
			return;
		try {
			const saved = await app.api.setUserActive(user.id, !user.is_active);
			toast(t(saved.is_active ? 'users.enabled' : 'users.disabled', { email: user.email }));
			restart();
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	async function makeLink(user) {
		try {
			await showResetLink(user, await app.api.createPasswordReset(user.id));
		} catch (error) {
			toast(error.message, 'error');
		}
	}

	async function load() {
		const mine = ++asked;
		status.replaceChildren(skeleton('rows'));
		more.hidden = true;
		try {
			const page = await app.api.users({ query: search.value.trim(), limit: PAGE, after: next });
			if (mine !== asked)
				return;
			body.append(...page.users.map((user) => userRow(user, { me: app.auth.user()?.id, toggle, makeLink })));
			next = page.next ?? null;
			more.hidden = next === null;
			status.replaceChildren(...(body.children.length ? [] : [h('p', { class: 'note' }, t('users.none'))]));
		} catch (error) {
			if (mine === asked)
				status.replaceChildren(failure(error, load));
		}
	}

	function restart() {
		next = null;
		body.replaceChildren();
		return load();
	}

	restart();
	return {
		title: t('users.title'),
		node: h('div', { class: 'stack' }, heading(t('users.title')), search, table, status, more),
		destroy() {
			asked += 1;
			clearTimeout(timer);
		},
	};
}
