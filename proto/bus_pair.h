/*
 * bus_pair: for unit tests of the bus, a server on one loop and who asks on
 * another. Each runs only while the test lets it.
 */
#ifndef ALP_BUS_PAIR_H
#define ALP_BUS_PAIR_H

#include <stdlib.h>

#include "bus.h"
#include "test_address.h"
#include "unit.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define ASKED_MAX 400
#define SLOTS 8

static struct pair {
	struct ev_loop *server_ev, *asker_ev;
	struct bus *server, *asker;
	struct peer *peer;
	struct dispatch dispatch;
	char address[TEST_ADDRESS_SIZE];
	struct call *held[ASKED_MAX];
	bool hold;
	size_t size; /* of an answer */
	int calls, gone, refused, answers, good, in_order;
} f;

static inline void on_deadline(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)w, (void)events;
	ev_break(ev, EVBREAK_ALL);
}

static inline void turn_for(struct ev_loop *ev, double seconds)
{
	ev_timer timer;

	ev_now_update(ev);
	ev_timer_init(&timer, on_deadline, seconds, 0.);
	ev_timer_start(ev, &timer);
	ev_run(ev, 0);
	ev_timer_stop(ev, &timer);
}

/* Turns both loops until *counter reaches n, at most about 20 s. */
static inline void until(const int *counter, int n)
{
	for (int i = 0; i < 1000 && *counter < n; i++) {
		turn_for(f.asker_ev, 0.01);
		turn_for(f.server_ev, 0.01);
	}
	assert_true(*counter >= n);
}

static inline void answer(struct call *call)
{
	char *bytes = malloc(f.size);

	memset(bytes, 'x', f.size);
	call_answer(call, &(struct ans_track_get){ .track = text_of(bytes, f.size) });
	free(bytes);
}

static inline enum rc serve_track_get(void *service, const void *m, struct call *call)
{
	(void)service, (void)m;
	if (f.hold)
		f.held[f.calls] = call;
	else
		answer(call);
	f.calls++;
	return f.hold ? RC_PENDING : RC_OK;
}

static inline void on_gone(void *service, struct call *call)
{
	(void)service, (void)call;
	f.gone++;
}

static inline void on_refused(void *arg, const char *socket, const struct err *why)
{
	(void)arg, (void)socket, (void)why;
	f.refused++;
}

static inline void on_answer(void *arg, const struct answer *got)
{
	f.good += got->body != NULL && ((const struct ans_track_get *)got->body)->track.len == f.size;
	f.in_order += (int)(intptr_t)arg == f.answers;
	f.answers++;
}

static inline void ask(int n, int64_t timeout_ms)
{
	struct msg_track_get m = { { "11111111-1111-4111-8111-111111111111" } };

	for (int i = 0; i < n; i++)
		bus_request(f.peer, MSG_TRACK_GET, &m, &(struct ask){ .timeout_ms = timeout_ms }, on_answer,
			    (void *)(intptr_t)i); /* NOLINT(performance-no-int-to-ptr): it is a number */
}

static inline struct bus *make_bus(struct ev_loop *ev, int inflight_max)
{
	return bus_new(NULL, &(struct bus_config){ .ev = ev,
						   .key = text_from(KEY),
						   .message_max = 1U << 20,
						   .inflight_max = inflight_max,
						   .event_queue = 64,
						   .timeout_ms = 15000,
						   .watch = { .refused = on_refused } });
}

static inline int pair_setup(void **state)
{
	bool is_up = false;

	(void)state;
	f = (struct pair){ .size = 10 };
	f.server_ev = ev_loop_new(EVFLAG_AUTO);
	f.asker_ev = ev_loop_new(EVFLAG_AUTO);
	f.dispatch.call[MSG_TRACK_GET] = serve_track_get;
	f.dispatch.gone = on_gone;
	test_address(f.address);
	f.server = make_bus(f.server_ev, SLOTS);
	assert_true(bus_serve(f.server, "store", f.address, &f.dispatch, NULL, NULL));
	f.asker = make_bus(f.asker_ev, ASKED_MAX);
	f.peer = bus_dial(f.asker, "store", f.address, NULL);
	for (int i = 0; i < 500 && !is_up; i++, is_up = peer_is_up(f.peer))
		turn_for(f.asker_ev, 0.01);
	assert_true(is_up);
	return 0;
}

static inline int pair_teardown(void **state)
{
	(void)state;
	bus_free(f.asker);
	bus_free(f.server);
	ev_loop_destroy(f.asker_ev);
	ev_loop_destroy(f.server_ev);
	return 0;
}

/* The first request of a connection travels by itself. */
static inline void begin_connection(void)
{
	size_t size = f.size;

	f.size = 1;
	ask(1, 0);
	until(&f.answers, 1);
	assert_int_equal(f.good, 1);
	f.size = size;
	f.calls = f.answers = f.good = f.in_order = 0;
}

#endif
