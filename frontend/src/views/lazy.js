/*
 * A view whose code is loaded when it is first opened. A part that cannot be
 * loaded (no network, or a newer version is installed) says so; loading the
 * page again gets what is there now.
 */

import { t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { heading, skeleton } from '../ui/page.js';

function failed() {
	return h('div', { class: 'narrow note-bad', role: 'alert' },
		heading(t('app.part.title')),
		h('p', {}, t('app.part.text')),
		h('button', { type: 'button', class: 'button', onclick: () => location.reload() }, t('app.reload')));
}

/** load(): a promise of the view function. */
export function lazyView(load, { wide = false, kind = 'lines' } = {}) {
	let view = null;

	function mount(node, place, inner) {
		place.view = inner;
		node.replaceChildren(inner.node);
		if (inner.title)
			place.app.setTitle(inner.title);
	}

	return (place) => {
		if (view)
			return view(place);
		const node = h('div', { class: 'view-place' }, skeleton(kind));
		const mine = { app: place.app, view: null };
		let gone = false;

		load().then((loaded) => {
			view = loaded;
			if (!gone)
				mount(node, mine, view(place));
		}).catch(() => {
			if (!gone)
				node.replaceChildren(failed());
		});
		return {
			node, title: '', wide,
			destroy() {
				gone = true;
				mine.view?.destroy?.();
			},
		};
	};
}
