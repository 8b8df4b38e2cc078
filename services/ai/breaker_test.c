#include "unit.h"

#include <string.h>

#include "breaker.h"

#define SECOND 1000000LL

static const unsigned char one[BREAKER_ID] = "one", other[BREAKER_ID] = "other";
static struct breakers b;

static int set_up(void **state)
{
	(void)state;
	breakers_init(&b, NULL, &(struct breaker_limits){ 3, 10 * SECOND, 2, 10 });
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	breakers_done(&b);
	return 0;
}

static enum breaker_verdict attempt(const unsigned char *id, enum breaker_outcome outcome, int64_t now)
{
	struct breaker *row = breaker_get(&b, id, now);
	int64_t wait;
	enum breaker_verdict verdict = breaker_enter(&b, row, true, now, &wait);

	if (verdict == BREAKER_PASS)
		breaker_leave(&b, row, outcome, now);
	return verdict;
}

static void it_opens_after_failures_in_a_row_and_for_that_one_only(void **state)
{
	int64_t wait = 0;

	(void)state;
	attempt(one, BREAKER_BAD, 0);
	attempt(one, BREAKER_BAD, 0);
	attempt(one, BREAKER_GOOD, 0);
	attempt(one, BREAKER_BAD, 0);
	attempt(one, BREAKER_NEUTRAL, 0);
	attempt(one, BREAKER_BAD, 0);
	assert_int_equal(breakers_open(&b), 0);
	assert_int_equal(attempt(one, BREAKER_BAD, SECOND), BREAKER_PASS);
	assert_int_equal(breakers_open(&b), 1);
	assert_int_equal(b.opened, 1);
	assert_int_equal(breaker_enter(&b, breaker_get(&b, one, SECOND), true, 2 * SECOND, &wait), BREAKER_PAUSED);
	assert_int_equal(wait, 9001);
	assert_int_equal(attempt(other, BREAKER_GOOD, SECOND), BREAKER_PASS);
}

static void one_probe_decides(void **state)
{
	struct breaker *row;
	int64_t wait;

	(void)state;
	for (int i = 0; i < 3; i++)
		attempt(one, BREAKER_BAD, 0);
	row = breaker_get(&b, one, 0);
	assert_int_equal(breaker_enter(&b, row, true, 10 * SECOND, &wait), BREAKER_PASS);
	assert_int_equal(breaker_enter(&b, row, true, 10 * SECOND, &wait), BREAKER_PAUSED);
	breaker_leave(&b, row, BREAKER_BAD, 11 * SECOND);
	assert_int_equal(b.opened, 1);
	assert_int_equal(breaker_enter(&b, row, true, 20 * SECOND, &wait), BREAKER_PAUSED);
	assert_int_equal(breaker_enter(&b, row, true, 21 * SECOND, &wait), BREAKER_PASS);
	breaker_leave(&b, row, BREAKER_NEUTRAL, 21 * SECOND); /* cancelled: the next one probes */
	assert_int_equal(attempt(one, BREAKER_GOOD, 21 * SECOND), BREAKER_PASS);
	assert_int_equal(breakers_open(&b), 0);
	assert_int_equal(attempt(one, BREAKER_GOOD, 21 * SECOND), BREAKER_PASS);
}

static void who_is_forgiven_may_go_on(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		attempt(one, BREAKER_BAD, 0);
	breaker_forgive(breaker_get(&b, one, 0));
	assert_int_equal(attempt(one, BREAKER_GOOD, 1), BREAKER_PASS);
}

static void a_key_has_its_share_of_slots(void **state)
{
	struct breaker *row = breaker_get(&b, one, 0);
	int64_t wait;

	(void)state;
	assert_int_equal(breaker_enter(&b, row, true, 0, &wait), BREAKER_PASS);
	assert_int_equal(breaker_enter(&b, row, true, 0, &wait), BREAKER_PASS);
	assert_int_equal(breaker_enter(&b, row, true, 0, &wait), BREAKER_CROWDED);
	assert_int_equal(breaker_enter(&b, row, false, 0, &wait), BREAKER_PASS); /* the server's own has all */
	breaker_leave(&b, row, BREAKER_GOOD, 0);
	breaker_leave(&b, row, BREAKER_GOOD, 0);
	assert_int_equal(breaker_enter(&b, row, true, 0, &wait), BREAKER_PASS);
}

/* A brown-out: every attempt would like another. */
static void retries_are_a_tenth_and_a_reserve(void **state)
{
	struct breaker *row = breaker_get(&b, one, 0);
	int retries = 0;
	int64_t wait;

	(void)state;
	b.limits.failures = 0;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(breaker_enter(&b, row, false, 0, &wait), BREAKER_PASS);
		breaker_leave(&b, row, BREAKER_BAD, 0);
		retries += breaker_may_retry(&b, row, 0);
	}
	assert_in_range(retries, 100, 100 + RETRY_RESERVE);
	assert_int_equal(b.retries_denied, 1000 - retries);
	assert_true(breaker_may_retry(&b, row, RETRY_BACK_US + SECOND)); /* who is quiet is trusted again */
	assert_false(breaker_may_retry(&b, row, RETRY_BACK_US + SECOND));
	assert_true(breaker_may_retry(&b, breaker_get(&b, other, 0), 0));
}

static void rows_are_bounded_and_those_in_use_stay(void **state)
{
	struct breaker *row = breaker_get(&b, one, 0);
	unsigned char id[BREAKER_ID] = { 0 };
	int64_t wait;

	(void)state;
	breaker_enter(&b, row, true, 0, &wait);
	for (int i = 0; i < 3 * BREAKERS_MAX; i++) {
		memcpy(id, &i, sizeof(i));
		breaker_get(&b, id, 0);
	}
	assert_int_equal(HASH_COUNT(b.rows), BREAKERS_MAX);
	assert_ptr_equal(breaker_get(&b, one, 0), row);
	breaker_leave(&b, row, BREAKER_GOOD, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_opens_after_failures_in_a_row_and_for_that_one_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_probe_decides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_forgiven_may_go_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_key_has_its_share_of_slots, set_up, tear_down),
		cmocka_unit_test_setup_teardown(retries_are_a_tenth_and_a_reserve, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_are_bounded_and_those_in_use_stay, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
