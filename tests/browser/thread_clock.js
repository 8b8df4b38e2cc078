/* What a page costs, whatever else the machine does. */

/*
 * CPU time of the page's main thread so far, in milliseconds: a busy machine
 * does not count. all: everything, drawing commands too; work: scripts, style
 * and layout.
 */
export async function threadClock({ context, page }) {
	const cdp = await context.newCDPSession(page);

	await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
	return async () => {
		const { metrics } = await cdp.send("Performance.getMetrics");
		const ms = Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1000]));
		return { all: ms.TaskDuration, work: ms.ScriptDuration + ms.LayoutDuration + ms.RecalcStyleDuration };
	};
}
