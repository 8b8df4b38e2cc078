/*
 * The model simulator as a child, and its control API.
 */

import { join } from "node:path";
import { ROOT, cleanEnv } from "./daemon.js";
import { Proc } from "./proc.js";
import { until } from "./until.js";

export class Sim extends Proc {
	/* options: further arguments of tests/fakes/model-sim.js */
	constructor({ dir, listen, persona = "echo", tokenDelayMs, options = [] }) {
		const delay = tokenDelayMs === undefined ? [] : ["--token-delay-ms", String(tokenDelayMs)];

		super({
			name: "model-sim", cwd: dir, env: cleanEnv({}), log: join(dir, "model-sim.log"),
			command: [process.execPath, join(ROOT, "tests/fakes/model-sim.js"), "--listen", listen,
				"--persona", persona, "--markers", ...delay, ...options],
			ready: (ms) => until("the simulator answers", () => this.state(), { ms }),
		});
		this.url = `http://${listen}/v1`;
		this.base = `http://${listen}/__sim`;
	}

	async #ask(method, path = "", body = undefined) {
		const answer = await fetch(this.base + path, { method, body: body && JSON.stringify(body),
			headers: body ? { "content-type": "application/json" } : {} });

		if (!answer.ok)
			throw new Error(`simulator: ${method} ${path}: ${answer.status} ${await answer.text()}`);
		return answer.json();
	}

	state() {
		return this.#ask("GET");
	}

	/* Adds a rule or a list of them; see tests/fakes/README.md. */
	script(rules) {
		return this.#ask("POST", "/script", rules);
	}

	calls(since = 0) {
		return this.#ask("GET", `/calls?since=${since}`);
	}

	/* Forgets "script", "calls", or both. */
	forget(what) {
		return this.#ask("DELETE", what ? `/${what}` : "");
	}
}
