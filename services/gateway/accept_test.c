#include "accept.h"

#include "unit.h"

#define JSON "application/json"
#define PROBLEM "application/problem+json"
#define EVENTS "text/event-stream"

static bool prefers(const char *header, const char *type)
{
	return accept_prefers(text_from(header), type, JSON);
}

static void the_range_that_fits_best_decides(void **state)
{
	static const char header[] = "text/*;q=0.3, text/html;q=0.7;level=1, */*; Q=0.5 , application/json;q=0";

	(void)state;
	assert_int_equal(accept_type(text_from(header), "text/html"), 700);
	assert_int_equal(accept_type(text_from(header), "text/plain"), 300);
	assert_int_equal(accept_type(text_from(header), "image/png"), 500);
	assert_int_equal(accept_type(text_from(header), JSON), 0);
	assert_int_equal(accept_type(text_from(""), JSON), 0);
	assert_int_equal(accept_type(text_from("TEXT/HTML"), "text/html"), 1000);
	assert_int_equal(accept_type(text_from("text/htm"), "text/html"), 0);
	assert_int_equal(accept_type(text_from("text/html5"), "text/html"), 0);
	assert_int_equal(accept_type(text_from("te/*"), "text/html"), 0);
}

static void what_is_quoted_separates_nothing(void **state)
{
	(void)state;
	assert_int_equal(accept_type(text_from("a/b;x=\"c, text/html;q=1\", text/html;q=0.2"), "text/html"), 200);
	assert_int_equal(accept_type(text_from("text/html;x=\"\\\";q=0.1\";q=0.4"), "text/html"), 400);
	assert_int_equal(accept_type(text_from("text/html;x=\"open"), "text/html"), 1000);
}

static void a_weight_that_is_none_wants_nothing(void **state)
{
	static const char *const bad[] = {
		"q=", "q=x", "q=-1", "q=2", "q=0x1", "q=nan", "q=1e0", "q=0.12345678", "q=0"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char header[64];

		snprintf(header, sizeof(header), "text/html;%s", bad[i]);
		assert_int_equal(accept_type(text_from(header), "text/html"), 0);
	}
	assert_int_equal(accept_type(text_from("text/html; q=0.001"), "text/html"), 1);
	assert_int_equal(accept_type(text_from("text/html;q=1.000"), "text/html"), 1000);
	assert_int_equal(accept_type(text_from("text/html;quality=0"), "text/html"), 1000);
}

static void another_type_than_the_usual_is_wanted_by_name_or_weight(void **state)
{
	(void)state;
	assert_true(prefers(PROBLEM, PROBLEM));
	assert_true(prefers("Application/Problem+JSON", PROBLEM));
	assert_true(prefers("application/json, " PROBLEM, PROBLEM));
	assert_true(prefers(PROBLEM ";q=0.5, */*;q=0.1", PROBLEM));
	assert_true(prefers("text/*", EVENTS));
	assert_false(prefers(PROBLEM ";q=0, application/json", PROBLEM));
	assert_false(prefers(PROBLEM ";q=0.5, application/json", PROBLEM));
	assert_false(prefers("application/json, " EVENTS ";q=0", EVENTS));
	assert_false(prefers(EVENTS ";q=0", EVENTS));
	assert_false(prefers("*/*", EVENTS));
	assert_false(prefers("application/*", PROBLEM));
	assert_false(prefers("text/html, */*;q=0.8", EVENTS));
	assert_false(prefers("", PROBLEM));
	assert_false(prefers("application/x-" PROBLEM, PROBLEM));
}

static void a_star_stands_for_codings_that_are_not_listed(void **state)
{
	(void)state;
	assert_int_equal(accept_coding(text_from("gzip;q=0, *"), "gzip"), 0);
	assert_int_equal(accept_coding(text_from("gzip;q=0, *;q=0.5"), "br"), 500);
	assert_int_equal(accept_coding(text_from("GZIP"), "gzip"), 1000);
	assert_int_equal(accept_coding(text_from("bro"), "br"), 0);
}

static void only_json_is_json(void **state)
{
	(void)state;
	assert_true(content_is_json(text_from("application/json")));
	assert_true(content_is_json(text_from("Application/JSON ; charset=utf-8")));
	assert_true(content_is_json(text_from("application/merge-patch+json")));
	assert_false(content_is_json(text_from("text/notjson")));
	assert_false(content_is_json(text_from("text/plain; a=application/json")));
	assert_false(content_is_json(text_from("application/jsonp")));
	assert_false(content_is_json(text_from("application/+json")));
	assert_false(content_is_json(text_from("image/svg+json")));
	assert_false(content_is_json(text_from("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_range_that_fits_best_decides),
		cmocka_unit_test(what_is_quoted_separates_nothing),
		cmocka_unit_test(a_weight_that_is_none_wants_nothing),
		cmocka_unit_test(another_type_than_the_usual_is_wanted_by_name_or_weight),
		cmocka_unit_test(a_star_stands_for_codings_that_are_not_listed),
		cmocka_unit_test(only_json_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
