/* Chats are switched between, renamed, archived, deleted and restored; sessions get a status. */
#include "changed.h"
#include "history_json.h"
#include "problem.h"
#include "query.h"
#include "rest.h"
#include "rest_chat.h"
#include "schema.h"
#include "ws_conn.h"

#define STATUS_MAX 20
#define ID_MAX 200

/* ---- a session ---------------------------------------------------------------------------- */

static void session_status_on_answer(struct http_request *r, const struct answer *answer)
{
	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer_done(r, WORD_STATUS_CHANGED);
}

void chat_session_status(struct http_request *r)
{
	struct msg_session_status m = { 0 };

	if (rest_chat_id(r, r->match.params[0].value, WORD_BAD_SESSION_ID, &m.session_id) &&
	    query_text(r, "status", STATUS_MAX, &m.status))
		http_ask(r, r->gw->store, MSG_SESSION_STATUS, &m, 0, session_status_on_answer);
}

static void switch_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_load *ans = answer->body;

	utstring_init(&json);
	if (answer->err.rc == RC_NOT_FOUND && r->caller.kind == CALLER_USER &&
	    !text_is_uuid(r->match.params[0].value)) {
		problem_word(r, 400, WORD_BAD_SESSION_ID); /* no name of his own either */
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else if (!ans->found) {
		problem_word(r, 404, WORD_NOT_FOUND);
	} else {
		json_open(&json, NULL, '{');
		json_bool(&json, "success", true);
		history_json(&json, ans->chat_info, ans->history, ans->message_count);
		json_i64(&json, "older", ans->older);
		json_close(&json, '}');
		http_answer_json(r, &json);
	}
}

struct switch_body {
	struct text chat_id;
};

void chat_switch(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct switch_body, chat_id, FIELD_LINE, true, 1, ID_MAX),
	};
	struct switch_body body = { 0 };
	struct uuid_text chat_id;
	struct msg_chat_load m = { .session_id = rest_session_name(r, r->match.params[0].value), .activate = true };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	if (!uuid_from_text(body.chat_id, &chat_id)) {
		if (r->caller.kind == CALLER_GUEST) /* its page made it up: unknown */
			problem_word(r, 404, WORD_NOT_FOUND);
		else
			problem_about(r, 400, WORD_BAD_CHAT_ID, "chat_id");
		return;
	}
	m.chat_id = uuid_as_text(&chat_id);
	if (query_window(r, &m.limit, &m.before))
		http_ask(r, r->gw->store, MSG_CHAT_LOAD, &m, 0, switch_on_answer);
}

/* A socket of this gateway is open for the session, by either of its names. */
static bool is_open(const struct http_request *r, const struct ans_session_active *ans)
{
	const struct sockets *sockets = r->gw->sockets;
	const struct uuid_text *user_id = &r->caller.user_id;

	return sockets_group(sockets, user_id, rest_session_name((struct http_request *)r, r->match.params[0].value)) !=
		       NULL ||
	       sockets_group(sockets, user_id, uuid_as_text(&ans->session_id)) != NULL ||
	       sockets_group(sockets, user_id, ans->session_key) != NULL;
}

static void active_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_session_active *ans = answer->body;

	utstring_init(&json);
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	json_text(&json, "session_id", r->match.params[0].value);
	if (ans->chat_id.s[0] != '\0')
		json_text(&json, "active_chat_id", uuid_as_text(&ans->chat_id));
	else
		json_null(&json, "active_chat_id");
	json_bool(&json, "is_active", is_open(r, ans));
	json_close(&json, '}');
	http_answer_json(r, &json);
}

void chat_active(struct http_request *r)
{
	struct msg_session_active m = { .session_id = rest_session_name(r, r->match.params[0].value) };

	http_ask(r, r->gw->store, MSG_SESSION_ACTIVE, &m, 0, active_on_answer);
}

/* ---- a chat ------------------------------------------------------------------------------------ */

/* False was answered: the change was refused. Otherwise sockets are told of it. */
static bool changed(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_change *ans = answer->body;

	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return false;
	}
	changed_tell(r, text_dup(r, ans->change), ans->told, NULL);
	return true;
}

/* The chat as it is now. */
static void chat_on_changed(struct http_request *r, const struct answer *answer)
{
	if (changed(r, answer))
		http_answer(r, 200, NULL, ((const struct ans_chat_change *)answer->body)->chat);
}

static void status_on_changed(struct http_request *r, const struct answer *answer)
{
	if (changed(r, answer))
		http_answer_done(r, WORD_STATUS_CHANGED);
}

static void delete_on_changed(struct http_request *r, const struct answer *answer)
{
	if (changed(r, answer))
		http_answer_done(r, WORD_CHAT_DELETED);
}

static void change_chat(struct http_request *r, const char *action, struct text value, http_answered_fn *then)
{
	struct msg_chat_change m = { .action = text_from(action), .value = value };

	if (rest_chat_id(r, r->match.params[0].value, WORD_BAD_CHAT_ID, &m.chat_id))
		http_ask(r, r->gw->store, MSG_CHAT_CHANGE, &m, 0, then);
}

void chat_status(struct http_request *r)
{
	struct uuid_text chat_id;
	struct text status;

	if (rest_chat_id(r, r->match.params[0].value, WORD_BAD_CHAT_ID, &chat_id) &&
	    query_text(r, "status", STATUS_MAX, &status))
		change_chat(r, "status", status, status_on_changed);
}

struct rename_body {
	struct text chat_name;
};

void chat_rename(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct rename_body, chat_name, FIELD_LINE, true, 1, 255),
	};
	struct rename_body body = { 0 };

	if (schema_body(r, fields, FIELDS_N(fields), &body))
		change_chat(r, "rename", body.chat_name, chat_on_changed);
}

void chat_delete(struct http_request *r)
{
	change_chat(r, "delete", (struct text){ 0 }, delete_on_changed);
}

void chat_undelete(struct http_request *r)
{
	change_chat(r, "restore", (struct text){ 0 }, chat_on_changed);
}
