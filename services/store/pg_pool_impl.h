/* pg_pool_impl: what pg_pool.c (jobs) and pg_link.c (connections) share. Not for anyone else. */
#ifndef ALP_PG_POOL_IMPL_H
#define ALP_PG_POOL_IMPL_H

#include "pg_conn.h"
#include "pg_pool.h"

enum link_state { LINK_CLOSED, LINK_PAUSE, LINK_CONNECT, LINK_PREPARE, LINK_IDLE, LINK_BUSY };

/* One connection of the pool. */
struct link {
	struct pg_pool *pool;
	struct pg_conn conn;
	enum link_state state;
	struct pg_job *job; /* BUSY: what runs */
	int pause_ms; /* before the next try to connect */
	ev_timer timer; /* PAUSE: its end; PREPARE, BUSY: no answer by then means lost */
	bool bad_schema; /* PREPARE: a statement did not fit */
	char why[200]; /* PREPARE: the first failure */
	struct link *next; /* idle ones, the last used first */
};

struct pg_pool {
	struct pg_pool_config config;
	struct link *links; /* config.connections of them */
	struct link *idle;
	struct pg_job *waiting; /* in order of arrival */
	struct pg_job *later; /* to be tried again when their pause is over */
	int up_n, busy_n, waiting_n;
	bool open;
	char refuse[200]; /* "" unless jobs are refused */
	char why[200];
	ev_timer tick; /* runs while something waits */
	struct histogram *seconds[QUERY_COUNT];
	uint64_t *retries;
};

/* ---- pg_link.c ------------------------------------------------------------ */

void link_init(struct link *link, struct pg_pool *pool);
void link_open(struct link *link);
void link_close(struct link *link); /* its job, if any, is lost first */
void link_run(struct link *link, struct pg_job *job);

/* ---- pg_pool.c: what a link tells ------------------------------------------ */

void pool_link_idle(struct pg_pool *pool, struct link *link); /* ready for a job */
void pool_job_sent(struct pg_job *job); /* its statements are on their way, once more perhaps */
void pool_job_done(struct pg_pool *pool, struct pg_job *job); /* all results are there */
void pool_job_lost(struct pg_pool *pool, struct pg_job *job, const char *why);
void pool_link_up(struct pg_pool *pool);
void pool_link_down(struct pg_pool *pool, bool was_up, const char *why);
void pool_bad_schema(struct pg_pool *pool, const char *why);

#endif
