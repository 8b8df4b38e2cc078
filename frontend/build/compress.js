import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const TEXT = /\.(html|js|css|svg|json|txt|map|webmanifest)$/;
const SMALLEST_BYTES = 256;

const packers = [
	['.gz', (data) => promisify(gzip)(data, { level: 9 })],
	['.br', (data) => promisify(brotliCompress)(data, {
		params: {
			[constants.BROTLI_PARAM_QUALITY]: 11,
			[constants.BROTLI_PARAM_SIZE_HINT]: data.length,
		},
	})],
];

async function* filesBelow(dir) {
	for (const entry of await readdir(dir, { withFileTypes: true })) {
		const path = join(dir, entry.name);
		if (entry.isDirectory())
			yield* filesBelow(path);
		else
			yield path;
	}
}

/* A sibling that is not smaller than its original only costs the server a look. */
async function pack(path) {
	const data = await readFile(path);

	for (const [suffix, packer] of packers) {
		const packed = await packer(data);
		if (packed.length < data.length)
			await writeFile(path + suffix, packed);
	}
}

/**
 * Vite plugin: after the build, writes `.gz` and `.br` next to every text file
 * of the output, so that the server can send them without compressing.
 */
export function compress() {
	let outDir = null;

	return {
		name: 'compress',
		apply: 'build',
		configResolved(config) {
			outDir = config.build.outDir;
		},
		async closeBundle() {
			for await (const path of filesBelow(outDir)) {
				if (TEXT.test(path) && (await stat(path)).size >= SMALLEST_BYTES)
					await pack(path);
			}
		},
	};
}
