/* Chats are made, renamed, archived, deleted and restored. */
#include "columns.h"
#include "handlers.h"
#include "ids.h"
#include "rows_json.h"

#define NAME_MAX 255
#define TYPE_MAX 50
#define STATUS_MAX 20

/* The chat as it is now, and what its sockets are told of it: the second and third statement. */
static void add_chat(struct pg_job *job, const struct uuid_text *chat_id, const struct call *call)
{
	pg_job_add(job, QUERY_CHAT_ROW);
	store_arg_caller(job, call);
	pg_arg_uuid(job, chat_id);
	pg_job_add(job, QUERY_CHAT_TOLD);
	store_arg_caller(job, call);
	pg_arg_uuid(job, chat_id);
}

static void chat_created(struct call *call, struct pg_job *job)
{
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_chat_create ans;

	if (store_refused(call, job))
		return;
	utstring_init(&json);
	json_chat(&json, job->results[1], 0);
	ans = (struct ans_chat_create){ .chat = json_written(&json), .told = row_text(job->results[2], 0, 0) };
	call_answer(call, &ans);
}

enum rc on_chat_create(struct store *store, const struct msg_chat_create *m, struct call *call)
{
	struct pg_job *job = store_job(call, chat_created);
	struct uuid_text *session = talloc(job, struct uuid_text);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX) ||
	    !store_fits(call, "chat_name", m->chat_name, NAME_MAX) ||
	    !store_fits(call, "chat_type", m->chat_type, TYPE_MAX) ||
	    (m->body_hash.len > 0 && !store_is_hash(call, "body_hash", m->body_hash)))
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
	pg_arg_opt(job, m->body_hash);
	add_chat(job, &m->chat_id, call);
	return store_run(store, call, job);
}

static void chat_changed(struct call *call, struct pg_job *job)
{
	const PGresult *chat = job->results[1];
	CLEANUP(string_done) UT_string json = { 0 };
	struct ans_chat_change ans;

	if (store_refused(call, job))
		return;
	utstring_init(&json);
	ans = (struct ans_chat_change){ .change = row_text(job->results[0], 0, VERDICT_COLUMN_COUNT),
					.told = row_text(job->results[2], 0, 0) };
	if (PQntuples(chat) > 0) { /* a deleted one is not shown any more */
		json_chat(&json, chat, 0);
		ans.chat = json_written(&json);
	}
	call_answer(call, &ans);
}

static bool change_is_valid(struct call *call, const struct msg_chat_change *m)
{
	if (text_is(m->action, "rename"))
		return store_fits(call, "chat_name", m->value, NAME_MAX);
	if (text_is(m->action, "status"))
		return store_fits(call, "status", m->value, STATUS_MAX);
	if (text_is(m->action, "delete") || text_is(m->action, "restore"))
		return true;
	call_fail(call, RC_INVALID, "action", "rename, status, delete or restore");
	return false;
}

enum rc on_chat_change(struct store *store, const struct msg_chat_change *m, struct call *call)
{
	struct pg_job *job = store_job(call, chat_changed);

	if (!change_is_valid(call, m))
		return RC_OK;
	pg_job_add(job, QUERY_CHAT_CHANGE);
	store_arg_caller(job, call);
	pg_arg_uuid(job, &m->chat_id);
	pg_arg_text(job, m->action);
	pg_arg_text(job, m->value);
	add_chat(job, &m->chat_id, call);
	return store_run(store, call, job);
}
