#include "metrics.h"

#include <string.h>

#include <talloc.h>

#include "unit.h"

static void metrics_write_prometheus_text(void **state)
{
	void *ctx = talloc_new(NULL);
	struct metrics *m = metrics_new(ctx, SERVICE_AI);
	UT_string *out;

	(void)state;
	utstring_new(out);
	metrics_count(m, METRIC_AI_ATTEMPTS, "failed");
	metrics_count(m, METRIC_AI_ATTEMPTS, "failed");
	++*metrics_counter(m, METRIC_AI_ATTEMPTS, "result=\"completed\"");
	*metrics_sum(m, METRIC_AI_COST, "model=\"m\"") += 0.25;
	histogram_add(metrics_histogram(m, METRIC_LOOP_LAG, ""), 0.003);
	metrics_write(m, out);
	assert_non_null(strstr(utstring_body(out), "# TYPE alp_ai_attempts_total counter\n"
						   "alp_ai_attempts_total{result=\"failed\"} 2\n"
						   "alp_ai_attempts_total{result=\"completed\"} 1\n"));
	assert_non_null(strstr(utstring_body(out), "# TYPE alp_ai_cost_usd_total counter\n"
						   "alp_ai_cost_usd_total{model=\"m\"} 0.25\n"));
	assert_non_null(strstr(utstring_body(out), "alp_loop_lag_seconds_bucket{le=\"0.0025\"} 0\n"
						   "alp_loop_lag_seconds_bucket{le=\"0.005\"} 1\n"));
	assert_non_null(strstr(utstring_body(out),
			       "alp_loop_lag_seconds_bucket{le=\"+Inf\"} 1\n"
			       "alp_loop_lag_seconds_sum 0.003000\nalp_loop_lag_seconds_count 1\n"));
	utstring_free(out);
	talloc_free(ctx);
}

/* Its own and those of all, from the first scrape on; not those of the others. */
static void a_service_writes_its_metrics(void **state)
{
	void *ctx = talloc_new(NULL);
	UT_string *out;

	(void)state;
	utstring_new(out);
	metrics_write(metrics_new(ctx, SERVICE_STORE), out);
	assert_non_null(strstr(utstring_body(out), "\nalp_pg_waiting 0\n"));
	assert_non_null(strstr(utstring_body(out), "\nalp_ready 0\n"));
	assert_null(strstr(utstring_body(out), "alp_ai_"));
	utstring_free(out);
	talloc_free(ctx);
}

static void a_label_needs_no_escapes(void **state)
{
	char value[] = "a\"b\\c\nd";

	(void)state;
	metrics_label_value(value);
	assert_string_equal(value, "a_b_c_d");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(metrics_write_prometheus_text),
					    cmocka_unit_test(a_service_writes_its_metrics),
					    cmocka_unit_test(a_label_needs_no_escapes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
