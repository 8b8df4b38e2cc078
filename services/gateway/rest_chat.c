#include "history_json.h"
#include "rest.h"

#include <time.h>

#include "asked.h"
#include "changed.h"
#include "clock.h"
#include "ids.h"
#include "problem.h"
#include "query.h"
#include "rest_chat.h"
#include "schema.h"

#define SESSION_NAME_MAX 200

struct session_body {
	struct text track_id, session_name;
};

struct chat_body {
	struct text session_id, chat_name, chat_type;
};

struct text rest_session_name(struct http_request *r, struct text id)
{
	struct uuid_text uuid;

	return uuid_from_text(id, &uuid) ? text_copy(r, uuid_as_text(&uuid)) : id;
}

/* The id of a row to be made: the same for the same Idempotency-Key of a caller, so that store makes it once. */
static struct uuid_text row_id(struct http_request *r, const char *what)
{
	char *name;

	if (r->idempotency_key.len == 0)
		return id_new();
	name = talloc_asprintf(r, "%s:" TEXT_FMT, what, TEXT_ARG(r->idempotency_key));
	return id_named(&r->caller.user_id, text_from(name));
}

/* With a key "this id is taken" means as well: by something else that was asked for under it. */
static void create_refused(struct http_request *r, const struct err *err)
{
	if ((err->rc == RC_CMID_CONFLICT || err->rc == RC_CONFLICT) && r->idempotency_key.len > 0)
		problem_header(r, "Idempotency-Key", "value_error", "Used for something else", WORD_CMID_CONFLICT);
	else
		problem_rc(r, err);
}

/* ---- sessions --------------------------------------------------------------------------- */

static void session_on_created(struct http_request *r, const struct answer *answer)
{
	const struct ans_session_create *ans = answer->body;

	if (answer->err.rc != RC_OK)
		create_refused(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->session);
}

void chat_create_session(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct session_body, track_id, FIELD_TEXT, true, 0, 200),
		FIELD_OF(struct session_body, session_name, FIELD_TEXT, true, 0, 255),
	};
	struct session_body body = { 0 };
	struct msg_session_create m = { .session_id = row_id(r, "session") };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	if (!uuid_from_text(body.track_id, &m.track_id)) {
		problem_about(r, 400, WORD_BAD_TRACK_ID, "track_id");
		return;
	}
	m.session_name = body.session_name;
	m.body_hash = asked_hash(r, (const struct text[]){ uuid_as_text(&m.track_id), m.session_name }, 2);
	http_ask(r, r->gw->store, MSG_SESSION_CREATE, &m, 0, session_on_created);
}

static void sessions_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_session_list *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->sessions);
}

void chat_list_sessions(struct http_request *r)
{
	struct msg_session_list m = { 0 };

	if (query_page(r, &m.limit, &m.after))
		http_ask(r, r->gw->store, MSG_SESSION_LIST, &m, 0, sessions_on_answer);
}

static void users_chats_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_chats *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->sessions);
}

void chat_users_chats(struct http_request *r)
{
	struct msg_user_chats m = { 0 };

	if (query_page(r, &m.limit, &m.after))
		http_ask(r, r->gw->store, MSG_USER_CHATS, &m, 0, users_chats_on_answer);
}

/* A client's own session name that store does not know yet has no chats: that is no error. */
static bool is_unused_name(struct http_request *r, const struct answer *answer)
{
	return answer->err.rc == RC_NOT_FOUND && !text_is_uuid(r->match.params[0].value);
}

static void chats_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_session_chats *ans = answer->body;

	if (is_unused_name(r, answer))
		http_answer(r, 200, NULL, text_from("[]"));
	else if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->chats);
}

void chat_list_chats(struct http_request *r)
{
	struct msg_session_chats m = { .session_id = rest_session_name(r, r->match.params[0].value) };

	if (query_page(r, &m.limit, &m.after))
		http_ask(r, r->gw->store, MSG_SESSION_CHATS, &m, 0, chats_on_answer);
}

/* ---- chats ------------------------------------------------------------------------------------- */

static void chat_on_created(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_create *ans = answer->body;

	if (answer->err.rc != RC_OK) {
		create_refused(r, &answer->err);
		return;
	}
	changed_tell(r, "created", ans->told, NULL);
	http_answer(r, 200, NULL, ans->chat);
}

/* "Chat 14:05", UTC */
static struct text name_by_time(struct http_request *r)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	char *name = talloc_zero_size(r, 32);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(name, 32, "Chat %H:%M", &tm);
	return text_from(name);
}

void chat_create_chat(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct chat_body, session_id, FIELD_TEXT, true, 0, 200),
		FIELD_OF(struct chat_body, chat_name, FIELD_LINE, false, 0, 255),
		FIELD_OF(struct chat_body, chat_type, FIELD_LINE, false, 0, 50),
	};
	struct chat_body body = { 0 };
	struct msg_chat_create m = { .chat_id = row_id(r, "chat") };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	if (!text_is_uuid(body.session_id)) {
		problem_about(r, 400, WORD_BAD_SESSION_ID, "session_id");
		return;
	}
	m.session_id = rest_session_name(r, body.session_id);
	m.chat_name = body.chat_name.len > 0 ? body.chat_name : name_by_time(r);
	m.chat_type = body.chat_type.len > 0 ? body.chat_type : text_from("planning");
	/* The name by time is ours: asked again at another minute it is the same request. */
	m.body_hash = asked_hash(r, (const struct text[]){ m.session_id, body.chat_name, m.chat_type }, 3);
	http_ask(r, r->gw->store, MSG_CHAT_CREATE, &m, 0, chat_on_created);
}

bool rest_chat_id(struct http_request *r, struct text id, enum word fault, struct uuid_text *out)
{
	if (uuid_from_text(id, out))
		return true;
	if (r->caller.kind == CALLER_GUEST) /* temporary ids of a guest's page are no mistake, only unknown */
		problem_word(r, 404, WORD_NOT_FOUND);
	else
		problem_word(r, 400, fault);
	return false;
}

static bool chat_of_path(struct http_request *r, struct uuid_text *out)
{
	return rest_chat_id(r, r->match.params[0].value, WORD_BAD_CHAT_ID, out);
}

static void messages_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_load *ans = answer->body;

	utstring_init(&json);
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else if (!ans->found) {
		problem_word(r, 404, WORD_NOT_FOUND);
	} else {
		json_open(&json, NULL, '[');
		json_raw(&json, NULL, ans->messages);
		json_close(&json, ']');
		http_answer_json(r, &json);
	}
}

void chat_messages(struct http_request *r)
{
	struct uuid_text chat_id;
	struct msg_chat_load m = { 0 };

	if (!chat_of_path(r, &chat_id))
		return;
	m.chat_id = uuid_as_text(&chat_id);
	if (query_window(r, &m.limit, &m.before))
		http_ask(r, r->gw->store, MSG_CHAT_LOAD, &m, 0, messages_on_answer);
}

static void history_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_load *ans = answer->body;

	utstring_init(&json);
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else if (!ans->found) {
		problem_word(r, 404, WORD_NOT_FOUND);
	} else {
		json_open(&json, NULL, '{');
		json_bool(&json, "success", true);
		history_json(&json, ans->chat_info, ans->history, ans->message_count);
		json_i64(&json, "older", ans->older); /* so many are before these */
		json_close(&json, '}');
		http_answer_json(r, &json);
	}
}

void chat_history(struct http_request *r)
{
	struct uuid_text chat_id;
	struct msg_chat_load m = { 0 };

	if (!chat_of_path(r, &chat_id))
		return;
	m.chat_id = uuid_as_text(&chat_id);
	if (http_query(r, "session_id").len > 0) { /* when given, it must be the chat's */
		if (!query_text(r, "session_id", SESSION_NAME_MAX, &m.session_id))
			return;
		m.session_id = rest_session_name(r, m.session_id);
	}
	if (query_uuid(r, "versions_of", &m.versions_of) && query_window(r, &m.limit, &m.before))
		http_ask(r, r->gw->store, MSG_CHAT_LOAD, &m, 0, history_on_answer);
}

static void restored_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_load none = { 0 }, *ans = answer->body != NULL ? answer->body : &none;

	utstring_init(&json);
	if (answer->err.rc != RC_OK && !is_unused_name(r, answer)) {
		problem_rc(r, &answer->err);
		return;
	}
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	json_bool(&json, "has_existing_chat", ans->found);
	if (ans->found)
		json_text(&json, "chat_id", uuid_as_text(&ans->chat_id));
	else
		json_null(&json, "chat_id");
	history_json(&json, ans->chat_info, ans->history, ans->message_count);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

void chat_restore_existing(struct http_request *r)
{
	struct msg_chat_load m = { .session_id = rest_session_name(r, r->match.params[0].value), .restore = true };

	http_ask(r, r->gw->store, MSG_CHAT_LOAD, &m, 0, restored_on_answer);
}
