#include "pg_pool.h"

#include <assert.h>
#include <stdio.h>

#include <sodium.h>
#include <talloc.h>
#include <utlist.h>

#include "clock.h"
#include "pg_pool_impl.h"
#include "sqlstate.h"

#define TICK_MS 20
#define TRIES_MAX 6 /* of one job that meets locks or lost connections */
#define AGAIN_MAX_US 50000 /* longest pause before the second try; it doubles */

/* ---- waiting ------------------------------------------------------------------ */

static void pool_need_tick(struct pg_pool *pool)
{
	if (!ev_is_active(&pool->tick))
		loop_arm(pool->config.loop, &pool->tick, TICK_MS);
}

static void pool_wait(struct pg_pool *pool, struct pg_job *job, bool first)
{
	if (first)
		DL_PREPEND(pool->waiting, job);
	else
		DL_APPEND(pool->waiting, job);
	pool->waiting_n++;
	pool_need_tick(pool);
}

/* Whoever asked gets its error. */
static void pool_fail(struct pg_pool *pool, struct pg_job *job)
{
	metrics_count(pool->config.metrics, METRIC_PG_FAILURES, rc_name(job->err.rc));
	job->done(job);
}

static void pool_expire(struct pg_pool *pool, struct pg_job *job)
{
	if (job->err.rc == RC_OK)
		err_set(&job->err, RC_UNAVAILABLE, "the database was not free in time");
	pool_fail(pool, job);
}

/* Hands the longest waiting job to a free connection; what came too late for its asker is not begun. */
static void pool_next(struct pg_pool *pool)
{
	while (pool->idle != NULL && pool->waiting != NULL) {
		struct pg_job *job = pool->waiting;

		DL_DELETE(pool->waiting, job);
		pool->waiting_n--;
		if (job->deadline_us <= clock_us())
			pool_expire(pool, job);
		else
			link_run(pool->idle, job);
	}
}

static void pool_tick_later(struct pg_pool *pool, int64_t now)
{
	struct pg_job *job, *tmp;

	DL_FOREACH_SAFE (pool->later, job, tmp) {
		if (job->again_us > now)
			continue;
		DL_DELETE(pool->later, job);
		pool_wait(pool, job, true);
	}
}

static void pool_on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
	struct pg_pool *pool = w->data;
	struct pg_job *job, *tmp;
	int64_t now = clock_us();

	(void)ev, (void)events;
	pool_tick_later(pool, now);
	DL_FOREACH_SAFE (pool->waiting, job, tmp) {
		if (job->deadline_us > now)
			continue;
		DL_DELETE(pool->waiting, job);
		pool->waiting_n--;
		pool_expire(pool, job);
	}
	pool_next(pool);
	if (pool->waiting != NULL || pool->later != NULL)
		pool_need_tick(pool);
}

enum rc pg_pool_run(struct pg_pool *pool, struct pg_job *job)
{
	if (pool->refuse[0] != '\0') {
		err_set(&job->err, RC_UNAVAILABLE, "%s", pool->refuse);
		return RC_UNAVAILABLE;
	}
	if (pool->idle != NULL && pool->waiting == NULL) {
		link_run(pool->idle, job);
		return RC_PENDING;
	}
	if (pool->waiting_n >= pool->config.queue_max) {
		err_set(&job->err, RC_BUSY, "too many requests wait for the database");
		return RC_BUSY;
	}
	pool_wait(pool, job, false);
	return RC_PENDING;
}

/* ---- what links tell ------------------------------------------------------------- */

void pool_link_idle(struct pg_pool *pool, struct link *link)
{
	(void)link;
	pool_next(pool);
}

/* Another try after a random pause, when there are tries and time left; job->err is what to say if not. */
static void pool_again(struct pg_pool *pool, struct pg_job *job)
{
	int64_t now = clock_us();
	struct err why = job->err;
	uint32_t most = AGAIN_MAX_US << (job->tries < 5 ? job->tries - 1 : 4);

	if (job->tries >= TRIES_MAX || job->deadline_us <= now) {
		pool_fail(pool, job);
		return;
	}
	++*pool->retries;
	pg_job_reset(job);
	job->err = why;
	job->again_us = now + 1000 + randombytes_uniform(most);
	DL_APPEND(pool->later, job);
	pool_need_tick(pool);
}

static const char *result_field(const PGresult *result, int field)
{
	const char *value = PQresultErrorField(result, field);

	return value != NULL ? value : "";
}

/* A statement of ours that the server does not understand is our mistake; its own trouble is a warning. */
static enum sql_verdict pool_judge(struct pg_pool *pool, struct pg_job *job, int i)
{
	const PGresult *r = job->results[i];
	enum sql_verdict verdict = sqlstate_judge(result_field(r, PG_DIAG_SQLSTATE), &job->err);

	if (job->err.rc == RC_INTERNAL || job->err.rc == RC_STORAGE)
		log_line(job->err.rc == RC_INTERNAL ? LOG_ERROR : LOG_WARNING, pool->config.log, "pg.refused",
			 "query=%s state=%s reason=\"%.200s\"", query_infos[job->statements[i].query].name,
			 result_field(r, PG_DIAG_SQLSTATE), result_field(r, PG_DIAG_MESSAGE_PRIMARY));
	return verdict;
}

/* The series of a query, looked up once. */
static struct histogram *seconds_of(struct pg_pool *pool, enum query query)
{
	char labels[64];

	if (pool->seconds[query] == NULL) {
		snprintf(labels, sizeof(labels), "query=\"%s\"", query_infos[query].name);
		pool->seconds[query] = metrics_histogram(pool->config.metrics, METRIC_PG_SECONDS, labels);
	}
	return pool->seconds[query];
}

void pool_job_sent(struct pg_job *job)
{
	char name[SPAN_TEXT_SIZE];

	snprintf(name, sizeof(name), "SQL %s", query_infos[job->statements[0].query].name);
	span_begin(&job->span, job->trace, SPAN_CLIENT, name);
	span_text(&job->span, "db.system", "postgresql");
	span_number(&job->span, "alp.try", job->tries);
}

static void pool_span_end(struct pg_job *job)
{
	if (job->err.rc != RC_OK) {
		span_text(&job->span, "alp.rc", rc_name(job->err.rc));
		span_fail(&job->span);
	}
	span_end(&job->span);
}

void pool_job_done(struct pg_pool *pool, struct pg_job *job)
{
	enum sql_verdict verdict = SQL_REFUSED;

	job->err = (struct err){ 0 };
	histogram_add(seconds_of(pool, job->statements[0].query), (double)(clock_us() - job->sent_us) / 1e6);
	for (int i = 0; i < job->n && job->err.rc == RC_OK; i++)
		if (PQresultStatus(job->results[i]) != PGRES_TUPLES_OK &&
		    PQresultStatus(job->results[i]) != PGRES_COMMAND_OK)
			verdict = pool_judge(pool, job, i);
	pool_span_end(job);
	if (job->err.rc != RC_OK && verdict == SQL_AGAIN)
		pool_again(pool, job);
	else if (job->err.rc != RC_OK)
		pool_fail(pool, job);
	else
		job->done(job);
}

/* It may have been committed or not. The next connection may come at once: no pause but its turn in the queue. */
void pool_job_lost(struct pg_pool *pool, struct pg_job *job, const char *why)
{
	pg_job_reset(job);
	err_set(&job->err, RC_STORAGE, "the database went away");
	pool_span_end(job);
	log_debug(pool->config.log, "pg.lost", "query=%s tries=%d reason=\"%s\"",
		  query_infos[job->statements[0].query].name, job->tries, why);
	pool_again(pool, job);
}

/* The first is alone while it connects, so that we are ready early; then come the others. */
void pool_link_up(struct pg_pool *pool)
{
	if (pool->up_n == 1)
		log_info(pool->config.log, "pg.up", "connections=%d", pool->config.connections);
	pool->why[0] = '\0';
	for (int i = 0; i < pool->config.connections; i++)
		if (pool->links[i].state == LINK_CLOSED)
			link_open(&pool->links[i]);
}

void pool_link_down(struct pg_pool *pool, bool was_up, const char *why)
{
	if (was_up && pool->up_n == 0)
		log_warning(pool->config.log, "pg.down", "reason=\"%s\"", why);
	else if (pool->up_n == 0 && pool->why[0] == '\0')
		log_warning(pool->config.log, "pg.unreachable", "reason=\"%s\"", why);
	snprintf(pool->why, sizeof(pool->why), "%s", why);
}

void pool_bad_schema(struct pg_pool *pool, const char *why)
{
	char copy[200];

	snprintf(copy, sizeof(copy), "%s", why);
	pg_pool_close(pool);
	pool->config.schema_lost(pool->config.arg, copy);
}

/* ---- the whole ----------------------------------------------------------------------- */

struct pg_pool *pg_pool_new(void *ctx, const struct pg_pool_config *config)
{
	struct pg_pool *pool = talloc_zero(ctx, struct pg_pool);

	pool->config = *config;
	loop_timer(&pool->tick, pool_on_tick, pool);
	pool->retries = metrics_counter(config->metrics, METRIC_PG_RETRIES, "");
	pool->links = talloc_zero_array(pool, struct link, (unsigned)config->connections);
	for (int i = 0; i < config->connections; i++)
		link_init(&pool->links[i], pool);
	return pool;
}

void pg_pool_open(struct pg_pool *pool)
{
	if (pool->open)
		return;
	pool->open = true;
	link_open(&pool->links[0]);
}

void pg_pool_close(struct pg_pool *pool)
{
	pool->open = false;
	for (int i = 0; i < pool->config.connections; i++)
		link_close(&pool->links[i]);
}

void pg_pool_refuse(struct pg_pool *pool, const char *why)
{
	snprintf(pool->refuse, sizeof(pool->refuse), "%s", why != NULL ? why : "");
}

void pg_pool_free(struct pg_pool *pool)
{
	if (pool == NULL)
		return;
	pg_pool_close(pool);
	loop_disarm(pool->config.loop, &pool->tick);
	talloc_free(pool);
}

struct pg_pool_numbers pg_pool_numbers(const struct pg_pool *pool)
{
	struct pg_job *job;
	struct pg_pool_numbers n = { .up = pool->up_n, .busy = pool->busy_n, .waiting = pool->waiting_n };

	DL_FOREACH (pool->later, job)
		n.waiting++;
	return n;
}

const char *pg_pool_why(const struct pg_pool *pool)
{
	return pool->why;
}
