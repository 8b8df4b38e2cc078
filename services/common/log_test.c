#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "unit.h"

/* Standard output of the test is a file while lines are written. */
static char written[65536];

static void capture(void (*fn)(void))
{
	char path[] = "/tmp/log_test.XXXXXX";
	int file = mkstemp(path), out;
	ssize_t n;

	assert_true(file >= 0);
	unlink(path);
	fflush(stdout);
	out = dup(STDOUT_FILENO);
	dup2(file, STDOUT_FILENO);
	fn();
	dup2(out, STDOUT_FILENO);
	close(out);
	n = pread(file, written, sizeof(written) - 1, 0);
	written[n > 0 ? n : 0] = '\0';
	close(file);
}

static int lines_with(const char *what)
{
	int n = 0;

	for (const char *p = written; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void warn_many(void)
{
	for (int i = 0; i < 3 * LOG_REPEATS_MAX; i++)
		log_warning(NULL, "test.flood", "i=%d", i);
	log_warning(NULL, "test.other", "a=1");
	for (int i = 0; i < 3 * LOG_REPEATS_MAX; i++)
		log_info(NULL, "test.news", "i=%d", i);
}

static void warn_again(void)
{
	log_warning(NULL, "test.flood", "i=again");
}

static void log_writes_only_so_many_repeats(void **state)
{
	(void)state;
	clock_turn(1000000);
	capture(warn_many);
	assert_int_equal(lines_with("test.flood"), LOG_REPEATS_MAX);
	assert_int_equal(lines_with("test.other"), 1);
	assert_int_equal(lines_with("test.news"), 3 * LOG_REPEATS_MAX); /* a diary is not cut */
	assert_int_equal(log_suppressed(), 2 * LOG_REPEATS_MAX);
	clock_turn(1000000 + LOG_REPEATS_US);
	capture(warn_again);
	assert_non_null(strstr(written, "test.flood suppressed=40 i=again"));
}

static void log_tells_of_suppressed_lines_of_a_quiet_event(void **state)
{
	(void)state;
	clock_turn(100000000);
	capture(warn_many);
	capture(log_tick);
	assert_int_equal(lines_with("log.repeats"), 0);
	clock_turn(100000000 + LOG_REPEATS_US);
	capture(log_tick);
	assert_non_null(strstr(written, "log.repeats of=test.flood suppressed=40"));
	capture(log_tick);
	assert_int_equal(lines_with("log.repeats"), 0);
}

static void log_level_changes_at_run_time(void **state)
{
	(void)state;
	clock_turn(200000000);
	log_set_level(LOG_ERROR);
	capture(warn_again);
	assert_string_equal(written, "");
	log_set_level(LOG_INFO);
	capture(warn_again);
	assert_int_equal(lines_with("test.flood"), 1);
	assert_string_equal(log_level_name(log_level()), "info");
}

static void tell_kinds(void)
{
	log_info(NULL, "test.kinds", "user=12345678 us=12345678 code=0123 words=\"1 2\"");
}

static void log_writes_numbers_as_numbers_and_ids_as_texts(void **state)
{
	(void)state;
	log_setup("test", LOG_INFO, true);
	capture(tell_kinds);
	log_setup("test", LOG_INFO, false);
	assert_non_null(strstr(written, "\"user\":\"12345678\",\"us\":12345678,\"code\":\"0123\",\"words\":\"1 2\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(log_writes_numbers_as_numbers_and_ids_as_texts),
					    cmocka_unit_test(log_writes_only_so_many_repeats),
					    cmocka_unit_test(log_tells_of_suppressed_lines_of_a_quiet_event),
					    cmocka_unit_test(log_level_changes_at_run_time) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
