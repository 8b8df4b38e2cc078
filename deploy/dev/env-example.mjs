// Prints deploy/env.example from services/common/settings.def, so that the two
// never disagree:  node deploy/dev/env-example.mjs >deploy/env.example
import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../../services/common/settings.def', import.meta.url), 'utf8');

// Written without a '#': what everyone should look at, and the keys that
// make setup-env fills in.
const ACTIVE = new Set(['SECRET_KEY', 'BUS_KEY', 'DATA_KEY', 'DEBUG', 'DEFAULT_OPENAI_API_KEY',
	'DEFAULT_OPENAI_MODEL', 'DEFAULT_OPENAI_BASE_URL', 'ACCESS_TOKEN_EXPIRE_MINUTES',
	'ALGORITHM', 'POSTGRES_PASSWORD']);

const MORE = {
	SECRET_KEY: ['make setup-env fills it in'],
	BUS_KEY: ['make setup-env fills it in'],
	DATA_KEY: ['make setup-env fills it in; who loses it loses the keys of users'],
	POSTGRES_PASSWORD: ['make setup-env fills it in'],
	DATABASE_URL: [
		'Not set: the make targets run a private PostgreSQL below ALP_VAR, reached',
		'over a unix socket. Set to localhost with nothing listening there: the same',
		'private server listens at that address, with that role and database.',
	],
	DEFAULT_OPENAI_API_KEY: [
		'With no key and the base address below unchanged, the make targets start the',
		'bundled model simulator and say so. A local server that wants no key (Ollama:',
		'http://127.0.0.1:11434/v1) needs only DEFAULT_OPENAI_BASE_URL.',
	],
};

const EXAMPLE = {
	DATABASE_URL: 'postgresql://user:password@localhost:5432/ai_learning_platform',
	CORS_ORIGINS: '["http://localhost:3000"]',
};

function wrap(text, width = 76) {
	const lines = [''];
	for (const word of text.split(/\s+/)) {
		const last = lines.at(-1);
		if (last && last.length + word.length + 1 > width)
			lines.push(word);
		else
			lines[lines.length - 1] = last ? `${last} ${word}` : word;
	}
	return lines;
}

const ITEM = /\/\* -{4} (?<heading>.*?) -+ \*\/|SETTING\(\w+,\s*\w+,\s*"(?<name>\w+)",\s*"(?<value>[^"]*)",[^"]*"(?<meaning>[^"]*)"\)/gs;

const out = [
	'# Settings of the AI Learning Platform; make setup-env copies this file to .env.',
	'# The process environment wins over .env, .env wins over the defaults shown here.',
	'# An unknown name stops the start. A commented line shows the default in force, for\n# DATABASE_URL and CORS_ORIGINS an example.',
];

for (const { groups } of source.matchAll(ITEM)) {
	if (groups.heading) {
		out.push('', `# ---- ${groups.heading} ${'-'.repeat(Math.max(4, 70 - groups.heading.length))}`);
		continue;
	}
	const { name, value, meaning } = groups;
	const mark = ACTIVE.has(name) ? '' : '#';
	out.push('', ...wrap(meaning).map((line) => `# ${line}`));
	out.push(...(MORE[name] ?? []).map((line) => `# ${line}`));
	out.push(`${mark}${name}=${EXAMPLE[name] ?? value}`);
}

console.log(out.join('\n'));
