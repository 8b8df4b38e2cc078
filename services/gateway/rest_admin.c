/* For administrators. Whether the caller is one, store decides in its own statement. */
#include "rest_auth.h"

#include <ctype.h>

#include "problem.h"
#include "revocations.h"
#include "schema.h"

#define LIMIT 50
#define LIMIT_MAX 200

static void users_on_answer(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_admin_users *ans = answer->body;

	utstring_init(&json);
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	json_open(&json, NULL, '{');
	json_raw(&json, "users", ans->users);
	if (ans->next.s[0] != '\0')
		json_str(&json, "next", ans->next.s);
	else
		json_null(&json, "next");
	json_close(&json, '}');
	http_answer_json(r, &json);
}

/* False was answered with 422. */
static bool read_limit(struct http_request *r, int64_t *out)
{
	struct text text = http_query(r, "limit");
	int64_t n = 0;

	*out = LIMIT;
	if (text.len == 0)
		return true;
	for (size_t i = 0; i < text.len; i++)
		n = isdigit((unsigned char)text.p[i]) && n <= LIMIT_MAX ? n * 10 + (text.p[i] - '0') : LIMIT_MAX + 1;
	*out = n;
	if (n >= 1 && n <= LIMIT_MAX)
		return true;
	problem_query(r, "limit", "int_parsing", "Input should be an integer from 1 to 200", WORD_FIELD_RANGE);
	return false;
}

void admin_users(struct http_request *r)
{
	struct msg_admin_users m = { .query = text_trim(http_query(r, "query")) };
	struct text after = http_query(r, "after");

	if (!read_limit(r, &m.limit))
		return;
	if (text_chars(m.query) > 200 || !text_is_utf8(m.query))
		problem_query(r, "query", "string_too_long", "String should have at most 200 characters",
			      WORD_FIELD_LONG);
	else if (after.len > 0 && !uuid_from_text(after, &m.after))
		problem_query(r, "after", "uuid_parsing", "Input should be a valid UUID", WORD_FIELD_UUID);
	else
		http_ask(r, r->gw->store, MSG_ADMIN_USERS, &m, 0, users_on_answer);
}

struct active_body {
	bool is_active;
};

static void active_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_admin_set_active *ans = answer->body;
	struct uuid_text user_id;

	if (answer->err.rc == RC_CONFLICT) {
		problem_word(r, 409, WORD_NOT_YOURSELF);
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else {
		/* Here at once; other gateways learn it from store. */
		if (uuid_from_text(r->match.params[0].value, &user_id))
			revocations_end_user(r->gw->revocations, &user_id, ans->token_version);
		http_answer(r, 200, NULL, ans->user);
	}
}

void admin_set_active(struct http_request *r)
{
	static const struct field fields[] = { FIELD_OF(struct active_body, is_active, FIELD_FLAG, true, 0, 0) };
	struct active_body body = { 0 };
	struct msg_admin_set_active m = { 0 };

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m.is_active = body.is_active;
	uuid_from_text(r->match.params[0].value, &m.user_id); /* what is no id is nobody's */
	http_ask(r, r->gw->store, MSG_ADMIN_SET_ACTIVE, &m, 0, active_on_answer);
}
