/* How a chat is called. */

import { hasText, t } from '../i18n/index.js';

export const NAME_MAX = 255;
/* so much of a chat's number is shown */
export const ID_SHOWN = 8;

export function chatTypeText(type) {
	return hasText(`chat.type.${type}`) ? t(`chat.type.${type}`) : (type ?? '');
}

export function chatName(chat) {
	return chat?.chat_name || t('chat.unnamed');
}
