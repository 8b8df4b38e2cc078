/*
 * The packages of build/deb in a Debian that boots systemd: install, start, crash,
 * hang, upgrade, remove, purge. One container, in this order.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../lib/daemon.js";
import { until } from "../lib/until.js";
import { Container } from "./container.js";

const DEBS = join(ROOT, "build/deb");
const SERVICES = ["alp-store", "alp-chat", "alp-ai", "alp-gateway"];
const SIM = "127.0.0.1:8190";
const NEWER = "0.1.0+test2";

const dir = mkdtempSync(join(tmpdir(), "alp-packages-"));
const saved = join(dir, "dialogue.json");
const debs = readdirSync(DEBS).filter((file) => file.endsWith(".deb") && !file.includes("dbgsym")).map((file) => join(DEBS, file));
let box, sim;

const state = (unit) => box.run("systemctl", "is-active", unit).stdout.trim();
const show = (unit, property) => box.ok("systemctl", "show", "-P", property, unit);
const allActive = () => SERVICES.every((unit) => state(unit) === "active");

function dialogue(...args) {
	return new Promise((resolve, reject) => {
		const child = box.spawnInNetwork([process.execPath, join(ROOT, "tests/packages/dialogue.js"), saved, ...args],
			{ stdio: ["ignore", "inherit", "pipe"] });
		let said = "";

		child.stderr.on("data", (data) => { said += data; });
		child.once("error", reject);
		child.once("exit", (code) => code === 0 ? resolve() : reject(new Error(said)));
	});
}

const isReady = () => box.run("/usr/bin/alp-gateway", "--env-file", "/etc/alp/alp.env", "--check-ready").status === 0;
const untilReady = () => until("the suite is ready", () => allActive() && isReady(), { ms: 60000 });

/* The same packages with a higher version. */
function newer(deb) {
	const folder = mkdtempSync(join(dir, "deb-"));
	const control = join(folder, "DEBIAN/control");
	const made = join(folder, "..", `${NEWER}-${deb.split("/").at(-1)}`);

	execFileSync("dpkg-deb", ["-R", deb, folder]);
	writeFileSync(control, readFileSync(control, "utf8").replace(/^Version: .*$/m, `Version: ${NEWER}`));
	execFileSync("dpkg-deb", ["--root-owner-group", "-b", folder, made], { stdio: "ignore" });
	return made;
}

before(async () => {
	box = await Container.boot(debs, ["postgresql", "procps"]);
}, { timeout: 2400000 });

after(async () => {
	sim?.kill();
	await box?.end();
	rmSync(dir, { recursive: true, force: true });
});

test("they install with a package per daemon, and secrets of their own", () => {
	box.ok("sh", "-c", "dpkg -i /debs/*.deb");
	const settings = box.ok("cat", "/etc/alp/alp.env");

	for (const name of ["SECRET_KEY", "BUS_KEY", "DATA_KEY"])
		assert.match(settings, new RegExp(`^${name}=[0-9a-f]{64}$`, "m"));
	assert.equal(box.ok("stat", "-c", "%a %U", "/etc/alp/alp.env"), "600 root");
	for (const unit of SERVICES)
		assert.equal(box.ok("systemctl", "is-enabled", unit), "enabled");
});

test("a store without a database says so in one line and keeps trying", async () => {
	await until("store names what is missing", () => /DATABASE_URL/.test(box.run("journalctl", "-u", "alp-store", "-o", "cat").stdout));
	assert.notEqual(state("alp-store"), "inactive");
});

test("alp-setup database makes one, and the suite serves a dialogue", async () => {
	sim = box.spawnInNetwork([process.execPath, join(ROOT, "tests/fakes/model-sim.js"), "--persona", "demo", "--listen", SIM]);
	box.ok("alp-setup", "database");
	assert.match(box.run("alp-setup", "database").stderr, /names a database already/);
	box.edit("/etc/alp/alp.env", (text) => text.replace(/^DEFAULT_OPENAI_API_KEY=.*$/m, "DEFAULT_OPENAI_API_KEY=demo")
		.replace(/^DEFAULT_OPENAI_BASE_URL=.*$/m, `DEFAULT_OPENAI_BASE_URL=http://${SIM}/v1`));
	box.ok("systemctl", "restart", "alp.target");
	await untilReady();
	await dialogue();
	await dialogue("check");
});

test("each daemon is a user of its own without rights; exposure at most 2.0", () => {
	const users = SERVICES.map((unit) => box.ok("ps", "-o", "user=", "-p", show(unit, "MainPID")));

	assert.equal(new Set(users).size, SERVICES.length);
	assert.ok(!users.includes("root"));
	for (const unit of SERVICES) {
		const level = Number(/level for .*: ([\d.]+)/.exec(box.run("systemd-analyze", "security", unit).stdout)[1]);

		assert.ok(level <= 2.0, `${unit}: ${level}`);
	}
});

test("ai and gateway are not given what others keep secret", () => {
	const environment = (unit) => box.ok("cat", `/proc/${show(unit, "MainPID")}/environ`);

	assert.doesNotMatch(environment("alp-ai"), /SECRET_KEY|DATABASE_URL/);
	assert.doesNotMatch(environment("alp-gateway"), /DATA_KEY|DATABASE_URL/);
});

test("a daemon that is killed, and one that hangs, are started again", async () => {
	const before = show("alp-chat", "MainPID");

	box.ok("kill", "-9", before);
	await until("chat is back", () => state("alp-chat") === "active" && show("alp-chat", "MainPID") !== before, { ms: 20000 });
	box.ok("mkdir", "-p", "/run/systemd/system/alp-store.service.d");
	box.ok("sh", "-c", "printf '[Service]\\nWatchdogSec=2s\\n' >/run/systemd/system/alp-store.service.d/test.conf");
	box.ok("systemctl", "daemon-reload");
	box.ok("systemctl", "restart", "alp-store");
	const hung = show("alp-store", "MainPID");

	box.ok("kill", "-STOP", hung);
	await until("the watchdog has replaced store", () => state("alp-store") === "active" && show("alp-store", "MainPID") !== hung, { ms: 60000 });
	await untilReady();
	await dialogue("check");
});

test("one more worker is one command", async () => {
	box.ok("systemctl", "enable", "--now", "alp-ai@8121");
	await until("it is ready", () => box.run("env", "AI_HEALTH=127.0.0.1:8121", "/usr/bin/alp-ai", "--env-file", "/etc/alp/alp.env", "--check-ready").status === 0);
	box.ok("systemctl", "disable", "--now", "alp-ai@8121");
});

test("an upgrade restarts the daemons and keeps settings and dialogues", async () => {
	const settings = box.ok("cat", "/etc/alp/alp.env");
	const pids = SERVICES.map((unit) => show(unit, "MainPID"));

	box.bring(debs.map(newer));
	box.ok("sh", "-c", "dpkg -i /debs/*.deb");
	assert.equal(box.ok("dpkg-query", "-W", "-f=${Version}", "alp-chat"), NEWER);
	await untilReady();
	SERVICES.forEach((unit, i) => assert.notEqual(show(unit, "MainPID"), pids[i], unit));
	assert.equal(box.ok("cat", "/etc/alp/alp.env"), settings);
	await dialogue("check");
});

test("removed, nothing runs and the settings stay; purged, nothing is left", () => {
	const names = debs.map((deb) => deb.split("/").at(-1).split("_")[0]);

	box.ok("dpkg", "--remove", ...names);
	assert.equal(box.run("pgrep", "-f", "^/usr/bin/alp-").status, 1);
	assert.ok(box.exists("/etc/alp/alp.env"));
	box.ok("dpkg", "--purge", ...names);
	for (const path of ["/etc/alp", "/usr/share/alp", "/usr/bin/alp-chat", "/usr/sbin/alp-setup"])
		assert.ok(!box.exists(path), path);
	assert.equal(box.ok("systemctl", "list-units", "--all", "--plain", "--no-legend", "alp-*"), "");
});
