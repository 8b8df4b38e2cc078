import { t } from '../i18n/index.js';
import { h } from '../ui/dom.js';
import { moduleList } from '../ui/module_list.js';
import { badge, heading, loadInto, trackFacts } from '../ui/page.js';

function trackPage(track) {
	const plan = `/tracks/${encodeURIComponent(track.id)}/plan`;

	return h('div', {},
		h('p', { class: 'crumbs' }, h('a', { href: '/tracks' }, `← ${t('nav.tracks')}`)),
		h('div', { class: 'page-head' }, heading(track.title), badge('status', track.status)),
		h('section', { class: 'card' },
			h('p', { class: 'prose' }, track.description),
			track.user_expectations && h('p', { class: 'prose' }, h('strong', {}, `${t('track.expectations')}: `), track.user_expectations),
			trackFacts(track),
			h('a', { class: 'button button-primary', href: plan, 'data-testid': 'to-plan' }, t('track.toPlan'))),
		h('section', { 'aria-labelledby': 'modules' },
			h('h2', { id: 'modules' }, t('track.modules')),
			track.modules?.length ? moduleList(track.modules) : h('p', { class: 'card empty' }, t('track.modules.none'))));
}

export function trackView({ params, app }) {
	const node = h('div');
	let gone = false;

	loadInto(node, {
		load: () => app.loadTrack(params.id),
		build(track) {
			app.setTitle(track.title);
			return trackPage(track);
		},
		cancelled: () => gone,
		failedTitle: t('track.failed'),
	});
	return { title: t('track.modules'), node, destroy() { gone = true; } };
}
