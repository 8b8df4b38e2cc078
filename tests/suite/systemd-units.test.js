/*
 * deploy/systemd without a booted systemd: what systemd-analyze says of the units,
 * and that each daemon is kept from the secrets of the others.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../lib/daemon.js";

const UNITS = join(ROOT, "deploy/systemd");
const SERVICES = { gateway: "alp-gateway.service", chat: "alp-chat.service", store: "alp-store.service",
	ai: "alp-ai.service", "one more ai": "alp-ai@8121.service" };
const EXPOSURE_MAX = 2.0;

const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const skip = hasAnalyze ? false : "systemd-analyze is not installed";

/* A root with the units and something to start. */
function makeRoot() {
	const root = mkdtempSync(join(tmpdir(), "alp-units-"));
	const units = join(root, "usr/lib/systemd/system");

	mkdirSync(join(root, "usr/bin"), { recursive: true });
	mkdirSync(units, { recursive: true });
	cpSync(UNITS, units, { recursive: true });
	symlinkSync("alp-ai@.service", join(units, SERVICES["one more ai"]));
	for (const program of ["alp-gateway", "alp-chat", "alp-ai", "alp-store", "env"])
		copyFileSync("/bin/true", join(root, "usr/bin", program));
	return root;
}

const root = makeRoot();

after(() => rmSync(root, { recursive: true }));

for (const [name, unit] of Object.entries(SERVICES))
	test(`${name}'s unit is exposed at most ${EXPOSURE_MAX}`, { skip }, () => {
		const { stdout, stderr, status } = spawnSync("systemd-analyze",
			["security", "--offline=true", `--root=${root}`, `--threshold=${EXPOSURE_MAX * 10}`, unit], { encoding: "utf8" });
		const level = Number(/Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1] ?? NaN);

		assert.ok(level <= EXPOSURE_MAX, `${level}\n${stderr}`);
		assert.equal(status, 0);
		assert.doesNotMatch(stderr, /Unknown|Failed to parse|ignoring/i);
	});

test("a directive that systemd does not know is found", { skip }, () => {
	const unit = join(root, "usr/lib/systemd/system/alp-wrong.service");

	copyFileSync(join(UNITS, "alp-chat.service"), unit);
	spawnSync("sed", ["-i", "s/^ExecStart/NoSuchThing=1\\nExecStart/", unit]);
	const { stderr } = spawnSync("systemd-analyze", ["security", "--offline=true", `--root=${root}`, "alp-wrong.service"],
		{ encoding: "utf8" });

	assert.match(stderr, /NoSuchThing/);
});

test("no daemon is given a secret that another uses", () => {
	const catalogue = readFileSync(join(ROOT, "services/common/settings.def"), "utf8");
	const secrets = [...catalogue.matchAll(/SETTING\(\w+,\s*\w+,\s*"(\w+)",\s*"[^"]*",\s*([A-Z |]+?),\s*[\w |]*SECRET/g)]
		.map(([, name, users]) => ({ name, users: users.split("|").map((user) => user.trim().toLowerCase()) }))
		.filter(({ users }) => !users.includes("all") && !users.includes("none"));

	assert.ok(secrets.length >= 4);
	for (const daemon of ["gateway", "chat", "store", "ai"]) {
		const unit = readFileSync(join(UNITS, `alp-${daemon}.service`), "utf8");
		const kept = /^UnsetEnvironment=(.*)$/m.exec(unit)[1].split(" ");

		for (const { name, users } of secrets)
			assert.equal(kept.includes(name), !users.includes(daemon), `${daemon}: ${name}`);
	}
});
