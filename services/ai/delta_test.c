#include "unit.h"

#include "clock.h"
#include "delta.h"
#include "grow.h"

static UT_string pieces;

static void note(void *arg, size_t number, struct text piece)
{
	struct delta *d = arg;

	assert_true(piece.len > 0 && piece.len <= DELTA_PIECE_MAX && text_is_utf8(piece));
	assert_true(text_equal(reply_log_piece(&d->log, number), piece));
	utstring_printf(&pieces, "%zu:" TEXT_FMT ";", number, TEXT_ARG(piece));
}

static void begin(struct delta *d, size_t max)
{
	utstring_clear(&pieces);
	clock_turn(1000000);
	delta_init(d, max, 25, note, d);
}

static void at_ms(int64_t ms)
{
	clock_turn(1000000 + ms * 1000);
}

static void delta_sends_the_first_at_once_and_joins_the_next(void **state)
{
	struct delta d;

	(void)state;
	begin(&d, 1000);
	assert_int_equal(delta_due_us(&d), 0);
	assert_true(delta_add(&d, text_from("a")));
	assert_string_equal(utstring_body(&pieces), "0:a;");
	assert_int_equal(delta_due_us(&d), 0);
	at_ms(1);
	delta_add(&d, text_from("b"));
	at_ms(20);
	delta_add(&d, text_from("c"));
	assert_string_equal(utstring_body(&pieces), "0:a;");
	assert_int_equal(delta_due_us(&d), 1025000);
	at_ms(25);
	delta_add(&d, text_from("d"));
	assert_string_equal(utstring_body(&pieces), "0:a;1:bcd;");
	at_ms(26);
	delta_add(&d, text_from("e"));
	assert_int_equal(delta_due_us(&d), 1050000);
	at_ms(50);
	delta_flush(&d);
	assert_string_equal(utstring_body(&pieces), "0:a;1:bcd;2:e;");
	delta_done(&d);
}

static void delta_does_not_hold_back_slow_text(void **state)
{
	struct delta d;

	(void)state;
	begin(&d, 1000);
	for (int i = 0; i < 3; i++) {
		at_ms(i * 30);
		delta_add(&d, text_from("x"));
	}
	assert_string_equal(utstring_body(&pieces), "0:x;1:x;2:x;");
	delta_done(&d);
}

static void delta_end_keeps_the_last_piece_for_the_end(void **state)
{
	struct delta d;

	(void)state;
	begin(&d, 1000);
	at_ms(0);
	delta_add(&d, text_from("a"));
	delta_add(&d, text_from("b"));
	delta_end(&d);
	assert_string_equal(utstring_body(&pieces), "0:a;");
	assert_int_equal(d.log.n, 2);
	assert_true(text_is(reply_log_text(&d.log), "ab"));
	delta_done(&d);
}

static void delta_makes_no_empty_piece(void **state)
{
	struct delta d;

	(void)state;
	begin(&d, 1000);
	delta_add(&d, (struct text){ 0 });
	delta_flush(&d);
	assert_int_equal(d.log.n, 0);
	delta_add(&d, text_from("a"));
	delta_add(&d, text_from(""));
	delta_flush(&d);
	assert_int_equal(d.log.n, 1);
	delta_done(&d);
}

static void delta_cuts_at_the_limit_between_characters(void **state)
{
	struct delta d;

	(void)state;
	begin(&d, 6);
	assert_true(delta_add(&d, text_from("abc")));
	assert_false(delta_add(&d, text_from("\xD0\x9F\xD0\x9F")));
	delta_flush(&d);
	assert_true(text_is(reply_log_text(&d.log), "abc\xD0\x9F"));
	assert_false(delta_add(&d, text_from("\xD0\x9F")));
	assert_int_equal(delta_len(&d), 5);
	delta_done(&d);
}

static void delta_splits_what_is_large(void **state)
{
	struct delta d;
	UT_string s;

	(void)state;
	begin(&d, 1000000);
	utstring_init(&s);
	for (int i = 0; i < 30000; i++)
		string_add(&s, text_from("\xE2\x82\xAC"));
	assert_true(delta_add(&d, text_of(utstring_body(&s), utstring_len(&s))));
	assert_int_equal(d.log.n, 6);
	assert_true(text_equal(reply_log_text(&d.log), text_of(utstring_body(&s), utstring_len(&s))));
	utstring_done(&s);
	delta_done(&d);
}

static int setup(void **state)
{
	(void)state;
	utstring_init(&pieces);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	utstring_done(&pieces);
	clock_turn(-1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delta_sends_the_first_at_once_and_joins_the_next),
		cmocka_unit_test(delta_does_not_hold_back_slow_text),
		cmocka_unit_test(delta_end_keeps_the_last_piece_for_the_end),
		cmocka_unit_test(delta_makes_no_empty_piece),
		cmocka_unit_test(delta_cuts_at_the_limit_between_characters),
		cmocka_unit_test(delta_splits_what_is_large),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
