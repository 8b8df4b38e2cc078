/*
 * The model simulator: a server that speaks the OpenAI chat completions
 * protocol, for tests, benches and a first look without a key. It needs node
 * and nothing from npm. See README.md beside this file.
 */

import { parseOptions, USAGE, UsageError } from "./sim/options.js";
import { createSimulator } from "./sim/server.js";

const EXIT_USAGE = 2;

function stop(message, code) {
	process.stderr.write(`model simulator: ${message}\n`);
	process.exit(code);
}

function readOptions() {
	try {
		return parseOptions(process.argv.slice(2), process.env);
	} catch (err) {
		if (!(err instanceof UsageError))
			throw err;
		return stop(`${err.message}\n${USAGE}`, EXIT_USAGE);
	}
}

async function main() {
	const options = readOptions();

	if (options.help)
		return process.stdout.write(USAGE);
	const sim = createSimulator(options);
	const host = options.host.includes(":") ? `[${options.host}]` : options.host;

	try {
		const port = await sim.listen(options.host, options.port);

		process.stdout.write(`model simulator ready on http://${host}:${port} persona=${options.persona}\n`);
	} catch (err) {
		stop(`cannot listen on ${host}:${options.port}: ${err.message}`, 1);
	}
	for (const signal of ["SIGTERM", "SIGINT"])
		process.once(signal, () => sim.close().then(() => process.exit(0)));
}

await main();
