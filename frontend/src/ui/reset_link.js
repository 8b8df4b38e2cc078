/* The dialog with a link to set a new password: shown once, to be copied and handed over. */

import { formatDate, formatTime, t } from '../i18n/index.js';
import { copyText } from './clipboard.js';
import { openDialog } from './dialog.js';
import { h, setText } from './dom.js';
import { field } from './field.js';

/** made: {token, expires_at}. The token stands behind the #, which browsers send to nobody. */
export function showResetLink(user, made) {
	const link = `${location.origin}/reset#${made.token}`;
	const time = `${formatDate(made.expires_at)}, ${formatTime(made.expires_at)}`;
	const input = h('input', { value: link, readonly: true, autocomplete: 'off', 'data-testid': 'reset-link', onfocus: () => input.select() });
	const said = h('p', { class: 'field-hint', role: 'status' });

	async function copy() {
		const copied = await copyText(link);

		setText(said, t(copied ? 'users.link.copied' : 'users.link.notCopied'));
	}

	return openDialog({
		title: t('users.link.title'),
		build: (close) => h('div', { class: 'dialog-body' },
			h('p', {}, t('users.link.text', { email: user.email, time })),
			field({ label: t('users.link.field'), input }).node, said,
			h('div', { class: 'dialog-actions' },
				h('button', { type: 'button', class: 'button', 'data-testid': 'close-reset-link', onclick: () => close(null) }, t('users.link.close')),
				h('button', { type: 'button', class: 'button button-primary', 'data-testid': 'copy-reset-link', onclick: copy }, t('users.link.copy')))),
	});
}
