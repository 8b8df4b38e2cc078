/* The dialogue under load: an answer that streams fast, a thousand messages that are scrolled through. */

import { fedPage, message } from "./fed_page.js";
import { Visitor } from "./lib.js";
import { threadClock } from "./thread_clock.js";

const DELTAS_PER_S = 60;
const WORDS = 3000;
const MESSAGES = 1000;
const SCROLL_PX = 240;		/* a frame: 14,400 px a second, a fast wheel */
const SCROLL_MS = 40000;	/* a machine too slow for all of it measures what it came through */
/* of what a machine without a graphics card does with the same words on a page without anything of ours */
const AS_GOOD_AS_PLAIN = 0.9;

function longAnswer() {
	const paragraph = "Это **важное** слово и `код`, затем обычный текст абзаца, который читают внимательно. ";
	const piece = `### Раздел\n\n${paragraph.repeat(3)}\n\n1. первый пункт\n2. второй пункт\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\`\`\`python\nprint("да")\n\`\`\`\n\n`;
	const times = Math.ceil(WORDS / piece.split(/\s+/).length);

	return piece.repeat(times);
}

export async function streaming({ browser, url, work, tell }) {
	const { visitor, send } = await fedPage(browser, url, work, { history: [message(0, "начало"), message(1, "расскажи")] });
	const turn_id = "10000000-0000-4000-8000-000000000000";
	const text = longAnswer();
	const size = Math.ceil(text.length / (WORDS / 3));	/* three words a delta, as models do at this pace */
	const clock = await threadClock(visitor);

	send({ type: "ai_status", turn_id, state: "streaming" });
	const before = await clock();
	const start = performance.now();
	let offset = 0;
	for (let at = 0; at < text.length; at += size, offset++) {
		send({ type: "ai_delta", turn_id, epoch: 1, offset, text: text.slice(at, at + size) });
		const due = start + (offset + 1) * 1000 / DELTAS_PER_S;
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
	}
	const elapsed = performance.now() - start;
	const share = ((await clock()).all - before.all) / elapsed;
	tell("main thread busy", `${(share * 100).toFixed(1)} % at ${(offset / elapsed * 1000).toFixed(0)} deltas/s, ${text.split(/\s+/).length} words`,
		"under 30 %", share < 0.3);
	await visitor.context.close();
}

/* Scrolls what the selector names from top to bottom; {fps, all, work}: ms of the main thread a frame. */
async function scrollThrough(visitor, selector) {
	const clock = await threadClock(visitor);
	const before = await clock();
	const { frames, seconds } = await visitor.page.evaluate(async ({ selector: place, px, ms }) => {
		const node = document.querySelector(place);
		const start = performance.now();
		let frames = 0;
		let top = 0;
		let end = 0;
		node.scrollTop = 0;
		while (performance.now() - start < ms) {
			await new Promise(requestAnimationFrame);
			/* asking for the height costs a layout, so it is not asked in every frame */
			if (top >= end - node.clientHeight && top >= (end = node.scrollHeight) - node.clientHeight)
				break;
			top += px;
			node.scrollTop = top;
			frames += 1;
		}
		return { frames, seconds: (performance.now() - start) / 1000 };
	}, { selector, px: SCROLL_PX, ms: SCROLL_MS });
	const after = await clock();

	return { fps: frames / seconds, all: (after.all - before.all) / frames, work: (after.work - before.work) / frames };
}

/* The same words without anything of ours: what the machine draws at best. */
async function plainPage(browser, url, history) {
	const visitor = await Visitor.enter(browser, url);

	await visitor.page.setContent(`<!doctype html><style>p { max-width: 78ch; padding: 12px; white-space: pre-wrap }</style>${
		history.map(({ content }) => `<p>${content}</p>`).join("")}`);
	const plain = await scrollThrough(visitor, "html");
	await visitor.context.close();
	return plain;
}

export async function scrolling({ browser, url, work, tell }) {
	const history = Array.from({ length: MESSAGES }, (_, i) => message(i, i % 2 ? `Вопрос ${i}`
		: `## Ответ ${i}\n\nТекст **ответа** с \`кодом\`.\n\n- раз\n- два\n\n${"Слова абзаца. ".repeat(20)}`));
	const plain = await plainPage(browser, url, history);
	const { visitor } = await fedPage(browser, url, work, { history });
	const ours = await scrollThrough(visitor, '[data-testid="messages"]');
	const ms = (value) => `${value.toFixed(1)} ms`;

	tell("scrolling, main thread", `${ms(ours.all)} a frame through ${MESSAGES} messages (a plain page: ${ms(plain.all)})`, "under 8 ms", ours.all < 8);
	tell("  of it scripts, style, layout", ms(ours.work), "", null);
	tell("scrolling, frames", `${ours.fps.toFixed(0)} fps (a plain page: ${plain.fps.toFixed(0)})`,
		"60 fps, or what the machine draws of a plain page", ours.fps >= 57 || ours.fps >= plain.fps * AS_GOOD_AS_PLAIN);
	await visitor.context.close();
}
