#include "unit.h"

#include "grow.h"
#include "llm_json.h"

static struct llm_chunk chunk;

static bool reads(const char *json)
{
	llm_drop(&chunk);
	return llm_read(&chunk, text_from(json));
}

static bool content_is(const char *json, const char *content)
{
	return reads(json) && text_is(chunk.content, content);
}

static void llm_reads_a_chunk(void **state)
{
	(void)state;
	assert_true(reads(
		"{\"id\":\"c\",\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"delta\":"
		"{\"role\":\"assistant\",\"content\":\"Hi \\u043f\\n\"},\"finish_reason\":null}],\"usage\":null}"));
	assert_true(text_is(chunk.content, "Hi \xD0\xBF\n"));
	assert_true(text_is(chunk.model, "gpt-4o-mini-2024-07-18"));
	assert_int_equal(chunk.finish_reason.len, 0);
	assert_false(chunk.is_error);
	assert_true(reads("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"content_filter\"}]}"));
	assert_true(text_is(chunk.finish_reason, "content_filter"));
}

static void llm_reads_a_whole_answer(void **state)
{
	(void)state;
	assert_true(content_is(" {\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"all\"},"
			       "\"finish_reason\":\"length\"}]}\r\n\t ",
			       "all"));
	assert_true(text_is(chunk.finish_reason, "length"));
}

static void llm_ignores_odd_shapes_safely(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{\"choices\":[]}",
		"{\"choices\":null}",
		"{\"choices\":{\"a\":1}}",
		"{\"choices\":[null,1,\"x\"]}",
		"{\"choices\":[{\"index\":0,\"finish_reason\":null}]}",
		"{\"choices\":[{\"index\":0,\"delta\":null}]}",
		"{\"choices\":[{\"delta\":{\"content\":null}}]}",
		"{\"choices\":[{\"delta\":{\"content\":42}}]}",
		"{\"choices\":[{\"delta\":{\"content\":{\"text\":\"x\"}}}]}",
		"{\"choices\":[{\"delta\":{\"content\":[\"a\",1]}}]}",
		"{\"choices\":[{\"delta\":{\"content\":\"\"}}]}",
		"{\"choices\":[{\"delta\":[1]}]}",
		"{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"SECOND\"}}]}",
		"{\"choices\":[{\"delta\":{\"Content\":\"x\",\"reasoning_content\":\"hm\",\"reasoning\":\"y\"}}]}",
		"{\"Choices\":[{\"delta\":{\"content\":\"x\"}}]}",
		"{\"choices\":[{\"finish_reason\":7}]}",
		"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_true(content_is(odd[i], ""));
		assert_int_equal(chunk.finish_reason.len, 0);
	}
}

static void llm_takes_the_first_choice_of_many(void **state)
{
	(void)state;
	assert_true(content_is("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}},"
			       "{\"index\":0,\"delta\":{\"content\":\"a\"}}]}",
			       "a"));
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\"}}]}", "a"));
}

static void llm_shows_parts_and_refusals_as_text(void **state)
{
	(void)state;
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"text\":\"no\"},"
			       "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}}]}",
			       "ab"));
	assert_true(
		content_is("{\"choices\":[{\"delta\":{\"content\":null,\"refusal\":\"I will not\"}}]}", "I will not"));
}

static void llm_refuses_what_is_no_document(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"42",
		"\"text\"",
		"null",
		"true",
		"[1,2,3]",
		"{",
		"{}}",
		"{} {}",
		"{}x",
		"{\"a\":1}garbage",
		"[DONE]",
		"{\"choices\"::[]}",
		"{\"choices\":[{\"delta\":{\"content\":\"cut",
		"<html></html>",
		"{\"choices\":[{\"delta\":{\"content\":\"\\uZZZZ\"}}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(reads(bad[i]));
	llm_drop(&chunk);
	assert_false(llm_read(&chunk, text_of("{\"a\":1}\0", 8)));
}

static void llm_bounds_depth_and_size(void **state)
{
	UT_string s;

	(void)state;
	utstring_init(&s);
	for (int i = 0; i < 100000; i++)
		string_add(&s, text_from("["));
	assert_false(reads(utstring_body(&s)));
	utstring_clear(&s);
	utstring_printf(&s, "{\"a\":[0");
	for (int i = 0; i < LLM_NODES_MAX; i++)
		string_add(&s, text_from(",0"));
	utstring_printf(&s, "]}");
	assert_false(reads(utstring_body(&s)));
	utstring_done(&s);
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"[[[{{{,,,]\\\"[\"}}]}", "[[[{{{,,,]\"["));
}

static void llm_keeps_text_that_cjson_would_lose(void **state)
{
	static const char nul[] = "{\"choices\":[{\"delta\":{\"content\":\"a\0b\"}}]}";

	(void)state;
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"a\\u0000b\"}}]}", "a\xEF\xBF\xBD"
											  "b"));
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"a\\\\u0000b\"}}]}", "a\\u0000b"));
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"\\ud83d\\ude00\"}}]}", "\xF0\x9F\x98\x80"));
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"x\\uD83D\"}}]}", "x\xED\xA0\xBD"));
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"\\ude00x\"}}]}", "\xED\xB8\x80x"));
	assert_true(content_is("{\"choices\":[{\"delta\":{\"content\":\"\xFF\xED\xA0\xBD\"}}]}", "\xFF\xFF\xA0\xBD"));
	llm_drop(&chunk);
	assert_true(llm_read(&chunk, text_of(nul, sizeof(nul) - 1)));
	assert_true(text_is(chunk.content, "a\xEF\xBF\xBD"
					   "b"));
}

static void llm_sees_errors(void **state)
{
	(void)state;
	assert_true(reads("{\"error\":{\"message\":\"m\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}"));
	assert_true(chunk.is_error && text_is(chunk.error_code, "rate_limit_exceeded") &&
		    text_is(chunk.error_type, "requests"));
	assert_true(reads("{\"error\":\"boom\"}") && chunk.is_error);
	assert_true(reads("{\"error\":{\"code\":429}}") && chunk.is_error && chunk.error_code.len == 0);
	assert_true(reads("{\"object\":\"error\",\"message\":\"m\",\"type\":\"BadRequestError\",\"code\":400}") &&
		    chunk.is_error);
	assert_true(reads("{\"error\":null,\"choices\":[]}") && !chunk.is_error);
}

static struct llm_usage usage_of(const char *first, const char *second)
{
	struct llm_usage u = LLM_USAGE_NONE;
	cJSON *a = cJSON_Parse(first), *b = cJSON_Parse(second);

	llm_usage_take(&u, a);
	llm_usage_take(&u, b);
	cJSON_Delete(a);
	cJSON_Delete(b);
	return u;
}

static void expect_usage(struct llm_usage u, int64_t prompt, int64_t cached, int64_t completion)
{
	assert_int_equal(u.prompt, prompt);
	assert_int_equal(u.cached, cached);
	assert_int_equal(u.completion, completion);
}

static void llm_counts_usage_once(void **state)
{
	(void)state;
	expect_usage(usage_of("{\"prompt_tokens\":10,\"completion_tokens\":5,\"prompt_tokens_details\":{\"cached_"
			      "tokens\":4}}",
			      "null"),
		     10, 4, 5);
	expect_usage(usage_of("{\"prompt_tokens\":10,\"completion_tokens\":1}",
			      "{\"prompt_tokens\":10,\"completion_tokens\":2}"),
		     10, -1, 2);
	expect_usage(usage_of("{\"prompt_tokens\":10}", "{\"completion_tokens\":5,\"prompt_tokens_details\":null}"), 10,
		     -1, 5);
	expect_usage(usage_of("{\"prompt_tokens\":10,\"completion_tokens\":5}",
			      "{\"prompt_tokens\":-1,\"completion_tokens\":\"12\",\"total_tokens\":1e30}"),
		     10, -1, 5);
	expect_usage(usage_of("{\"prompt_tokens\":1.5}", "{\"prompt_tokens\":1e999}"), -1, -1, -1);
	expect_usage(usage_of("[]", "{\"Prompt_Tokens\":3}"), -1, -1, -1);
}

static int drop(void **state)
{
	(void)state;
	llm_drop(&chunk);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(llm_reads_a_chunk),
		cmocka_unit_test(llm_reads_a_whole_answer),
		cmocka_unit_test(llm_ignores_odd_shapes_safely),
		cmocka_unit_test(llm_takes_the_first_choice_of_many),
		cmocka_unit_test(llm_shows_parts_and_refusals_as_text),
		cmocka_unit_test(llm_refuses_what_is_no_document),
		cmocka_unit_test(llm_bounds_depth_and_size),
		cmocka_unit_test(llm_keeps_text_that_cjson_would_lose),
		cmocka_unit_test(llm_sees_errors),
		cmocka_unit_test(llm_counts_usage_once),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}
