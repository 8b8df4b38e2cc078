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
	int64_t lag;

	(void)state;
	lags_take(lags, 1, 1 * S, 1 * S);
	lag = lags_take(lags, 1, 2 * S, 32 * S); /* 31 s after the last one, of which drift is forgiven */
	assert_in_range(lag, 30 * S - 31 * LAG_DRIFT_PPM, 30 * S);
	assert_in_range(lags_take(lags, 1, 31 * S, 32 * S), 1 * S - 31 * LAG_DRIFT_PPM, 1 * S);
}

static void lag_forgives_clocks_that_drift(void **state)
{
	int64_t sent = 0;

	(void)state;
	for (int64_t now = 0; now < 86400 * S; now += 10 * S) {
		assert_int_equal(lags_take(lags, 1, sent, now), 0);
		sent += 10 * S - 10 * 400; /* 400 ppm slow */
	}
}

static void lag_knows_so_many_links_and_forgets_the_ended(void **state)
{
	(void)state;
	for (uint32_t link = 1; link <= LAG_LINKS_MAX; link++)
		lags_take(lags, link, 0, 0);
	assert_int_equal(lags_take(lags, 1, 0, 50), 50);
	lags_forget(lags, 2);
	lags_forget(lags, 2);
	assert_int_equal(lags_take(lags, 2, 0, 50), 0); /* as new */
	lags_take(lags, LAG_LINKS_MAX + 1, 0, 0); /* one too many: 1 goes */
	assert_int_equal(lags_take(lags, 3, 0, 50), 50);
	assert_int_equal(lags_take(lags, 1, 0, 50), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lag_is_what_the_way_took_longer_than_the_quickest, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_of_a_sleeper_is_how_long_it_slept, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_forgives_clocks_that_drift, setup, teardown),
		cmocka_unit_test_setup_teardown(lag_knows_so_many_links_and_forgets_the_ended, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
