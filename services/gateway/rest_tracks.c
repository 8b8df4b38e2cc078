#include "rest.h"

#include <ctype.h>

#include "ids.h"
#include "problem.h"
#include "schema.h"

#define SKILL_AREA_MAX 100

struct track_body {
	struct text title, description, skill_area, difficulty_level, user_expectations, language;
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
	http_ask(r, r->gw->store, MSG_TRACK_LIST, &(struct msg_track_list){}, 0, list_on_answer);
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

	if (!uuid_from_text(r->match.params[0], &m.track_id))
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
		problem_field(r, "Idempotency-Key", "value_error", "Used for another track", WORD_CMID_CONFLICT);
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else {
		begin_welcome(r, &ans->session_id);
		http_answer(r, 200, NULL, ans->track);
	}
}

/* Any case of letters; false was answered with 400. */
static bool read_difficulty(struct http_request *r, struct text *level)
{
	static const char *const levels[] = { "beginner", "intermediate", "advanced" };
	char *lower = text_dup(r, text_trim(*level));

	for (char *p = lower; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < 3; i++)
		if (strcmp(lower, levels[i]) == 0) {
			*level = text_from(levels[i]);
			return true;
		}
	problem_about(r, 400, WORD_BAD_DIFFICULTY, "difficulty_level");
	return false;
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
		problem_word(r, 400, WORD_BAD_KEY);
		return;
	}
	ask_for_track(r, body);
}
