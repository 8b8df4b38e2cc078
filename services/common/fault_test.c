#include "unit.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

static bool arm(const char *spec)
{
	struct err err = { 0 };

	return fault_arm(spec, &err);
}

/* How a child ends that passes chat_post n times. */
static int status_after(int n)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < n; i++)
			fault_hit(FAULT_chat_post);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void fault_kills_at_the_hit_that_was_named(void **state)
{
	(void)state;
	assert_true(arm("chat_post=kill@3"));
	assert_true(WIFEXITED(status_after(2)));
	assert_true(WIFSIGNALED(status_after(3)));
	assert_int_equal(WTERMSIG(status_after(3)), SIGKILL);
}

static void fault_stops_only_this_process(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	assert_true(arm("chat_post=stop"));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fault_hit(FAULT_chat_post);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fault_delays_as_often_as_it_says(void **state)
{
	int64_t start = now_ms();

	(void)state;
	assert_true(arm("store_finish=delay:20@2x2"));
	fault_hit(FAULT_store_finish);
	assert_true(now_ms() - start < 20);
	fault_hit(FAULT_store_finish);
	fault_hit(FAULT_store_finish);
	assert_true(now_ms() - start >= 40);
	start = now_ms();
	fault_hit(FAULT_store_finish);
	assert_true(now_ms() - start < 20);
}

static void fault_refuses_what_it_does_not_know(void **state)
{
	static const char *const bad[] = { "nothing=kill",
					   "chat_post",
					   "chat_post=die",
					   "chat_post=delay:",
					   "chat_post=kill@0",
					   "chat_post=kill@",
					   "chat_post=kill@2x",
					   "chat_post=kill@2y",
					   "chat_post=delay:9999999",
					   "=kill",
					   "chat_pos=kill",
					   "chat_post=kill,,ai_first_byte=kill" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (arm(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_true(WIFEXITED(status_after(5))); /* and nothing is armed */
}

static void fault_takes_points_of_all_daemons(void **state)
{
	(void)state;
	assert_true(arm("gateway_frame=kill,ai_last_byte=delay:1,store_begin=stop@9x3,"));
	assert_true(WIFEXITED(status_after(5)));
	assert_true(arm(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_kills_at_the_hit_that_was_named),
		cmocka_unit_test(fault_stops_only_this_process),
		cmocka_unit_test(fault_delays_as_often_as_it_says),
		cmocka_unit_test(fault_refuses_what_it_does_not_know),
		cmocka_unit_test(fault_takes_points_of_all_daemons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
