/* A person's own figures: what was spent, how fast it was answered, how planning went. */

import { formatCost, formatDate, formatMicroseconds, formatNumber, hasText, t } from '../i18n/index.js';
import { chatTypeText } from '../ui/chat_words.js';
import { h } from '../ui/dom.js';
import { crumbs, emptyState, facts, heading, loadInto } from '../ui/page.js';
import { table } from '../ui/table.js';
import { number } from '../ui/usage.js';

const stage = (name) => (hasText(`stage.${name}`) ? t(`stage.${name}`) : name);
const milliseconds = (value) => formatMicroseconds(value * 1000);
const rounded = (value) => formatNumber(Math.round(value));
const minutes = (value) => (value === null ? '—' : t('minutes', { n: Math.max(1, Math.round(value / 60)) }));

function section(id, ...content) {
	return h('section', { class: 'card stack', 'aria-labelledby': id }, h('h2', { id }, t(`stat.${id}`)), ...content);
}

function figures(name, columns, rows) {
	return rows.length > 0 && section(name, table({ caption: t(`stat.${name}`), columns: columns.map((key) => t(key)), rows }));
}

function totals({ total, tracks, returns, dialogue_length: length }) {
	return section('total', facts([
		['usage.chats', number(total.chats)],
		['usage.messages', number(total.messages)],
		['usage.total', number(total.total_tokens)],
		['receipt.cost', formatCost(total.cost) ?? '—'],
		['profile.tracks', number(tracks.created)],
		['stat.withModules', number(tracks.with_modules)],
		['stat.completed', number(tracks.completed)],
		['stat.length', minutes(length.median_seconds)],
		['stat.unfinished', number(returns.unfinished_chats)],
		['stat.returned', number(returns.to_unfinished)],
	]));
}

function statisticsPage(all) {
	if (all.total.messages === 0)
		return emptyState({ title: t('stat.empty'), text: t('stat.empty.text'), action: h('a', { class: 'button button-primary', href: '/tracks/new' }, t('nav.new')) });
	return h('div', { class: 'stack', 'data-testid': 'statistics' },
		totals(all),
		figures('byType', ['chat.new.type', 'usage.chats', 'stat.replies', 'usage.total', 'stat.average'], all.tokens_by_chat_type.map((row) =>
			[chatTypeText(row.chat_type), number(row.chats), number(row.messages), number(row.total_tokens), rounded(row.average_tokens)])),
		figures('speed', ['chat.new.type', 'stat.stage', 'stat.replies', 'stat.median', 'stat.p95'], all.response_time_ms.map((row) =>
			[chatTypeText(row.chat_type), stage(row.stage), number(row.replies), milliseconds(row.median), milliseconds(row.p95)])),
		figures('byStage', ['stat.stage', 'stat.replies', 'usage.total', 'stat.average'], all.tokens_by_stage.map((row) =>
			[stage(row.stage), number(row.messages), number(row.total_tokens), rounded(row.average_tokens)])),
		figures('byDay', ['stat.day', 'usage.chats', 'stat.replies', 'usage.total'], all.planning_by_day.map((row) =>
			[formatDate(row.day), number(row.chats), number(row.messages), number(row.total_tokens)])),
		figures('byArea', ['stat.area', 'profile.tracks', 'stat.withModules'], all.tracks_by_skill_area.map((row) =>
			[row.skill_area, number(row.tracks), number(row.with_modules)])));
}

export function statisticsView({ app }) {
	const node = h('div');
	let gone = false;

	loadInto(node, { load: app.api.analytics, build: statisticsPage, cancelled: () => gone, kind: 'rows' });
	return {
		title: t('stat.title'),
		node: h('div', {}, crumbs(['/profile', t('profile.title')]), h('div', { class: 'page-head' }, heading(t('stat.title'))), node),
		destroy() { gone = true; },
	};
}
