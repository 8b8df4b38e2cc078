#include "loop.h"

#include <stdlib.h>

#include <utlist.h>

struct loop_defer_item {
	void (*fn)(void *arg);
	void *arg;
	struct loop_defer_item *next;
};

static void run_deferred(struct loop *loop)
{
	struct loop_defer_item *item;

	while ((item = loop->deferred) != NULL) {
		LL_DELETE(loop->deferred, item);
		item->fn(item->arg);
		free(item);
	}
}

static void loop_on_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct loop *loop = w->data;

	(void)events;
	run_deferred(loop);
	ev_idle_stop(ev, &loop->idle);
}

static void loop_on_idle(struct ev_loop *ev, ev_idle *w, int events)
{
	(void)ev, (void)w, (void)events;
}

void loop_init(struct loop *loop)
{
	loop->ev = ev_default_loop(EVFLAG_AUTO);
	loop->deferred = NULL;
	ev_prepare_init(&loop->prepare, loop_on_prepare);
	loop->prepare.data = loop;
	ev_prepare_start(loop->ev, &loop->prepare);
	ev_unref(loop->ev);
	ev_idle_init(&loop->idle, loop_on_idle);
}

void loop_done(struct loop *loop)
{
	run_deferred(loop);
	ev_idle_stop(loop->ev, &loop->idle);
	ev_ref(loop->ev);
	ev_prepare_stop(loop->ev, &loop->prepare);
	ev_loop_destroy(loop->ev);
	loop->ev = NULL;
}

void loop_defer(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_defer_item *item = malloc(sizeof(*item));

	if (item == NULL)
		abort();
	*item = (struct loop_defer_item){ .fn = fn, .arg = arg };
	LL_APPEND(loop->deferred, item);
	ev_idle_start(loop->ev, &loop->idle);
}

void loop_timer(ev_timer *timer, void (*cb)(struct ev_loop *, ev_timer *, int), void *data)
{
	ev_init(timer, cb);
	timer->data = data;
}

void loop_arm(struct loop *loop, ev_timer *timer, int64_t ms)
{
	ev_timer_stop(loop->ev, timer);
	ev_timer_set(timer, (double)ms / 1000., 0.);
	ev_now_update(loop->ev);
	ev_timer_start(loop->ev, timer);
}

void loop_disarm(struct loop *loop, ev_timer *timer)
{
	ev_timer_stop(loop->ev, timer);
}
