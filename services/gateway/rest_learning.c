/* Learning a module: its summary, the dialogue with its tutor, lessons, completion (contract/rest.md 5.5, 5.9 to 5.12). */
#include "history_json.h"
#include "rest.h"
#include "rest_turn.h"

#include "ids.h"
#include "problem.h"
#include "schema.h"

#define MESSAGE_MAX 32000
#define ID_MAX 200
#define TITLE_MAX 255
#define TYPE_MAX 20
#define CONTEXT_MAX 10000
#define LESSON_NUMBER_MAX 1000

struct learning_body {
	struct text track_id, module_id, session_id, user_id, message, chat_id;
	struct uuid_text client_message_id;
};

struct lesson_body {
	struct text lesson_title, module_context, content_type, track_id, module_id;
	int64_t lesson_number;
};

#define MODULE_FIELDS \
	FIELD_OF(struct learning_body, track_id, FIELD_LINE, true, 1, ID_MAX), \
		FIELD_OF(struct learning_body, module_id, FIELD_LINE, true, 1, ID_MAX), \
		FIELD_OF(struct learning_body, session_id, FIELD_LINE, true, 1, ID_MAX), \
		FIELD_OF(struct learning_body, user_id, FIELD_TEXT, true, 0, ID_MAX)

/* A UUID as it is stored, or a client's own name for something that is not stored. */
static struct text normal_id(struct http_request *r, struct text id)
{
	struct uuid_text uuid;

	return uuid_from_text(id, &uuid) ? text_copy(r, uuid_as_text(&uuid)) : id;
}

/* A track's chat is in the track's session: the client's own counts only when the track is not stored. */
static struct text session_of(struct http_request *r, const struct learning_body *body)
{
	return text_is_uuid(body->track_id) ? (struct text){ 0 } : normal_id(r, body->session_id);
}

/* What an endpoint calls the reply, whether nothing may be told of its chat, and whether it is a 503 without a model. */
struct shape {
	const char *reply;
	bool hidden, needs_model;
};

static void answer_turn(struct http_request *r, struct shape shape, const struct turn_view *turn, const char *error)
{
	CLEANUP(string_done) UT_string json;
	static const struct turn_view none;
	const struct turn_view *t = turn != NULL ? turn : &none;
	bool good = turn != NULL && turn_has_reply(&turn->outcome);

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", good);
	put_opt_text(&json, shape.reply, good ? t->outcome.reply : (struct text){ 0 });
	if (!shape.hidden) {
		put_opt_text(&json, "chat_id", uuid_as_text(&t->chat_id));
		put_opt_text(&json, "turn_id", uuid_as_text(&t->turn_id));
		put_opt_text(&json, "message_id", uuid_as_text(&t->outcome.message_id));
	}
	if (t->lesson_id.s[0] != '\0')
		json_str(&json, "lesson_id", t->lesson_id.s);
	put_opt_tokens(&json, &t->outcome);
	put_opt_text(&json, "model_used", t->outcome.model);
	json_str(&json, "error", good ? NULL : error);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

/* The end of a turn whose failure is soft. turn: NULL when err says why. */
static void answer_soft(struct http_request *r, struct shape shape, const struct turn_view *turn, const struct err *err)
{
	if (turn != NULL && r->wants_events)
		turn_stream(r, turn);
	else if (turn != NULL && shape.needs_model && turn_lacks_model(&turn->outcome))
		problem_word(r, 503, WORD_NOT_CONFIGURED);
	else if (turn != NULL)
		answer_turn(r, shape, turn, turn_why(r, &turn->outcome));
	else if (turn_is_soft(err->rc, shape.needs_model))
		answer_turn(r, shape, NULL, word(r->caller.language, problem_word_of(err->rc)));
	else
		problem_rc(r, err);
}

/* ---- summary ------------------------------------------------------------------------------- */

static void start_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_summary *ans = answer->body;

	if (answer->err.rc == RC_OK && r->wants_events)
		turn_stream(r, &ans->turn);
	else if (answer->err.rc != RC_OK && !turn_is_soft(answer->err.rc, true))
		problem_rc(r, &answer->err);
	else if (answer->err.rc != RC_OK)
		problem_word(r, 500, problem_word_of(answer->err.rc));
	else if (turn_has_reply(&ans->turn.outcome) && ans->turn.outcome.reply.len > 0)
		answer_turn(r, (struct shape){ .reply = "module_summary" }, &ans->turn, NULL);
	else if (turn_lacks_model(&ans->turn.outcome))
		problem_word(r, 503, WORD_NOT_CONFIGURED);
	else
		problem_detail(r, 500, turn_why(r, &ans->turn.outcome));
}

void ai_module_learning_start(struct http_request *r)
{
	static const struct field fields[] = { MODULE_FIELDS };
	struct learning_body body = { 0 };
	struct msg_chat_summary m = { .wait = !r->wants_events };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.session_id = session_of(r, &body);
	m.track_id = normal_id(r, body.track_id);
	m.module_id = normal_id(r, body.module_id);
	m.gateway_in_us = turn_in_us(r);
	turn_ask_or_stream(r, MSG_CHAT_SUMMARY, &m, (struct text){ 0 }, start_on_answer);
}

/* ---- tutor ------------------------------------------------------------------------------------ */

static void chat_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_post *ans = answer->body;

	answer_soft(r, (struct shape){ .reply = "response" }, ans != NULL ? &ans->turn : NULL, &answer->err);
}

void ai_module_chat(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct learning_body, message, FIELD_TEXT, true, 1, MESSAGE_MAX),
		MODULE_FIELDS,
		FIELD_OF(struct learning_body, chat_id, FIELD_LINE, false, 0, ID_MAX),
		FIELD_OF(struct learning_body, client_message_id, FIELD_UUID, false, 0, 0),
	};
	struct learning_body body = { 0 };
	struct msg_chat_post m = { .wait = !r->wants_events };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	if (text_trim(body.message).len == 0) {
		problem_field(r, "message", "string_too_short", "String should have at least 1 character",
			      WORD_FIELD_SHORT);
		return;
	}
	m.session_id = session_of(r, &body);
	m.chat_id = normal_id(r, body.chat_id);
	m.track_id = normal_id(r, body.track_id);
	m.module_id = normal_id(r, body.module_id);
	m.client_message_id = turn_key(r, &body.client_message_id);
	if (m.client_message_id.s[0] == '\0')
		m.client_message_id = id_new();
	m.body = body.message;
	m.message_type = text_from("text");
	m.gateway_in_us = turn_in_us(r);
	turn_ask_or_stream(r, MSG_CHAT_POST, &m, (struct text){ 0 }, chat_on_answer);
}

static void history_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_load *ans = answer->body;

	utstring_init(&json);
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	put_opt_text(&json, "chat_id", uuid_as_text(&ans->chat_id));
	history_json(&json, ans->chat_info, ans->history, ans->message_count);
	json_null(&json, "error");
	json_close(&json, '}');
	http_answer_json(r, &json);
}

void ai_module_chat_history(struct http_request *r)
{
	static const struct field fields[] = {
		MODULE_FIELDS,
		FIELD_OF(struct learning_body, chat_id, FIELD_LINE, false, 0, ID_MAX),
	};
	struct learning_body body = { 0 };
	struct msg_chat_load m = { 0 };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.session_id = session_of(r, &body);
	m.chat_id = normal_id(r, body.chat_id);
	m.track_id = normal_id(r, body.track_id);
	m.module_id = normal_id(r, body.module_id);
	http_ask(r, r->gw->store, MSG_CHAT_LOAD, &m, 0, history_on_answer);
}

/* ---- completion --------------------------------------------------------------------------------- */

static void answer_completed(struct http_request *r, struct text module_id, const struct ans_module_complete *stored)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	json_str(&json, "message", word(r->caller.language, WORD_MODULE_COMPLETED));
	json_text(&json, "module_id", module_id);
	json_str(&json, "status", "completed");
	if (stored != NULL) {
		json_i64(&json, "progress", 100);
		json_text(&json, "completed_at", stored->completed_at);
		json_text(&json, "track_status", stored->track_status);
	}
	json_close(&json, '}');
	http_answer_json(r, &json);
}

static void complete_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_module_complete *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		answer_completed(r, uuid_as_text(&ans->module_id), ans);
}

void ai_module_complete(struct http_request *r)
{
	static const struct field fields[] = { MODULE_FIELDS };
	struct learning_body body = { 0 };
	struct msg_module_complete m = { 0 };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.module_id = normal_id(r, body.module_id);
	if (uuid_from_text(body.track_id, &m.track_id))
		http_ask(r, r->gw->store, MSG_MODULE_COMPLETE, &m, 0, complete_on_answer);
	else
		answer_completed(r, body.module_id,
				 NULL); /* of a track that only the client knows: nothing is stored */
}

/* ---- lessons -------------------------------------------------------------------------------------- */

static void lesson_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_lesson *ans = answer->body;
	bool alone = ans != NULL && ans->turn.lesson_id.s[0] == '\0'; /* nobody sees a chat of it */

	answer_soft(r, (struct shape){ .reply = "content", .hidden = alone, .needs_model = true },
		    ans != NULL ? &ans->turn : NULL, &answer->err);
}

void ai_generate_lesson(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct lesson_body, lesson_title, FIELD_LINE, true, 1, TITLE_MAX),
		FIELD_OF(struct lesson_body, module_context, FIELD_TEXT, true, 0, CONTEXT_MAX),
		FIELD_OF(struct lesson_body, content_type, FIELD_LINE, false, 0, TYPE_MAX),
		FIELD_OF(struct lesson_body, track_id, FIELD_LINE, false, 0, ID_MAX),
		FIELD_OF(struct lesson_body, module_id, FIELD_LINE, false, 0, ID_MAX),
		FIELD_OF(struct lesson_body, lesson_number, FIELD_INT, false, 1, LESSON_NUMBER_MAX),
	};
	struct lesson_body body = { .lesson_number = 1 };
	struct msg_chat_lesson m = { .wait = !r->wants_events };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.track_id = text_is_uuid(body.track_id) ? normal_id(r, body.track_id) : (struct text){ 0 };
	m.module_id = normal_id(r, body.module_id);
	m.lesson_number = body.lesson_number;
	m.lesson_title = body.lesson_title;
	m.content_type = body.content_type.len > 0 ? body.content_type : text_from("lecture");
	m.lesson_context = body.module_context;
	m.gateway_in_us = turn_in_us(r);
	turn_ask_or_stream(r, MSG_CHAT_LESSON, &m, (struct text){ 0 }, lesson_on_answer);
}

static void list_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_lesson_list *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->lessons);
}

void lessons_list(struct http_request *r)
{
	struct msg_lesson_list m = { 0 };

	if (!uuid_from_text(r->match.params[0].value, &m.module_id))
		problem_word(r, 400, WORD_BAD_MODULE_ID);
	else
		http_ask(r, r->gw->store, MSG_LESSON_LIST, &m, 0, list_on_answer);
}

_Static_assert(sizeof(struct ans_lesson_set) == sizeof(struct ans_lesson_get), "both answer the lesson alone");

static void lesson_on_stored(struct http_request *r, const struct answer *answer)
{
	const struct ans_lesson_get *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->lesson);
}

void lessons_get(struct http_request *r)
{
	struct msg_lesson_get m = { 0 };

	if (!uuid_from_text(r->match.params[0].value, &m.lesson_id))
		problem_word(r, 400, WORD_BAD_LESSON_ID);
	else
		http_ask(r, r->gw->store, MSG_LESSON_GET, &m, 0, lesson_on_stored);
}

void lessons_set(struct http_request *r)
{
	static const struct field fields[] = { { "status", FIELD_LINE, true, 1, TYPE_MAX, 0 } };
	struct msg_lesson_set m = { 0 };

	if (!uuid_from_text(r->match.params[0].value, &m.lesson_id))
		problem_word(r, 400, WORD_BAD_LESSON_ID);
	else if (schema_body(r, fields, FIELDS_N(fields), &m.status))
		http_ask(r, r->gw->store, MSG_LESSON_SET, &m, 0, lesson_on_stored);
}
