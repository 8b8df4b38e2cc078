import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

const here = join(import.meta.dirname, '..');
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/* Where each file of the output comes from; YAML becomes the JSON that programs read. */
const files = {
	'openapi.json': join(here, '../docs/openapi.yaml'),
	'asyncapi.json': join(here, '../docs/asyncapi.yaml'),
	'docs.html': join(here, 'docs/docs.html'),
	'redoc.html': join(here, 'docs/docs.html'),
	'docs/start.js': join(here, 'docs/start.js'),
	'docs/swagger-ui.css': join(swagger, 'swagger-ui.css'),
	'docs/swagger-ui-bundle.js': join(swagger, 'swagger-ui-bundle.js'),
};

async function content(path) {
	const text = await readFile(path, 'utf8');

	/* The two files refer to each other by name. */
	if (path.endsWith('.yaml'))
		return JSON.stringify(parse(text)).replaceAll('openapi.yaml#', 'openapi.json#');
	return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
}

/**
 * Vite plugin: adds the description of the API and a page that shows it. The
 * page's parts keep their names: the server lets a browser ask for changes.
 */
export function docs() {
	return {
		name: 'docs',
		apply: 'build',
		async generateBundle() {
			for (const [fileName, path] of Object.entries(files))
				this.emitFile({ type: 'asset', fileName, source: await content(path) });
		},
	};
}
