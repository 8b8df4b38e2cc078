#include "rest_auth.h"

#include <ctype.h>

#include "auth.h"
#include "ids.h"
#include "rate_limits.h"
#include "passwords.h"
#include "problem.h"
#include "revocations.h"
#include "schema.h"

#define PASSWORD_MIN 8
#define KEY_MOVE_MS 3000 /* without a worker the settings stay behind, the person does not */

struct credentials {
	struct text email, password, first_name, last_name;
	struct uuid_text user_id;
	char *old_hash; /* NULL: no such account */
	struct fresh_sign_in fresh;
	struct text guest_token;
	struct token guest; /* whose work is taken over; nobody: none */
	struct text guest_key,
		guest_key_moved; /* his key, and the same sealed for the account; empty: none, or it stays */
	char *new_hash;
	void (*enter)(struct http_request *r); /* when that is settled */
};

/* ---- whose work is taken over ---------------------------------------------------------------- */

static bool is_guest(struct http_request *r, struct text text, struct token *out)
{
	struct token token;
	struct err err = { 0 };

	if (!token_read(r->gw->tokens, text, &token, &err) || token.caller.kind != CALLER_GUEST ||
	    !revocations_allow(r->gw->revocations, &token))
		return false;
	*out = token;
	return true;
}

/* A guest_token that is none was answered with 422; another Authorization header means nothing here. */
static bool read_guest(struct http_request *r)
{
	struct credentials *c = r->state;
	struct text text = { 0 };

	if (c->guest_token.len == 0) {
		if (bearer_split(r->authorization, &text) == BEARER_TOKEN)
			is_guest(r, text, &c->guest);
		return true;
	}
	if (is_guest(r, c->guest_token, &c->guest))
		return true;
	problem_field(r, "guest_token", "value_error", "Not a valid token of a guest", WORD_BAD_GUEST_TOKEN);
	return false;
}

/* Without it he takes over all but the settings. */
static void key_on_moved(struct http_request *r, const struct answer *answer)
{
	const struct ans_key_move *a = answer->body;
	struct credentials *c = r->state;

	if (a != NULL) {
		c->guest_key = text_copy(c, a->old_key);
		c->guest_key_moved = text_copy(c, a->new_key);
	} else {
		log_warning(&r->log, "auth.key_move", "rc=%s reason=\"%s\"", rc_name(answer->err.rc),
			    answer->err.message);
	}
	c->enter(r);
}

/* Has a guest's key sealed for the account, then enters. */
static void move_key(struct http_request *r, const struct uuid_text *user_id, void (*enter)(struct http_request *r))
{
	struct credentials *c = r->state;
	struct msg_key_move m = { .user_id = *user_id };

	c->enter = enter;
	if (c->guest.caller.kind == CALLER_GUEST)
		http_ask_as(r, &c->guest.caller, r->gw->chat, MSG_KEY_MOVE, &m, KEY_MOVE_MS, key_on_moved);
	else
		enter(r);
}

/* ---- register ------------------------------------------------------------------------------ */

static bool password_is_good(struct text password)
{
	bool letter = false, digit = false;

	for (size_t i = 0; i < password.len; i++) {
		unsigned char c = (unsigned char)password.p[i];

		digit = digit || isdigit(c);
		letter = letter || isalpha(c) || c >= 0x80;
	}
	return text_chars(password) >= PASSWORD_MIN && letter && digit;
}

bool auth_password_is_good(struct http_request *r, const char *field, struct text password)
{
	if (password_is_good(password))
		return true;
	problem_field(r, field, "value_error", "Password should have at least 8 characters, a letter and a digit",
		      WORD_FIELD_PASSWORD);
	return false;
}

static void register_on_created(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_create *ans = answer->body;
	const struct credentials *c = r->state;
	struct caller who = { .user_id = c->user_id, .kind = CALLER_USER };

	if (answer->err.rc == RC_CONFLICT)
		problem_word(r, 400, WORD_EMAIL_TAKEN);
	else if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		auth_answer_claimed(r, &who, ans->user, &ans->signed_in, c->fresh.token, &c->guest);
}

static void register_enter(struct http_request *r)
{
	const struct credentials *c = r->state;
	struct msg_user_create m = { .user_id = c->user_id,
				     .email = c->email,
				     .password_hash = text_from(c->new_hash),
				     .first_name = c->first_name,
				     .last_name = c->last_name,
				     .sign_in_id = c->fresh.id,
				     .refresh_hash = text_from(c->fresh.hash),
				     .guest_id = c->guest.caller.user_id,
				     .guest_key = c->guest_key,
				     .guest_key_moved = c->guest_key_moved };

	http_ask(r, r->gw->store, MSG_USER_CREATE, &m, 0, register_on_created);
}

static void register_on_hash(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;
	struct credentials *c = r->state;

	r->hashing = NULL;
	c->new_hash = talloc_strdup(c, result->hash);
	move_key(r, &c->user_id, register_enter);
}

static void start_hashing(struct http_request *r, struct text password, const char *hash, passwords_done_fn *done)
{
	r->hashing = passwords_check(r->gw->passwords, password, hash, done, r);
	if (r->hashing == NULL)
		problem_later(r, 503, WORD_BUSY, 5);
}

void auth_register(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct credentials, email, FIELD_EMAIL, true, 0, 0),
		FIELD_OF(struct credentials, password, FIELD_TEXT, true, 0, PASSWORD_MAX),
		FIELD_OF(struct credentials, first_name, FIELD_LINE, true, 2, 100),
		FIELD_OF(struct credentials, last_name, FIELD_LINE, true, 2, 100),
		FIELD_OF(struct credentials, guest_token, FIELD_TEXT, false, 0, TOKEN_MAX),
	};
	struct credentials *c = talloc_zero(r, struct credentials);

	r->state = c;
	if (!schema_body(r, fields, FIELDS_N(fields), c))
		return;
	if (!auth_password_is_good(r, "password", c->password) || !read_guest(r))
		return;
	if (auth_slow_down(r, limits_take(r->gw->limits, "register", text_from(r->conn->address->name),
					  r->gw->config->login_rate_per_minute)))
		return;
	c->user_id = id_new();
	fresh_sign_in_make(&c->fresh);
	start_hashing(r, c->password, NULL, register_on_hash);
}

/* ---- login ----------------------------------------------------------------------------------- */

static void renewed(void *arg, const struct answer *answer)
{
	struct gateway *gw = arg;

	if (answer->err.rc != RC_OK)
		log_warning(&gw->log, "auth.rehash", "rc=%s reason=\"%s\"", rc_name(answer->err.rc),
			    answer->err.message);
}

/* The old hash was made in another way: the login does not wait for the new one to be stored. */
static void renew_hash(struct http_request *r, const struct caller *who, const char *new_hash)
{
	const struct credentials *c = r->state;
	struct msg_user_set_password m = { text_from(c->old_hash), text_from(new_hash) };
	struct ask ask = { .caller = *who, .trace = r->trace };

	bus_request(r->gw->store, MSG_USER_SET_PASSWORD, &m, &ask, renewed, r->gw);
}

static void login_on_signed_in(struct http_request *r, const struct answer *answer)
{
	const struct ans_sign_in *ans = answer->body;
	const struct credentials *c = r->state;

	if (answer->err.rc == RC_FORBIDDEN)
		problem_word(r, 400, WORD_INACTIVE); /* disabled while the password was compared */
	else if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		auth_answer_claimed(r, &r->caller, ans->user, &ans->signed_in, c->fresh.token, &c->guest);
}

static void login_enter(struct http_request *r)
{
	const struct credentials *c = r->state;
	struct msg_sign_in m = { .sign_in_id = c->fresh.id,
				 .refresh_hash = text_from(c->fresh.hash),
				 .guest_id = c->guest.caller.user_id,
				 .guest_key = c->guest_key,
				 .guest_key_moved = c->guest_key_moved };

	http_ask(r, r->gw->store, MSG_SIGN_IN, &m, 0, login_on_signed_in);
}

static void login_on_compared(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;
	struct credentials *c = r->state;

	r->hashing = NULL;
	if (c->old_hash == NULL || !result->fits) {
		problem_unauthorized(r, WORD_BAD_CREDENTIALS);
		return;
	}
	limits_login_good(r->gw->limits, r->conn->address->name, c->email);
	r->caller.user_id = c->user_id;
	r->caller.kind = CALLER_USER;
	if (result->hash[0] != '\0')
		renew_hash(r, &r->caller, result->hash);
	fresh_sign_in_make(&c->fresh);
	move_key(r, &c->user_id, login_enter);
}

static void login_on_inactive(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;

	r->hashing = NULL;
	if (result->fits)
		problem_word(r, 400, WORD_INACTIVE);
	else
		problem_unauthorized(r, WORD_BAD_CREDENTIALS);
}

static void login_on_user(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_by_email *ans = answer->body;
	struct credentials *c = r->state;

	if (answer->err.rc != RC_OK && answer->err.rc != RC_NOT_FOUND) {
		problem_rc(r, &answer->err);
		return;
	}
	/* An unknown address costs a hash as well: the answer comes no sooner. */
	if (answer->err.rc == RC_NOT_FOUND || ans->password_hash.len == 0) {
		start_hashing(r, c->password, NULL, login_on_compared);
		return;
	}
	c->user_id = ans->user_id;
	c->old_hash = text_dup(c, ans->password_hash);
	start_hashing(r, c->password, c->old_hash, ans->is_active ? login_on_compared : login_on_inactive);
}

void auth_login(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct credentials, email, FIELD_EMAIL, true, 0, 0),
		FIELD_OF(struct credentials, password, FIELD_TEXT, true, 0, PASSWORD_MAX),
		FIELD_OF(struct credentials, guest_token, FIELD_TEXT, false, 0, TOKEN_MAX),
	};
	struct credentials *c = talloc_zero(r, struct credentials);
	struct msg_user_by_email m;

	r->state = c;
	if (!schema_body(r, fields, FIELDS_N(fields), c) || !read_guest(r))
		return;
	if (auth_slow_down(r, limits_login(r->gw->limits, r->conn->address->name, c->email,
					   r->gw->config->login_rate_per_minute)))
		return;
	m.email = c->email;
	http_ask(r, r->gw->store, MSG_USER_BY_EMAIL, &m, 0, login_on_user);
}
