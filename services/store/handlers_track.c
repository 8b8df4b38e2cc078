/* Learning tracks. */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"

#define TITLE_MAX 255
#define AREA_MAX 100
#define KEY_MAX 255
#define HOURS_MAX 100000

/* Behind the verdict of track_create. */
enum { MADE_CREATED = 3, MADE_TURN };

static void track_created(struct call *call, struct pg_job *job)
{
	const PGresult *made = job->results[0], *track = job->results[1];
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_track_create ans;

	if (store_refused(call, job))
		return;
	utstring_init(&json);
	json_track(&json, track, 0);
	ans = (struct ans_track_create){ .session_id = row_uuid(track, 0, TRACK_session_id),
					 .chat_id = row_uuid(track, 0, TRACK_chat_id),
					 .turn_id = row_uuid(made, 0, MADE_TURN),
					 .created = row_flag(made, 0, MADE_CREATED),
					 .track = json_written(&json) };
	call_answer(call, &ans);
}

static const char *const levels[] = { "beginner", "intermediate", "advanced", NULL };
static const char *const statuses[] = { "planning", "active", "completed", "paused", NULL };

/* False and the call refused when value is none of these. */
static bool is_one_of(struct call *call, const char *field, struct text value, const char *const *names)
{
	for (; *names != NULL; names++)
		if (text_is(value, *names))
			return true;
	call_fail(call, RC_INVALID, field, "%s: an unknown value", field);
	return false;
}

static bool hours_are_good(struct call *call, int64_t hours)
{
	if (hours >= 0 && hours <= HOURS_MAX)
		return true;
	call_fail(call, RC_INVALID, "estimated_duration_hours", "0 to %d", HOURS_MAX);
	return false;
}

static bool track_is_valid(struct call *call, const struct msg_track_create *m)
{
	return store_fits(call, "title", m->title, TITLE_MAX) &&
	       store_fits(call, "skill_area", m->skill_area, AREA_MAX) && store_fits(call, "key", m->key, KEY_MAX) &&
	       store_fits(call, "language", m->language, 2) &&
	       (m->body_hash.len == 0 || store_is_hash(call, "body_hash", m->body_hash)) &&
	       is_one_of(call, "difficulty_level", m->difficulty_level, levels) && hours_are_good(call, m->hours);
}

enum rc on_track_create(struct store *store, const struct msg_track_create *m, struct call *call)
{
	struct pg_job *job = store_job(call, track_created);

	if (!track_is_valid(call, m))
		return RC_OK;
	pg_job_add(job, QUERY_TRACK_CREATE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->track_id);
	pg_arg_uuid(job, &m->session_id);
	pg_arg_uuid(job, &m->chat_id);
	pg_arg_uuid(job, &m->turn_id);
	pg_arg_opt(job, m->key);
	pg_arg_text(job, m->title);
	pg_arg_text(job, m->description);
	pg_arg_text(job, m->skill_area);
	pg_arg_text(job, m->difficulty_level);
	pg_arg_i64(job, m->hours);
	pg_arg_text(job, m->expectations);
	pg_arg_opt(job, m->language);
	pg_arg_opt(job, m->body_hash);
	pg_job_add(job, QUERY_TRACK_MADE);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void tracks_listed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_track_list ans;

	utstring_init(&json);
	json_tracks(&json, job->results[0]);
	ans = (struct ans_track_list){ .tracks = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_track_list(struct store *store, const struct msg_track_list *m, struct call *call)
{
	struct pg_job *job = store_job(call, tracks_listed);

	pg_job_add(job, QUERY_TRACK_LIST);
	store_arg_caller(job, call);
	store_arg_page(job, m->limit, &m->after);
	return store_run(store, call, job);
}

static void track_got(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_track_get ans;

	if (PQntuples(job->results[0]) == 0) {
		call_fail(call, RC_NOT_FOUND, "track_id", "no such track");
		return;
	}
	utstring_init(&json);
	json_track(&json, job->results[0], 0);
	ans = (struct ans_track_get){ .track = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_track_get(struct store *store, const struct msg_track_get *m, struct call *call)
{
	struct pg_job *job = store_job(call, track_got);

	pg_job_add(job, QUERY_TRACK_GET);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->track_id);
	return store_run(store, call, job);
}

/* ---- change and delete ------------------------------------------------------------------ */

static void track_updated(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_track_update ans;

	if (store_refused(call, job))
		return;
	utstring_init(&json);
	json_track(&json, job->results[1], 0);
	ans = (struct ans_track_update){ .track = json_written(&json) };
	call_answer(call, &ans);
}

static bool update_is_valid(struct call *call, const struct msg_track_update *m)
{
	return store_fits(call, "title", m->title, TITLE_MAX) &&
	       store_fits(call, "skill_area", m->skill_area, AREA_MAX) &&
	       (m->difficulty_level.len == 0 || is_one_of(call, "difficulty_level", m->difficulty_level, levels)) &&
	       (m->status.len == 0 || is_one_of(call, "status", m->status, statuses)) && hours_are_good(call, m->hours);
}

static void arg_change(struct pg_job *job, struct text value, bool to_empty)
{
	if (to_empty)
		pg_arg_text(job, (struct text){ 0 });
	else
		pg_arg_opt(job, value);
}

enum rc on_track_update(struct store *store, const struct msg_track_update *m, struct call *call)
{
	struct pg_job *job = store_job(call, track_updated);

	if (!update_is_valid(call, m))
		return RC_OK;
	pg_job_add(job, QUERY_TRACK_UPDATE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->track_id);
	pg_arg_opt(job, m->title);
	arg_change(job, m->description, m->no_description);
	pg_arg_opt(job, m->skill_area);
	pg_arg_opt(job, m->difficulty_level);
	if (m->hours > 0)
		pg_arg_i64(job, m->hours);
	else
		pg_arg_null(job);
	arg_change(job, m->expectations, m->no_expectations);
	pg_arg_opt(job, m->status);
	pg_job_add(job, QUERY_TRACK_MADE);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void track_deleted(struct call *call, struct pg_job *job)
{
	struct ans_track_delete ans;

	if (store_refused(call, job))
		return;
	ans = (struct ans_track_delete){ .told = row_text(job->results[0], 0, VERDICT_COLUMN_COUNT) };
	call_answer(call, &ans);
}

enum rc on_track_delete(struct store *store, const struct msg_track_delete *m, struct call *call)
{
	struct pg_job *job = store_job(call, track_deleted);

	pg_job_add(job, QUERY_TRACK_DELETE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->track_id);
	return store_run(store, call, job);
}
