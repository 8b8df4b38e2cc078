/*
 * The few things every route needs from HTTP.
 */

import { ApiError } from "./errors.js";

const BODY_MAX = 16 * 1024 * 1024;

/* The whole request body; a longer one than BODY_MAX is refused with 413. */
export function readBody(req) {
	return new Promise((resolve, reject) => {
		const parts = [];
		let size = 0;

		req.on("data", (part) => {
			size += part.length;
			if (size <= BODY_MAX)
				parts.push(part);
			else
				reject(new ApiError(413, `The request body is larger than ${BODY_MAX} bytes.`));
		});
		req.on("end", () => resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts)));
		req.on("error", reject);
	});
}

/* The bearer key of a request, or null. */
export function bearer(req) {
	const found = /^Bearer\s+(.+)$/i.exec(req.headers.authorization ?? "");

	return found ? found[1].trim() : null;
}

export function sendText(res, status, text, type = "application/json") {
	res.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) }).end(text);
}

export function sendJson(res, status, value) {
	sendText(res, status, JSON.stringify(value));
}
