/* Turns: attempt, progress, finish. They come from chat; the fence (owner, attempt) decides, not the caller. */
#include "columns.h"
#include "fault.h"
#include "handlers.h"
#include "ids.h"
#include "module_list.h"
#include "rows_json.h"
#include "turn_rows.h"

#define TYPE_MAX 20
#define CURRENCY_MAX 8

static void arg_usage(struct pg_job *job, const struct usage *u)
{
	pg_arg_i64(job, u->prompt_tokens);
	pg_arg_i64(job, u->cached_tokens);
	pg_arg_i64(job, u->completion_tokens);
	pg_arg_flag(job, u->estimated);
	pg_arg_i64(job, u->cost_nano);
	pg_arg_opt(job, u->currency);
}

/* Counts of tokens fit into the columns and are never negative. */
static bool usage_is_valid(struct call *call, const struct usage *u)
{
	const int64_t counts[] = { u->prompt_tokens, u->cached_tokens, u->completion_tokens };

	for (int i = 0; i < 3; i++)
		if (counts[i] < 0 || counts[i] > INT32_MAX / 2) {
			call_fail(call, RC_INVALID, "usage", "usage: counts of tokens are 0 to %d", INT32_MAX / 2);
			return false;
		}
	return store_fits(call, "currency", u->currency, CURRENCY_MAX);
}

static void attempt_made(struct call *call, struct pg_job *job)
{
	FAULT_POINT(store_attempt_committed);
	if (!store_refused(call, job))
		call_answer(call, &(struct ans_turn_attempt){});
}

enum rc on_turn_attempt(struct store *store, const struct msg_turn_attempt *m, struct call *call)
{
	struct pg_job *job = store_job(call, attempt_made);

	FAULT_POINT(store_attempt);
	if (!usage_is_valid(call, &m->usage))
		return RC_OK;
	pg_job_add(job, QUERY_TURN_ATTEMPT);
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->attempt);
	pg_arg_i64(job, m->lease_ms);
	pg_arg_opt(job, m->reason);
	arg_usage(job, &m->usage);
	return store_run(store, call, job);
}

enum progress_column { PROGRESS_id, PROGRESS_user_id, PROGRESS_user_kind };

static void progress_made(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];

	FAULT_POINT(store_progress_committed);
	if (PQntuples(r) == 0)
		call_fail(call, RC_NOT_FOUND, "turn_id", "no such turn");
	else if (!row_has(r, 0, PROGRESS_id))
		call_fail(call, RC_CONFLICT, "attempt", "the turn has another owner or attempt, or has ended");
	else
		call_answer(call, &(struct ans_turn_progress){ .user_id = row_uuid(r, 0, PROGRESS_user_id),
							       .user_kind = row_text(r, 0, PROGRESS_user_kind) });
}

enum rc on_turn_progress(struct store *store, const struct msg_turn_progress *m, struct call *call)
{
	struct pg_job *job = store_job(call, progress_made);

	FAULT_POINT(store_progress);
	pg_job_add(job, QUERY_TURN_PROGRESS);
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->attempt);
	pg_arg_i64(job, m->lease_ms);
	pg_arg_flag(job, m->has_partial);
	pg_arg_text(job, m->partial);
	return store_run(store, call, job);
}

/* ---- finish --------------------------------------------------------------------------- */

static void turn_finished(struct call *call, struct pg_job *job)
{
	const PGresult *turn = job->results[1]; /* behind the verdict; then, perhaps, modules */
	struct turn_context context = { 0 };
	struct ans_turn_finish ans = { 0 };
	char iso[ISO_SIZE];

	FAULT_POINT(store_finish_committed);
	if (store_refused_turn(call, job))
		return;
	outcome_read(turn, 0, &ans.outcome, iso);
	ans.track_id = row_uuid(turn, 0, TURN_track_id);
	ans.user_id = row_uuid(turn, 0, TURN_user_id);
	ans.user_kind = row_text(turn, 0, TURN_user_kind);
	if (job->n > 2 && job->statements[2].query == QUERY_TURN_MODULES)
		turn_modules_read(job, job->results[2], 0, 0, &context, &ans.outcome);
	call_answer(call, &ans);
	FAULT_POINT(store_finish_answered);
}

/* Whether the outcome leaves a reply in the chat: a whole one always, a piece of one when there is some. */
static bool has_reply(const struct outcome *o)
{
	return text_is(o->state, "completed") || (!text_is(o->state, "failed") && o->reply.len > 0);
}

static void arg_reply(struct pg_job *job, const struct outcome *o)
{
	struct uuid_text *id = talloc(job, struct uuid_text);

	*id = o->message_id.s[0] != '\0' ? o->message_id : id_new();
	pg_arg_uuid(job, id);
	if (has_reply(o))
		pg_arg_text(job, o->reply);
	else
		pg_arg_null(job);
	pg_arg_opt(job, o->message_type);
	pg_arg_opt(job, o->model);
	pg_arg_opt(job, o->finish_reason);
}

static void arg_timing(struct pg_job *job, const struct timing *t)
{
	pg_arg_i64(job, t->gateway_in);
	pg_arg_i64(job, t->chat);
	pg_arg_i64(job, t->store);
	pg_arg_i64(job, t->ai_queue);
	pg_arg_i64(job, t->provider_first_token);
	pg_arg_i64(job, t->provider_total);
	pg_arg_i64(job, t->total);
}

/*
 * The modules as they came, and as they are shown when they belong to no
 * stored track; or a course plan. False: the call is refused.
 */
static bool arg_result(struct pg_job *job, const struct outcome *o, struct call *call)
{
	struct text modules = o->modules;
	CLEANUP(string_done) UT_string shown = { 0 };
	struct err err = { 0 };

	if (modules.len == 0) {
		pg_arg_null(job);
		pg_arg_opt(job, o->course_plan);
		return true;
	}
	utstring_init(&shown);
	if (!modules_show(modules, &shown, &err)) {
		call_refuse(call, &err);
		return false;
	}
	pg_arg_text(job, modules);
	pg_arg_text(job, text_copy(job, json_written(&shown)));
	return true;
}

static bool outcome_is_valid(struct call *call, const struct outcome *o)
{
	static const char *const states[] = { "completed", "failed", "cancelled", "interrupted" };

	for (int i = 0; i < 4; i++)
		if (text_is(o->state, states[i]))
			return usage_is_valid(call, &o->usage) &&
			       store_fits(call, "message_type", o->message_type, TYPE_MAX);
	call_fail(call, RC_INVALID, "state", "state: completed, failed, cancelled or interrupted");
	return false;
}

enum rc on_turn_finish(struct store *store, const struct msg_turn_finish *m, struct call *call)
{
	struct pg_job *job = store_job(call, turn_finished);
	enum rc rc;

	FAULT_POINT(store_finish);
	if (!outcome_is_valid(call, &m->outcome))
		return RC_OK;
	pg_job_add(job, QUERY_TURN_FINISH);
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_text(job, m->owner);
	pg_arg_i64(job, m->attempt);
	pg_arg_text(job, m->outcome.state);
	arg_reply(job, &m->outcome);
	arg_usage(job, &m->outcome.usage);
	arg_timing(job, &m->outcome.timing);
	pg_arg_opt(job, m->outcome.error_code);
	pg_arg_opt(job, m->outcome.error_message);
	if (!arg_result(job, &m->outcome, call))
		return RC_OK;
	pg_arg_opt(job, m->seen);
	pg_job_add(job, QUERY_TURN_OUTCOME);
	if (m->outcome.modules.len > 0)
		pg_job_add(job, QUERY_TURN_MODULES);
	else if (text_is(m->outcome.message_type, "lesson"))
		pg_job_add(job, QUERY_LESSON_KEEP);
	rc = store_run(store, call, job);
	FAULT_POINT(store_finish_sent);
	return rc;
}
