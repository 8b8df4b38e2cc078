#include "rate_limits.h"

#include <sodium.h>
#include <stdio.h>

#include "clock.h"
#include "unit.h"

#define SECOND 1000000LL

static void buckets_hold_one_minute_and_fill_evenly(void **state)
{
	struct limits *limits = limits_new(NULL);

	(void)state;
	clock_turn(100 * SECOND);
	for (int i = 0; i < 20; i++)
		assert_int_equal(limits_take(limits, "x", text_from("a"), 20), 0);
	assert_in_range(limits_take(limits, "x", text_from("a"), 20), 1, 4);
	assert_int_equal(limits_take(limits, "x", text_from("b"), 20), 0);
	assert_int_equal(limits_take(limits, "y", text_from("a"), 20), 0);
	clock_turn(103 * SECOND);
	assert_int_equal(limits_take(limits, "x", text_from("a"), 20), 0);
	assert_true(limits_take(limits, "x", text_from("a"), 20) > 0);
	clock_turn(10000 * SECOND);
	for (int i = 0; i < 20; i++)
		assert_int_equal(limits_take(limits, "x", text_from("a"), 20), 0);
	assert_true(limits_take(limits, "x", text_from("a"), 20) > 0);
	talloc_free(limits);
}

static void an_account_is_not_locked_for_its_owners_address(void **state)
{
	struct limits *limits = limits_new(NULL);
	char address[32];

	(void)state;
	clock_turn(SECOND);
	assert_int_equal(limits_login(limits, "10.0.0.1", text_from("Ada@example.org"), 5), 0);
	limits_login_good(limits, "10.0.0.1", text_from("Ada@example.org"));
	for (int i = 0; i < 20; i++) {
		snprintf(address, sizeof(address), "10.1.0.%d", i);
		limits_login(limits, address, text_from("ada@example.org"), 5);
	}
	assert_true(limits_login(limits, "10.2.0.1", text_from("ada@example.org"), 5) > 0);
	assert_int_equal(limits_login(limits, "10.0.0.1", text_from("ada@example.org"), 5), 0);
	talloc_free(limits);
}

static void one_address_cannot_try_many_accounts(void **state)
{
	struct limits *limits = limits_new(NULL);
	char account[32];
	int refused = 0;

	(void)state;
	clock_turn(SECOND);
	for (int i = 0; i < 20; i++) {
		snprintf(account, sizeof(account), "user%d@example.org", i);
		refused += limits_login(limits, "10.0.0.9", text_from(account), 5) > 0;
	}
	assert_int_equal(refused, 15);
	talloc_free(limits);
}

static void the_table_is_bounded_and_forgets_the_quietest(void **state)
{
	struct limits *limits = limits_new(NULL);
	char name[32];

	(void)state;
	clock_turn(SECOND);
	for (int i = 0; i < 5; i++)
		limits_take(limits, "x", text_from("first"), 5);
	assert_true(limits_take(limits, "x", text_from("first"), 5) > 0);
	for (int i = 0; i < 70000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		limits_take(limits, "x", text_from(name), 5);
	}
	assert_int_equal(limits_take(limits, "x", text_from("first"), 5), 0);
	talloc_free(limits);
}

static int turn_clock_back(void **state)
{
	(void)state;
	clock_turn(-1);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_hold_one_minute_and_fill_evenly),
		cmocka_unit_test(an_account_is_not_locked_for_its_owners_address),
		cmocka_unit_test(one_address_cannot_try_many_accounts),
		cmocka_unit_test(the_table_is_bounded_and_forgets_the_quietest),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, turn_clock_back);
}
