import { describe, expect, it } from 'vitest';
import { eventParser, readEvents, streamedAnswer } from './sse.js';

const TEXT = ': hello\n\nevent: ai_delta\nid: 1.0\ndata: {"type":"ai_delta",\ndata: "text":"да"}\n\ndata: nonsense\n\ndata: {"type":"end"}\r\n\r\n';
const EVENTS = [{ type: 'ai_delta', text: 'да' }, { type: 'end' }];

describe('server-sent events', () => {
	it('are found however the text is cut', () => {
		for (const size of [1, 2, 7, 1000]) {
			const seen = [];
			const feed = eventParser((event) => seen.push(event));
			for (let i = 0; i < TEXT.length; i += size)
				feed(TEXT.slice(i, i + size));
			expect(seen, `pieces of ${size}`).toEqual(EVENTS);
		}
	});

	it('are read from an answer, and plain JSON is given back', async () => {
		const seen = [];
		const stream = new Response(TEXT, { headers: { 'content-type': 'text/event-stream' } });
		expect(await readEvents(stream, (event) => seen.push(event))).toBe(null);
		expect(seen).toEqual(EVENTS);
		const plain = new Response('{"success":true}', { headers: { 'content-type': 'application/json' } });
		expect(await readEvents(plain, () => {})).toEqual({ success: true });
	});

	it('end with an answer or a reason', async () => {
		const stream = (...events) => new Response(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
			{ headers: { 'content-type': 'text/event-stream' } });
		const plain = (body) => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
		expect(await streamedAnswer(stream({ type: 'ai_delta' }, { type: 'ai_response', message: 'x' }))).toMatchObject({ message: 'x' });
		expect(await streamedAnswer(plain({ success: true, chat_id: 'c' }))).toMatchObject({ chat_id: 'c' });
		await expect(streamedAnswer(stream({ type: 'error', code: 'busy', message: 'later' }))).rejects.toMatchObject({ code: 'busy', message: 'later' });
		await expect(streamedAnswer(stream({ type: 'ai_delta' }))).rejects.toMatchObject({ code: 'cut' });
		await expect(streamedAnswer(stream())).rejects.toMatchObject({ code: 'cut' });
		await expect(streamedAnswer(plain({ success: false, error: 'no' }))).rejects.toMatchObject({ code: 'soft', message: 'no' });
	});
});
