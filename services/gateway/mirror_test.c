#include "mirror.h"

#include <stdio.h>

#include "unit.h"

static const struct uuid_text one = { "11111111-1111-4111-8111-111111111111" };
static const struct uuid_text two = { "22222222-2222-4222-8222-222222222222" };

static void pieces_append_in_order_and_once(void **state)
{
	struct mirror m;

	(void)state;
	mirror_init(&m, 1);
	assert_int_equal(mirror_delta(&m, 1, 0, text_from("a")), MIRROR_APPENDED);
	assert_int_equal(mirror_delta(&m, 1, 1, text_from("b")), MIRROR_APPENDED);
	assert_int_equal(mirror_delta(&m, 1, 1, text_from("b")), MIRROR_OLD);
	assert_int_equal(mirror_delta(&m, 1, 0, text_from("a")), MIRROR_OLD);
	assert_int_equal(mirror_delta(&m, 1, 3, text_from("d")), MIRROR_GAP);
	assert_true(text_is(reply_log_text(&m.log), "ab"));
	mirror_done(&m);
}

static void a_later_epoch_needs_an_announcement_once_something_was_shown(void **state)
{
	struct mirror m;

	(void)state;
	mirror_init(&m, 0);
	assert_int_equal(mirror_delta(&m, 1, 0, text_from("a")), MIRROR_APPENDED);
	assert_int_equal(m.epoch, 1);
	assert_int_equal(mirror_delta(&m, 2, 0, text_from("x")), MIRROR_GAP);
	assert_true(mirror_reset(&m, 2));
	assert_false(mirror_reset(&m, 2));
	assert_int_equal(mirror_delta(&m, 1, 1, text_from("late")), MIRROR_OLD);
	assert_int_equal(mirror_delta(&m, 2, 0, text_from("x")), MIRROR_APPENDED);
	assert_true(text_is(reply_log_text(&m.log), "x"));
	mirror_done(&m);
}

static void a_position_is_two_numbers(void **state)
{
	static const char *const wrong[] = {
		"", ".", "1", "1.", ".1", "a.1", "1.a", "-1.0", "1.0 ", "1.0.0", "9999999999999999999.1"
	};
	int64_t epoch, offset;

	(void)state;
	assert_true(mirror_position(text_from("3.17"), &epoch, &offset));
	assert_int_equal(epoch, 3);
	assert_int_equal(offset, 17);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(mirror_position(text_from(wrong[i]), &epoch, &offset));
}

static void what_was_missed_is_filled_in(void **state)
{
	struct mirror m;
	size_t from;

	(void)state;
	mirror_init(&m, 1);
	mirror_delta(&m, 1, 0, text_from("a"));
	assert_int_equal(mirror_fill(&m, 1, 1, text_from("bcd"), text_from("1,3"), &from), MERGE_GOOD);
	assert_int_equal(from, 1);
	assert_int_equal(m.log.n, 3);
	assert_true(text_is(reply_log_piece(&m.log, 2), "cd"));
	assert_int_equal(mirror_fill(&m, 1, 0, text_from("abcd"), text_from("1,2,4"), &from), MERGE_GOOD);
	assert_int_equal(from, 3);
	assert_int_equal(m.log.n, 3);
	assert_int_equal(mirror_fill(&m, 1, 3, (struct text){ 0 }, (struct text){ 0 }, &from), MERGE_GOOD);
	mirror_done(&m);
}

static void filling_notices_a_new_epoch(void **state)
{
	struct mirror m;
	size_t from;

	(void)state;
	mirror_init(&m, 1);
	mirror_delta(&m, 1, 0, text_from("a"));
	assert_int_equal(mirror_fill(&m, 2, 0, text_from("xy"), text_from("1,2"), &from), MERGE_RESET);
	assert_int_equal(from, 0);
	assert_int_equal(m.epoch, 2);
	assert_true(text_is(reply_log_text(&m.log), "xy"));
	assert_int_equal(mirror_fill(&m, 1, 1, text_from("b"), text_from("1"), &from), MERGE_GOOD);
	assert_int_equal(from, 2);
	assert_true(text_is(reply_log_text(&m.log), "xy"));
	mirror_done(&m);
}

static void a_fill_that_does_not_join_starts_over(void **state)
{
	struct mirror m;
	size_t from;

	(void)state;
	mirror_init(&m, 1);
	mirror_delta(&m, 1, 0, text_from("a"));
	assert_int_equal(mirror_fill(&m, 1, 5, text_from("f"), text_from("1"), &from), MERGE_BROKEN);
	assert_int_equal(m.log.n, 0);
	assert_int_equal(mirror_fill(&m, 1, 0, text_from("ab"), text_from("1,9"), &from), MERGE_BROKEN);
	assert_int_equal(mirror_fill(&m, 1, -1, text_from("ab"), text_from("1,2"), &from), MERGE_BROKEN);
	mirror_done(&m);
}

static void a_socket_gets_only_what_joins_what_it_has(void **state)
{
	struct cursors c = { 0 };

	(void)state;
	assert_int_equal(cursor_next(&c, &one, 1, false), -1); /* came in the middle */
	assert_int_equal(cursor_next(&c, &one, 1, true), 0);
	cursor_set(&c, &one, 1, 1);
	assert_int_equal(cursor_next(&c, &one, 1, false), 1);
	assert_int_equal(cursor_next(&c, &one, 2, false), -1);
	assert_int_equal(cursor_next(&c, &one, 2, true), 0);
	cursor_set(&c, &one, 2, 1);
	assert_int_equal(cursor_next(&c, &one, 1, true), -1);
	assert_int_equal(cursor_next(&c, &two, 1, false), -1);
	assert_false(cursor_is_closed(&c, &one));
	cursor_close(&c.items[0]);
	assert_true(cursor_is_closed(&c, &one));
	assert_int_equal(cursor_next(&c, &one, 2, false), -1);
	assert_int_equal(cursor_next(&c, &one, 3, true), -1);
	cursor_set(&c, &one, 3, 1);
	assert_int_equal(cursor_next(&c, &one, 3, false), 1);
	cursor_drop(&c, &one);
	assert_int_equal(cursor_next(&c, &one, 2, false), -1);
}

static void a_socket_follows_a_bounded_number_of_turns(void **state)
{
	struct cursors c = { 0 };

	(void)state;
	for (int i = 0; i < CURSORS_MAX + 2; i++) {
		struct uuid_text id = one;

		id.s[0] = (char)('a' + i);
		cursor_set(&c, &id, 1, (size_t)i);
		cursor_set(&c, &one, 1, (size_t)i); /* always served: it stays */
	}
	assert_int_equal(c.n, CURSORS_MAX);
	assert_int_equal(cursor_next(&c, &one, 1, false), CURSORS_MAX + 1);
}

static void an_end_told_twice_counts_once(void **state)
{
	static struct ended e;

	(void)state;
	assert_false(ended_has(&e, &one, 0));
	assert_true(ended_add(&e, &one, 1, text_from("ai_response")));
	assert_false(ended_add(&e, &one, 1, text_from("ai_response")));
	assert_true(ended_add(&e, &one, 1, text_from("finalization_complete")));
	assert_true(ended_add(&e, &two, 1, text_from("ai_response")));
	assert_true(ended_add(&e, &one, 2, text_from("ai_response")));
	assert_true(ended_has(&e, &one, 2));
	assert_false(ended_has(&e, &one, 3));
	for (int i = 0; i < ENDED_MAX; i++) {
		struct uuid_text id = one;

		snprintf(id.s + 24, 13, "%012d", i);
		assert_true(ended_add(&e, &id, 1, text_from("ai_response")));
	}
	assert_false(ended_has(&e, &two, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_append_in_order_and_once),
		cmocka_unit_test(a_later_epoch_needs_an_announcement_once_something_was_shown),
		cmocka_unit_test(a_position_is_two_numbers),
		cmocka_unit_test(what_was_missed_is_filled_in),
		cmocka_unit_test(filling_notices_a_new_epoch),
		cmocka_unit_test(a_fill_that_does_not_join_starts_over),
		cmocka_unit_test(a_socket_gets_only_what_joins_what_it_has),
		cmocka_unit_test(a_socket_follows_a_bounded_number_of_turns),
		cmocka_unit_test(an_end_told_twice_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
