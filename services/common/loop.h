/* loop: the process's libev loop, and work for after the current callback. Loop thread only. */
#ifndef ALP_LOOP_H
#define ALP_LOOP_H

#include <stdint.h>

#include <ev.h>

struct loop_defer_item;

struct loop {
	struct ev_loop *ev;
	struct loop_defer_item *deferred;
	ev_prepare prepare;
	ev_idle idle; /* keeps the loop from sleeping while something is deferred */
};

void loop_init(struct loop *loop);
void loop_done(struct loop *loop); /* runs what is still deferred */

/* Runs fn(arg) once, before the loop sleeps again, never inside the caller. */
void loop_defer(struct loop *loop, void (*fn)(void *arg), void *arg);

/* A timer that calls back once after ms; restart it from the callback when it shall repeat. */
void loop_timer(ev_timer *timer, void (*cb)(struct ev_loop *, ev_timer *, int), void *data);
void loop_arm(struct loop *loop, ev_timer *timer, int64_t ms);
void loop_disarm(struct loop *loop, ev_timer *timer);

#endif
