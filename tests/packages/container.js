/*
 * A Debian that boots systemd: systemd-nspawn over a root made by mmdebstrap, with a
 * network of its own. Root only.
 */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../lib/until.js";

const MAKE_MS = 1800000;
const BOOT_MS = 180000;
const OUTPUT_MAX = 64 << 20;

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);

/* What the packages need that are not in them, by name. */
function dependenciesOf(debs) {
	const names = debs.flatMap((deb) => execFileSync("dpkg-deb", ["-f", deb, "Depends"], { encoding: "utf8" }).split(","))
		.map((item) => item.trim().split(/[ (|]/)[0]).filter((name) => name !== "" && !/^alp(-|$)/.test(name));

	return [...new Set(names)];
}

export class Container {
	/* debs: paths of packages; they lie in /debs of the container, not installed. */
	static async boot(debs, include) {
		const container = new Container();

		container.dir = mkdtempSync(join(tmpdir(), "alp-boot-"));
		container.root = join(container.dir, "root");
		execFileSync("mmdebstrap", ["--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io",
			`--include=${["systemd", "systemd-sysv", "dbus", ...include, ...dependenciesOf(debs)].join(",")}`,
			readFileSync("/etc/os-release", "utf8").match(/^VERSION_CODENAME=(.*)$/m)[1], container.root],
		{ timeout: MAKE_MS, stdio: ["ignore", "ignore", "inherit"] });
		container.bring(debs);
		container.nspawn = spawn("systemd-nspawn", ["--quiet", "--boot", "--register=no", "--keep-unit", "--private-network",
			"--directory", container.root, "--machine", `alp-${process.pid}`], { stdio: ["ignore", "ignore", "inherit"] });
		await until("the container has booted", () => container.isUp(), { ms: BOOT_MS });
		return container;
	}

	bring(debs) {
		const folder = join(this.root, "debs");

		rmSync(folder, { recursive: true, force: true });
		mkdirSync(folder);
		for (const deb of debs)
			cpSync(deb, join(folder, deb.split("/").at(-1)));
	}

	isUp() {
		[this.leader] = childrenOf(this.nspawn.pid);
		return this.leader && /running|degraded/.test(this.run("systemctl", "is-system-running").stdout);
	}

	/* Runs a program of the container in it; { status, stdout, stderr }. */
	run(...command) {
		return spawnSync("nsenter", ["-t", this.leader, "-m", "-u", "-i", "-n", "-p", "--", ...command],
			{ encoding: "utf8", timeout: 120000, maxBuffer: OUTPUT_MAX, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive" } });
	}

	/* The same, and its output; an error with all that was said unless it ends with 0. */
	ok(...command) {
		const { status, stdout, stderr } = this.run(...command);

		if (status !== 0)
			throw new Error(`${command.join(" ")}: ${status}\n${stdout}\n${stderr}`);
		return stdout.trim();
	}

	/* A program of this machine in the container's network. */
	spawnInNetwork(command, options = {}) {
		return spawn("nsenter", ["-t", this.leader, "-n", "--", ...command], options);
	}

	exists(path) {
		return existsSync(join(this.root, path));
	}

	edit(path, change) {
		const file = join(this.root, path);

		writeFileSync(file, change(existsSync(file) ? readFileSync(file, "utf8") : ""));
	}

	list(path) {
		return readdirSync(join(this.root, path));
	}

	async end() {
		if (this.leader)
			this.run("systemctl", "poweroff");
		await until("the container is off", () => this.nspawn.exitCode !== null, { ms: BOOT_MS }).catch(() => this.nspawn.kill("SIGKILL"));
		rmSync(this.dir, { recursive: true, force: true });
	}
}
