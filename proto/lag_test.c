#include "lag.h"

#include <talloc.h>

#include "unit.h"

#define S INT64_C(1000000)

static struct lags *lags;

static int setup(void **state)
{
	(void)state;
	lags = lags_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	talloc_free(lags);
	return 0;
}

static void lag_is_what_the_way_took_longer_than_the_quickest(void **state)
{
	(void)state;
	/* The sender's clock is 1000 s behind ours, or before. */
	assert_int_equal(lags_take(lags, 1, 10 * S, 1010 * S + 300), 0);
	assert_int_equal(lags_take(lags, 1, 10 * S + 500, 1010 * S + 600), 0); /* quicker */
	assert_int_equal(lags_take(lags, 1, 10 * S + 700, 1010 * S + 900), 100);
	assert_int_equal(lags_take(lags, 2, 5000 * S, 1010 * S), 0);
	assert_int_equal(lags_take(lags, 2, 5000 * S, 1010 * S + 7), 7);
}

static void lag_of_a_sleeper_is_how_long_it_slept(void **state)
{
	(void)state;
	lags_take(lags, 1, 1 * S, 1 * S);
	/* An hour of it, and then all that waited, in the order in which it was sent. */
	for (int64_t sent = 2; sent < 3600; sent++)
		assert_int_equal(lags_take(lags, 1, sent * S, 3600 * S + sent), (3600 - sent) * S + sent);
	assert_int_equal(lags_take(lags, 1, 3601 * S, 3601 * S), 0);
}

static void lag_forgives_clocks_that_drift(void **state)
{
	int64_t sent = 0;

	(void)state;
	for (int64_t now = 0; now < 86400 * S; now += S) {
		assert_in_range(lags_take(lags, 1, sent, now), 0, 40 * 500);
		sent += S - 500; /* 500 ppm slow */
	}
}

static void lag_forgets_a_clock_that_jumped(void **state)
{
	(void)state;
	for (int64_t now = 0; now < 60 * S; now += S)
		assert_int_equal(lags_take(lags, 1, now, now), 0);
	for (int64_t now = 60 * S; now < 120 * S; now += S) {
		int64_t lag = lags_take(lags, 1, now - 12 * S, now);

		if (now < 75 * S)
			assert_int_equal(lag, 12 * S);
		else if (now > 105 * S)
			assert_int_equal(lag, 0);
	}
}

static void lag_knows_so_many_links_and_forgets_the_ended(void **state)
{
	(void)state;
	for (uint32_t link = 1; link <= LAG_LINKS_MAX; link++)
		lags_take(lags, link, 0, link);
	assert_int_equal(lags_take(lags, 1, 0, LAG_LINKS_MAX + 1), LAG_LINKS_MAX);
	lags_take(lags, LAG_LINKS_MAX + 1, 0, LAG_LINKS_MAX + 2); /* one too many: 2 was heard of least lately */
	assert_int_equal(lags_take(lags, 2, 0, 5000), 0);
	assert_int_equal(lags_take(lags, 1, 0, 5001), 5000);
	lags_forget(lags, 1);
	lags_forget(lags, 1);
	assert_int_equal(lags_take(lags, 1, 0, 6000), 0); /* as new */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lag_is_what_the_way_took_longer_than_the_quickest, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_of_a_sleeper_is_how_long_it_slept, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_forgives_clocks_that_drift, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_forgets_a_clock_that_jumped, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_knows_so_many_links_and_forgets_the_ended, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
