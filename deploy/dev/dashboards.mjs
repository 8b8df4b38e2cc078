// The Grafana dashboards, one per daemon and one for a turn, as JSON:
//   node deploy/dev/dashboards.mjs           writes deploy/observability/grafana/dashboards/*.json
//   node deploy/dev/dashboards.mjs --check   ends with 1 when they are not what this file makes
import { readFileSync, writeFileSync } from 'node:fs';

const FOLDER = new URL('../observability/grafana/dashboards/', import.meta.url);
const DATASOURCE = { type: 'prometheus', uid: 'prometheus' };
const WIDTH = 8;	// of 24: three panels in a row
const HEIGHT = 8;

const rate = (metric, by, where = '') => `sum by (${by}) (rate(${metric}${where}[$__rate_interval]))`;
const quantile = (q, metric, by, where = '') => `histogram_quantile(${q}, sum by (le${by ? `, ${by}` : ''}) (rate(${metric}_bucket${where}[$__rate_interval])))`;
const last = (metric, job) => `${metric}{job="${job}"}`;

/* [title, unit, [expression, legend]...] */
const vitals = (job) => [
	['Ready', 'bool_yes_no', [last('alp_ready', job), '{{instance}}']],
	['Dependencies', 'bool_yes_no', [last('alp_dependency_up', job), '{{instance}} {{dependency}}']],
	['Version and uptime', 's', [`time() - ${last('process_start_time_seconds', job)}`, '{{instance}}'], [`${last('alp_build_info', job)} * 0`, '{{instance}} {{version}}']],
	['Loop: share of a processor', 'percentunit', [`alp:loop_busy:ratio5m{job="${job}"}`, '{{instance}}']],
	['Loop lag p99', 's', [quantile(0.99, 'alp_loop_lag_seconds', 'instance', `{job="${job}"}`), '{{instance}}']],
	['CPU', 'percentunit', [`rate(process_cpu_seconds_total{job="${job}"}[$__rate_interval])`, '{{instance}}']],
	['Memory', 'bytes', [last('process_resident_memory_bytes', job), '{{instance}}']],
	['Descriptors', 'short', [last('process_open_fds', job), '{{instance}} open'], [last('process_max_fds', job), '{{instance}} limit']],
	['Log lines', 'ops', [rate('alp_log_lines_total', 'level', `{job="${job}"}`), '{{level}}'],
		[`sum(rate(alp_log_lines_suppressed_total{job="${job}"}[$__rate_interval]))`, 'suppressed'], [`sum(rate(alp_log_lines_dropped_total{job="${job}"}[$__rate_interval]))`, 'dropped']],
	['Bus: requests', 'ops', [`sum(rate(alp_bus_requests_total{job="${job}"}[$__rate_interval]))`, 'sent'], [`sum(rate(alp_bus_requests_retried_total{job="${job}"}[$__rate_interval]))`, 'again'],
		[`sum(rate(alp_bus_requests_timed_out_total{job="${job}"}[$__rate_interval]))`, 'no answer'], [`sum(rate(alp_bus_requests_busy_total{job="${job}"}[$__rate_interval]))`, 'no room']],
	['Bus: open', 'short', [last('alp_bus_calls_open', job), '{{instance}} served'], [last('alp_bus_requests_open', job), '{{instance}} asked']],
	['Bus: publications', 'ops', [`sum(rate(alp_bus_events_sent_total{job="${job}"}[$__rate_interval]))`, 'sent'], [`sum(rate(alp_bus_events_received_total{job="${job}"}[$__rate_interval]))`, 'received'],
		[`sum(rate(alp_bus_events_dropped_total{job="${job}"}[$__rate_interval]))`, 'dropped']],
	['Bus: refused', 'ops', [rate('alp_bus_refused_total', 'socket, rc', `{job="${job}"}`), '{{socket}} {{rc}}']],
	['Spans', 'ops', [`sum(rate(alp_spans_exported_total{job="${job}"}[$__rate_interval]))`, 'exported'], [rate('alp_spans_dropped_total', 'reason', `{job="${job}"}`), 'dropped: {{reason}}'], [`sum(${last('alp_spans_waiting', job)})`, 'waiting']],
];
const served = (job) => [
	['Requests served', 'ops', [rate('alp_calls_total', 'message', `{job="${job}"}`), '{{message}}']],
	['... not ok', 'ops', [rate('alp_calls_total', 'message, rc', `{job="${job}",rc!="ok"}`), '{{message}} {{rc}}']],
	['... p99', 's', [quantile(0.99, 'alp_call_seconds', 'message', `{job="${job}"}`), '{{message}}']],
];

const BOARDS = {
	turn: ['A turn', [
		['Turns by state', 'ops', ['sum by (state) (alp:turns:rate5m)', '{{state}}']],
		['Turns by kind', 'ops', ['sum by (kind) (alp:turns:rate5m)', '{{kind}}']],
		['Not completed', 'percentunit', ['alp:turns_failed:ratio5m', 'failed or interrupted']],
		['Whole turn p95', 's', ['alp:turn_seconds:p95_5m', '{{kind}}']],
		['Where the time goes, p95', 's', ['alp:turn_hop_seconds:p95_5m', '{{hop}}']],
		['First token p90', 's', ['alp:first_token_seconds:p90_5m', '{{model}}']],
		['Running and waiting', 'short', ['sum(alp_turns_running)', 'running'], ['sum(alp_turns_waiting)', 'waiting'], ['sum(alp_mirrors)', 'followed by sockets']],
		['Workers and slots', 'short', ['max(alp_workers)', 'workers'], ['sum(alp_worker_slots_free)', 'slots offered'], ['sum(alp_ai_slots_busy)', 'slots busy'], ['sum(alp_ai_slots)', 'slots']],
		['Attempts by result', 'ops', [rate('alp_ai_attempts_total', 'result'), '{{result}}']],
		['Further attempts, takeovers, losses', 'ops', ['sum(rate(alp_turn_retries_total[$__rate_interval]))', 'further attempts'], ['sum(rate(alp_turn_takeovers_total[$__rate_interval]))', 'takeovers'],
			['sum(rate(alp_turns_fenced_total[$__rate_interval]))', 'fenced'], ['sum(rate(alp_workers_lost_total[$__rate_interval]))', 'workers lost']],
		['Refused', 'ops', [rate('alp_turns_refused_total', 'rc'), '{{rc}}']],
		['Cost in an hour', 'currencyUSD', ['alp:ai_cost_usd:increase1h', '{{model}}']],
	]],
	gateway: ['gateway', [
		['HTTP by status', 'ops', ['sum by (status) (alp:http_requests:rate5m)', '{{status}}']],
		['HTTP by route', 'ops', ['sum by (route) (alp:http_requests:rate5m)', '{{route}}']],
		['HTTP p99 by route', 's', ['alp:http_request_seconds:p99_5m', '{{route}}']],
		['Answered 5xx', 'percentunit', ['alp:http_errors:ratio5m', '5xx']],
		['Connections', 'short', ['alp_connections', '{{instance}} all'], ['alp_sockets', '{{instance}} WebSockets'], ['alp_http_waiting', '{{instance}} wait for a reply']],
		['Connections refused', 'ops', ['sum(rate(alp_connections_refused_total[$__rate_interval]))', 'over a limit']],
		['WebSocket messages', 'ops', [rate('alp_ws_messages_total', 'type'), '{{type}}']],
		['WebSocket p99', 's', [quantile(0.99, 'alp_ws_ask_seconds', 'message'), '{{message}}']],
		['WebSockets closed by us', 'ops', [rate('alp_ws_closes_total', 'code'), '{{code}}']],
		['Turns asked for after a gap', 'ops', ['sum(rate(alp_turn_pulls_total[$__rate_interval]))', 'pulls']],
		['Passwords waiting', 'short', ['alp_passwords_waiting', '{{instance}}']],
		...vitals('gateway'),
	]],
	chat: ['chat', [...served('chat'), ...vitals('chat')]],
	ai: ['ai', [
		['Attempts by result', 'ops', [rate('alp_ai_attempts_total', 'result'), '{{result}}']],
		['Attempts by ending', 'ops', [rate('alp_ai_endings_total', 'ending'), '{{ending}}']],
		["Answers of the model's server", 'ops', [rate('alp_ai_upstream_answers_total', 'status'), '{{status}}']],
		['First token', 's', [quantile(0.5, 'alp_ai_first_token_seconds', 'model'), '{{model}} p50'], ['alp:first_token_seconds:p90_5m', '{{model}} p90']],
		['Whole attempt p95', 's', [quantile(0.95, 'alp_ai_attempt_seconds', 'model'), '{{model}}']],
		['Tokens', 'short', [rate('alp_ai_tokens_total', 'kind, model'), '{{kind}} {{model}}']],
		['Cost in an hour', 'currencyUSD', ['alp:ai_cost_usd:increase1h', '{{model}}']],
		['Slots', 'short', ['alp_ai_slots_busy', '{{instance}} busy'], ['alp_ai_slots', '{{instance}} all'], ['alp_ai_unconfirmed', '{{instance}} unconfirmed']],
		['Breakers', 'short', ['alp_ai_breakers_open', '{{instance}} open'], ['increase(alp_ai_breakers_opened_total[$__rate_interval])', '{{instance}} opened'], ['increase(alp_ai_retries_denied_total[$__rate_interval])', '{{instance}} retries denied']],
		...vitals('ai'),
	]],
	store: ['store', [
		['Statements p99', 's', [quantile(0.99, 'alp_pg_query_seconds', 'query'), '{{query}}']],
		['Statements', 'ops', [rate('alp_pg_query_seconds_count', 'query'), '{{query}}']],
		['Failures and further tries', 'ops', [rate('alp_pg_failures_total', 'rc'), '{{rc}}'], ['sum(rate(alp_pg_retries_total[$__rate_interval]))', 'run again']],
		['Connections', 'short', ['alp_pg_connections', '{{instance}} {{state}}'], ['alp_pg_waiting', '{{instance}} waiting']],
		['All statements p99', 's', ['alp:pg_query_seconds:p99_5m', 'p99']],
		['Purged', 'short', ['increase(alp_purged_total[$__rate_interval])', '{{instance}}']],
		...served('store'),
		...vitals('store'),
	]],
};

function panel([title, unit, ...targets], i) {
	return {
		id: i + 1, type: 'timeseries', title, datasource: DATASOURCE,
		gridPos: { x: (i % 3) * WIDTH, y: Math.floor(i / 3) * HEIGHT, w: WIDTH, h: HEIGHT },
		fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
		targets: targets.map(([expr, legendFormat], n) => ({ refId: String.fromCharCode(65 + n), datasource: DATASOURCE, expr, legendFormat })),
	};
}

function board(name, [title, panels]) {
	return {
		uid: `alp-${name}`, title: `AI Learning Platform: ${title}`, tags: ['alp'], schemaVersion: 39, editable: false,
		time: { from: 'now-3h', to: 'now' }, refresh: '30s', timezone: 'browser',
		links: [{ type: 'dashboards', title: 'others', tags: ['alp'], asDropdown: true }],
		panels: panels.map(panel),
	};
}

let stale = 0;

for (const [name, content] of Object.entries(BOARDS)) {
	const file = new URL(`${name}.json`, FOLDER);
	const text = `${JSON.stringify(board(name, content), null, '\t')}\n`;

	if (process.argv[2] !== '--check') {
		writeFileSync(file, text);
	} else if (readFileSync(file, 'utf8') !== text) {
		console.log(`${file.pathname} is not what deploy/dev/dashboards.mjs makes`);
		stale++;
	}
}
process.exitCode = stale > 0 ? 1 : 0;
