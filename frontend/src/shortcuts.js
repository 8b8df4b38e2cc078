/*
 * Keys for what is done often. All have modifiers, so that they meet neither
 * somebody's typing nor a screen reader's own keys. A key presses the control
 * that carries its name, so what it does is what the control does.
 */

import { t } from './i18n/index.js';
import { openDialog } from './ui/dialog.js';
import { h } from './ui/dom.js';

/* by place on the keyboard, so that they work in every layout */
const KEYS = {
	KeyT: { show: 'Alt+Shift+T', go: '/tracks', text: 'keys.tracks' },
	KeyA: { show: 'Alt+Shift+A', go: '/tracks/new', text: 'keys.newTrack' },
	KeyM: { show: 'Alt+Shift+M', press: 'composer', text: 'keys.message' },
	KeyK: { show: 'Alt+Shift+K', press: 'chats', text: 'keys.chats' },
	KeyN: { show: 'Alt+Shift+N', press: 'new-chat', text: 'keys.newChat' },
	KeyX: { show: 'Alt+Shift+X', press: 'stop', text: 'keys.stop' },
	KeyE: { show: 'Alt+Shift+E', press: 'to-end', text: 'keys.toEnd' },
};

const OTHERS = [
	['Enter', 'keys.enter'],
	['Shift+Enter', 'keys.shiftEnter'],
	['Esc', 'keys.escape'],
	['Ctrl+/', 'keys.list'],
];

export function showShortcuts() {
	const rows = [...Object.values(KEYS).map((key) => [key.show, key.text]), ...OTHERS];

	return openDialog({
		title: t('keys.title'),
		'data-testid': 'shortcuts',
		build: (close) => h('div', { class: 'dialog-body' },
			h('dl', { class: 'keys' }, rows.map(([keys, text]) => h('div', {},
				h('dt', {}, keys.split('+').flatMap((key, i) => [i > 0 ? '+' : null, h('kbd', {}, key)])),
				h('dd', {}, t(text))))),
			h('div', { class: 'dialog-actions' },
				h('button', { type: 'button', class: 'button', autofocus: true, onclick: () => close(true) }, t('app.close')))),
	});
}

function pressControl(name) {
	const control = document.querySelector(`[data-key="${name}"]:not([hidden]):not(:disabled)`);

	if (!control)
		return false;
	if (control.matches('textarea'))
		control.focus();
	else
		control.click();
	return true;
}

function run(key, app) {
	if (key.go) {
		app.navigate(key.go);
		return true;
	}
	return pressControl(key.press);
}

export function listenForShortcuts(app) {
	document.addEventListener('keydown', (event) => {
		if (event.repeat || document.querySelector('dialog[open]'))
			return;
		if ((event.ctrlKey || event.metaKey) && event.code === 'Slash' && !event.altKey) {
			event.preventDefault();
			showShortcuts();
		} else if (event.altKey && event.shiftKey && !event.ctrlKey && Object.hasOwn(KEYS, event.code) && run(KEYS[event.code], app)) {
			event.preventDefault();
		}
	});
}
