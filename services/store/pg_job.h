/*
 * pg_job: one request to the database: one to PG_STATEMENTS_MAX prepared
 * statements that run in one round trip and one transaction, and what came
 * back. A talloc context; results die with it. Arguments are borrowed until
 * the job is done. Loop thread only.
 */
#ifndef ALP_PG_JOB_H
#define ALP_PG_JOB_H

#include <stdint.h>

#include <libpq-fe.h>

#include "err.h"
#include "queries.h"
#include "text.h"
#include "trace.h"

#define PG_STATEMENTS_MAX 4
#define PG_PARAMS_MAX 28

struct pg_statement {
	enum query query;
	int n;
	const char *values[PG_PARAMS_MAX]; /* NULL: SQL null */
	int lengths[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX]; /* 0: text ending in NUL, 1: bytes */
	char numbers[PG_PARAMS_MAX][TEXT_I64_SIZE];
};

struct pg_job {
	int n;
	struct pg_statement statements[PG_STATEMENTS_MAX];
	PGresult *results[PG_STATEMENTS_MAX]; /* complete when err.rc is RC_OK */
	struct err err;
	void (*done)(struct pg_job *job); /* once, later; owns the job from then on */
	void *arg;
	int64_t deadline_us; /* clock_us: not begun, and not tried again, after this */
	const char *trace; /* traceparent it is done for; lives as long. NULL: none */

	/* the pool's */
	int results_n;
	int tries;
	int64_t again_us;
	int64_t sent_us;
	struct span span; /* of this try */
	struct pg_job *prev, *next;
};

struct pg_job *pg_job_new(void *ctx, void (*done)(struct pg_job *job), void *arg, int64_t deadline_us);

/* The next statement; its arguments follow in order. */
void pg_job_add(struct pg_job *job, enum query query);

void pg_arg_uuid(struct pg_job *job, const struct uuid_text *id); /* "" is null */
void pg_arg_uuid_text(struct pg_job *job, struct text id); /* null when it is none */
void pg_arg_text(struct pg_job *job, struct text t); /* empty is '' */
void pg_arg_opt(struct pg_job *job, struct text t); /* empty is null */
void pg_arg_bytes(struct pg_job *job, const void *p, size_t len);
void pg_arg_i64(struct pg_job *job, int64_t value);
void pg_arg_flag(struct pg_job *job, bool value);
void pg_arg_null(struct pg_job *job);

/* Forgets results before another try. */
void pg_job_reset(struct pg_job *job);

#endif
