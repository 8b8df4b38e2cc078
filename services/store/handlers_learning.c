/* Modules that are completed, and lessons. Their texts come from turns (handlers_turn_end.c). */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"

#define NAME_MAX 255

/* Behind the verdict of module_complete. */
enum { DONE_MODULE = 3, DONE_AT, DONE_TRACK_STATUS };

static void module_completed(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];
	struct ans_module_complete ans = { 0 };
	char iso[ISO_SIZE];

	if (store_refused(call, job))
		return;
	ans.module_id = row_uuid(r, 0, DONE_MODULE);
	ans.track_status = row_text(r, 0, DONE_TRACK_STATUS);
	if (iso_from_pg(row_text(r, 0, DONE_AT), iso))
		ans.completed_at = text_from(iso);
	call_answer(call, &ans);
}

enum rc on_module_complete(struct store *store, const struct msg_module_complete *m, struct call *call)
{
	struct pg_job *job = store_job(call, module_completed);

	if (!store_fits(call, "module_id", m->module_id, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_MODULE_COMPLETE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->track_id);
	store_arg_module_id(job, m->module_id);
	return store_run(store, call, job);
}

/* ---- lessons ---------------------------------------------------------------------------- */

static void lessons_listed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_lesson_list ans;

	if (PQntuples(job->results[0]) == 0) {
		call_fail(call, RC_NOT_FOUND, "module_id", "no such module");
		return;
	}
	utstring_init(&json);
	json_lessons(&json, job->results[0]);
	ans = (struct ans_lesson_list){ .lessons = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_lesson_list(struct store *store, const struct msg_lesson_list *m, struct call *call)
{
	struct pg_job *job = store_job(call, lessons_listed);

	pg_job_add(job, QUERY_LESSON_LIST);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->module_id);
	return store_run(store, call, job);
}

/* The lesson is the last result. */
static void lesson_got(struct call *call, struct pg_job *job)
{
	const PGresult *lesson = job->results[job->n - 1];
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_lesson_get ans;

	if (PQntuples(lesson) == 0) {
		call_fail(call, RC_NOT_FOUND, "lesson_id", "no such lesson");
		return;
	}
	utstring_init(&json);
	json_lesson(&json, lesson, 0);
	ans = (struct ans_lesson_get){ .lesson = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_lesson_get(struct store *store, const struct msg_lesson_get *m, struct call *call)
{
	struct pg_job *job = store_job(call, lesson_got);

	pg_job_add(job, QUERY_LESSON_ROW);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->lesson_id);
	return store_run(store, call, job);
}

_Static_assert(sizeof(struct ans_lesson_set) == sizeof(struct ans_lesson_get), "both answer the lesson alone");

enum rc on_lesson_set(struct store *store, const struct msg_lesson_set *m, struct call *call)
{
	static const char *const states[] = { "not_started", "in_progress", "completed" };
	struct pg_job *job = store_job(call, lesson_got);
	bool known = false;

	for (int i = 0; i < 3; i++)
		known = known || text_is(m->status, states[i]);
	if (!known) {
		call_fail(call, RC_INVALID, "status", "status: not_started, in_progress or completed");
		return RC_OK;
	}
	pg_job_add(job, QUERY_LESSON_SET);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->lesson_id);
	pg_arg_text(job, m->status);
	pg_job_add(job, QUERY_LESSON_ROW);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->lesson_id);
	return store_run(store, call, job);
}
