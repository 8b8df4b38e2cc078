/* One's own account: names, password, removal. */
#include "rest_auth.h"

#include "passwords.h"
#include "problem.h"
#include "rate_limits.h"
#include "revocations.h"
#include "schema.h"

struct account {
	struct text first_name, last_name;
	struct text password, current_password, new_password;
	passwords_done_fn *compared;
	const char *compared_field;
	char *old_hash;
	char *new_hash;
	struct fresh_sign_in fresh;
};

/* ---- names ----------------------------------------------------------------------------- */

static void changed(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_change *ans = answer->body;

	if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->user);
}

void account_change(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct account, first_name, FIELD_LINE, false, 2, 100),
		FIELD_OF(struct account, last_name, FIELD_LINE, false, 2, 100),
	};
	struct account body = { 0 };
	struct msg_user_change m;

	if (!schema_body(r, fields, FIELDS_N(fields), &body))
		return;
	m = (struct msg_user_change){ body.first_name, body.last_name };
	http_ask(r, r->gw->store, MSG_USER_CHANGE, &m, 0, changed);
}

/* ---- the password that must be known --------------------------------------------------------- */

static void on_own_hash(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_get *ans = answer->body;
	struct account *a = r->state;
	struct text given = a->current_password.len > 0 ? a->current_password : a->password;

	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	a->old_hash = text_dup(a, ans->password_hash);
	r->hashing = passwords_check(r->gw->passwords, given, a->old_hash, a->compared, r);
	if (r->hashing == NULL)
		problem_later(r, 503, WORD_BUSY, 5);
}

/* Compares a password with the caller's; guesses are limited like those at the door. */
static void compare(struct http_request *r, const char *field, passwords_done_fn *then)
{
	struct account *a = r->state;

	a->compared = then;
	a->compared_field = field;
	if (auth_slow_down(r, limits_take(r->gw->limits, "own-password", uuid_as_text(&r->caller.user_id),
					  r->gw->config->login_rate_per_minute)))
		return;
	http_ask(r, r->gw->store, MSG_USER_GET, &(struct msg_user_get){ .with_password = true }, 0, on_own_hash);
}

/* False was answered with 422. */
static bool fits(struct http_request *r, const struct passwords_result *result)
{
	const struct account *a = r->state;

	r->hashing = NULL;
	if (result->fits)
		return true;
	problem_field(r, a->compared_field, "value_error", "Wrong password", WORD_WRONG_PASSWORD);
	return false;
}

/* ---- a new password ---------------------------------------------------------------------------- */

static void password_on_changed(struct http_request *r, const struct answer *answer)
{
	const struct ans_password_change *ans = answer->body;
	const struct account *a = r->state;

	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	revocations_end_user(r->gw->revocations, &r->caller.user_id, ans->signed_in.token_version);
	auth_answer_signed_in(r, &r->caller, ans->user, &ans->signed_in, a->fresh.token);
}

static void password_on_hash(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;
	struct account *a = r->state;
	struct msg_password_change m;

	r->hashing = NULL;
	a->new_hash = talloc_strdup(a, result->hash);
	fresh_sign_in_make(&a->fresh);
	m = (struct msg_password_change){ text_from(a->old_hash), text_from(a->new_hash), a->fresh.id,
					  text_from(a->fresh.hash) };
	http_ask(r, r->gw->store, MSG_PASSWORD_CHANGE, &m, 0, password_on_changed);
}

static void password_on_compared(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;
	struct account *a = r->state;

	if (!fits(r, result))
		return;
	r->hashing = passwords_check(r->gw->passwords, a->new_password, NULL, password_on_hash, r);
	if (r->hashing == NULL)
		problem_later(r, 503, WORD_BUSY, 5);
}

void account_password(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct account, current_password, FIELD_TEXT, true, 1, PASSWORD_MAX),
		FIELD_OF(struct account, new_password, FIELD_TEXT, true, 0, PASSWORD_MAX),
	};
	struct account *a = talloc_zero(r, struct account);

	r->state = a;
	if (!schema_body(r, fields, FIELDS_N(fields), a) || !auth_password_is_good(r, "new_password", a->new_password))
		return;
	if (r->caller.kind == CALLER_GUEST)
		problem_word(r, 403, WORD_NO_PASSWORD);
	else
		compare(r, "current_password", password_on_compared);
}

/* ---- removal ---------------------------------------------------------------------------------------- */

static void on_removed(struct http_request *r, const struct answer *answer)
{
	if (answer->err.rc == RC_CONFLICT && strcmp(answer->err.field, "role") == 0) {
		problem_word(r, 409, WORD_LAST_ADMIN);
		return;
	}
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	revocations_end_user(r->gw->revocations, &r->caller.user_id, r->sign_in.version + 1);
	auth_clear_cookies(r);
	auth_answer_done(r, WORD_ACCOUNT_REMOVED);
}

static void removal_on_compared(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;
	const struct account *a = r->state;
	struct msg_user_remove m = { .password_hash = text_from(a->old_hash) };

	if (fits(r, result))
		http_ask(r, r->gw->store, MSG_USER_REMOVE, &m, 0, on_removed);
}

void account_remove(struct http_request *r)
{
	static const struct field fields[] = { FIELD_OF(struct account, password, FIELD_TEXT, true, 1, PASSWORD_MAX) };
	struct account *a = talloc_zero(r, struct account);

	r->state = a;
	if (r->caller.kind == CALLER_GUEST)
		http_ask(r, r->gw->store, MSG_USER_REMOVE, &(struct msg_user_remove){ 0 }, 0, on_removed);
	else if (r->json == NULL)
		problem_field(r, "password", "missing", "Field required", WORD_FIELD_MISSING);
	else if (schema_body(r, fields, FIELDS_N(fields), a))
		compare(r, "password", removal_on_compared);
}
