#include "bus.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "unit.h"

/* Threads of this process with that name. */
static int threads_named(const char *name)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char path[300], line[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		if (fgets(line, sizeof(line), file) != NULL)
			line[strcspn(line, "\n")] = '\0';
		n += strcmp(line, name) == 0;
		fclose(file);
	}
	closedir(dir);
	return n;
}

static void nng_starts_two_task_threads(void **state)
{
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	struct bus *bus = bus_new(NULL, &(struct bus_config){ .ev = ev,
							      .key = text_from("0123456789abcdef0123456789abcdef"),
							      .message_max = 1U << 20,
							      .inflight_max = 8,
							      .event_queue = 4096,
							      .timeout_ms = 5000 });

	(void)state;
	/* They name themselves when they first run. */
	for (int i = 0; i < 1000 && threads_named("nng:task") < 2; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_int_equal(threads_named("nng:task"), 2);
	bus_free(bus);
	ev_loop_destroy(ev);
}

static void everybody_else_hears_the_truth_of_sysconf(void **state)
{
	FILE *file = fopen("/sys/devices/system/cpu/online", "re");
	char online[16] = "";

	(void)state;
	assert_int_equal(sysconf(_SC_PAGESIZE), getpagesize());
	if (file == NULL || fgets(online, sizeof(online), file) == NULL)
		skip();
	fclose(file);
	if (strcmp(online, "0\n") != 0) /* more than one */
		assert_true(sysconf(_SC_NPROCESSORS_ONLN) > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nng_starts_two_task_threads),
		cmocka_unit_test(everybody_else_hears_the_truth_of_sysconf),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
