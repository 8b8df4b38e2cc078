/*
 * pg_pool: a fixed number of connections that run jobs. A job without a free
 * connection waits in a bounded queue (RC_BUSY beyond), at most until its
 * deadline (RC_UNAVAILABLE). A connection that is lost comes back by itself,
 * after 50 ms to 2 s.
 *
 * A job whose connection is lost before the answer runs again on another one:
 * every request is idempotent. So does one that met a deadlock, a lock or a
 * timeout, a few times. Past its deadline it ends with RC_STORAGE.
 * Loop thread only; nothing blocks.
 */
#ifndef ALP_PG_POOL_H
#define ALP_PG_POOL_H

#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "pg_job.h"

struct pg_pool_config {
	struct loop *loop;
	const char *url;
	int connections;
	int queue_max;
	const char *guest_limits; /* for guest_limit() of the migrations */
	int64_t statement_ms;
	struct metrics *metrics;
	const struct log *log;
	/* Statements could not be prepared: the schema is not ours (any more). The pool is closed. */
	void (*schema_lost)(void *arg, const char *why);
	void *arg;
};

struct pg_pool_numbers {
	int up, busy, waiting;
};

struct pg_pool;

struct pg_pool *pg_pool_new(void *ctx, const struct pg_pool_config *config);
void pg_pool_free(struct pg_pool *pool); /* jobs left are forgotten */

/* Connects, or disconnects until the next open. Jobs wait meanwhile. */
void pg_pool_open(struct pg_pool *pool);
void pg_pool_close(struct pg_pool *pool);

/* From now on jobs are refused at once with RC_UNAVAILABLE; NULL: no more. why is copied. */
void pg_pool_refuse(struct pg_pool *pool, const char *why);

/* RC_PENDING: done comes later. RC_BUSY or RC_UNAVAILABLE: it does not, and job->err says why. */
enum rc pg_pool_run(struct pg_pool *pool, struct pg_job *job);

struct pg_pool_numbers pg_pool_numbers(const struct pg_pool *pool);
const char *pg_pool_why(const struct pg_pool *pool); /* why the last connection was lost; "" never */

#endif
