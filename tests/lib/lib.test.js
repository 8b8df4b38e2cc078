/* Ports, the database and the counting of tests, without any daemon. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { sanitizerReports } from "./daemon.js";
import { Cluster, createDatabase, psql, rows } from "./pg.js";
import { claimPorts } from "./ports.js";
import { release } from "./release.js";
import { countProgram, runFiles } from "./run.js";
import { until } from "./until.js";

const run = promisify(execFile);

test("claimed ports are in a row, free, and nobody else's until they are released", async () => {
	const claims = await Promise.all(Array.from({ length: 20 }, () => claimPorts(10)));
	const ports = claims.flatMap((claim) => claim.ports);

	assert.equal(new Set(ports).size, 200);
	for (const { ports: [first, ...rest] } of claims)
		rest.forEach((port, i) => assert.equal(port, first + i + 1));
	const server = createServer();

	await new Promise((resolve, reject) => server.once("error", reject).listen(ports[0], "127.0.0.1", resolve));
	await new Promise((resolve) => server.close(resolve));
	await Promise.all(claims.map((claim) => claim.release()));
});

test("until says what it waited for and what it saw last", async () => {
	await assert.rejects(until("the moon is full", () => Promise.reject(new Error("a crescent")), { ms: 30 }),
		/the moon is full: not within 30 ms \(last: a crescent\)/);
});

test("a cluster survives the kill of its server and is gone after stop", async () => {
	const cluster = await Cluster.start({ fsync: true });
	const database = await createDatabase(cluster.url("postgres"));

	await psql(database.url, "create table t(a text); insert into t values ('kept'), (null)");
	await cluster.kill();
	await assert.rejects(psql(database.url, "select 1"), /psql: /);
	await cluster.restart();
	assert.deepEqual(await rows(database.url, "select a from t order by a"), [{ a: "kept" }, { a: null }]);
	await assert.rejects(psql(database.url, "select nonsense"), /column "nonsense" does not exist[\s\S]*in: select nonsense/);
	await database.drop();
	await cluster.stop();
	assert.ok(!existsSync(cluster.dir));
});

test("a cluster that nobody stopped ends with its process", async () => {
	const script = `import { sharedCluster } from ${JSON.stringify(join(import.meta.dirname, "pg.js"))};
		console.log(await sharedCluster());`;
	const { ALP_TEST_PG: _, ...env } = process.env;
	const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { env });
	const socket = decodeURIComponent(/host=([^&]*)/.exec(stdout)[1]);

	await until("its folder is gone", () => !existsSync(join(socket, "..")));
	await assert.rejects(psql(stdout.trim(), "select 1"));
});

test("a cluster ends with a process that a signal ends", async () => {
	const script = `import { sharedCluster } from ${JSON.stringify(join(import.meta.dirname, "pg.js"))};
		console.log(await sharedCluster());
		setInterval(() => {}, 1000);`;
	const { ALP_TEST_PG: _, ...env } = process.env;
	const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env, stdio: ["ignore", "pipe", "inherit"] });
	const [url] = await once(child.stdout.setEncoding("utf8"), "data");
	const socket = decodeURIComponent(/host=([^&]*)/.exec(url)[1]);

	assert.ok(existsSync(socket));
	child.kill("SIGTERM");
	await once(child, "exit");
	assert.ok(!existsSync(join(socket, "..")));
});

test("a sanitizer's report is what it found, not what it says of its search", () => {
	const dir = mkdtempSync(join(tmpdir(), "alp-reports-"));
	const notes = "==7==Running thread 8 was not suspended. False leaks are possible.\n==7==Unable to get registers from thread 8.\n";
	const found = "==9==ERROR: LeakSanitizer: detected memory leaks\n";

	writeFileSync(join(dir, "store.report.7"), notes);
	assert.deepEqual(sanitizerReports(dir), []);
	writeFileSync(join(dir, "store.report.9"), notes + found);
	assert.deepEqual(sanitizerReports(dir), [`store.report.9:\n${found}`]);
	rmSync(dir, { recursive: true });
});

test("counts are those of cmocka where a program has them, else one per program", () => {
	const program = (status, inner, out = "") => countProgram(`status="${status}">${inner}<system-out>${out}</system-out>`);

	assert.deepEqual(program("run", "", "[  PASSED  ] 3 test(s).\n[  PASSED  ] 2 test(s).\n"), { passed: 5, failed: 0, skipped: 0 });
	assert.deepEqual(program("fail", "<failure/>", "[  PASSED  ] 3 test(s).\n[  FAILED  ] 1 test(s), listed below:\n"),
		{ passed: 3, failed: 1, skipped: 0 });
	assert.deepEqual(program("fail", "<failure/>", "[  PASSED  ] 3 test(s).\n"), { passed: 3, failed: 1, skipped: 0 });
	assert.deepEqual(program("fail", "<failure/>"), { passed: 0, failed: 1, skipped: 0 });
	assert.deepEqual(program("run", ""), { passed: 1, failed: 0, skipped: 0 });
	assert.deepEqual(program("notrun", "<skipped/>"), { passed: 0, failed: 0, skipped: 1 });
});

test("the reporter counts each test once", async () => {
	const dir = mkdtempSync(join(tmpdir(), "alp-count-"));
	const file = join(dir, "a.test.mjs");
	const report = join(dir, "report");

	writeFileSync(file, `import { describe, test } from "node:test";
		test("passes", () => {});
		test("parent", async (t) => { await t.test("child fails", () => { throw new Error("x"); }); });
		describe("suite", () => { test("inside", () => {}); test.skip("later", () => {}); });`);
	const { NODE_TEST_CONTEXT: _, ...env } = process.env;

	await assert.rejects(run(process.execPath, ["--test", `--test-reporter=${join(import.meta.dirname, "count-reporter.js")}`,
		`--test-reporter-destination=${report}`, file], { env }));
	const results = readFileSync(report, "utf8").trim().split("\n").map((line) => JSON.parse(line));

	assert.deepEqual(results.map(({ name, result }) => `${name}: ${result}`).sort(),
		["child fails: failed", "inside: passed", "later: skipped", "passes: passed"]);
	rmSync(dir, { recursive: true });
});

test("release ends everything, and says all that failed", async () => {
	const ended = [];
	const thing = (name, err) => ({ stop: async () => { ended.push(name); if (err) throw new Error(err); } });

	await release(thing("a"), undefined, { close: () => ended.push("b") });
	await assert.rejects(release(thing("c", "one"), thing("d")), /^Error: one$/);
	await assert.rejects(release(thing("e", "two"), thing("f", "three"), thing("g")), /two\nthree/);
	assert.deepEqual(ended, ["a", "b", "c", "d", "e", "f", "g"]);
});

test("a database is dropped also while autovacuum works in it, as its owner who is no superuser", async () => {
	const cluster = await Cluster.start();

	try {
		await cluster.sql("alter system set autovacuum_naptime = 1");
		await cluster.sql("select pg_reload_conf()");
		const database = await createDatabase(cluster.url("postgres"));

		await psql(database.url, `create table t as select md5(n::text) from generate_series(1, 100000) n; delete from t;
			alter table t set (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`);
		await until("autovacuum works in the database", async () => await cluster.sql(
			`select count(*) from pg_stat_activity where datname = '${database.name}' and backend_type = 'autovacuum worker'`) !== "0", { ms: 60000 });
		await database.drop();
		assert.deepEqual(await cluster.sql(`select count(*) from pg_database where datname = '${database.name}'`), "0");
	} finally {
		await cluster.stop();
	}
});

test("a file that fails runs once more: a lasting failure counts, a passing one is named", async () => {
	const dir = mkdtempSync(join(tmpdir(), "alp-runner-"));
	const file = (name, body) => {
		writeFileSync(join(dir, name), `import { existsSync, writeFileSync } from "node:fs"; import { test } from "node:test"; ${body}`);
		return join(dir, name);
	};
	const once = JSON.stringify(join(dir, "mark"));
	const hookOnce = JSON.stringify(join(dir, "hook-mark"));
	const hooks = JSON.stringify(file("hooks.mjs", `import { after } from "node:test"; export function use() { test("shared", () => {});
		after(() => { if (!existsSync(${hookOnce})) { writeFileSync(${hookOnce}, ""); throw new Error("a hook"); } }); }`));

	try {
		const counts = await runFiles([
			file("steady.test.mjs", `test("a", () => {});`),
			file("unsteady.test.mjs", `test("b", () => {}); test("c", () => { if (!existsSync(${once})) { writeFileSync(${once}, ""); throw new Error("once"); } });`),
			file("broken.test.mjs", `test("d", () => { throw new Error("always"); });`),
			file("hook.test.mjs", `import { use } from ${hooks}; use(); test("e", () => {});`),
		], join(dir, "report"), { stdio: "ignore" });

		assert.deepEqual([counts.passed, counts.failed, counts.skipped], [5, 1, 0]);
		assert.deepEqual(counts.unsteady.map((path) => basename(path)), ["unsteady.test.mjs", "hook.test.mjs"]);
		assert.match(counts.failures.join("\n"), /^\S*broken\.test\.mjs: d: always$/);
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});
