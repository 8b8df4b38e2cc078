/* The event stream parser: the same events however the bytes are cut. The first byte of the input tells where. */
#include "sse.h"
#include "json.h"
#include "target.h"

#define LIMIT 256

static bool note(void *arg, struct text type, struct text data)
{
	UT_string *seen = arg;

	utstring_printf(seen, "%zu,%zu;", type.len, data.len);
	if (data.len > 0)
		utstring_bincpy(seen, data.p, data.len);
	return !text_is(data, "[DONE]");
}

static void run(UT_string *seen, struct text bytes, size_t step)
{
	struct sse sse;

	sse_init(&sse, LIMIT, note, seen);
	for (size_t i = 0; i < bytes.len; i += step)
		if (!sse_feed(&sse, text_of(bytes.p + i, step < bytes.len - i ? step : bytes.len - i)))
			break;
	sse_end(&sse);
	HOLDS(utstring_len(&sse.line) <= LIMIT && utstring_len(&sse.data) <= LIMIT);
	sse_done(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(string_done) UT_string whole;
	CLEANUP(string_done) UT_string cut;

	utstring_init(&whole);
	utstring_init(&cut);
	if (size < 2)
		return 0;
	run(&whole, text_of(data + 1, size - 1), size);
	run(&cut, text_of(data + 1, size - 1), 1U + data[0] % 16);
	HOLDS(text_equal(json_written(&whole), json_written(&cut)));
	return 0;
}
