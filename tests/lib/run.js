/*
 * Runs every kind of test of the project, or the groups named as arguments, and
 * ends with one line that counts them all:  N passed, N failed[, N skipped]
 */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT, buildDir } from "./daemon.js";
import { Cluster } from "./pg.js";

const FILE_TIMEOUT_MS = 600000;
const BUILD = "debug";

const none = () => ({ passed: 0, failed: 0, skipped: 0 });

function add(a, b) {
	return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

const fromRoot = (file) => relative(ROOT, file);

/* Runs a program with our terminal; resolves to its exit code, 1 for a signal. */
function run(program, args, options = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"], cwd: ROOT, ...options });

		child.once("error", reject);
		child.once("exit", (code) => resolve(code ?? 1));
	});
}

/* The runner failed in a way that its report does not show: that is one failure more. */
function checked(counts, code) {
	return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/* ---- C, by ctest ---------------------------------------------------------- */

const total = (text, pattern) => [...text.matchAll(pattern)].reduce((n, [, count]) => n + Number(count), 0);

/* One program of ctest's report; cmocka's own summary counts its tests. */
export function countProgram(xml) {
	const out = /<system-out>([\s\S]*?)<\/system-out>/.exec(xml)?.[1] ?? "";
	const failed = /<failure/.test(xml);

	if (/<skipped/.test(xml) || /status="(notrun|disabled)"/.test(xml))
		return failed ? { ...none(), failed: 1 } : { ...none(), skipped: 1 };
	const counts = {
		passed: total(out, /^\[ {2}PASSED {2}\] (\d+) test/gm),
		failed: total(out, /^\[ {2}FAILED {2}\] (\d+) test/gm),
		skipped: total(out, /^\[ {2}SKIPPED \] (\d+) test/gm),
	};

	if (counts.passed + counts.failed + counts.skipped === 0)
		return failed ? { ...none(), failed: 1 } : { ...none(), passed: 1 };
	return failed ? checked(counts, 1) : counts;
}

async function ctestRun(report, ...more) {
	const code = await run("ctest", ["--test-dir", buildDir(BUILD), "--output-on-failure", "--no-tests=error",
		"-j", String(availableParallelism()), "--output-junit", report, "--test-output-size-passed", "1000000",
		"--timeout", "120", ...more]);
	const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
	const programs = xml.split("<testcase ").slice(1).map((text) => [/^name="([^"]*)"/.exec(text)?.[1], countProgram(text)]);

	return { code, programs: new Map(programs) };
}

/* Programs that fail run once more, as files do below. */
async function unit(results) {
	const first = await ctestRun(join(results, "ctest-1.xml"));
	const failed = [...first.programs].filter(([, counts]) => counts.failed > 0).map(([name]) => name);
	const sum = ({ code, programs }) => checked([...programs.values()].reduce(add, none()), code);

	if (failed.length === 0)
		return sum(first);
	const second = await ctestRun(join(results, "ctest-2.xml"), "--rerun-failed");

	return { ...sum({ code: second.code, programs: new Map([...first.programs, ...second.programs]) }),
		unsteady: failed.filter((name) => second.programs.get(name)?.failed === 0) };
}

/* ---- the frontend, by vitest ------------------------------------------------ */

async function frontend(results) {
	const report = join(results, "vitest.json");
	const code = await run(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--reporter=default",
		"--reporter=json", `--outputFile.json=${report}`], { cwd: join(ROOT, "frontend") });

	if (!existsSync(report))
		return { ...none(), failed: 1 };
	const said = JSON.parse(readFileSync(report, "utf8"));

	return checked({ passed: said.numPassedTests, failed: said.numFailedTests,
		skipped: said.numPendingTests + said.numTodoTests }, code);
}

/* ---- everything that tests from outside, by node's runner --------------------- */

function testFiles(folder) {
	const dir = join(ROOT, "tests", folder);

	if (!existsSync(dir))
		return [];
	return readdirSync(dir, { recursive: true }).filter((file) => file.endsWith(".test.js") && !file.includes("node_modules"))
		.sort().map((file) => join(dir, file));
}

const readLines = (file) => readFileSync(file, "utf8").split("\n").filter(Boolean);

/*
 * One run of node's runner: { code, tests, failed }, the tests as count-reporter.js tells them, and the files that failed.
 * The runner may stand in a test itself.
 */
async function nodeRun(files, report, options, concurrency) {
	const marks = `${report}.failed`;

	writeFileSync(marks, "");
	const code = await run(process.execPath, [`--import=${join(import.meta.dirname, "mark-failed.js")}`,
		"--test", `--test-timeout=${FILE_TIMEOUT_MS}`, `--test-concurrency=${concurrency}`,
		"--test-reporter=spec", "--test-reporter-destination=stdout",
		`--test-reporter=${join(import.meta.dirname, "count-reporter.js")}`, `--test-reporter-destination=${report}`,
		...files], { ...options, env: { ...process.env, NODE_TEST_CONTEXT: undefined, FAILED_FILES: marks, ...options.env } });
	const tests = readLines(report).map((text) => JSON.parse(text));
	const failed = new Set([...readLines(marks), ...tests.filter(({ result }) => result === "failed").map(({ file }) => file)]);

	return { code, tests, failed: files.filter((file) => failed.has(file)) };
}

/* failures: a line each, for the end of the whole report. */
function countTests({ code, tests }) {
	const counts = none();

	for (const { result } of tests)
		counts[result]++;
	return { ...checked(counts, code), failures: tests.filter(({ result }) => result === "failed")
		.map(({ file, name, error }) => `${fromRoot(file)}: ${name}: ${error}`) };
}

/* Tests that a shared library declares for a file stand in the library. */
const identity = ({ file, name }) => `${file}\n${name}`;

/*
 * Runs the files; report is the beginning of its reports' paths, options are
 * spawn's. Files that failed run once more, one after the other: a failure that
 * stays is a failure. One that does not is named in the summary; it is a defect
 * of the test or of the product, and its output stands above.
 */
export async function runFiles(files, report, options) {
	const first = await nodeRun(files, `${report}-1.jsonl`, options, Math.max(2, availableParallelism()));

	if (first.failed.length === 0)
		return countTests(first);
	console.log(`\n---- once more, alone: ${first.failed.map(fromRoot).join(" ")}`);
	const second = await nodeRun(first.failed, `${report}-2.jsonl`, options, 1);
	const again = new Set(second.tests.map(identity));
	const kept = first.tests.filter((test) => test.result !== "failed" && !first.failed.includes(test.file) && !again.has(identity(test)));

	return { ...countTests({ code: second.code, tests: [...kept, ...second.tests] }),
		unsteady: first.failed.filter((file) => !second.failed.includes(file)).map(fromRoot) };
}

const nodeTests = (...folders) => async (results, env) => {
	const files = folders.flatMap(testFiles);

	return files.length === 0 ? none() : runFiles(files, join(results, folders[0]), { env });
};

/* ---- all of it ---------------------------------------------------------------- */

const GROUPS = {
	unit: { run: unit },
	fakes: { run: nodeTests("fakes", "lib") },
	model: { run: nodeTests("model") },
	frontend: { run: frontend },
	component: { run: nodeTests("component"), database: true },
	contract: { run: nodeTests("contract"), database: true },
	suite: { run: nodeTests("suite"), database: true },
	browser: { run: nodeTests("browser"), database: true },
	chaos: { run: nodeTests("chaos"), database: true },
};

const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;

async function runGroups(names, results) {
	const cluster = names.some((name) => GROUPS[name].database) ? await Cluster.start() : null;
	const env = cluster ? { ALP_TEST_PG: cluster.url("postgres") } : {};
	const summary = [];

	try {
		for (const name of names) {
			const start = performance.now();

			console.log(`\n==== ${name}`);
			summary.push({ name, counts: await GROUPS[name].run(results, env), seconds: (performance.now() - start) / 1000 });
		}
	} finally {
		await cluster?.stop();
	}
	return summary;
}

async function main() {
	const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(GROUPS);
	const unknown = names.filter((name) => !Object.hasOwn(GROUPS, name));

	if (unknown.length > 0)
		throw new Error(`unknown group ${unknown.join(", ")}; known: ${Object.keys(GROUPS).join(", ")}`);
	const results = mkdtempSync(join(tmpdir(), "alp-results-"));
	const summary = await runGroups(names, results);

	rmSync(results, { recursive: true, force: true });
	console.log("");
	for (const { name, counts, seconds } of summary)
		console.log(`  ${name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s   ${line(counts)}`);
	for (const file of summary.flatMap(({ counts }) => counts.unsteady ?? []))
		console.log(`  UNSTEADY   ${file} failed, and passed when it ran once more`);
	for (const failure of summary.flatMap(({ counts }) => counts.failures ?? []))
		console.log(`  FAILED     ${failure}`);
	const total = summary.map((entry) => entry.counts).reduce(add, none());

	if (total.passed + total.failed === 0)
		console.log("no test ran");
	console.log(`\n${line(total)}`);
	return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename)
	process.exitCode = await main();
