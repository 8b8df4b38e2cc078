#include "otlp.h"

#include <string.h>

#include <talloc.h>

#include "unit.h"

/* Field names, hexadecimal ids, 64-bit numbers as strings: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding". */
static void otlp_writes_what_the_specification_says(void **state)
{
	struct span span = { .context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			     .parent = "1111111111111111",
			     .name = "SQL x",
			     .kind = SPAN_CLIENT,
			     .failed = true,
			     .start_us = 1700000000000001,
			     .end_us = 1700000000000500,
			     .attrs_n = 2,
			     .attrs = { { .key = "a", .is_text = true, .text = "b\"c" },
					{ .key = "n", .number = -7 } } };
	const struct span *spans[] = { &span };
	UT_string *out;

	(void)state;
	utstring_new(out);
	otlp_write(out, "alp-store", "1.2.3", "i-1", spans, 1);
	assert_string_equal(utstring_body(out),
			    "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
			    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"alp-store\"}},"
			    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"1.2.3\"}},"
			    "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"i-1\"}}]},"
			    "\"scopeSpans\":[{\"scope\":{\"name\":\"alp\"},\"spans\":[{"
			    "\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"00f067aa0ba902b7\","
			    "\"parentSpanId\":\"1111111111111111\",\"name\":\"SQL x\",\"kind\":3,"
			    "\"startTimeUnixNano\":\"1700000000000001000\",\"endTimeUnixNano\":\"1700000000000500000\","
			    "\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\\\"c\"}},"
			    "{\"key\":\"n\",\"value\":{\"intValue\":\"-7\"}}],\"status\":{\"code\":2}}]}]}]}");
	utstring_free(out);
}

static void otlp_refuses_settings_that_cannot_be_used(void **state)
{
	static const struct {
		const char *endpoint, *headers, *field;
	} bad[] = {
		{ "collector:4318", "", "OTEL_EXPORTER_OTLP_ENDPOINT" },
		{ "ftp://x", "", "OTEL_EXPORTER_OTLP_ENDPOINT" },
		{ "http://x", "no value", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a=b,=c", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a\nb=c", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a:b=c", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a=50%", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a=%zz", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a=b%00c", "OTEL_EXPORTER_OTLP_HEADERS" },
		{ "http://x", "a=b%0d%0aHost:%20c", "OTEL_EXPORTER_OTLP_HEADERS" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = { 0 };

		assert_null(otlp_new(
			NULL, &(struct otlp_config){ .endpoint = bad[i].endpoint, .headers = bad[i].headers }, &err));
		assert_string_equal(err.field, bad[i].field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(otlp_writes_what_the_specification_says),
					    cmocka_unit_test(otlp_refuses_settings_that_cannot_be_used) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
