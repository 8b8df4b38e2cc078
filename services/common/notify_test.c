#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

/* The service manager's end: what it is told, in order. */
struct fixture {
	struct loop loop;
	struct notify notify;
	int fd;
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(f->path, sizeof(f->path), "/tmp/notify_test.%d", getpid());
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unlink(f->path);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", f->path, 1);
	loop_init(&f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	notify_done(&f->notify);
	loop_done(&f->loop);
	close(f->fd);
	unlink(f->path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	free(f);
	return 0;
}

static void assert_told(struct fixture *f, const char *wanted)
{
	char got[256] = "";

	assert_true(recv(f->fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got, wanted);
}

static void assert_silent(struct fixture *f)
{
	char got[256];

	assert_int_equal(recv(f->fd, got, sizeof(got), MSG_DONTWAIT), -1);
}

static void without_a_watchdog_only_the_readiness_is_told(void **state)
{
	struct fixture *f = *state;

	notify_ready(&f->notify, &f->loop);
	assert_told(f, "READY=1");
	assert_int_equal(f->notify.every_ms, 0);
	assert_silent(f);
}

static void the_watchdog_hears_from_a_loop_that_turns(void **state)
{
	struct fixture *f = *state;

	setenv("WATCHDOG_USEC", "20000", 1);
	notify_ready(&f->notify, &f->loop);
	assert_told(f, "READY=1");
	assert_int_equal(f->notify.every_ms, 10);
	assert_silent(f); /* a loop that does not turn */
	ev_run(f->loop.ev, EVRUN_ONCE);
	assert_told(f, "WATCHDOG=1");
	ev_run(f->loop.ev, EVRUN_ONCE);
	assert_told(f, "WATCHDOG=1");
}

static void stopping_asks_for_the_time_of_the_drain(void **state)
{
	notify_stopping(10000);
	assert_told(*state, "STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_watchdog_only_the_readiness_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_watchdog_hears_from_a_loop_that_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(stopping_asks_for_the_time_of_the_drain, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
