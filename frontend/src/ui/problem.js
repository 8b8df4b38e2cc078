/* Words for a problem of the dialogue: our own for a code we know, else the server's. */

import { hasText, t } from '../i18n/index.js';

export function problemText(problem) {
	const key = `code.${problem?.code}`;

	if (hasText(key))
		return t(key);
	return problem?.message || t('code.internal');
}
