/* Requests that may go to several equal instances, one of which stands still. */
#include "bus.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "test_address.h"
#include "unit.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define INSTANCES 2
#define TIMEOUT_MS 4500 /* a third of it is what a silent instance gets */
#define STEP_S 0.02
#define STEPS_MAX 750 /* 15 s */

/* What an instance tells the test, a byte each. */
enum { HANDLED = 'h', LATE = 'l' };

struct instance {
	pid_t pid;
	int told; /* reading end */
	int handled, late;
	char address[TEST_ADDRESS_SIZE];
};

static struct fixture {
	struct ev_loop *ev;
	struct bus *bus;
	struct peer *peer;
	struct instance instance[INSTANCES];
	int answers, good;
} f;

/* ---- an instance: a process of its own, so that it can be stopped ------------------ */

static int tell; /* writing end */

static void tell_byte(char what)
{
	if (write(tell, &what, 1) != 1)
		_exit(1);
}

static enum rc serve_track_get(void *service, const void *m, struct call *call)
{
	const struct msg_track_get *msg = m;

	(void)service;
	tell_byte(HANDLED);
	call_answer(call, &(struct ans_track_get){ .track = uuid_as_text(&msg->track_id) });
	return RC_OK;
}

static void on_served(void *arg, const struct call *call, enum rc rc, int64_t us)
{
	(void)arg, (void)call, (void)us;
	if (rc == RC_BUSY)
		tell_byte(LATE);
}

static struct bus *make_bus(struct ev_loop *ev)
{
	return bus_new(NULL, &(struct bus_config){ .ev = ev,
						   .key = text_from(KEY),
						   .message_max = 1U << 20,
						   .inflight_max = 8,
						   .event_queue = 4096,
						   .timeout_ms = TIMEOUT_MS,
						   .watch = { .served = on_served } });
}

_Noreturn static void instance_run(const char *address)
{
	struct dispatch dispatch = { .call[MSG_TRACK_GET] = serve_track_get };
	struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
	struct bus *bus = make_bus(ev);

	ev_ref(ev); /* the bus alone does not keep a loop going */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!bus_serve(bus, "store", address, &dispatch, NULL, NULL))
		_exit(1);
	ev_run(ev, 0);
	_exit(0);
}

static void instance_start(struct instance *instance)
{
	int ends[2];

	test_address(instance->address);
	assert_int_equal(pipe(ends), 0);
	instance->pid = fork();
	assert_true(instance->pid >= 0);
	if (instance->pid == 0) {
		tell = ends[1];
		instance_run(instance->address);
	}
	close(ends[1]);
	instance->told = ends[0];
}

/* ---- the asker ------------------------------------------------------------------------ */

static void on_told(struct ev_loop *ev, ev_io *w, int events)
{
	struct instance *instance = w->data;
	char bytes[64];
	ssize_t n = read(instance->told, bytes, sizeof(bytes));

	(void)ev, (void)events;
	for (ssize_t i = 0; i < n; i++)
		++*(bytes[i] == HANDLED ? &instance->handled : &instance->late);
	if (n <= 0)
		ev_io_stop(ev, w);
}

static void on_answer(void *arg, const struct answer *answer)
{
	(void)arg;
	f.answers++;
	f.good += answer->body != NULL;
}

static void on_step(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)w, (void)events;
	ev_break(ev, EVBREAK_ALL);
}

static void step(void)
{
	ev_timer timer;

	ev_timer_init(&timer, on_step, STEP_S, 0.);
	ev_now_update(f.ev);
	ev_timer_start(f.ev, &timer);
	ev_run(f.ev, 0);
	ev_timer_stop(f.ev, &timer);
}

static void until(const int *counter, int n)
{
	for (int i = 0; i < STEPS_MAX && *counter < n; i++)
		step();
	assert_true(*counter >= n);
}

static void ask_track(void)
{
	struct msg_track_get m = { { "11111111-1111-4111-8111-111111111111" } };

	bus_request(f.peer, MSG_TRACK_GET, &m, &(struct ask){ 0 }, on_answer, NULL);
}

static int setup(void **state)
{
	static ev_io watch[INSTANCES];
	char addresses[80];

	(void)state;
	/* Before this process has threads. */
	for (int i = 0; i < INSTANCES; i++)
		instance_start(&f.instance[i]);
	f.ev = ev_loop_new(EVFLAG_AUTO);
	for (int i = 0; i < INSTANCES; i++) {
		ev_io_init(&watch[i], on_told, f.instance[i].told, EV_READ);
		watch[i].data = &f.instance[i];
		ev_io_start(f.ev, &watch[i]);
	}
	f.bus = make_bus(f.ev);
	snprintf(addresses, sizeof(addresses), "%s,%s", f.instance[0].address, f.instance[1].address);
	f.peer = bus_dial(f.bus, "store", addresses, NULL);
	assert_non_null(f.peer);
	assert_int_equal(peer_instances(f.peer), INSTANCES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_free(f.bus);
	for (int i = 0; i < INSTANCES; i++) {
		kill(f.instance[i].pid, SIGKILL);
		waitpid(f.instance[i].pid, NULL, 0);
		close(f.instance[i].told);
	}
	ev_loop_destroy(f.ev);
	return 0;
}

/* Until both have answered: each link has shown how quick it can be. */
static void bus_shares_requests_among_instances(void **state)
{
	(void)state;
	for (int asked = 1; asked <= STEPS_MAX && (f.instance[0].handled < 2 || f.instance[1].handled < 2); asked++) {
		ask_track();
		until(&f.answers, asked);
		step();
	}
	assert_int_equal(f.good, f.answers);
	assert_true(f.instance[0].handled >= 2 && f.instance[1].handled >= 2);
}

static void bus_moves_a_request_on_and_the_sleeper_does_not_carry_it_out(void **state)
{
	struct instance *sleeper = &f.instance[0];
	int handled = sleeper->handled, answers = f.answers, others = f.instance[1].handled;

	(void)state;
	kill(sleeper->pid, SIGSTOP);
	for (int i = 0; i < INSTANCES; i++)
		ask_track(); /* in turn: one of them goes to the sleeper first */
	until(&f.answers, answers + INSTANCES);
	assert_int_equal(f.good, f.answers);
	until(&f.instance[1].handled, others + INSTANCES);
	kill(sleeper->pid, SIGCONT);
	until(&sleeper->late, 1);
	assert_int_equal(sleeper->handled, handled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bus_shares_requests_among_instances),
		cmocka_unit_test(bus_moves_a_request_on_and_the_sleeper_does_not_carry_it_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
