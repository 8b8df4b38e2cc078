/* A provider's JSON: whatever it is, what is read has a shape the rest may rely on. */
#include "llm_json.h"
#include "target.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct llm_chunk chunk;
	struct llm_usage usage = LLM_USAGE_NONE;
	struct utf8 utf8;

	utf8_init(&utf8);
	if (llm_read(&chunk, text_of(data, size))) {
		struct text t = utf8_repair(&utf8, chunk.content);

		HOLDS(t.len == 0 || text_is_utf8(t));
		t = utf8_end(&utf8);
		HOLDS(t.len == 0 || text_is_utf8(t));
		llm_usage_take(&usage, chunk.usage);
		HOLDS(usage.prompt >= -1 && usage.cached >= -1 && usage.completion >= -1);
	}
	llm_drop(&chunk);
	utf8_done(&utf8);
	return 0;
}
