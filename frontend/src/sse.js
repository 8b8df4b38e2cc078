/* Server-sent events of an answer, read as they come. Bytes may be cut anywhere. */

/** code: of the server's error frames; cut: the stream ended before its end; soft: success was false */
export class StreamError extends Error {
	constructor(code, message) {
		super(message);
		this.name = 'StreamError';
		this.code = code;
	}
}

function parseEvent(lines) {
	const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, '')).join('\n');

	try {
		return data ? JSON.parse(data) : null;
	} catch {
		/* not ours: the same as an event of an unknown type */
		return null;
	}
}

/** Feeds on pieces of text, calls onEvent(object) for each whole event. */
export function eventParser(onEvent) {
	let rest = '';

	return (piece) => {
		rest += piece;
		const blocks = rest.split(/\r?\n\r?\n/);
		rest = blocks.pop();
		for (const block of blocks) {
			const event = parseEvent(block.split(/\r?\n/));
			if (event)
				onEvent(event);
		}
	};
}

/** Resolves when the stream has ended: null, or the body when the server answered with plain JSON instead. */
export async function readEvents(response, onEvent) {
	if (!response.headers.get('content-type')?.includes('text/event-stream'))
		return response.json();
	const feed = eventParser(onEvent);
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();

	for (;;) {
		const { done, value } = await reader.read();
		if (done)
			break;
		feed(value);
	}
	feed('\n\n');
	return null;
}

/**
 * The answer of a model call that may stream: what ended it, or the plain
 * body. A failure told inside of the stream, or by success:false, is thrown.
 */
export async function streamedAnswer(response, onEvent = () => {}) {
	let last = null;
	const plain = await readEvents(response, (event) => {
		last = event;
		onEvent(event);
	});
	const answer = plain ?? last;

	if (answer === null)
		throw new StreamError('cut', '');
	if (answer.type === 'error')
		throw new StreamError(answer.code ?? 'internal', answer.message);
	if (answer.success === false)
		throw new StreamError('soft', answer.error ?? '');
	if (plain === null && answer.type !== 'ai_response')
		throw new StreamError('cut', '');
	return answer;
}
