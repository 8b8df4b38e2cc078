#include "notify.h"

#include <systemd/sd-daemon.h>

#define STOP_SLACK_MS 5000 /* after the drain: closing the bus and the sockets */

static void on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
	struct notify *notify = w->data;

	(void)ev, (void)events;
	sd_notify(0, "WATCHDOG=1");
	loop_arm(notify->loop, &notify->timer, notify->every_ms);
}

void notify_ready(struct notify *notify, struct loop *loop)
{
	uint64_t limit_us = 0;

	notify->loop = loop;
	loop_timer(&notify->timer, on_tick, notify);
	if (sd_watchdog_enabled(0, &limit_us) > 0)
		notify->every_ms = (int64_t)(limit_us / 2000);
	if (notify->every_ms > 0)
		loop_arm(loop, &notify->timer, notify->every_ms);
	sd_notify(0, "READY=1");
}

void notify_stopping(int64_t drain_ms)
{
	sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld", (long long)(drain_ms + STOP_SLACK_MS) * 1000);
}

void notify_done(struct notify *notify)
{
	if (notify->every_ms > 0)
		loop_disarm(notify->loop, &notify->timer);
}
