/* A sign-in goes on, is lent to a socket, or ends. */
#include "rest_auth.h"

#include "auth.h"
#include "problem.h"
#include "rate_limits.h"
#include "revocations.h"
#include "schema.h"
#include "tickets.h"

/* ---- refresh ---------------------------------------------------------------------------- */

struct refresh {
	struct text refresh_token;
	struct fresh_sign_in fresh;
	char old_hash[OPAQUE_HASH_SIZE];
};

static void refresh_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_sign_in_refresh *ans = answer->body;
	const struct refresh *c = r->state;
	struct caller who = { .kind = CALLER_USER };

	if (answer->err.rc == RC_UNAUTHORIZED) {
		if (strcmp(answer->err.field, "reuse") == 0)
			log_warning(&r->log, "auth.refresh_reused", "address=%s", r->conn->address->name);
		auth_clear_cookies(r);
		problem_unauthorized(r, WORD_UNAUTHORIZED);
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else {
		who.user_id = ans->user_id;
		who.kind = ans->is_guest ? CALLER_GUEST : CALLER_USER;
		auth_answer_signed_in(r, &who, ans->user, &ans->signed_in, c->fresh.token);
	}
}

static struct text refresh_cookie(struct http_request *r)
{
	return cookie_value(http_request_header(r, WSI_TOKEN_HTTP_COOKIE, 16384), REFRESH_COOKIE);
}

/* The cookie counts only from a page we know: browsers send it along from any. */
static bool is_of_known_page(const struct http_request *r)
{
	return r->origin_allowed || r->origin_same;
}

static bool read_cookie(struct http_request *r, struct text *out)
{
	*out = refresh_cookie(r);
	if (out->len == 0 || is_of_known_page(r))
		return true;
	problem_detail(r, 403, "Origin not allowed");
	return false;
}

void auth_refresh(struct http_request *r)
{
	static const struct field fields[] = { FIELD_OF(struct refresh, refresh_token, FIELD_TEXT, false, 1, 200) };
	struct refresh *c = talloc_zero(r, struct refresh);
	struct msg_sign_in_refresh m;

	r->state = c;
	if (r->json != NULL && !schema_body(r, fields, FIELDS_N(fields), c))
		return;
	if (c->refresh_token.len == 0 && !read_cookie(r, &c->refresh_token))
		return;
	if (!opaque_hash(c->refresh_token, c->old_hash)) {
		problem_unauthorized(r, WORD_UNAUTHORIZED);
		return;
	}
	fresh_sign_in_make(&c->fresh);
	m = (struct msg_sign_in_refresh){ text_from(c->old_hash), text_from(c->fresh.hash) };
	http_ask(r, r->gw->store, MSG_SIGN_IN_REFRESH, &m, 0, refresh_on_answer);
}

/* ---- tickets ------------------------------------------------------------------------------- */

void auth_ws_ticket(struct http_request *r)
{
	CLEANUP(string_done) UT_string json;
	struct token token = { r->caller, r->sign_in, r->issued_s, r->expires_s };
	char ticket[TICKET_SIZE];

	utstring_init(&json);
	if (!ticket_issue(r->gw->tickets, &token, ticket)) {
		problem_later(r, 503, WORD_BUSY, TICKET_LIFE_S);
		return;
	}
	json_open(&json, NULL, '{');
	json_str(&json, "ticket", ticket);
	json_i64(&json, "expires_in", TICKET_LIFE_S);
	json_close(&json, '}');
	http_answer_json(r, &json);
}

/* ---- sign out -------------------------------------------------------------------------------- */

struct logout {
	bool everywhere;
	struct text refresh_token;
	struct fresh_sign_in fresh;
	char old_hash[OPAQUE_HASH_SIZE];
};

static void logout_done(struct http_request *r)
{
	auth_clear_cookies(r);
	auth_answer_done(r, WORD_LOGGED_OUT);
}

static void logout_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_sign_out *ans = answer->body;

	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	revocations_end_sign_in(r->gw->revocations, &r->sign_in.id);
	if (ans->removed || ((const struct logout *)r->state)->everywhere)
		revocations_end_user(r->gw->revocations, &r->caller.user_id, r->sign_in.version + 1);
	logout_done(r);
}

static void end_sign_in(struct http_request *r)
{
	const struct logout *c = r->state;
	struct msg_sign_out m = { .sign_in_id = r->sign_in.id, .everywhere = c->everywhere };

	http_ask(r, r->gw->store, MSG_SIGN_OUT, &m, 0, logout_on_answer);
}

static void logout_on_refreshed(struct http_request *r, const struct answer *answer)
{
	const struct ans_sign_in_refresh *ans = answer->body;
	struct token token = { 0 };

	if (answer->err.rc == RC_UNAUTHORIZED) { /* no sign-in of ours, or one that has ended, now at the latest */
		logout_done(r);
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else {
		token.caller =
			(struct caller){ .user_id = ans->user_id, .kind = ans->is_guest ? CALLER_GUEST : CALLER_USER };
		token.sign_in = (struct sign_in){ ans->signed_in.sign_in_id, ans->signed_in.token_version };
		auth_become(r, &token);
		end_sign_in(r);
	}
}

/*
 * By its refresh token, when the access token has run out: it is used up, so
 * that store says whose it is, and nobody is told the next. Should the second
 * step fail, asking again ends the sign-in for its reuse.
 */
static void end_by_refresh_token(struct http_request *r, struct logout *c)
{
	struct msg_sign_in_refresh m;

	if (c->refresh_token.len == 0 && is_of_known_page(r))
		c->refresh_token = refresh_cookie(r);
	if (!opaque_hash(c->refresh_token, c->old_hash)) {
		logout_done(r);
		return;
	}
	fresh_sign_in_make(&c->fresh);
	m = (struct msg_sign_in_refresh){ text_from(c->old_hash), text_from(c->fresh.hash) };
	http_ask(r, r->gw->store, MSG_SIGN_IN_REFRESH, &m, 0, logout_on_refreshed);
}

static bool is_signed_in(struct http_request *r)
{
	struct text text = { 0 };
	struct token token;
	struct err err = { 0 };

	if (bearer_split(r->authorization, &text) != BEARER_TOKEN || !token_read(r->gw->tokens, text, &token, &err) ||
	    !revocations_allow(r->gw->revocations, &token))
		return false;
	auth_become(r, &token);
	return true;
}

void auth_logout(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct logout, everywhere, FIELD_FLAG, false, 0, 0),
		FIELD_OF(struct logout, refresh_token, FIELD_TEXT, false, 1, 200),
	};
	struct logout *c = talloc_zero(r, struct logout);

	r->state = c;
	if (r->json != NULL && !schema_body(r, fields, FIELDS_N(fields), c))
		return;
	if (is_signed_in(r))
		end_sign_in(r);
	else
		end_by_refresh_token(r, c);
}
