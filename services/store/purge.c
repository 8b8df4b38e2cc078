#include "purge.h"

#include <stdlib.h>

#include <talloc.h>

#include "clock.h"
#include "rows.h"

#define EVERY_MS 600000
#define RETRY_MS 10000
#define BATCH 50 /* guests, and chats, per transaction: others wait for its locks */
#define SIGN_INS_BATCH 500
#define PAUSE_MS 20 /* between two of them */
#define PATIENCE_US 30000000 /* for a free connection; this work is in no hurry */

static void purge_done(struct pg_job *job)
{
	struct purge *purge = job->arg;
	bool good = job->err.rc == RC_OK;
	int64_t n = good ? row_i64(job->results[0], 0, 0) + row_i64(job->results[2], 0, 0) : 0;
	bool more = n > 0 || (good && row_i64(job->results[1], 0, 0) == SIGN_INS_BATCH);
	int64_t next_ms = !good ? RETRY_MS : more ? PAUSE_MS : EVERY_MS;

	purge->running = false;
	purge->removed += n;
	*purge->total += (uint64_t)n;
	if (job->err.rc != RC_OK)
		log_warning(purge->log, "purge.failed", "rc=%s reason=\"%s\"", rc_name(job->err.rc), job->err.message);
	else if (n == 0 && purge->removed > 0)
		log_info(purge->log, "purge.done", "removed=%lld", (long long)purge->removed);
	if (n == 0)
		purge->removed = 0;
	talloc_free(job);
	if (!purge->stopped)
		loop_arm(purge->loop, &purge->timer, next_ms);
}

static void purge_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct purge *purge = w->data;
	struct pg_job *job = pg_job_new(NULL, purge_done, purge, clock_us() + PATIENCE_US);

	(void)ev, (void)events;
	pg_job_add(job, QUERY_GUESTS_PURGE);
	pg_arg_i64(job, purge->config->guest_ttl_hours);
	pg_arg_i64(job, BATCH);
	pg_job_add(job, QUERY_AUTH_PURGE);
	pg_arg_i64(job, purge->config->refresh_token_expire_days);
	pg_arg_i64(job, purge->config->access_token_expire_minutes);
	pg_arg_i64(job, SIGN_INS_BATCH);
	pg_job_add(job, QUERY_CHATS_PURGE);
	pg_arg_i64(job, purge->config->chat_undo_days);
	pg_arg_i64(job, BATCH);
	purge->running = true;
	if (pg_pool_run(purge->pool, job) != RC_PENDING)
		purge_done(job);
}

void purge_init(struct purge *purge, struct loop *loop, struct pg_pool *pool, struct metrics *metrics,
		const struct log *log, const struct config *config)
{
	*purge = (struct purge){ .loop = loop, .pool = pool, .log = log, .config = config };
	purge->total = metrics_counter(metrics, METRIC_PURGED, "");
	loop_timer(&purge->timer, purge_on_timer, purge);
}

void purge_start(struct purge *purge)
{
	if (!purge->running && !purge->stopped)
		loop_arm(purge->loop, &purge->timer, 0);
}

void purge_stop(struct purge *purge)
{
	purge->stopped = true;
	loop_disarm(purge->loop, &purge->timer);
}
