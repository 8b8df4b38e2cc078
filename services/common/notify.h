/*
 * notify: tells a service manager how the process is, by sd_notify(3): READY, STOPPING,
 * and the watchdog's sign of life while the loop turns. Without systemd (NOTIFY_SOCKET
 * unset) every call does nothing. Loop thread only.
 */
#ifndef ALP_NOTIFY_H
#define ALP_NOTIFY_H

#include "loop.h"

struct notify {
	struct loop *loop;
	int64_t every_ms; /* 0: no watchdog wanted */
	ev_timer timer;
};

/* READY=1, and from then on WATCHDOG=1 twice within the unit's WatchdogSec. */
void notify_ready(struct notify *notify, struct loop *loop);

/* STOPPING=1 with the time that the drain may take; the sign of life goes on. */
void notify_stopping(int64_t drain_ms);

void notify_done(struct notify *notify);

#endif
