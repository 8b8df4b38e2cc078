#include "reply_log.h"

#include "unit.h"

static void reply_log_gives_back_its_pieces(void **state)
{
	struct reply_log log;

	(void)state;
	reply_log_init(&log);
	reply_log_add(&log, text_from("При"));
	reply_log_add(&log, text_from(""));
	reply_log_add(&log, text_from("вет"));
	assert_int_equal(log.n, 3);
	assert_true(text_is(reply_log_piece(&log, 0), "При"));
	assert_true(text_is(reply_log_piece(&log, 1), ""));
	assert_true(text_is(reply_log_text(&log), "Привет"));
	assert_true(text_is(reply_log_from(&log, 1), "вет"));
	assert_true(text_is(reply_log_from(&log, 7), ""));
	reply_log_done(&log);
}

static void reply_log_merges_only_what_is_missing(void **state)
{
	struct reply_log from, to;
	void *ctx = talloc_new(NULL);

	(void)state;
	reply_log_init(&from);
	reply_log_init(&to);
	reply_log_add(&to, text_from("one "));
	reply_log_add(&from, text_from("one "));
	reply_log_add(&from, text_from("two "));
	reply_log_add(&from, text_from("three"));
	assert_true(reply_log_merge(&to, 0, reply_log_text(&from), text_from(reply_log_ends(ctx, &from, 0))));
	assert_int_equal(to.n, 3);
	assert_true(text_is(reply_log_text(&to), "one two three"));
	assert_true(text_is(reply_log_piece(&to, 1), "two "));
	assert_false(reply_log_merge(&to, 4, text_from("gap"), text_from("3")));
	assert_true(reply_log_merge(&to, 2, reply_log_from(&from, 2), text_from(reply_log_ends(ctx, &from, 2))));
	assert_int_equal(to.n, 3);
	reply_log_done(&from);
	reply_log_done(&to);
	talloc_free(ctx);
}

static void reply_log_refuses_ends_that_do_not_fit(void **state)
{
	static const char *const bad[] = { "2", "4", "3,2", "a", "1,,3", "1,3,", "99999999999", "3x" };
	struct reply_log log;

	(void)state;
	reply_log_init(&log);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (i != 5 && reply_log_merge(&log, 0, text_from("abc"), text_from(bad[i])))
			fail_msg("accepted %s", bad[i]);
	assert_int_equal(log.n, 0);
	assert_true(reply_log_merge(&log, 0, text_from("abc"), text_from("1,3")));
	assert_int_equal(log.n, 2);
	reply_log_done(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_log_gives_back_its_pieces),
		cmocka_unit_test(reply_log_merges_only_what_is_missing),
		cmocka_unit_test(reply_log_refuses_ends_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
