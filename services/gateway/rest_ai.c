#include "rest.h"
#include "rest_turn.h"

#include "ids.h"
#include "problem.h"
#include "schema.h"

#define MESSAGE_MAX 32000
#define ID_MAX 200

struct ai_body {
	struct text session_id, user_id, skill_area, user_expectations, difficulty_level;
	int64_t duration_hours;
	struct text message, chat_id, track_context, track_id, course_plan;
	struct uuid_text client_message_id;
};

/* ---- replies -------------------------------------------------------------------------------- */

/* The reply of a turn under the name an endpoint gives it. turn NULL: there is none. */
static void answer_reply(struct http_request *r, const char *key, const struct turn_view *turn, const char *error)
{
	CLEANUP(string_done) UT_string json;
	static const struct turn_view none;
	const struct turn_view *t = turn != NULL ? turn : &none;
	bool good = turn != NULL && turn_has_reply(&turn->outcome);

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", good);
	put_opt_text(&json, key, good ? t->outcome.reply : (struct text){ 0 });
	put_opt_text(&json, "chat_id", uuid_as_text(&t->chat_id));
	put_opt_tokens(&json, &t->outcome);
	put_opt_text(&json, "model_used", t->outcome.model);
	put_opt_text(&json, "turn_id", uuid_as_text(&t->turn_id));
	put_opt_text(&json, "message_id", uuid_as_text(&t->outcome.message_id));
	json_str(&json, "error", good ? NULL : error);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

/* ---- welcome ------------------------------------------------------------------------------- */

static void welcome_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_welcome *ans = answer->body;
	enum rc rc = answer->err.rc;

	if (rc == RC_OK && r->wants_events)
		turn_stream(r, &ans->turn);
	else if (rc == RC_OK)
		answer_reply(r, "message", &ans->turn, turn_why(r, &ans->turn.outcome));
	else if (turn_is_soft(rc, false))
		answer_reply(r, "message", NULL, word(r->caller.language, problem_word_of(rc)));
	else
		problem_rc(r, &answer->err);
}

void ai_welcome_message(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct ai_body, session_id, FIELD_LINE, true, 1, ID_MAX),
		FIELD_OF(struct ai_body, user_id, FIELD_TEXT, true, 0, ID_MAX),
		FIELD_OF(struct ai_body, skill_area, FIELD_LINE, true, 0, 255),
		FIELD_OF(struct ai_body, user_expectations, FIELD_TEXT, true, 0, 10000),
		FIELD_OF(struct ai_body, difficulty_level, FIELD_LINE, true, 0, 50),
		FIELD_OF(struct ai_body, duration_hours, FIELD_INT, true, 0, 100000),
	};
	struct ai_body body = { 0 };
	struct msg_chat_welcome m = { .wait = !r->wants_events };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.session_id = body.session_id;
	m.skill_area = body.skill_area;
	m.difficulty_level = body.difficulty_level;
	m.hours = body.duration_hours;
	m.expectations = body.user_expectations;
	m.language = text_from(r->caller.language);
	m.gateway_in_us = turn_in_us(r);
	turn_ask_or_stream(r, MSG_CHAT_WELCOME, &m, body.session_id, welcome_on_answer);
}

/* ---- one message ------------------------------------------------------------------------------ */

static void response_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_post *ans = answer->body;
	enum rc rc = answer->err.rc;

	if (rc == RC_OK && r->wants_events)
		turn_stream(r, &ans->turn);
	else if (rc == RC_OK && turn_lacks_model(&ans->turn.outcome))
		problem_word(r, 503, WORD_NOT_CONFIGURED);
	else if (rc == RC_OK)
		answer_reply(r, "response", &ans->turn, turn_why(r, &ans->turn.outcome));
	else if (turn_is_soft(rc, true))
		answer_reply(r, "response", NULL, word(r->caller.language, problem_word_of(rc)));
	else
		problem_rc(r, &answer->err);
}

static struct uuid_text message_id(struct http_request *r, const struct ai_body *body)
{
	struct uuid_text id = turn_key(r, &body->client_message_id);

	return id.s[0] != '\0' ? id : id_new();
}

void ai_chat_response(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct ai_body, message, FIELD_TEXT, true, 0, MESSAGE_MAX),
		FIELD_OF(struct ai_body, session_id, FIELD_LINE, true, 1, ID_MAX),
		FIELD_OF(struct ai_body, chat_id, FIELD_LINE, false, 0, ID_MAX),
		FIELD_OF(struct ai_body, track_context, FIELD_TEXT, false, 0, 10000),
		FIELD_OF(struct ai_body, client_message_id, FIELD_UUID, false, 0, 0),
	};
	struct ai_body body = { 0 };
	struct msg_chat_post m = { .wait = !r->wants_events };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	if (text_trim(body.message).len == 0) {
		problem_field(r, "message", "string_too_short", "String should have at least 1 character",
			      WORD_FIELD_SHORT);
		return;
	}
	m.session_id = body.session_id;
	m.chat_id = body.chat_id;
	m.client_message_id = message_id(r, &body);
	m.body = body.message;
	m.message_type = text_from("text");
	m.course = text_trim(body.track_context); /* a stored track is known better than that */
	m.gateway_in_us = turn_in_us(r);
	turn_ask_or_stream(r, MSG_CHAT_POST, &m, body.session_id, response_on_answer);
}

/* ---- finalization --------------------------------------------------------------------------------- */

/* Objects in a JSON array that our own store wrote. */
static int64_t count_modules(struct text modules)
{
	CLEANUP(json_drop) cJSON *tree = json_parse_trusted(modules);

	return cJSON_IsArray(tree) ? cJSON_GetArraySize(tree) : 0;
}

static void answer_modules(struct http_request *r, const struct turn_view *turn, const char *error)
{
	CLEANUP(string_done) UT_string json;
	static const struct turn_view none;
	const struct turn_view *t = turn != NULL ? turn : &none;
	bool good = turn != NULL && turn_has_reply(&turn->outcome) && turn->outcome.modules.len > 0;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", good);
	if (good) {
		json_i64(&json, "modules_count", count_modules(t->outcome.modules));
		json_raw(&json, "modules", t->outcome.modules);
	} else {
		json_null(&json, "modules_count");
		json_null(&json, "modules");
	}
	if (good && t->outcome.changes.len > 0)
		json_raw(&json, "changes", t->outcome.changes);
	else
		json_null(&json, "changes");
	put_opt_text(&json, "track_id", *(const struct text *)r->state);
	put_opt_text(&json, "chat_id", uuid_as_text(&t->chat_id));
	put_opt_tokens(&json, &t->outcome);
	put_opt_text(&json, "model_used", t->outcome.model);
	json_str(&json, "error", good ? NULL : error);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

/* There is no plan: nothing was said yet, or in a session of the client's own naming that nobody has used. */
static bool has_no_plan(const struct http_request *r, const struct err *err)
{
	if (err->rc == RC_INVALID)
		return strcmp(err->field, "course_plan") == 0;
	return err->rc == RC_NOT_FOUND && strcmp(err->field, "session_id") == 0 &&
	       !text_is_uuid(text_trim(json_get_text(r->json, "session_id")));
}

static void finalize_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_finalize *ans = answer->body;
	enum rc rc = answer->err.rc;

	if (rc == RC_OK)
		answer_modules(r, &ans->turn, turn_why(r, &ans->turn.outcome));
	else if (turn_is_soft(rc, false))
		answer_modules(r, NULL, word(r->caller.language, problem_word_of(rc)));
	else if (has_no_plan(r, &answer->err))
		answer_modules(r, NULL, word(r->caller.language, WORD_NO_PLAN));
	else
		problem_rc(r, &answer->err);
}

void ai_finalize_course_plan(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct ai_body, session_id, FIELD_LINE, true, 1, ID_MAX),
		FIELD_OF(struct ai_body, user_id, FIELD_TEXT, true, 0, ID_MAX),
		FIELD_OF(struct ai_body, skill_area, FIELD_LINE, true, 0, 255),
		FIELD_OF(struct ai_body, track_id, FIELD_LINE, true, 1, ID_MAX),
		FIELD_OF(struct ai_body, course_plan, FIELD_TEXT, false, 0, 100000),
		FIELD_OF(struct ai_body, client_message_id, FIELD_UUID, false, 0, 0),
	};
	struct ai_body body = { 0 };
	struct msg_chat_finalize m = { .wait = true };
	struct text *track_id = talloc(r, struct text);

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.session_id = body.session_id;
	m.track_id = body.track_id;
	m.course_plan = text_trim(body.course_plan);
	m.client_message_id = turn_key(r, &body.client_message_id);
	*track_id = body.track_id;
	r->state = track_id;
	m.gateway_in_us = turn_in_us(r);
	turn_ask(r, MSG_CHAT_FINALIZE, &m, finalize_on_answer);
}

/* ---- a course plan as JSON ---------------------------------------------------------------------------- */

static void answer_plan(struct http_request *r, const struct turn_view *turn, const char *error)
{
	CLEANUP(string_done) UT_string json;
	static const struct turn_view none;
	const struct turn_view *t = turn != NULL ? turn : &none;
	bool good = turn != NULL && turn_has_reply(&turn->outcome);

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", good);
	if (good && t->outcome.course_plan.len > 0) {
		json_raw(&json, "plan", t->outcome.course_plan);
	} else if (good) {
		json_open(&json, "plan", '{');
		json_text(&json, "raw_response", t->outcome.reply);
		json_close(&json, '}');
	} else {
		json_null(&json, "plan");
	}
	put_opt_text(&json, "track_id", *(const struct text *)r->state);
	put_opt_tokens(&json, &t->outcome);
	put_opt_text(&json, "model_used", t->outcome.model);
	json_str(&json, "error", good ? NULL : error);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

static void plan_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_chat_plan *ans = answer->body;
	enum rc rc = answer->err.rc;

	if (rc == RC_OK && turn_lacks_model(&ans->turn.outcome))
		problem_word(r, 503, WORD_NOT_CONFIGURED);
	else if (rc == RC_OK)
		answer_plan(r, &ans->turn, turn_why(r, &ans->turn.outcome));
	else if (turn_is_soft(rc, true))
		answer_plan(r, NULL, word(r->caller.language, problem_word_of(rc)));
	else
		problem_rc(r, &answer->err);
}

void ai_generate_plan(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct ai_body, track_id, FIELD_LINE, true, 1, ID_MAX),
		FIELD_OF(struct ai_body, user_expectations, FIELD_TEXT, true, 0, 10000),
		FIELD_OF(struct ai_body, client_message_id, FIELD_UUID, false, 0, 0),
	};
	struct ai_body body = { 0 };
	struct msg_chat_plan m = { .wait = true };
	struct text *track_id = talloc(r, struct text);

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	if (!uuid_from_text(body.track_id, &m.track_id)) {
		problem_about(r, 400, WORD_BAD_TRACK_ID, "track_id");
		return;
	}
	m.wishes = body.user_expectations;
	m.client_message_id = turn_key(r, &body.client_message_id);
	*track_id = body.track_id;
	r->state = track_id;
	m.gateway_in_us = turn_in_us(r);
	turn_ask(r, MSG_CHAT_PLAN, &m, plan_on_answer);
}
