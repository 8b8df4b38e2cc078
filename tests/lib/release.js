/*
 * What an after() hook gives back. Every thing is ended, in the order given,
 * even when the end of one before it fails: a server that is left listening
 * would keep the file running until the runner's time limit.
 */

/* Ends what has stop() or close(); nothing is skipped over. Rejects with what failed, an AggregateError for several. */
export async function release(...things) {
	const errors = [];

	for (const thing of things) {
		try {
			await (thing?.stop ? thing.stop() : thing?.close?.());
		} catch (err) {
			errors.push(err);
		}
	}
	if (errors.length > 0)
		throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map((err) => err.message).join("\n"));
}
