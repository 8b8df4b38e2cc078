/* deploy/observability against what the daemons export and what docs/operations.md says. Needs no daemon. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { metrics } from "../../deploy/dev/metrics-table.mjs";
import { ROOT } from "../lib/daemon.js";
import { promtool } from "../lib/promtool.js";

const FOLDER = join(ROOT, "deploy/observability");
const DASHBOARDS = join(FOLDER, "grafana/dashboards");

const read = (path) => readFileSync(join(FOLDER, path), "utf8");
const rulesOf = (path) => parse(read(path)).groups.flatMap(({ rules }) => rules);
const recorded = rulesOf("rules/recording.yml");
const alerts = rulesOf("rules/alerts.yml");
const boards = readdirSync(DASHBOARDS).filter((file) => file.endsWith(".json")).map((file) => ({ file, ...JSON.parse(read(`grafana/dashboards/${file}`)) }));
const queries = boards.flatMap(({ file, panels }) => panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr }))));
const exprs = [...queries, ...[...recorded, ...alerts].map(({ record, alert, expr }) => ({ where: record ?? alert, expr }))];

/* What of the catalogue and of our own rules an expression names; a histogram's parts count for it. */
const namesIn = (expr) => [...expr.matchAll(/\b(?:alp[_:]|process_|up\b)[\w:]*/g)].map(([name]) => name);
const known = new Set(["up", ...recorded.map(({ record }) => record),
	...metrics.flatMap(({ name, kind }) => kind === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name])]);

test("rules and dashboards name only what is exported, with its labels", () => {
	assert.ok(exprs.length > 100);
	for (const { where, expr } of exprs) {
		const names = namesIn(expr);

		assert.ok(names.length > 0, `${where}: ${expr}`);
		for (const name of names)
			assert.ok(known.has(name), `${where} names ${name}`);
		for (const [, name, matchers] of expr.matchAll(/\b((?:alp_|process_)\w+)\{([^}]*)\}/g)) {
			const { labels } = metrics.find((entry) => name.replace(/_(bucket|sum|count)$/, "") === entry.name || name === entry.name);

			for (const [, label] of matchers.matchAll(/(\w+)(?:=~?|!=|!~)"/g))
				assert.ok(["job", "instance", ...labels].includes(label), `${where}: ${name} has no label ${label}`);
		}
	}
});

test("every metric is on a dashboard or in a rule", () => {
	const named = new Set(exprs.flatMap(({ expr }) => namesIn(expr)));

	for (const { name, kind } of metrics)
		assert.ok(kind === "histogram" ? [...named].some((one) => one.startsWith(`${name}_`)) : named.has(name), name);
});

test("a dashboard per daemon and one for a turn, as Grafana reads them", () => {
	assert.deepEqual(boards.map(({ uid }) => uid).sort(), ["alp-ai", "alp-chat", "alp-gateway", "alp-store", "alp-turn"]);
	for (const { file, title, schemaVersion, panels } of boards) {
		assert.ok(title && schemaVersion >= 39, file);
		assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, file);
		for (const { type, gridPos, targets, datasource } of panels) {
			assert.equal(type, "timeseries");
			assert.ok(gridPos.x + gridPos.w <= 24);
			assert.equal(datasource.uid, "prometheus");
			assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
		}
	}
	assert.deepEqual(parse(read("grafana/datasources/prometheus.yml")).datasources.map(({ uid }) => uid), ["prometheus", "jaeger"]);
	execFileSync(process.execPath, [join(ROOT, "deploy/dev/dashboards.mjs"), "--check"]);
});

test("every query of a dashboard is PromQL", async () => {
	const rules = queries.map(({ expr }, i) => ({ record: `q:${i}`, expr: expr.replaceAll("$__rate_interval", "5m") }));
	const dir = mkdtempSync(join(tmpdir(), "alp-rules-"));

	writeFileSync(join(dir, "queries.yml"), JSON.stringify({ groups: [{ name: "dashboards", rules }] }));
	const { code, out } = await promtool(["check", "rules", "queries.yml"], { cwd: dir });

	rmSync(dir, { recursive: true });
	assert.equal(code, 0, out);
	assert.match(out, new RegExp(`${rules.length} rules found`));
});

test("Prometheus accepts its configuration and the rules", async () => {
	const { code, out } = await promtool(["check", "config", "prometheus.yml"], { cwd: FOLDER });

	assert.equal(code, 0, out);
	assert.deepEqual(parse(read("prometheus.yml")).scrape_configs.map(({ job_name }) => job_name).sort(), ["ai", "chat", "gateway", "store"]);
});

test("every alert fires and is quiet when it should", async () => {
	const { code, out } = await promtool(["test", "rules", "rules_test.yml"], { cwd: join(FOLDER, "rules") });

	assert.equal(code, 0, out);
	const cases = parse(read("rules/rules_test.yml")).tests.flatMap((entry) => entry.alert_rule_test ?? []);

	for (const { alert } of alerts) {
		assert.ok(cases.some(({ alertname, exp_alerts: expected }) => alertname === alert && expected.length > 0), `${alert} is made to fire`);
		assert.ok(cases.some(({ alertname, exp_alerts: expected }) => alertname === alert && expected.length === 0), `${alert} is kept quiet`);
	}
});

test("docs/operations.md says what to do about every alert, and names no other", () => {
	const text = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
	const rows = [...text.matchAll(/^\| `(Alp\w+)` \| (\w+) \| .{40,} \|$/gm)].map(([, name, severity]) => `${name} ${severity}`);

	assert.deepEqual(rows, alerts.map(({ alert, labels }) => `${alert} ${labels.severity}`));
});

test("compose mounts what is here", () => {
	const { services } = parse(readFileSync(join(ROOT, "docker-compose.yml"), "utf8"), { merge: true });

	for (const name of ["prometheus", "grafana"])
		for (const volume of services[name].volumes.filter((text) => text.startsWith("./")))
			assert.ok(existsSync(join(ROOT, volume.split(":")[0])), volume);
});

test("docs/metrics.md is the catalogue", () => {
	const out = execFileSync(process.execPath, [join(ROOT, "deploy/dev/metrics-table.mjs")], { encoding: "utf8" });

	assert.equal(readFileSync(join(ROOT, "docs/metrics.md"), "utf8"), out);
});
