// Prints docs/metrics.md from services/common/metrics.def, so that the two
// never disagree:  node deploy/dev/metrics-table.mjs >docs/metrics.md
import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../../services/common/metrics.def', import.meta.url), 'utf8');
const ITEM = /\/\* -{4} (?<heading>.*?) -+ \*\/|^METRIC\((?<id>\w+),\s*(?<kind>\w+),\s*"(?<name>\w+)",\s*"(?<labels>[^"]*)",\s*(?<users>[^"]*?),\s*"(?<meaning>[^"]*)"\)/gms;
const KINDS = { COUNTER: 'counter', SUM: 'counter', GAUGE: 'gauge', HISTOGRAM: 'histogram' };

/* { heading } or { name, kind, labels, users, meaning }, in the order of the file. */
export const items = [...source.matchAll(ITEM)].map(({ groups }) => groups.heading
	? { heading: groups.heading }
	: { name: groups.name, kind: KINDS[groups.kind], meaning: groups.meaning,
		labels: groups.labels.split(',').filter(Boolean), users: groups.users.split('|').map((user) => user.trim().toLowerCase()) });
export const metrics = items.filter((item) => item.name);

if (process.argv[1] === import.meta.filename) {
	const out = [
		'# Metrics',
		'',
		'Each daemon serves these at `/metrics` of its health address, in the Prometheus text format: seconds, bytes, counters',
		'from the start of the process. Histograms have buckets from 0.5 ms to 60 s. No label holds an id, an address or a text',
		'of a user. Alerts and what to do about them: [operations.md](operations.md).',
	];

	for (const { heading, name, kind, labels, users, meaning } of items) {
		if (heading)
			out.push('', `## ${heading[0].toUpperCase()}${heading.slice(1)}`, '', '| name | kind | labels | of | meaning |', '|---|---|---|---|---|');
		else
			out.push(`| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${users.join(', ')} | ${meaning} |`);
	}
	console.log(out.join('\n'));
}
