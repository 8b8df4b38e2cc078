#include "json.h"

#include "unit.h"

static bool accepts(const char *json)
{
	struct err err = { 0 };
	cJSON *tree = json_parse(text_from(json), &err);
	bool good = tree != NULL;

	assert_true(good == (err.rc == RC_OK));
	cJSON_Delete(tree);
	return good;
}

static void json_reads_what_rfc8259_allows(void **state)
{
	static const char *const good[] = {
		"{}",   " [1, -0, 0.5, 1e3, 1E-2] ",    "\"\\u00e9\\ud83d\\ude00\"",     "true",
		"null", "{\"a\":{\"a\":1},\"b\":[{}]}", "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\""
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(accepts(good[i]));
}

static void json_refuses_what_cjson_would_let_pass(void **state)
{
	static const char *const bad[] = {
		"",
		"{} {}",
		"[1,]",
		"{\"a\":1,}",
		"01",
		"1.",
		".5",
		"+1",
		"1e999",
		"\xEF\xBB\xBF{}",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\udc00x\"",
		"\"a\nb\"",
		"\"\xFF\"",
		"{\"a\":1,\"a\":2}",
		"{\"x\":{\"b\":1,\"b\":1}}",
		"nul",
		"[",
		"\"",
		"{\"a\"}",
		"{1:2}",
		"'a'",
		"\"\\x41\"",
		"[1 2]",
		"\"\\u12\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (accepts(bad[i]))
			fail_msg("accepted: %s", bad[i]);
}

static void json_names_the_byte_where_it_breaks(void **state)
{
	size_t at = 0;

	(void)state;
	assert_null(json_parse_at(text_from("{\"a\": 1,\"b\":}"), &at, NULL));
	assert_int_equal(at, 12);
	assert_null(json_parse_at(text_from("{\"a\":1,\"a\":2}"), &at, NULL));
	assert_int_equal(at, 13);
}

static void json_names_the_member_it_refuses(void **state)
{
	static const struct {
		const char *text, *field;
	} refused[] = {
		{ "{\"a\":1,\"b\":\"\\u0000\"}", "b" },
		{ "{\"a\":{\"x\":[\"\\ud800\"]}}", "a" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "a" },
		{ "{\"a\":{\"x\":1,\"x\":2}}", "a" },
		{ "{\"a\":1e999}", "a" },
		{ "{\"a\":1,\"\\u0000\":2}", "" },
		{ "{\"not a name\":\"\\u0000\"}", "" },
		{ "[\"\\u0000\"]", "" },
		{ "{\"a\":oops}", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct err err = { 0 };

		assert_null(json_parse(text_from(refused[i].text), &err));
		assert_string_equal(err.field, refused[i].field);
	}
}

static void json_bounds_the_depth(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 8] = "";

	(void)state;
	memset(deep, '[', JSON_DEPTH_MAX);
	memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_true(accepts(deep));
	memset(deep, '[', JSON_DEPTH_MAX + 1);
	memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_false(accepts(deep));
}

static void json_writer_puts_commas_and_escapes(void **state)
{
	CLEANUP(string_done) UT_string s = { 0 };

	(void)state;
	utstring_init(&s);
	json_open(&s, NULL, '{');
	json_str(&s, "a", "q\"\\\n\x01 é");
	json_i64(&s, "n", -5);
	json_open(&s, "l", '[');
	json_bool(&s, NULL, true);
	json_null(&s, NULL);
	json_open(&s, NULL, '{');
	json_close(&s, '}');
	json_close(&s, ']');
	json_raw(&s, "r", text_from("{\"x\":1}"));
	json_close(&s, '}');
	assert_string_equal(utstring_body(&s),
			    "{\"a\":\"q\\\"\\\\\\n\\u0001 é\",\"n\":-5,\"l\":[true,null,{}],\"r\":{\"x\":1}}");
	assert_true(accepts(utstring_body(&s)));
}

static void json_integers_are_exact_or_refused(void **state)
{
	cJSON *tree = json_parse(text_from("{\"a\":9007199254740993,\"b\":1.5,\"c\":12,\"d\":\"12\"}"), NULL);
	int64_t n = 0;

	(void)state;
	assert_false(json_get_i64(tree, "b", &n));
	assert_true(json_get_i64(tree, "c", &n));
	assert_int_equal(n, 12);
	assert_false(json_get_i64(tree, "d", &n));
	assert_false(json_get_i64(tree, "C", &n));
	cJSON_Delete(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_reads_what_rfc8259_allows),
		cmocka_unit_test(json_refuses_what_cjson_would_let_pass),
		cmocka_unit_test(json_names_the_byte_where_it_breaks),
		cmocka_unit_test(json_names_the_member_it_refuses),
		cmocka_unit_test(json_bounds_the_depth),
		cmocka_unit_test(json_writer_puts_commas_and_escapes),
		cmocka_unit_test(json_integers_are_exact_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
