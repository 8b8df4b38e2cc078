/*
 * The compose stack of one test run: a project of its own, with its own .env, port
 * and volumes.
 */

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, cleanEnv } from "../lib/daemon.js";
import { claimPorts } from "../lib/ports.js";

const MINUTE = 60000;
const DOCKER_NAMES = ["DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_BUILDKIT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"];

/* Runs a program: { code, out }, the output of both streams. */
function run(program, args, { env = process.env, ms = MINUTE, cwd = ROOT } = {}) {
	return new Promise((resolve) => {
		execFile(program, args, { cwd, env, timeout: ms, maxBuffer: 64 * 1024 * 1024 },
			(err, stdout, stderr) => resolve({ code: err ? err.code ?? err.signal : 0, out: stdout, err: stderr }));
	});
}

async function must(what, result) {
	const { code, out, err } = await result;

	if (code !== 0)
		throw new Error(`${what}: ${code}\n${out.slice(-3000)}\n${err.slice(-6000)}`);
	return out.trim();
}

export const docker = (...args) => docker.within(MINUTE, ...args);
docker.within = (ms, ...args) => must(`docker ${args.join(" ")}`, run("docker", args, { ms }));

/* A line of shell in a folder. */
export const sh = (line, cwd) => must(line, run("sh", ["-c", line], { cwd, ms: 2 * MINUTE }));

export class Compose {
	static async make() {
		const compose = new Compose();

		compose.claim = await claimPorts(4);
		compose.dir = mkdtempSync(join(tmpdir(), "alp-compose-"));
		compose.project = `alp-test-${process.pid}`;
		compose.publish = `127.0.0.1:${compose.claim.ports[0]}`;
		compose.url = `http://${compose.publish}`;
		compose.wsUrl = `ws://${compose.publish}`;
		compose.#writeEnv();
		return compose;
	}

	/* As make setup-env does it. */
	#writeEnv() {
		const text = readFileSync(join(ROOT, "deploy/env.example"), "utf8")
			.replaceAll(/^(SECRET_KEY|BUS_KEY|DATA_KEY|POSTGRES_PASSWORD)=$/gm, (_, name) => `${name}=${randomBytes(32).toString("hex")}`);

		this.envFile = join(this.dir, ".env");
		writeFileSync(this.envFile, text, { mode: 0o600 });
	}

	#env(more) {
		const kept = Object.fromEntries(DOCKER_NAMES.flatMap((name) => process.env[name] ? [[name, process.env[name]]] : []));

		return cleanEnv({ ...kept, GATEWAY_PUBLISH: this.publish, ...more });
	}

	/* With it a plain "docker compose" in any folder is about this project. */
	shellEnv(more = {}) {
		return this.#env({ ...more, COMPOSE_PROJECT_NAME: this.project, COMPOSE_FILE: join(ROOT, "docker-compose.yml"), COMPOSE_ENV_FILES: this.envFile });
	}

	/* { code, out, err } of docker compose; env: over the test's own. */
	try(args, { env = {}, envFile = this.envFile, ms = 5 * MINUTE } = {}) {
		return run("docker", ["compose", "-p", this.project, "--env-file", envFile, ...args], { env: this.#env(env), ms });
	}

	ok(args, options) {
		return must(`docker compose ${args.join(" ")}`, this.try(args, options));
	}

	/* The container ids of a service. */
	async containers(...services) {
		const ids = await this.ok(["ps", "-q", ...services]);

		return ids.split("\n").filter(Boolean);
	}

	/* What docker inspect says of a service's containers. */
	async inspect(...services) {
		return JSON.parse(await docker("inspect", ...await this.containers(...services)));
	}

	async health(...services) {
		return (await this.inspect(...services)).map(({ State }) => State.Health?.Status ?? State.Status);
	}

	/* The last lines of everything, for a failure's report. */
	async logs() {
		const { out, err } = await this.try(["logs", "--no-color", "--tail", "40"]);

		return out + err;
	}

	async remove() {
		await this.try(["--profile", "*", "down", "-v", "--remove-orphans", "-t", "5"]);
		await this.claim.release();
		rmSync(this.dir, { recursive: true, force: true });
	}
}
