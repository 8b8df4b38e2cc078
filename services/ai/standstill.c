#include "standstill.h"

#include "clock.h"

#define TICK_S 0.5
#define STOOD_US 2000000 /* chat gives a silent worker up after WORKER_SILENCE_MS, 3 s */

static void on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev, (void)w, (void)events; /* on_turn has seen it */
}

static void on_turn(struct ev_loop *ev, ev_check *w, int events)
{
	struct standstill *s = w->data;
	int64_t now = clock_us();

	(void)ev, (void)events;
	if (now - s->turned_us > STOOD_US)
		s->woke_us = now;
	s->turned_us = now;
}

void standstill_init(struct standstill *s, struct loop *loop)
{
	s->turned_us = clock_us();
	ev_timer_init(&s->tick, on_tick, TICK_S, TICK_S);
	ev_timer_start(loop->ev, &s->tick);
	ev_unref(loop->ev);
	ev_check_init(&s->turn, on_turn);
	ev_set_priority(&s->turn, EV_MAXPRI); /* before anything that was found */
	s->turn.data = s;
	ev_check_start(loop->ev, &s->turn);
	ev_unref(loop->ev);
}

void standstill_stop(struct standstill *s, struct loop *loop)
{
	ev_ref(loop->ev);
	ev_timer_stop(loop->ev, &s->tick);
	ev_ref(loop->ev);
	ev_check_stop(loop->ev, &s->turn);
}

bool standstill_is_behind(const struct standstill *s, int64_t lag_us)
{
	return s->woke_us != 0 && clock_us() - lag_us < s->woke_us;
}
