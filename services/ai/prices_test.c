#include "unit.h"

#include "prices.h"
#include "retry_after.h"

#define LIST "gpt-4o-mini=0.15/0.075/0.60, gpt-4o=2.50/1.25/10.00 ,free=0/0/0"

static int64_t cost(const char *model, int64_t prompt, int64_t cached, int64_t completion)
{
	struct prices *p = prices_new(NULL, LIST, NULL);
	int64_t nano;

	assert_non_null(p);
	nano = prices_cost(p, text_from(model), prompt, cached, completion);
	talloc_free(p);
	return nano;
}

static void prices_add_up_exactly(void **state)
{
	(void)state;
	assert_int_equal(cost("gpt-4o-mini", 1000, 0, 0), 150000);
	assert_int_equal(cost("gpt-4o-mini", 1000, 400, 10), 600 * 150 + 400 * 75 + 10 * 600);
	assert_int_equal(cost("gpt-4o", 1000000000, 0, 1000000000), 12500000000000);
	assert_int_equal(cost("free", 5, 0, 5), 0);
}

static void prices_know_a_dated_model(void **state)
{
	(void)state;
	assert_int_equal(cost("gpt-4o-mini-2024-07-18", 1, 0, 0), 150);
	assert_int_equal(cost("gpt-4o-2024-08-06", 1, 0, 0), 2500);
	assert_int_equal(cost("gpt-4o2", 1, 0, 0), -1);
	assert_int_equal(cost("gpt-4", 1, 0, 0), -1);
	assert_int_equal(cost("my-gpt-4o", 1, 0, 0), -1);
	assert_int_equal(cost("", 1, 0, 0), -1);
}

static void prices_name_what_they_know(void **state)
{
	struct err err = { 0 };
	struct prices *p = prices_new(NULL, "gpt-4o=1/1/1,gpt-4o-mini=1/1/1", &err);

	(void)state;
	assert_true(text_is(prices_known(p, text_from("gpt-4o-mini-2024-07-18")), "gpt-4o-mini"));
	assert_int_equal(prices_known(p, text_from("my secret")).len, 0);
	talloc_free(p);
}

static void prices_refuse_a_malformed_list(void **state)
{
	static const char *const bad[] = { "x",        "=1/2/3",    "a=1/2",     "a=1/2/3/4",   "a=1/2/3,a=1/2/3",
					   "a=-1/2/3", "a=nan/2/3", "a=1/2/1e9", "a=1 / 2 / 3", "a=1,5/2/3",
					   "a=1/2/3x" };
	struct err err;
	struct prices *none;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct err){ 0 };
		assert_null(prices_new(NULL, bad[i], &err));
		assert_string_equal(err.field, "MODEL_PRICES");
	}
	none = prices_new(NULL, "", NULL);
	assert_non_null(none);
	assert_int_equal(prices_cost(none, text_from("a"), 1, 0, 1), -1);
	talloc_free(none);
}

#define NOW 1784000000 /* Tue, 14 Jul 2026 03:33:20 GMT */

static void retry_after_reads_seconds_and_dates(void **state)
{
	(void)state;
	assert_int_equal(retry_after_ms("2", NOW), 2000);
	assert_int_equal(retry_after_ms(" 30 ", NOW), 30000);
	assert_int_equal(retry_after_ms("1.5", NOW), 1000);
	assert_int_equal(retry_after_ms("Tue, 14 Jul 2026 03:33:27 GMT", NOW), 7000);
	assert_int_equal(retry_after_ms("Tue Jul 14 03:33:27 2026", NOW), 7000);
	assert_int_equal(retry_after_ms("Tuesday, 14-Jul-26 03:33:27 GMT", NOW), 7000);
}

static void retry_after_bounds_what_is_absurd(void **state)
{
	(void)state;
	assert_int_equal(retry_after_ms("99999999999999999999999999", NOW), RETRY_AFTER_MAX_MS);
	assert_int_equal(retry_after_ms("Fri, 31 Dec 9999 23:59:59 GMT", NOW), RETRY_AFTER_MAX_MS);
	assert_int_equal(retry_after_ms("Tue, 14 Jul 2020 03:33:27 GMT", NOW), 0);
	assert_int_equal(retry_after_ms("0", NOW), 0);
}

static void retry_after_ignores_what_is_malformed(void **state)
{
	static const char *const bad[] = { "", " ", "-5", "soon", "5 minutes", "5x", "1e3", "\r\n" };

	(void)state;
	assert_int_equal(retry_after_ms(NULL, NOW), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(retry_after_ms(bad[i], NOW), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prices_add_up_exactly),
		cmocka_unit_test(prices_know_a_dated_model),
		cmocka_unit_test(prices_name_what_they_know),
		cmocka_unit_test(prices_refuse_a_malformed_list),
		cmocka_unit_test(retry_after_reads_seconds_and_dates),
		cmocka_unit_test(retry_after_bounds_what_is_absurd),
		cmocka_unit_test(retry_after_ignores_what_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
