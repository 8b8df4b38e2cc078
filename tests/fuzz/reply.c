/*
 * A whole answer of a model's server, from bytes to text. The first two bytes
 * choose kind and cuts. However it is cut, text and ending are the same; text
 * is well-formed and bounded.
 */
#include "reply.h"
#include "target.h"

#define TEXT_MAX 512

static bool note(void *arg, struct text text)
{
	UT_string *said = arg;

	HOLDS(text.len > 0 && text_is_utf8(text));
	utstring_bincpy(said, text.p, text.len);
	return utstring_len(said) < TEXT_MAX;
}

static enum ending run(UT_string *said, uint8_t kind, struct text bytes, size_t step)
{
	static const char *const types[] = { "text/event-stream", "application/json", NULL, "text/html" };
	struct reply r;
	enum ending ending;

	reply_init(&r, TEXT_MAX, note, said);
	reply_head(&r, kind & 0x10 ? 429 : 200, types[kind & 3], !(kind & 0x20));
	for (size_t i = 0; i < bytes.len; i += step)
		if (!reply_feed(&r, text_of(bytes.p + i, step < bytes.len - i ? step : bytes.len - i)))
			break;
	reply_close(&r, !(kind & 0x40));
	ending = reply_ending(&r, ENDING_NONE);
	HOLDS(ending != ENDING_NONE && (ending != ENDING_COMPLETE || utstring_len(said) > 0));
	HOLDS(text_is_utf8(text_from(r.model)) && text_is_utf8(text_from(r.finish_reason)));
	reply_done(&r);
	return ending;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(string_done) UT_string whole;
	CLEANUP(string_done) UT_string cut;
	enum ending first, second;

	utstring_init(&whole);
	utstring_init(&cut);
	if (size < 3)
		return 0;
	first = run(&whole, data[0], text_of(data + 2, size - 2), size);
	second = run(&cut, data[0], text_of(data + 2, size - 2), 1U + data[1] % 16);
	HOLDS(first == second && text_equal(json_written(&whole), json_written(&cut)));
	return 0;
}
