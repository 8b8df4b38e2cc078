/*
 * The images built a second time, from a copy of the source that is another in all that
 * must not matter: times, modes, and what keeps the builder from taking anything but the
 * packages from what it has made before.
 */

import assert from "node:assert/strict";
import { appendFileSync, chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ROOT } from "../lib/daemon.js";
import { docker, sh } from "./compose.js";

const SOURCES = [".dockerignore", "CMakeLists.txt", "CMakePresets.json", "proto", "services", "deploy", "docs", "frontend", "tests/fakes"];
const NOT_SOURCE = /\/(node_modules|frontend\/dist)$/;
const MINUTE = 60000;

/* What a checkout under another umask, a year ago, would be. */
function disguise(path) {
	const { mode, mtime } = statSync(path);

	if (statSync(path).isDirectory())
		readdirSync(path).forEach((name) => disguise(join(path, name)));
	chmodSync(path, mode & 0o100 ? 0o775 : 0o664);
	utimesSync(path, mtime, new Date(mtime.getTime() - 365 * 24 * 60 * MINUTE));
}

/*
 * The first two are copied before anything is built. The folder of the last step gets
 * another name: the builder would take the old layer whenever the content is the same,
 * for it does not look at times.
 */
function makeNew(dir) {
	const file = join(dir, "deploy/Dockerfile");
	const text = readFileSync(file, "utf8");

	assert.equal(text.match(/^COPY --from=\S+-root \/image \/$/gm).length, text.match(/^FROM scratch AS/gm).length);
	appendFileSync(join(dir, "deploy/rootfs.sh"), `# ${dir}\n`);
	appendFileSync(join(dir, "frontend/package.json"), `${" ".repeat(1 + Date.now() % 1000)}\n`);
	writeFileSync(file, text.replaceAll("/image", `/${basename(dir)}`));
}

/* Resolves to { images: { name: tag }, remove() }. */
export async function builtAgain(names) {
	const dir = mkdtempSync(join(tmpdir(), "alp-again-"));
	const images = Object.fromEntries(names.map((name) => [name, `alp-again-${process.pid}-${name}`]));
	const remove = async () => {
		rmSync(dir, { recursive: true, force: true });
		await docker("image", "rm", "-f", ...Object.values(images));
	};

	try {
		for (const name of SOURCES) {
			mkdirSync(dirname(join(dir, name)), { recursive: true });
			cpSync(join(ROOT, name), join(dir, name), { recursive: true, filter: (path) => !NOT_SOURCE.test(path) });
		}
		makeNew(dir);
		disguise(dir);
		for (const name of names)
			await docker.within(15 * MINUTE, "build", "-q", "-f", join(dir, "deploy/Dockerfile"), "--target", name, "-t", images[name], dir);
	} catch (err) {
		await remove();
		throw err;
	}
	return { images, remove };
}

export async function layersOf(image) {
	return JSON.parse(await docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", image));
}

/* One line per entry of each layer, in its order: what tar says of it, and the digest of what is in it. */
async function entriesOf(image) {
	const dir = mkdtempSync(join(tmpdir(), "alp-layers-"));

	try {
		await docker.within(2 * MINUTE, "save", "-o", join(dir, "image.tar"), image);
		await sh(`tar -xf image.tar`, dir);
		const [{ Layers: layers }] = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));
		const lines = [];

		for (const layer of layers) {
			const entries = await sh(`tar -tv --full-time --numeric-owner -f '${layer}'`, dir);
			const digests = await sh(`tar -xf '${layer}' --to-command='sha256sum | sed "s| .*| $TAR_FILENAME|"'`, dir);

			lines.push(...entries.split("\n"), ...digests.split("\n"));
		}
		return lines;
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

const nameIn = (line) => line.split(" ").at(-1);

/* What one image has and the other has not, as lines; "" when only the order of the entries differs. */
export async function differences(one, other) {
	const [a, b] = [await entriesOf(one), await entriesOf(other)];

	return [...a.filter((line) => !b.includes(line)).map((line) => `- ${line}`), ...b.filter((line) => !a.includes(line)).map((line) => `+ ${line}`)]
		.sort((x, y) => nameIn(x).localeCompare(nameIn(y))).slice(0, 60).join("\n");
}
