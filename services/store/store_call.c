/* What handlers share: jobs for calls, refusals, arguments. */
#include "clock.h"
#include "columns.h"
#include "rows.h"
#include "store.h"

/* Beside its job, in the call's context. */
struct call_job {
	struct call *call;
	store_answer_fn *answer;
};

static void call_job_done(struct pg_job *job)
{
	struct call_job *c = job->arg;

	if (job->err.rc != RC_OK)
		call_refuse(c->call, &job->err);
	else
		c->answer(c->call, job);
}

struct pg_job *store_job(struct call *call, store_answer_fn *answer)
{
	struct call_job *c = talloc_zero(call_ctx(call), struct call_job);
	struct pg_job *job;

	c->call = call;
	c->answer = answer;
	job = pg_job_new(call_ctx(call), call_job_done, c, clock_us() + call_left_us(call));
	job->trace = call_trace(call);
	return job;
}

enum rc store_run(struct store *store, struct call *call, struct pg_job *job)
{
	if (pg_pool_run(store->pool, job) == RC_PENDING)
		return RC_PENDING;
	call_refuse(call, &job->err);
	return RC_OK;
}

bool store_refused(struct call *call, const struct pg_job *job)
{
	const PGresult *r = job->results[0];

	if (PQntuples(r) == 0) {
		call_fail(call, RC_NOT_FOUND, NULL, "it does not exist");
		return true;
	}
	if (text_is(row_text(r, 0, VERDICT_rc), rc_name(RC_OK)))
		return false;
	call_fail(call, rc_from_name(PQgetvalue(r, 0, VERDICT_rc)), PQgetvalue(r, 0, VERDICT_field), "%s",
		  PQgetvalue(r, 0, VERDICT_message));
	return true;
}

bool store_refused_turn(struct call *call, const struct pg_job *job)
{
	if (store_refused(call, job))
		return true;
	if (PQntuples(job->results[1]) > 0)
		return false;
	call_fail(call, RC_NOT_FOUND, "turn_id", "no such turn"); /* it went with its account meanwhile */
	return true;
}

void store_arg_caller(struct pg_job *job, const struct call *call)
{
	pg_arg_uuid(job, &call_caller(call)->user_id);
}

void store_arg_session(struct pg_job *job, struct text session)
{
	pg_arg_uuid_text(job, session);
	if (text_is_uuid(session))
		pg_arg_null(job);
	else
		pg_arg_opt(job, session);
}

/* A number of at most nine digits as an argument, else null. */
static void arg_number(struct pg_job *job, struct text t)
{
	int64_t n = 0;

	for (size_t i = 0; i < t.len && t.len <= 9; i++) {
		if (t.p[i] < '0' || t.p[i] > '9') {
			pg_arg_null(job);
			return;
		}
		n = n * 10 + (t.p[i] - '0');
	}
	if (t.len >= 1 && t.len <= 9)
		pg_arg_i64(job, n);
	else
		pg_arg_null(job);
}

void store_arg_module_id(struct pg_job *job, struct text module)
{
	pg_arg_uuid_text(job, module);
	arg_number(job, module);
}

void store_arg_module(struct pg_job *job, struct text track, struct text module)
{
	pg_arg_uuid_text(job, track);
	if (text_is_uuid(track))
		pg_arg_null(job);
	else
		pg_arg_opt(job, track);
	store_arg_module_id(job, module);
	pg_arg_opt(job, module);
}

void store_arg_page(struct pg_job *job, int64_t limit, const struct uuid_text *after)
{
	pg_arg_i64(job, limit > 0 && limit < LIST_MAX ? limit : LIST_MAX);
	pg_arg_uuid(job, after);
}

bool store_fits(struct call *call, const char *field, struct text t, size_t max)
{
	if (t.len <= max || text_chars(t) <= max)
		return true;
	call_fail(call, RC_INVALID, field, "%s: at most %zu characters", field, max);
	return false;
}

bool store_is_hash(struct call *call, const char *field, struct text hash)
{
	bool good = hash.len == 64;

	for (size_t i = 0; good && i < hash.len; i++)
		good = strchr("0123456789abcdef", hash.p[i]) != NULL;
	if (!good)
		call_fail(call, RC_INVALID, field, "%s: 64 hexadecimal digits", field);
	return good;
}
