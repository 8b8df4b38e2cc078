/* What a message may be, as the server sees it. */

export const MESSAGE_MAX = 32_000;
/* The server's frame limit of 64 KiB, less what stands around the text. */
const FRAME_TEXT_BYTES_MAX = 65_536 - 512;

function frameBytes(text) {
	return new TextEncoder().encode(JSON.stringify(text)).length;
}

/** '' | blank | long. Characters are code points; a text of emoji meets the frame's limit first. */
export function messageProblem(text) {
	if (text.trim() === '')
		return 'blank';
	/* a text has at most as many code points as UTF-16 units */
	const tooMany = text.length > MESSAGE_MAX && [...text].length > MESSAGE_MAX;
	const tooBig = text.length > FRAME_TEXT_BYTES_MAX / 6 && frameBytes(text) > FRAME_TEXT_BYTES_MAX;
	return tooMany || tooBig ? 'long' : '';
}
