/* Sessions, and lists of chats. */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"

#define NAME_MAX 255
#define STATUS_MAX 20

static void session_created(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_session_create ans;

	if (store_refused(call, job))
		return;
	utstring_init(&json);
	json_session(&json, job->results[1], 0);
	ans = (struct ans_session_create){ .session = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_session_create(struct store *store, const struct msg_session_create *m, struct call *call)
{
	struct pg_job *job = store_job(call, session_created);

	if (!store_fits(call, "session_name", m->session_name, NAME_MAX) ||
	    (m->body_hash.len > 0 && !store_is_hash(call, "body_hash", m->body_hash)))
		return RC_OK;
	pg_job_add(job, QUERY_SESSION_CREATE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->session_id);
	pg_arg_uuid(job, &m->track_id);
	pg_arg_text(job, m->session_name);
	pg_arg_opt(job, m->body_hash);
	pg_job_add(job, QUERY_SESSION_ROW);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->session_id);
	return store_run(store, call, job);
}

static void sessions_listed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_session_list ans;

	utstring_init(&json);
	json_sessions(&json, job->results[0]);
	ans = (struct ans_session_list){ .sessions = json_written(&json) };
	call_answer(call, &ans);
}

/* Callers without an account share what nobody owns: there are no lists of that. */
enum rc on_session_list(struct store *store, const struct msg_session_list *m, struct call *call)
{
	struct pg_job *job = store_job(call, sessions_listed);

	if (call_caller(call)->kind == CALLER_NOBODY) {
		call_answer(call, &(struct ans_session_list){ .sessions = text_from("[]") });
		return RC_OK;
	}
	pg_job_add(job, QUERY_SESSION_LIST);
	store_arg_caller(job, call);
	store_arg_page(job, m->limit, &m->after);
	return store_run(store, call, job);
}

static void session_status_set(struct call *call, struct pg_job *job)
{
	if (!store_refused(call, job))
		call_answer(call, &(struct ans_session_status){});
}

enum rc on_session_status(struct store *store, const struct msg_session_status *m, struct call *call)
{
	struct pg_job *job = store_job(call, session_status_set);

	if (!store_fits(call, "status", m->status, STATUS_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_SESSION_STATUS);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->session_id);
	pg_arg_text(job, m->status);
	return store_run(store, call, job);
}

/* A session asked for by a name that is not known yet is an empty one; an id must exist. True: the call is refused. */
static bool session_is_missing(struct call *call, const struct pg_job *job)
{
	if (PQntuples(job->results[0]) > 0 || job->statements[0].values[1] == NULL)
		return false;
	call_fail(call, RC_NOT_FOUND, "session_id", "no such session");
	return true;
}

static void session_active_got(struct call *call, struct pg_job *job)
{
	const PGresult *r = job->results[0];
	struct ans_session_active ans = { 0 };

	if (session_is_missing(call, job))
		return;
	if (PQntuples(r) > 0)
		ans = (struct ans_session_active){ .session_id = row_uuid(r, 0, 0),
						   .session_key = row_text(r, 0, 1),
						   .chat_id = row_uuid(r, 0, 2) };
	call_answer(call, &ans);
}

enum rc on_session_active(struct store *store, const struct msg_session_active *m, struct call *call)
{
	struct pg_job *job = store_job(call, session_active_got);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_SESSION_ACTIVE);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	return store_run(store, call, job);
}

/* ---- lists of chats ----------------------------------------------------------------------- */

static void session_chats_listed(struct call *call, struct pg_job *job)
{
	const PGresult *chats = job->results[0];
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_session_chats ans = { .chats = text_from("[]") };

	if (session_is_missing(call, job))
		return;
	utstring_init(&json);
	if (PQntuples(chats) > 0 && row_has(chats, 0, CHAT_id)) {
		json_chats(&json, chats);
		ans.chats = json_written(&json);
	}
	call_answer(call, &ans);
}

enum rc on_session_chats(struct store *store, const struct msg_session_chats *m, struct call *call)
{
	struct pg_job *job = store_job(call, session_chats_listed);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_SESSION_CHATS);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	store_arg_page(job, m->limit, &m->after);
	return store_run(store, call, job);
}

static void user_chats_listed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_user_chats ans;

	utstring_init(&json);
	json_chats_by_session(&json, job->results[0]);
	ans = (struct ans_user_chats){ .sessions = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_user_chats(struct store *store, const struct msg_user_chats *m, struct call *call)
{
	struct pg_job *job = store_job(call, user_chats_listed);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX))
		return RC_OK;
	if (call_caller(call)->kind == CALLER_NOBODY && m->session_id.len == 0) {
		call_answer(call, &(struct ans_user_chats){ .sessions = text_from("[]") });
		return RC_OK;
	}
	pg_job_add(job, QUERY_USER_CHATS);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	store_arg_page(job, m->limit, &m->after);
	return store_run(store, call, job);
}
