/* How a chat is called. */

import { hasText, t } from '../i18n/index.js';

export const NAME_MAX = 255;
/* so much of a chat's number is shown */
export const ID_SHOWN = 8;

export function chatTypeText(type) {
	return hasText(`chat.type.${type}`) ? t(`chat.type.${type}`) : (type ?? '');
}

/* what the server calls the planning chat of a new track, until somebody renames it */
const PLANNING_NAME = 'Course Planning';

export function chatName(chat) {
	if (chat?.chat_name === PLANNING_NAME && chat.chat_type === 'planning')
		return t('chat.planning');
	return chat?.chat_name || t('chat.unnamed');
}
