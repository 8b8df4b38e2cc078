/*
 * llm_json: what a model's server says, as JSON: one chunk of a stream, a whole
 * completion, or an error. Strict about structure (one document, bounded depth
 * and size, case-sensitive), lenient about what does not matter to us: unknown
 * members, further choices, tool calls and reasoning are ignored.
 *
 * Texts may still hold broken UTF-8; U+0000 has become U+FFFD, and a lone
 * surrogate escape its three bytes: utf8.h joins or replaces those.
 * Any thread; nothing blocks.
 */
#ifndef ALP_LLM_JSON_H
#define ALP_LLM_JSON_H

#include "json.h"

#define LLM_DEPTH_MAX 64
#define LLM_NODES_MAX 50000

struct llm_chunk {
	cJSON *tree;
	UT_string cleaned; /* the document, where it had to be changed before parsing */
	UT_string joined; /* content given as a list of parts */
	/* All of these borrow from the above. */
	struct text content; /* of choice 0 */
	struct text finish_reason;
	struct text model;
	bool is_error;
	struct text error_code, error_type;
	const cJSON *usage;
};

/* Reads a document. False: it is none, or beyond the limits. Either way llm_drop it. */
bool llm_read(struct llm_chunk *chunk, struct text in);
void llm_drop(struct llm_chunk *chunk);

/* Tokens as the server counted them; -1 = not told. */
struct llm_usage {
	int64_t prompt, cached, completion;
};

#define LLM_USAGE_NONE ((struct llm_usage){ -1, -1, -1 })

/*
 * Takes over the counts of a usage object: each replaces what was known, so
 * that running and repeated ones are counted once and split ones come
 * together. One with an impossible count is ignored as a whole.
 */
void llm_usage_take(struct llm_usage *usage, const cJSON *object);

#endif
