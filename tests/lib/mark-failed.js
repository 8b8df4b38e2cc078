/*
 * Loaded into the process of each test file: one that ends with a failure
 * leaves its path in the file that FAILED_FILES names. The runner's events
 * place a failed hook where it was written, which may be a shared library, and
 * do not say whose process it was.
 */

import { appendFileSync } from "node:fs";

process.on("exit", (code) => {
	if (code !== 0)
		appendFileSync(process.env.FAILED_FILES, `${process.argv[1]}\n`);
});
