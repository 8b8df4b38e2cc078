#include "unit.h"

#include "sse.h"

/* Events as "type|data;" in one string. */
static bool note(void *arg, struct text type, struct text data)
{
	UT_string *seen = arg;

	if (type.len > 0)
		utstring_bincpy(seen, type.p, type.len);
	utstring_bincpy(seen, "|", 1);
	if (data.len > 0)
		utstring_bincpy(seen, data.p, data.len);
	utstring_bincpy(seen, ";", 1);
	return !text_is(data, "[DONE]");
}

/* Feeds the stream in steps of `size` bytes after a first part of `first`. */
static void read_stream(const char *stream, size_t len, size_t first, size_t size, UT_string *seen)
{
	struct sse sse;

	utstring_clear(seen);
	sse_init(&sse, 1000, note, seen);
	sse_feed(&sse, text_of(stream, first));
	for (size_t i = first; i < len; i += size)
		sse_feed(&sse, text_of(stream + i, size < len - i ? size : len - i));
	sse_end(&sse);
	sse_done(&sse);
}

/* The same events at every cut position, and one byte at a time. */
static void expect(const char *stream, size_t len, const char *events)
{
	UT_string seen;

	utstring_init(&seen);
	for (size_t cut = 0; cut <= len; cut++) {
		read_stream(stream, len, cut, len > 0 ? len : 1, &seen);
		assert_string_equal(utstring_body(&seen), events);
	}
	read_stream(stream, len, 0, 1, &seen);
	assert_string_equal(utstring_body(&seen), events);
	utstring_done(&seen);
}

#define EXPECT(stream, events) expect(stream, sizeof(stream) - 1, events)

static void sse_reads_every_line_end_at_every_cut(void **state)
{
	(void)state;
	EXPECT("data: one\n\ndata: two\n\n", "|one;|two;");
	EXPECT("data: one\r\n\r\ndata: two\r\n\r\n", "|one;|two;");
	EXPECT("data: one\r\rdata: two\r\r", "|one;|two;");
	EXPECT("data: one\r\n\ndata: two\n\r\ndata: three\n\r", "|one;|two;|three;");
	EXPECT("data: one\r\n\rdata: two\r\r\n", "|one;|two;");
}

static void sse_joins_data_lines(void **state)
{
	(void)state;
	EXPECT("data: {\ndata: \"a\": 1}\n\n", "|{\n\"a\": 1};");
	EXPECT("data\ndata\n\n", "|\n;");
	EXPECT("data:\n\n", "|;");
}

static void sse_takes_one_blank_after_the_colon(void **state)
{
	(void)state;
	EXPECT("data:x\n\ndata:  y\n\ndata: a:b\n\n", "|x;| y;|a:b;");
}

static void sse_skips_bom_comments_and_other_fields(void **state)
{
	(void)state;
	EXPECT("\xEF\xBB\xBF"
	       "data: one\n\n",
	       "|one;");
	EXPECT("\xEF\xBB"
	       "data: one\n\ndata: two\n\n",
	       "|two;"); /* no BOM: part of the field's name */
	EXPECT("\xEF\xBB\xBF\xEF\xBB\xBF"
	       "data: one\n\ndata: two\n\n",
	       "|two;"); /* only one is skipped */
	EXPECT(": hello\n:\nid: 7\nretry: 10\nfoo\ndata: one\n: again\n\n", "|one;");
	EXPECT("\n\n\nevent: ping\n\ndata: one\n\n", "|one;"); /* without data it is no event, and its type is gone */
}

static void sse_knows_the_type(void **state)
{
	(void)state;
	EXPECT("event: error\ndata: {}\n\ndata: one\n\n", "error|{};|one;");
	EXPECT("event: error\nevent\ndata: one\n\n", "|one;");
}

static void sse_delivers_what_the_last_blank_line_is_missing_for(void **state)
{
	(void)state;
	EXPECT("data: one\n\ndata: two\n", "|one;|two;");
	EXPECT("data: one\n\ndata: two", "|one;|two;");
	EXPECT("", "");
}

static void sse_keeps_nul_and_split_runes(void **state)
{
	(void)state;
	EXPECT("data: \xD0\x9F\xF0\x9F\x98\x80\n\n", "|\xD0\x9F\xF0\x9F\x98\x80;");
}

static void sse_stops_when_no_more_is_wanted(void **state)
{
	(void)state;
	EXPECT("data: [DONE]\n\ndata: late\n\n", "|[DONE];");
}

static void sse_is_bounded(void **state)
{
	UT_string seen;
	struct sse sse;
	char line[101] = "data: ";

	(void)state;
	utstring_init(&seen);
	memset(line + 6, 'x', sizeof(line) - 7);
	sse_init(&sse, 50, note, &seen);
	assert_false(sse_feed(&sse, text_from(line)));
	assert_true(sse.over);
	assert_true(utstring_len(&sse.line) <= 50);
	assert_false(sse_feed(&sse, text_from("\n\n")));
	sse_done(&sse);

	sse_init(&sse, 50, note, &seen);
	for (int i = 0; i < 24; i++)
		assert_true(sse_feed(&sse, text_from("data: x\n")));
	assert_true(sse_feed(&sse, text_from("data: \n")));
	assert_false(sse_feed(&sse, text_from("data: xyz\n")));
	assert_true(sse.over);
	assert_int_equal(utstring_len(&seen), 0);
	sse_done(&sse);
	utstring_done(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sse_reads_every_line_end_at_every_cut),
		cmocka_unit_test(sse_joins_data_lines),
		cmocka_unit_test(sse_takes_one_blank_after_the_colon),
		cmocka_unit_test(sse_skips_bom_comments_and_other_fields),
		cmocka_unit_test(sse_knows_the_type),
		cmocka_unit_test(sse_delivers_what_the_last_blank_line_is_missing_for),
		cmocka_unit_test(sse_keeps_nul_and_split_runes),
		cmocka_unit_test(sse_stops_when_no_more_is_wanted),
		cmocka_unit_test(sse_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
