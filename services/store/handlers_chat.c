/* A chat's history. */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"

#define NAME_MAX 255
#define PAGE_MAX 10000 /* messages in one answer */
#define PAGE_BYTES (2 << 20) /* of text in one answer: twice that, as JSON, fits in a message of the bus */

/* The page's last row, without an id, says how many older messages there are. The first row is the chat. */
static int64_t older_messages(const PGresult *r)
{
	int last = PQntuples(r) - 1;

	return last > 0 && !row_has(r, last, MESSAGE_id) ? row_i64(r, last, MESSAGE_seq) : 0;
}

static void chat_answer(struct call *call, const PGresult *r, bool rows)
{
	CLEANUP(string_done) UT_string info = { 0 };
	CLEANUP(string_done) UT_string history = { 0 };
	CLEANUP(string_done) UT_string list = { 0 };
	struct ans_chat_load ans = { .found = true,
				     .session_id = row_uuid(r, 0, LOADED_session),
				     .chat_id = row_uuid(r, 0, LOADED_chat),
				     .running_turn = row_uuid(r, 0, LOADED_turn),
				     .older = older_messages(r) };

	utstring_init(&info);
	utstring_init(&history);
	utstring_init(&list);
	json_chat_info(&info, r, 0, LOADED_chat);
	ans.message_count = json_history(&history, r);
	if (rows)
		json_message_rows(&list, r);
	ans.chat_info = json_written(&info);
	ans.history = json_written(&history);
	ans.messages = json_written(&list);
	call_answer(call, &ans);
}

static void chat_loaded(struct call *call, struct pg_job *job, bool rows)
{
	const PGresult *r = job->results[0];

	if (PQntuples(r) == 0)
		call_fail(call, RC_NOT_FOUND, "chat_id", "no such chat");
	else if (!row_has(r, 0, LOADED_chat))
		call_answer(call, &(struct ans_chat_load){ .session_id = row_uuid(r, 0, LOADED_session) });
	else
		chat_answer(call, r, rows);
}

static void chat_restored(struct call *call, struct pg_job *job)
{
	chat_loaded(call, job, false);
}

static void chat_read(struct call *call, struct pg_job *job)
{
	chat_loaded(call, job, true);
}

static void arg_page(struct pg_job *job, const struct msg_chat_load *m)
{
	if (m->before > 0)
		pg_arg_i64(job, m->before);
	else
		pg_arg_null(job);
	pg_arg_i64(job, m->limit > 0 && m->limit < PAGE_MAX ? m->limit : PAGE_MAX);
	pg_arg_i64(job, PAGE_BYTES);
}

static void arg_load(struct pg_job *job, const struct msg_chat_load *m, const struct call *call)
{
	bool versions = m->versions_of.s[0] != '\0', tutor = !versions && m->module_id.len > 0;
	bool change = m->activate && !m->restore;

	pg_job_add(job, versions ? QUERY_CHAT_VERSIONS
			: tutor  ? QUERY_TUTOR_LOAD
			: change ? QUERY_CHAT_SWITCH
				 : QUERY_CHAT_LOAD);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	pg_arg_uuid_text(job, m->chat_id);
	if (versions) {
		pg_arg_uuid(job, &m->versions_of);
		return;
	}
	if (tutor)
		store_arg_module(job, m->track_id, m->module_id);
	else if (!change)
		pg_arg_flag(job, m->restore);
	arg_page(job, m);
}

/*
 * A chat is named by its id. Another name, as the seed's examples have one, is
 * nothing we know: then it is the session's planning chat.
 */
enum rc on_chat_load(struct store *store, const struct msg_chat_load *m, struct call *call)
{
	struct pg_job *job = store_job(call, m->restore ? chat_restored : chat_read);

	if (!store_fits(call, "session_id", m->session_id, NAME_MAX))
		return RC_OK;
	if (m->session_id.len == 0 && m->chat_id.len == 0 && m->module_id.len == 0) {
		call_fail(call, RC_INVALID, "session_id", "a session or a chat must be named");
		return RC_OK;
	}
	if (m->session_id.len == 0 && m->module_id.len == 0 && !text_is_uuid(m->chat_id)) {
		call_fail(call, RC_NOT_FOUND, "chat_id", "no such chat");
		return RC_OK;
	}
	arg_load(job, m, call);
	return store_run(store, call, job);
}
