/*
 * vitals: what a process tells about itself: memory, processor, descriptors,
 * the event loop's lag, the log, the bus. Loop thread only.
 */
#ifndef ALP_VITALS_H
#define ALP_VITALS_H

#include <ev.h>

#include "bus.h"
#include "metrics.h"

struct vitals {
	struct ev_loop *ev;
	struct metrics *metrics;
	const struct bus *bus;
	struct histogram *lag;
	ev_check woken;
	ev_prepare sleeping;
	int64_t woken_us; /* 0: not yet */
};

/* From here on the metrics show it. Embedded in the daemon. */
void vitals_init(struct vitals *v, struct ev_loop *ev, struct metrics *metrics, const struct bus *bus,
		 const char *name);
void vitals_done(struct vitals *v);

#endif
