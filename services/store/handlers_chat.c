/* A chat's history. */
#include "columns.h"
#include "handlers.h"
#include "rows_json.h"

#define NAME_MAX 255
#define PAGE_MAX 10000 /* messages in one answer */
#define PAGE_BYTES (2 << 20) /* of text in one answer: twice that, as JSON, fits in a message of the bus */

/* The first statement's row. */
enum { OPEN_SESSION, OPEN_CHAT, OPEN_TURN };

/* The page's last row, without an id, says how many older messages there are. */
static int64_t older_messages(const PGresult *messages)
{
	int last = PQntuples(messages) - 1;

	return last >= 0 && !row_has(messages, last, MESSAGE_id) ? row_i64(messages, last, MESSAGE_seq) : 0;
}

static void chat_answer(struct call *call, struct pg_job *job, bool rows)
{
	const PGresult *open = job->results[0], *chat = job->results[1], *messages = job->results[2];
	CLEANUP(string_done) UT_string info = { 0 };
	CLEANUP(string_done) UT_string history = { 0 };
	CLEANUP(string_done) UT_string list = { 0 };
	struct ans_chat_load ans = { .found = true,
				     .session_id = row_uuid(open, 0, OPEN_SESSION),
				     .chat_id = row_uuid(open, 0, OPEN_CHAT),
				     .running_turn = row_uuid(open, 0, OPEN_TURN),
				     .older = older_messages(messages) };

	utstring_init(&info);
	utstring_init(&history);
	utstring_init(&list);
	json_chat_info(&info, chat, 0);
	ans.message_count = json_history(&history, messages);
	if (rows)
		json_message_rows(&list, messages);
	ans.chat_info = json_written(&info);
	ans.history = json_written(&history);
	ans.messages = json_written(&list);
	call_answer(call, &ans);
}

static void chat_loaded(struct call *call, struct pg_job *job, bool rows)
{
	const PGresult *open = job->results[0];

	if (PQntuples(open) == 0)
		call_fail(call, RC_NOT_FOUND, "chat_id", "no such chat");
	else if (!row_has(open, 0, OPEN_CHAT) || PQntuples(job->results[1]) == 0)
		call_answer(call, &(struct ans_chat_load){ .session_id = row_uuid(open, 0, OPEN_SESSION) });
	else
		chat_answer(call, job, rows);
}

static void chat_restored(struct call *call, struct pg_job *job)
{
	chat_loaded(call, job, false);
}

static void chat_read(struct call *call, struct pg_job *job)
{
	chat_loaded(call, job, true);
}

/* The chat that is meant, in alp.chat. */
static void arg_open(struct pg_job *job, const struct msg_chat_load *m, const struct call *call)
{
	bool tutor = m->module_id.len > 0;

	pg_job_add(job, tutor ? QUERY_TUTOR_OPEN : QUERY_CHAT_OPEN);
	store_arg_caller(job, call);
	store_arg_session(job, m->session_id);
	pg_arg_uuid_text(job, m->chat_id);
	if (tutor) {
		store_arg_module(job, m->track_id, m->module_id);
	} else {
		pg_arg_flag(job, m->restore);
		pg_arg_flag(job, m->activate);
	}
}

static void arg_page(struct pg_job *job, const struct msg_chat_load *m)
{
	if (m->versions_of.s[0] != '\0') {
		pg_job_add(job, QUERY_CHAT_VERSIONS);
		pg_arg_uuid(job, &m->versions_of);
		return;
	}
	pg_job_add(job, QUERY_CHAT_PAGE);
	if (m->before > 0)
		pg_arg_i64(job, m->before);
	else
		pg_arg_null(job);
	pg_arg_i64(job, m->limit > 0 && m->limit < PAGE_MAX ? m->limit : PAGE_MAX);
	pg_arg_i64(job, PAGE_BYTES);
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
	arg_open(job, m, call);
	pg_job_add(job, QUERY_CHAT_OPENED);
	arg_page(job, m);
	return store_run(store, call, job);
}
