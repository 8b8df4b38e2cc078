/* purge: what guests leave behind goes GUEST_TTL_HOURS after their last activity. Loop thread only. */
#ifndef ALP_PURGE_H
#define ALP_PURGE_H

#include "log.h"
#include "loop.h"
#include "pg_pool.h"

struct purge {
	struct loop *loop;
	struct pg_pool *pool;
	const struct log *log;
	int64_t hours;
	ev_timer timer;
	int64_t removed; /* in this round */
	uint64_t *total;
	bool running, stopped;
};

void purge_init(struct purge *purge, struct loop *loop, struct pg_pool *pool, struct metrics *metrics,
		const struct log *log, int64_t hours);
void purge_start(struct purge *purge); /* now, and every ten minutes from then on */
void purge_stop(struct purge *purge);

#endif
