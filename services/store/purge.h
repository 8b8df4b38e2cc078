/*
 * purge: what guests leave behind goes GUEST_TTL_HOURS after their last
 * activity, a deleted chat CHAT_UNDO_DAYS after that, sign-ins after REFRESH_TOKEN_EXPIRE_DAYS. Loop thread only.
 */
#ifndef ALP_PURGE_H
#define ALP_PURGE_H

#include "config.h"
#include "log.h"
#include "loop.h"
#include "pg_pool.h"

struct purge {
	struct loop *loop;
	struct pg_pool *pool;
	const struct log *log;
	const struct config *config;
	ev_timer timer;
	int64_t removed; /* in this round */
	uint64_t *total;
	bool running, stopped;
};

void purge_init(struct purge *purge, struct loop *loop, struct pg_pool *pool, struct metrics *metrics,
		const struct log *log, const struct config *config);
void purge_start(struct purge *purge); /* now, and every ten minutes from then on */
void purge_stop(struct purge *purge);

#endif
