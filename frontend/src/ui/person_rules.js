/* What a name and a new password must be; the server checks the same. */

import { t } from '../i18n/index.js';

const PASSWORD_MIN = 8;
const NAME_MIN = 2;

export const emailProblem = (text) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) ? '' : t('auth.bad.email'));
export const namesProblem = (text) => ([...text].length >= NAME_MIN ? '' : t('auth.bad.name'));

/** The rule for a new password; an existing one is only checked by the server. */
export function passwordProblem(text) {
	const good = [...text].length >= PASSWORD_MIN && /\p{L}/u.test(text) && /\d/.test(text);

	return good ? '' : t('auth.bad.password');
}
