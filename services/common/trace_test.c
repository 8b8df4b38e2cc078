#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define GIVEN "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void trace_accepts_what_the_standard_allows(void **state)
{
	char out[TRACE_SIZE];

	(void)state;
	trace_setup(NULL, 100);
	assert_true(trace_accept(out, text_from(GIVEN)));
	assert_string_equal(out, GIVEN);
	assert_true(trace_accept(out, text_from("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")));
	assert_string_equal(out + 53, "00"); /* whoever asks not to be recorded is not */
}

static void trace_replaces_what_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e47-6-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
	};
	char out[TRACE_SIZE], again[TRACE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(trace_accept(out, text_from(bad[i])));
		assert_true(trace_accept(again, text_from(out)));
		assert_string_equal(out, again);
	}
}

/* The decision hangs on the trace alone, so that every daemon takes the same. */
static void trace_records_a_share(void **state)
{
	int sampled = 0;

	(void)state;
	trace_setup(NULL, 25);
	for (int i = 0; i < 4000; i++) {
		char out[TRACE_SIZE], again[TRACE_SIZE];

		trace_new(out);
		sampled += strcmp(out + 53, "01") == 0;
		trace_accept(again, text_from(out));
		assert_string_equal(out, again);
	}
	assert_in_range(sampled, 800, 1200);
	trace_setup(NULL, 0);
	for (int i = 0; i < 100; i++) {
		char out[TRACE_SIZE];

		trace_accept(out, text_from(GIVEN));
		assert_string_equal(out + 53, "00");
	}
}

static void a_span_without_a_collector_passes_the_trace_on(void **state)
{
	struct span span;

	(void)state;
	trace_setup(NULL, 100);
	span_begin(&span, GIVEN, SPAN_SERVER, "x");
	assert_string_equal(span.context, GIVEN);
	assert_false(span.recorded);
	span_text(&span, "k", "v");
	assert_int_equal(span.attrs_n, 0);
	span_end(&span);
	span_begin(&span, NULL, SPAN_SERVER, "x");
	assert_string_equal(span.context, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(trace_accepts_what_the_standard_allows),
					    cmocka_unit_test(trace_replaces_what_is_none),
					    cmocka_unit_test(trace_records_a_share),
					    cmocka_unit_test(a_span_without_a_collector_passes_the_trace_on) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
