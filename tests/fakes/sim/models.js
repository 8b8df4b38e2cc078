/*
 * The models this simulator answers for, and the two listing routes.
 */

import { ApiError } from "./errors.js";

const KNOWN = ["gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "gpt-4.1", "gpt-3.5-turbo"];
const CREATED = 1721172741;

function describe(id) {
	return { id, object: "model", created: CREATED, owned_by: "simulator" };
}

export class Models {
	constructor(extra = []) {
		this.ids = [...new Set([...KNOWN, ...extra])];
	}

	has(id) {
		return this.ids.includes(id);
	}

	list() {
		return { object: "list", data: this.ids.map(describe) };
	}

	get(id) {
		if (!this.has(id))
			throw new ApiError(404, `The model '${id}' does not exist`,
				{ param: "model", code: "model_not_found" });
		return describe(id);
	}
}
