#include "rest.h"

#include <strings.h>

#include "asked.h"
#include "changed.h"
#include "ids.h"
#include "problem.h"
#include "query.h"
#include "schema.h"

#define SKILL_AREA_MAX 100

struct track_body {
	struct text title, description, skill_area, difficulty_level, user_expectations, language, status;
	int64_t estimated_duration_hours;
};

static void list_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_track_list *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->tracks);
}

void tracks_list(struct http_request *r)
{
	struct msg_track_list m = { 0 };

	if (query_page(r, &m.limit, &m.after))
		http_ask(r, r->gw->store, MSG_TRACK_LIST, &m, 0, list_on_answer);
}

static void get_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_track_get *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->track);
}

void tracks_get(struct http_request *r)
{
	struct msg_track_get m;

	if (!uuid_from_text(r->match.params[0].value, &m.track_id))
		problem_word(r, 400, WORD_BAD_TRACK_ID);
	else
		http_ask(r, r->gw->store, MSG_TRACK_GET, &m, 0, get_on_answer);
}

/* ---- create ------------------------------------------------------------------------- */

static void welcome_on_answer(void *arg, const struct answer *answer)
{
	struct gateway *gw = arg;

	/* chat finds the waiting welcome by itself as well: nothing is lost */
	if (answer->err.rc != RC_OK)
		log_warning(&gw->log, "tracks.welcome", "rc=%s reason=\"%s\"", rc_name(answer->err.rc),
			    answer->err.message);
}

/* The plan is begun at once, so that it streams in when the page opens the session. */
static void begin_welcome(struct http_request *r, const struct uuid_text *session_id)
{
	struct msg_chat_welcome m = { .session_id = uuid_as_text(session_id) };
	struct ask ask = { .caller = r->caller, .trace = r->trace };

	bus_request(r->gw->chat, MSG_CHAT_WELCOME, &m, &ask, welcome_on_answer, r->gw);
}

static void create_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_track_create *ans = answer->body;

	if (answer->err.rc == RC_CMID_CONFLICT || answer->err.rc == RC_CONFLICT) {
		problem_header(r, "Idempotency-Key", "value_error", "Used for another track", WORD_CMID_CONFLICT);
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else {
		if (ans->created)
			begin_welcome(r, &ans->session_id);
		http_answer(r, 200, NULL, ans->track);
	}
}

/* One of these names (NULL ends them) in any case of letters; false was answered with 400. */
static bool read_name(struct http_request *r, const char *field, const char *const *names, enum word fault,
		      struct text *value)
{
	char *given = text_dup(r, text_trim(*value));

	for (; *names != NULL; names++)
		if (strcasecmp(given, *names) == 0) {
			*value = text_from(*names);
			return true;
		}
	problem_about(r, 400, fault, field);
	return false;
}

static bool read_difficulty(struct http_request *r, struct text *level)
{
	static const char *const levels[] = { "beginner", "intermediate", "advanced", NULL };

	return read_name(r, "difficulty_level", levels, WORD_BAD_DIFFICULTY, level);
}

/* The first n characters. */
static struct text cut(struct text t, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < t.len; i++)
		if (((unsigned char)t.p[i] & 0xC0) != 0x80 && ++chars > n)
			return text_of(t.p, i);
	return t;
}

static bool key_is_good(struct text key)
{
	for (size_t i = 0; i < key.len; i++)
		if ((unsigned char)key.p[i] <= 0x20 || (unsigned char)key.p[i] >= 0x7F)
			return false;
	return key.len <= 128;
}

/* As it was asked for: what follows from other headers is no part of it. */
static struct text track_asked(struct http_request *r, const struct track_body *body)
{
	const struct text hours = text_from(talloc_asprintf(r, "%lld", (long long)body->estimated_duration_hours));
	const struct text parts[] = { body->title, body->description,       body->skill_area, body->difficulty_level,
				      hours,       body->user_expectations, body->language };

	return asked_hash(r, parts, sizeof(parts) / sizeof(parts[0]));
}

static void ask_for_track(struct http_request *r, const struct track_body *body)
{
	char language[3];
	struct msg_track_create m = { .track_id = id_new(),
				      .session_id = id_new(),
				      .chat_id = id_new(),
				      .turn_id = id_new(),
				      .key = r->idempotency_key,
				      .title = body->title,
				      .description = body->description,
				      .skill_area = body->skill_area,
				      .difficulty_level = body->difficulty_level,
				      .hours = body->estimated_duration_hours,
				      .expectations = body->user_expectations };

	if (!language_from_name(body->language, language))
		memcpy(language, r->caller.language, sizeof(language));
	m.language = text_from(language);
	m.body_hash = track_asked(r, body);
	if (m.skill_area.len == 0)
		m.skill_area = cut(m.title, SKILL_AREA_MAX);
	http_ask(r, r->gw->store, MSG_TRACK_CREATE, &m, 0, create_on_answer);
}

void tracks_create(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct track_body, title, FIELD_LINE, true, 1, 255),
		FIELD_OF(struct track_body, description, FIELD_TEXT, true, 0, 10000),
		FIELD_OF(struct track_body, skill_area, FIELD_LINE, false, 0, SKILL_AREA_MAX),
		FIELD_OF(struct track_body, difficulty_level, FIELD_TEXT, true, 0, 100),
		FIELD_OF(struct track_body, estimated_duration_hours, FIELD_INT, true, 1, 500),
		FIELD_OF(struct track_body, user_expectations, FIELD_TEXT, true, 0, 10000),
		FIELD_OF(struct track_body, language, FIELD_TEXT, false, 0, 100),
	};
	struct track_body *body = talloc_zero(r, struct track_body);

	if (!schema_body(r, fields, FIELDS_N(fields), body) || !read_difficulty(r, &body->difficulty_level))
		return;
	if (body->language.len > 0 && !text_is(body->language, "ru") && !text_is(body->language, "en")) {
		problem_field(r, "language", "literal_error", "Input should be 'ru' or 'en'", WORD_FIELD_CHOICE);
		return;
	}
	if (!key_is_good(r->idempotency_key)) {
		problem_about(r, 400, WORD_BAD_KEY, "Idempotency-Key");
		return;
	}
	ask_for_track(r, body);
}

/* ---- change and delete ------------------------------------------------------------------ */

static void update_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_track_update *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->track);
}

/* What was given: false was answered with 400. */
static bool read_choices(struct http_request *r, struct track_body *body)
{
	static const char *const statuses[] = { "planning", "active", "completed", "paused", NULL };

	return (body->difficulty_level.p == NULL || read_difficulty(r, &body->difficulty_level)) &&
	       (body->status.p == NULL || read_name(r, "status", statuses, WORD_BAD_TRACK_STATUS, &body->status));
}

/* A member of a body that was not given, or was null, has p NULL. */
static bool is_emptied(struct text value)
{
	return value.p != NULL && value.len == 0;
}

void tracks_update(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct track_body, title, FIELD_LINE, false, 1, 255),
		FIELD_OF(struct track_body, description, FIELD_TEXT, false, 0, 10000),
		FIELD_OF(struct track_body, skill_area, FIELD_LINE, false, 1, SKILL_AREA_MAX),
		FIELD_OF(struct track_body, difficulty_level, FIELD_TEXT, false, 0, 100),
		FIELD_OF(struct track_body, estimated_duration_hours, FIELD_INT, false, 1, 500),
		FIELD_OF(struct track_body, user_expectations, FIELD_TEXT, false, 0, 10000),
		FIELD_OF(struct track_body, status, FIELD_TEXT, false, 0, 100),
	};
	struct track_body body = { 0 };
	struct msg_track_update m;

	if (!uuid_from_text(r->match.params[0].value, &m.track_id)) {
		problem_word(r, 400, WORD_BAD_TRACK_ID);
		return;
	}
	if (!schema_body(r, fields, FIELDS_N(fields), &body) || !read_choices(r, &body))
		return;
	m = (struct msg_track_update){ .track_id = m.track_id,
				       .title = body.title,
				       .description = body.description,
				       .no_description = is_emptied(body.description),
				       .skill_area = body.skill_area,
				       .difficulty_level = body.difficulty_level,
				       .hours = body.estimated_duration_hours,
				       .expectations = body.user_expectations,
				       .no_expectations = is_emptied(body.user_expectations),
				       .status = body.status };
	http_ask(r, r->gw->store, MSG_TRACK_UPDATE, &m, 0, update_on_answer);
}

static void delete_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_track_delete *ans = answer->body;
	struct uuid_text track_id;

	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	if (uuid_from_text(r->match.params[0].value, &track_id))
		changed_tell(r, "deleted", ans->told, &track_id);
	http_answer_done(r, WORD_TRACK_DELETED);
}

void tracks_delete(struct http_request *r)
{
	struct msg_track_delete m;

	if (!uuid_from_text(r->match.params[0].value, &m.track_id))
		problem_word(r, 400, WORD_BAD_TRACK_ID);
	else
		http_ask(r, r->gw->store, MSG_TRACK_DELETE, &m, 0, delete_on_answer);
}
