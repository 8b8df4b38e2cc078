/* One connection of the pool: connect, prepare everything, run one job at a time, come back when lost. */
#include <assert.h>
#include <stdio.h>

#include <sodium.h>
#include <utlist.h>

#include "clock.h"
#include "pg_pool_impl.h"
#include "sqlstate.h"

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000
#define PREPARE_MS 10000
#define SILENCE_MS 3000 /* behind statement_timeout: then the server itself hangs */

/* The idle list must not hold a link that cannot run a job. */
static void link_enter(struct link *link, enum link_state state)
{
	struct pg_pool *pool = link->pool;
	bool was_up = link->state == LINK_IDLE || link->state == LINK_BUSY;
	bool is_up = state == LINK_IDLE || state == LINK_BUSY;

	if (link->state == LINK_IDLE)
		LL_DELETE(pool->idle, link);
	pool->busy_n += (state == LINK_BUSY) - (link->state == LINK_BUSY);
	pool->up_n += is_up - was_up;
	link->state = state;
	if (state == LINK_IDLE)
		LL_PREPEND(pool->idle, link);
}

/* ---- down and up again ------------------------------------------------------ */

static void link_drop_job(struct link *link, const char *why)
{
	struct pg_job *job = link->job;

	link->job = NULL;
	if (job != NULL)
		pool_job_lost(link->pool, job, why);
}

/* The pauses of many links spread: each takes at least half of its turn's length. */
static void link_pause(struct link *link)
{
	uint32_t half = (uint32_t)link->pause_ms / 2;

	link_enter(link, LINK_PAUSE);
	loop_arm(link->pool->config.loop, &link->timer, half + randombytes_uniform(half + 1));
	link->pause_ms = link->pause_ms * 2 < PAUSE_MAX_MS ? link->pause_ms * 2 : PAUSE_MAX_MS;
}

static void link_on_lost(void *arg, const char *why)
{
	struct link *link = arg;
	bool was_up = link->state == LINK_IDLE || link->state == LINK_BUSY;

	link_pause(link);
	pool_link_down(link->pool, was_up, why);
	link_drop_job(link, why);
}

/* The server is alive, the connection is not to be used again. */
static void link_replace(struct link *link, const char *why)
{
	char copy[200];

	snprintf(copy, sizeof(copy), "%s", why);
	pg_conn_close(&link->conn);
	link_on_lost(link, copy);
}

static void link_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct link *link = w->data;

	(void)ev, (void)events;
	if (link->state == LINK_PAUSE)
		link_open(link);
	else
		link_replace(link, "the server does not answer");
}

void link_open(struct link *link)
{
	link_enter(link, LINK_CONNECT);
	pg_conn_open(&link->conn, link->pool->config.url);
}

void link_close(struct link *link)
{
	loop_disarm(link->pool->config.loop, &link->timer);
	pg_conn_close(&link->conn);
	link_enter(link, LINK_CLOSED);
	link->pause_ms = PAUSE_MIN_MS;
	link_drop_job(link, "the connection was closed");
}

/* ---- prepare ------------------------------------------------------------------- */

/*
 * A generic plan for each statement: all of them are look-ups by key. Without
 * bitmaps a history is read backwards in its index and ends early, instead of
 * being sorted as a whole. The rest makes results read the same whatever the
 * server's defaults are.
 */
static const char settings[] =
	"select set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),"
	" set_config('synchronous_commit', 'on', false), set_config('default_transaction_isolation', 'read committed', "
	"false),"
	" set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_bitmapscan', 'off', false),"
	" set_config('jit', 'off', false), set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO', false),"
	" set_config('client_min_messages', 'error', false), set_config('alp.guest_limits', $2, false)";

static void link_on_up(void *arg)
{
	struct link *link = arg;
	PGconn *pg = link->conn.pg;
	char ms[24];
	const char *values[] = { ms, link->pool->config.guest_limits };
	bool ok = PQenterPipelineMode(pg) == 1;

	link_enter(link, LINK_PREPARE);
	link->bad_schema = false;
	link->why[0] = '\0';
	snprintf(ms, sizeof(ms), "%lldms", (long long)link->pool->config.statement_ms);
	ok = ok && PQsendQueryParams(pg, settings, 2, NULL, values, NULL, NULL, 0) == 1;
	for (int i = 0; ok && i < QUERY_COUNT; i++)
		ok = PQsendPrepare(pg, query_infos[i].name, query_infos[i].sql, 0, NULL) == 1;
	ok = ok && PQpipelineSync(pg) == 1;
	if (!ok) {
		link_replace(link, PQerrorMessage(pg));
		return;
	}
	loop_arm(link->pool->config.loop, &link->timer, PREPARE_MS);
	pg_conn_sent(&link->conn);
}

static void link_prepare_result(struct link *link, PGresult *take_result)
{
	if (PQresultStatus(take_result) == PGRES_FATAL_ERROR && link->why[0] == '\0') {
		link->bad_schema = sqlstate_is_schema(PQresultErrorField(take_result, PG_DIAG_SQLSTATE));
		pg_message(PQresultErrorMessage(take_result), link->why, sizeof(link->why));
	}
	PQclear(take_result);
}

static void link_prepared(struct link *link)
{
	struct pg_pool *pool = link->pool;

	if (link->bad_schema) {
		pool_bad_schema(pool, link->why);
		return;
	}
	if (link->why[0] != '\0') {
		link_replace(link, link->why);
		return;
	}
	link->pause_ms = PAUSE_MIN_MS;
	link_enter(link, LINK_IDLE);
	pool_link_up(pool);
	pool_link_idle(pool, link);
}

/* ---- jobs ------------------------------------------------------------------------- */

void link_run(struct link *link, struct pg_job *job)
{
	PGconn *pg = link->conn.pg;
	bool ok = true;

	assert(link->state == LINK_IDLE && link->job == NULL);
	link_enter(link, LINK_BUSY);
	link->job = job;
	job->tries++;
	job->sent_us = clock_us();
	pool_job_sent(job);
	for (int i = 0; ok && i < job->n; i++) {
		const struct pg_statement *s = &job->statements[i];

		assert(s->n == query_infos[s->query].params);
		ok = PQsendQueryPrepared(pg, query_infos[s->query].name, s->n, s->values, s->lengths, s->formats, 0) ==
		     1;
	}
	/* What could not be sent shows itself as a lost connection: the timer sees to it. */
	if (ok && PQpipelineSync(pg) == 1) {
		loop_arm(link->pool->config.loop, &link->timer, link->pool->config.statement_ms + SILENCE_MS);
		pg_conn_sent(&link->conn);
	} else {
		loop_arm(link->pool->config.loop, &link->timer, 0);
	}
}

static void link_on_result(void *arg, PGresult *take_result)
{
	struct link *link = arg;
	struct pg_job *job = link->job;

	if (link->state == LINK_PREPARE)
		link_prepare_result(link, take_result);
	else if (job != NULL && job->results_n < job->n)
		job->results[job->results_n++] = take_result;
	else
		PQclear(take_result);
}

static void link_on_idle(void *arg)
{
	struct link *link = arg;
	struct pg_pool *pool = link->pool;
	struct pg_job *job = link->job;

	loop_disarm(pool->config.loop, &link->timer);
	if (link->state == LINK_PREPARE) {
		link_prepared(link);
		return;
	}
	link->job = NULL;
	for (int i = 0; i < job->results_n; i++)
		if (PQresultStatus(job->results[i]) == PGRES_FATAL_ERROR) {
			const char *state = PQresultErrorField(job->results[i], PG_DIAG_SQLSTATE);

			if (sqlstate_judge(state, NULL) == SQL_RELINK) {
				link->job = job;
				link_replace(link, PQresultErrorMessage(job->results[i]));
				return;
			}
		}
	link_enter(link, LINK_IDLE);
	pool_link_idle(pool, link); /* the next job is sent before this one's answer is made */
	pool_job_done(pool, job);
}

void link_init(struct link *link, struct pg_pool *pool)
{
	static const struct pg_conn_hooks hooks = { link_on_up, link_on_result, link_on_idle, link_on_lost };

	link->pool = pool;
	link->pause_ms = PAUSE_MIN_MS;
	loop_timer(&link->timer, link_on_timer, link);
	pg_conn_init(&link->conn, pool->config.loop, &hooks, link);
}
