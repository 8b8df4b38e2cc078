// Prints docs/settings.md from services/common/settings.def, so that the two
// never disagree:  node deploy/dev/settings-table.mjs >docs/settings.md
import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../../services/common/settings.def', import.meta.url), 'utf8');
const ITEM = /\/\* -{4} (?<heading>.*?) -+ \*\/|SETTING\((?<type>\w+),\s*\w+,\s*"(?<name>\w+)",\s*"(?<value>[^"]*)",\s*(?<users>[^"]*?),\s*(?<flags>[\w\s|]*),\s*"(?<meaning>[^"]*)"\)/gs;
const UNITS = { MSEC: 'ms', BYTES: 'bytes', ADDR: 'host:port', LIST: 'list', BOOL: 'true/false', INT: 'number', TEXT: 'text' };

let reader = 'make';	// of what no daemon reads

const out = [
	'# Settings',
	'',
	'From the process environment, else from `.env` in the working directory (or `--env-file FILE`), else the default.',
	'One `.env` serves all daemons. An unknown or doubled name, a malformed value or a missing required one stops the',
	'start and is named. `alp-NAME --print-config` shows what a daemon would use, secrets masked.',
];

for (const { groups } of source.matchAll(ITEM)) {
	if (groups.heading) {
		reader = groups.heading.includes('compose') ? 'compose' : 'make';
		out.push('', `## ${groups.heading[0].toUpperCase()}${groups.heading.slice(1)}`, '', '| name | default | kind | used by | meaning |', '|---|---|---|---|---|');
		continue;
	}
	const { type, name, value, users, flags, meaning } = groups;
	const notes = [flags.includes('SECRET') && 'secret', flags.includes('REQUIRED') && 'required'].filter(Boolean);

	out.push(`| \`${name}\` | ${value ? `\`${value.replaceAll(',', ', ')}\`` : ''} | ${UNITS[type]} | ${users.trim().toLowerCase().replaceAll(' | ', ', ').replace('none', reader)} | ${meaning}${notes.length ? ` (${notes.join(', ')})` : ''} |`);
}

console.log(out.join('\n'));
