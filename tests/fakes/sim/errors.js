/*
 * Errors in OpenAI's shape: {"error":{"message","type","param","code"}}.
 */

export class ApiError extends Error {
	constructor(status, message, { type = "invalid_request_error", param = null, code = null } = {}) {
		super(message);
		this.status = status;
		this.type = type;
		this.param = param;
		this.code = code;
	}

	body() {
		return errorBody(this.message, this.type, this.param, this.code);
	}
}

export function errorBody(message, type, param = null, code = null) {
	return JSON.stringify({ error: { message, type, param, code } });
}

/* A 400 that names the field, as the real API does. */
export function badField(param, code, message) {
	return new ApiError(400, message, { param, code });
}
