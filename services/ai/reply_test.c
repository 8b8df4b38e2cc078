#include "unit.h"

#include "reply.h"

static UT_string said;

static bool note(void *arg, struct text text)
{
	size_t max = *(size_t *)arg, room = max - utstring_len(&said);

	assert_true(text_is_utf8(text));
	utstring_bincpy(&said, text.p, text.len < room ? text.len : room);
	return text.len <= room;
}

static size_t text_max = 1000;

/* Reads a body in two parts; the second in steps of `size` bytes. */
static enum ending read_body(struct reply *r, long status, const char *type, const char *body, size_t cut, size_t size)
{
	size_t len = strlen(body);
	bool go_on = true;

	utstring_clear(&said);
	reply_init(r, text_max, note, &text_max);
	reply_head(r, status, type, true);
	if (cut > 0)
		go_on = reply_feed(r, text_of(body, cut));
	for (size_t i = cut; go_on && i < len; i += size)
		go_on = reply_feed(r, text_of(body + i, size < len - i ? size : len - i));
	reply_close(r, true);
	return reply_ending(r, ENDING_NONE);
}

static enum ending ends(const char *body, const char *text)
{
	struct reply r;
	enum ending ending = read_body(&r, 200, "text/event-stream; charset=utf-8", body, 0, 1);

	reply_done(&r);
	for (size_t cut = 0; cut <= strlen(body); cut++) {
		assert_int_equal(read_body(&r, 200, "text/event-stream", body, cut, 10000), ending);
		assert_string_equal(utstring_body(&said), text);
		reply_done(&r);
	}
	return ending;
}

#define CHUNK(text) \
	"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":null}]}\n\n"
#define FINISH(why) "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" why "\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n"
#define DONE "data: [DONE]\n\n"

static void reply_is_complete_only_with_an_end_mark(void **state)
{
	(void)state;
	assert_int_equal(ends(CHUNK("a") CHUNK("b") FINISH("stop") USAGE DONE, "ab"), ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a") DONE, "a"), ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a") FINISH("stop"), "a"), ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a") CHUNK("b"), "ab"), ENDING_BROKEN_OFF);
	assert_int_equal(ends(CHUNK("a") "data: {\"choices\":[{\"de", "a"), ENDING_BROKEN_OFF);
	assert_int_equal(ends("", ""), ENDING_BROKEN_OFF);
	assert_int_equal(ends(": ping\n\n: ping\n\n", ""), ENDING_BROKEN_OFF);
}

static void reply_ends_at_what_is_no_chunk(void **state)
{
	(void)state;
	assert_int_equal(ends(CHUNK("a") "data: {\"choices\"::[]}\n\n" CHUNK("b") DONE, "a"), ENDING_GARBLED);
	assert_int_equal(ends(CHUNK("a") "data: 42\n\n" CHUNK("b") DONE, "a"), ENDING_GARBLED);
	assert_int_equal(ends("data: <html>\n\n", ""), ENDING_GARBLED);
	assert_int_equal(ends(CHUNK("a") "data: \n\n" CHUNK("b") DONE, "ab"), ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a") FINISH("stop") "data: rubbish\n\n", "a"), ENDING_COMPLETE);
}

static void reply_sees_errors_inside_a_stream(void **state)
{
	(void)state;
	assert_int_equal(
		ends(CHUNK("a") "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}\n\n" CHUNK("b"), "a"),
		ENDING_SERVER_ERROR);
	assert_int_equal(ends("data: {\"error\":{\"code\":\"insufficient_quota\"}}\n\n", ""), ENDING_NO_CREDIT);
	assert_int_equal(ends("data: {\"error\":{\"code\":\"rate_limit_exceeded\"}}\n\n", ""), ENDING_RATE_LIMITED);
	assert_int_equal(ends("event: error\ndata: {\"message\":\"m\"}\n\n", ""), ENDING_SERVER_ERROR);
}

static void reply_knows_why_there_is_no_text(void **state)
{
	(void)state;
	assert_int_equal(ends(FINISH("stop") DONE, ""), ENDING_EMPTY);
	assert_int_equal(ends(FINISH("tool_calls") DONE, ""), ENDING_EMPTY);
	assert_int_equal(ends(FINISH("length") DONE, ""), ENDING_NO_ROOM);
	assert_int_equal(ends(FINISH("content_filter") DONE, ""), ENDING_FILTERED);
}

static void reply_joins_what_was_split_between_chunks(void **state)
{
	(void)state;
	assert_int_equal(ends(CHUNK("a\\ud83d") CHUNK("\\ude00b") DONE, "a\xF0\x9F\x98\x80"
									"b"),
			 ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a\xF0\x9F") CHUNK("\x98\x80") DONE, "a\xF0\x9F\x98\x80"), ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a\\ud83d") DONE, "a\xEF\xBF\xBD"), ENDING_COMPLETE);
	assert_int_equal(ends(CHUNK("a\xFF\xFE") CHUNK("b") DONE, "a\xEF\xBF\xBD\xEF\xBF\xBD"
								  "b"),
			 ENDING_COMPLETE);
}

static void reply_keeps_finish_reason_model_and_usage(void **state)
{
	struct reply r;

	(void)state;
	read_body(&r, 200, "text/event-stream",
		  "data: {\"model\":\"m-2026\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n" FINISH(
			  "made_up_reason") USAGE USAGE DONE,
		  0, 1000);
	assert_string_equal(r.finish_reason, "made_up_reason");
	assert_string_equal(r.model, "m-2026");
	assert_int_equal(r.usage.prompt, 7);
	assert_int_equal(r.usage.completion, 3);
	reply_done(&r);
	read_body(&r, 200, "text/event-stream", CHUNK("a") FINISH("stop") DONE USAGE CHUNK("late"), 0, 1000);
	assert_int_equal(r.usage.prompt, 7);
	assert_string_equal(utstring_body(&said), "a");
	reply_done(&r);
	read_body(&r, 200, "text/event-stream", "data: {\"model\":\"bad\\nname\",\"choices\":[]}\n\n", 0, 1000);
	assert_string_equal(r.model, "");
	reply_done(&r);
}

static void reply_reads_a_whole_answer(void **state)
{
	const char *whole = "{\"choices\":[{\"message\":{\"content\":\"all\"},\"finish_reason\":\"length\"}],"
			    "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n";
	struct reply r;

	(void)state;
	assert_int_equal(read_body(&r, 200, "application/json", whole, 3, 1), ENDING_COMPLETE);
	assert_string_equal(utstring_body(&said), "all");
	assert_string_equal(r.finish_reason, "length");
	assert_int_equal(r.usage.completion, 3);
	reply_done(&r);
	for (size_t cut = 0; cut < strlen(whole) - 1; cut++) {
		char part[200] = "";

		memcpy(part, whole, cut);
		assert_int_equal(read_body(&r, 200, "application/json", part, 0, 1000), ENDING_GARBLED);
		assert_int_equal(utstring_len(&said), 0);
		reply_done(&r);
	}
	assert_int_equal(
		read_body(&r, 200, "application/json", "{\"choices\":[{\"message\":{\"content\":\"x\"}}]}", 0, 9),
		ENDING_COMPLETE);
	reply_done(&r);
	assert_int_equal(
		read_body(&r, 200, "application/json", "{\"error\":{\"code\":\"context_length_exceeded\"}}", 0, 9),
		ENDING_TOO_LONG);
	reply_done(&r);
}

static enum ending refused(long status, const char *type, const char *body)
{
	struct reply r;
	enum ending ending = read_body(&r, status, type, body, 0, 7);

	assert_int_equal(utstring_len(&said), 0);
	reply_done(&r);
	return ending;
}

static void reply_classifies_refusals(void **state)
{
	(void)state;
	assert_int_equal(refused(400, "application/json", "{\"error\":{\"type\":\"invalid_request_error\"}}"),
			 ENDING_REFUSED);
	assert_int_equal(refused(400, "application/json", "{\"error\":{\"code\":\"context_length_exceeded\"}}"),
			 ENDING_TOO_LONG);
	assert_int_equal(refused(401, "application/json", "{\"error\":{\"code\":\"invalid_api_key\"}}"),
			 ENDING_KEY_REFUSED);
	assert_int_equal(refused(402, NULL, ""), ENDING_NO_CREDIT);
	assert_int_equal(refused(403, "text/html", "<html>"), ENDING_KEY_REFUSED);
	assert_int_equal(refused(404, "application/json", "{\"error\":"), ENDING_NO_MODEL);
	assert_int_equal(refused(422, NULL, ""), ENDING_REFUSED);
	assert_int_equal(refused(429, "application/json", "{\"error\":{\"code\":\"rate_limit_exceeded\"}}"),
			 ENDING_RATE_LIMITED);
	assert_int_equal(refused(429, "application/json", "{\"error\":{\"code\":\"insufficient_quota\"}}"),
			 ENDING_NO_CREDIT);
	assert_int_equal(refused(500, "application/json", "{\"error\":{\"code\":\"insufficient_quota\"}}"),
			 ENDING_SERVER_ERROR);
	assert_int_equal(refused(503, "text/html", "<html>"), ENDING_SERVER_ERROR);
	assert_int_equal(refused(307, NULL, ""), ENDING_REDIRECTED);
	assert_int_equal(refused(200, "text/html; charset=utf-8", CHUNK("a") DONE), ENDING_GARBLED);
	assert_int_equal(refused(200, "application/jsonx", "{}"), ENDING_GARBLED);
}

static void reply_is_bounded(void **state)
{
	struct reply r;
	UT_string body;

	(void)state;
	utstring_init(&body);
	utstring_reserve(&body, 2000000); /* it grows by what it needs only: slow under the sanitizers */
	for (int i = 0; i < 300; i++)
		utstring_printf(&body, CHUNK("word "));
	assert_int_equal(read_body(&r, 200, "text/event-stream", utstring_body(&body), 0, 1000), ENDING_FULL);
	assert_int_equal(utstring_len(&said), text_max);
	reply_done(&r);

	utstring_clear(&body);
	for (int i = 0; i < 100002; i++)
		utstring_printf(&body, "data: {}\n\n");
	assert_int_equal(read_body(&r, 200, "text/event-stream", utstring_body(&body), 0, 1000), ENDING_TOO_LARGE);
	reply_done(&r);

	utstring_clear(&body);
	utstring_printf(&body, CHUNK("a") "data: \"");
	for (int i = 0; i < 80000; i++)
		utstring_printf(&body, "x");
	assert_int_equal(read_body(&r, 200, "text/event-stream", utstring_body(&body), 0, 1000), ENDING_TOO_LARGE);
	reply_done(&r);
	assert_int_equal(read_body(&r, 200, "application/json", utstring_body(&body), 0, 1000), ENDING_TOO_LARGE);
	reply_done(&r);
	assert_int_equal(read_body(&r, 500, "application/json", utstring_body(&body), 0, 1000), ENDING_SERVER_ERROR);
	reply_done(&r);
	utstring_done(&body);
}

static int setup(void **state)
{
	(void)state;
	utstring_init(&said);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	utstring_done(&said);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_is_complete_only_with_an_end_mark),
		cmocka_unit_test(reply_ends_at_what_is_no_chunk),
		cmocka_unit_test(reply_sees_errors_inside_a_stream),
		cmocka_unit_test(reply_knows_why_there_is_no_text),
		cmocka_unit_test(reply_joins_what_was_split_between_chunks),
		cmocka_unit_test(reply_keeps_finish_reason_model_and_usage),
		cmocka_unit_test(reply_reads_a_whole_answer),
		cmocka_unit_test(reply_classifies_refusals),
		cmocka_unit_test(reply_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
