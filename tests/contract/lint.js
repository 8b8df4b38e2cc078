/*
 * Reads docs/openapi.yaml and docs/asyncapi.yaml as their standards demand, and
 * a little more strictly. Prints what is wrong; ends with 1 when something is.
 */

import { createConfig, formatProblems, lint } from "@redocly/openapi-core";
import { join } from "node:path";

const DOCS = join(import.meta.dirname, "../../docs");
const RULES = {
	"info-license-strict": "off",	/* the product is not licensed to the public */
	"operation-4xx-response": "off",	/* health has none */
	"operation-2xx-response": "error",
	"no-invalid-schema-examples": "error",
	"no-unused-components": "error",
	"operation-operationId": "error",
	"operation-operationId-unique": "error",
	"no-server-example.com": "off",
	"no-required-schema-properties-undefined": "off",	/* a then: may demand what stands beside it */
	"no-empty-servers": "error",
	"no-ambiguous-paths": "error",
	"path-parameters-defined": "error",
	"tag-description": "error",
	"operation-tag-defined": "error",
};

/* Everything that is wrong with one of the two files. */
export async function problemsOf(file) {
	const security = file === "asyncapi.yaml" ? "off" : "error";	/* AsyncAPI has it on the server */
	const config = await createConfig({ extends: ["recommended"], rules: { ...RULES, "security-defined": security } });

	return lint({ ref: join(DOCS, file), config });
}

export const FILES = ["openapi.yaml", "asyncapi.yaml"];

if (process.argv[1] === import.meta.filename) {
	for (const file of FILES) {
		const problems = await problemsOf(file);

		if (problems.length > 0) {
			formatProblems(problems, { format: "stylish", version: "", totals: { errors: problems.length, warnings: 0, ignored: 0 } });
			process.exitCode = 1;
		}
	}
}
