/* Sessions, and lists of chats. */
#include "handlers.h"
#include "ids.h"
#include "rows_json.h"

#define NAME_MAX 255
#define TYPE_MAX 50

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

	if (!store_fits(call, "session_name", m->session_name, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_SESSION_CREATE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->session_id);
	pg_arg_uuid(job, &m->track_id);
	pg_arg_text(job, m->session_name);
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

	(void)m;
	if (call_caller(call)->kind == CALLER_NOBODY) {
		call_answer(call, &(struct ans_session_list){ .sessions = text_from("[]") });
		return RC_OK;
	}
	pg_job_add(job, QUERY_SESSION_LIST);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void session_chats_listed(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	const struct pg_statement *find = &job->statements[0];
	struct ans_session_chats ans;

	/* A name that is not known yet is an empty session; an id must exist. */
	if (PQntuples(job->results[0]) == 0 && find->values[1] != NULL) {
		call_fail(call, RC_NOT_FOUND, "session_id", "no such session");
		return;
	}
	utstring_init(&json);
	json_chats(&json, job->results[1]);
	ans = (struct ans_session_chats){ .chats = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_session_chats(struct store *store, const struct msg_session_chats *m, struct call *call)
{
	struct pg_job *job = store_job(call, session_chats_listed);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX))
		return RC_OK;
	pg_job_add(job, QUERY_SESSION_FIND);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	pg_job_add(job, QUERY_SESSION_CHATS);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
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

	(void)m;
	if (call_caller(call)->kind == CALLER_NOBODY) {
		call_answer(call, &(struct ans_user_chats){ .sessions = text_from("[]") });
		return RC_OK;
	}
	pg_job_add(job, QUERY_USER_CHATS);
	store_arg_caller(job, call);
	return store_run(store, call, job);
}

static void chat_created(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_chat_create ans;

	if (store_refused(call, job))
		return;
	utstring_init(&json);
	json_chat(&json, job->results[1], 0);
	ans = (struct ans_chat_create){ .chat = json_written(&json) };
	call_answer(call, &ans);
}

enum rc on_chat_create(struct store *store, const struct msg_chat_create *m, struct call *call)
{
	struct pg_job *job = store_job(call, chat_created);
	struct uuid_text *session = talloc(job, struct uuid_text);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX) ||
	    !store_fits(call, "chat_name", m->chat_name, NAME_MAX) ||
	    !store_fits(call, "chat_type", m->chat_type, TYPE_MAX))
		return RC_OK;
	/* Who has no account may name a session that is not there yet; its id follows from the chat's. */
	*session = call_caller(call)->kind == CALLER_USER ? (struct uuid_text){ "" }
							  : id_named(&m->chat_id, text_from("session"));
	pg_job_add(job, QUERY_CHAT_CREATE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->chat_id);
	store_arg_session(job, m->session_id);
	pg_arg_uuid(job, session);
	pg_arg_opt(job, m->chat_name);
	pg_arg_text(job, m->chat_type);
	pg_job_add(job, QUERY_CHAT_ROW);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->chat_id);
	return store_run(store, call, job);
}
