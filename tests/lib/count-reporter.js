/*
 * A reporter for node --test: one JSON line per test that ran, for run.js to
 * count. A parent that failed only because of its subtests is not counted again.
 */

const ERROR_CHARS = 300;

const said = (error) => String(error?.cause?.message ?? error?.message).replace(/\s+/g, " ").slice(0, ERROR_CHARS);

export default async function* count(source) {
	for await (const { type, data } of source) {
		if (type !== "test:pass" && type !== "test:fail" || data.details?.type === "suite")
			continue;
		if (data.details?.error?.failureType === "subtestsFailed")
			continue;
		const skipped = data.skip !== undefined || data.todo !== undefined;
		const result = skipped ? "skipped" : type === "test:pass" ? "passed" : "failed";

		yield `${JSON.stringify({ result, name: data.name, file: data.file, ms: data.details?.duration_ms,
			error: result === "failed" ? said(data.details?.error) : undefined })}\n`;
	}
}
