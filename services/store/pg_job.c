#include "pg_job.h"

#include <assert.h>
#include <talloc.h>

void pg_job_reset(struct pg_job *job)
{
	for (int i = 0; i < PG_STATEMENTS_MAX; i++) {
		PQclear(job->results[i]);
		job->results[i] = NULL;
	}
	job->results_n = 0;
	job->err = (struct err){ 0 };
}

static int job_on_free(struct pg_job *job)
{
	pg_job_reset(job);
	return 0;
}

struct pg_job *pg_job_new(void *ctx, void (*done)(struct pg_job *job), void *arg, int64_t deadline_us)
{
	struct pg_job *job = talloc_zero(ctx, struct pg_job);

	job->done = done;
	job->arg = arg;
	job->deadline_us = deadline_us;
	talloc_set_destructor(job, job_on_free);
	return job;
}

void pg_job_add(struct pg_job *job, enum query query)
{
	assert(job->n < PG_STATEMENTS_MAX);
	job->statements[job->n++].query = query;
}

static void job_arg(struct pg_job *job, const char *value, size_t len, int format)
{
	struct pg_statement *s = &job->statements[job->n - 1];

	assert(s->n < query_infos[s->query].params);
	s->values[s->n] = value;
	s->lengths[s->n] = (int)len;
	s->formats[s->n++] = format;
}

void pg_arg_null(struct pg_job *job)
{
	job_arg(job, NULL, 0, 0);
}

void pg_arg_uuid(struct pg_job *job, const struct uuid_text *id)
{
	job_arg(job, id->s[0] != '\0' ? id->s : NULL, 0, 0);
}

void pg_arg_uuid_text(struct pg_job *job, struct text id)
{
	job_arg(job, text_is_uuid(id) ? text_dup(job, id) : NULL, 0, 0);
}

/* As bytes: texts are not copied, and end where they end, not at a NUL. */
void pg_arg_text(struct pg_job *job, struct text t)
{
	job_arg(job, t.len > 0 ? t.p : "", t.len, 1);
}

void pg_arg_opt(struct pg_job *job, struct text t)
{
	job_arg(job, t.len > 0 ? t.p : NULL, t.len, 1);
}

void pg_arg_bytes(struct pg_job *job, const void *p, size_t len)
{
	job_arg(job, p, len, 1);
}

void pg_arg_i64(struct pg_job *job, int64_t value)
{
	struct pg_statement *s = &job->statements[job->n - 1];
	char *out = s->numbers[s->n];

	text_i64(out, value);
	job_arg(job, out, 0, 0);
}

void pg_arg_flag(struct pg_job *job, bool value)
{
	job_arg(job, value ? "t" : "f", 0, 0);
}
