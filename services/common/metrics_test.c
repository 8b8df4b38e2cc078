#include "metrics.h"

#include <string.h>

#include <talloc.h>

#include "unit.h"

static void metrics_write_prometheus_text(void **state)
{
	void *ctx = talloc_new(NULL);
	struct metrics *m = metrics_new(ctx);
	UT_string *out;

	(void)state;
	utstring_new(out);
	++*metrics_counter(m, "x_total", "a=\"1\"", "Xs.");
	++*metrics_counter(m, "x_total", "a=\"1\"", "Xs.");
	++*metrics_counter(m, "x_total", "a=\"2\"", "Xs.");
	histogram_add(metrics_histogram(m, "y_seconds", "", "Ys."), 0.003);
	metrics_write(m, out);
	assert_non_null(strstr(utstring_body(out), "# TYPE x_total counter\nx_total{a=\"1\"} 2\nx_total{a=\"2\"} 1\n"));
	assert_non_null(
		strstr(utstring_body(out), "y_seconds_bucket{le=\"0.0025\"} 0\ny_seconds_bucket{le=\"0.005\"} 1\n"));
	assert_non_null(strstr(utstring_body(out),
			       "y_seconds_bucket{le=\"+Inf\"} 1\ny_seconds_sum 0.003000\ny_seconds_count 1\n"));
	utstring_free(out);
	talloc_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(metrics_write_prometheus_text) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
