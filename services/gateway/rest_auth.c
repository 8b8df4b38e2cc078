#include "rest_auth.h"

#include "ids.h"
#include "rate_limits.h"
#include "problem.h"
#include "rest_turn.h"
#include "revocations.h"
#include "tokens.h"

#define COOKIE "access_token"
#define GUEST_FIRST_NAME "Гость"
#define GUEST_LAST_NAME "Пользователь"

void fresh_sign_in_make(struct fresh_sign_in *out)
{
	out->id = id_new();
	opaque_make(out->token, out->hash);
}

/* ---- what signing in answers --------------------------------------------------------- */

/* Lax and out of reach of scripts; a page of a foreign origin must not sign a browser in without its user's knowing. */
static void set_cookie(struct http_request *r, const char *name, const char *path, const char *value, int64_t seconds)
{
	if (r->origin.len > 0 && !r->origin_allowed && !r->origin_same)
		return;
	http_header(r, "set-cookie", "%s=%s; HttpOnly; SameSite=Lax; Path=%s; Max-Age=%lld%s", name, value, path,
		    (long long)seconds, r->gw->config->cookie_secure ? "; Secure" : "");
}

void auth_clear_cookies(struct http_request *r)
{
	set_cookie(r, COOKIE, "/", "", 0);
	set_cookie(r, REFRESH_COOKIE, "/api/auth", "", 0);
}

static void put_claimed(UT_string *json, const struct signed_in *signed_in)
{
	json_open(json, "claimed", '{');
	json_i64(json, "tracks", signed_in->claimed_tracks);
	json_i64(json, "chats", signed_in->claimed_chats);
	put_text_or(json, "ai_settings", signed_in->claimed_settings, "none");
	json_close(json, '}');
}

void auth_answer_signed_in(struct http_request *r, const struct caller *who, struct text user,
			   const struct signed_in *signed_in, const char *refresh_token)
{
	auth_answer_claimed(r, who, user, signed_in, refresh_token, NULL);
}

void auth_answer_claimed(struct http_request *r, const struct caller *who, struct text user,
			 const struct signed_in *signed_in, const char *refresh_token, const struct token *guest)
{
	CLEANUP(string_done) UT_string json;
	struct sign_in sign_in = { signed_in->sign_in_id, signed_in->token_version };
	char *token = token_issue(r, r->gw->tokens, who, &sign_in);

	set_cookie(r, COOKIE, "/", token, token_life_s(r->gw->tokens));
	set_cookie(r, REFRESH_COOKIE, "/api/auth", refresh_token, r->gw->config->refresh_token_expire_days * 86400);
	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_str(&json, "access_token", token);
	json_str(&json, "token_type", "bearer");
	json_i64(&json, "expires_in", token_life_s(r->gw->tokens));
	json_str(&json, "refresh_token", refresh_token);
	json_raw(&json, "user", user);
	if (guest != NULL && guest->caller.kind == CALLER_GUEST) {
		put_claimed(&json, signed_in);
		revocations_end_user(r->gw->revocations, &guest->caller.user_id, guest->sign_in.version + 1);
	}
	json_close(&json, '}');
	http_answer_json(r, &json);
}

void auth_answer_done(struct http_request *r, enum word id)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	json_str(&json, "message", word(r->caller.language, id));
	json_close(&json, '}');
	http_answer_json(r, &json);
}

bool auth_slow_down(struct http_request *r, int64_t wait_s)
{
	if (wait_s <= 0)
		return false;
	problem_later(r, 429, WORD_RATE_LIMITED, wait_s);
	return true;
}

/* ---- guests -------------------------------------------------------------------------------------- */

struct guest {
	struct uuid_text user_id;
	struct fresh_sign_in fresh;
};

static void guest_on_created(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_create *ans = answer->body;
	const struct guest *c = r->state;
	struct caller who = { .user_id = c->user_id, .kind = CALLER_GUEST };

	if (answer->err.rc == RC_LIMITED)
		problem_later(r, 429, WORD_GUESTS_FULL, 3600);
	else if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		auth_answer_signed_in(r, &who, ans->user, &ans->signed_in, c->fresh.token);
}

void auth_guest_login(struct http_request *r)
{
	struct guest *c = talloc_zero(r, struct guest);
	struct msg_user_create m = { .user_id = id_new(),
				     .is_guest = true,
				     .first_name = text_from(GUEST_FIRST_NAME),
				     .last_name = text_from(GUEST_LAST_NAME) };

	r->state = c;
	if (auth_slow_down(r, limits_take(r->gw->limits, "guest", text_from(r->conn->address->name),
					  r->gw->config->guest_rate_per_minute)))
		return;
	fresh_sign_in_make(&c->fresh);
	c->user_id = m.user_id;
	m.address = text_from(r->conn->address->name);
	m.sign_in_id = c->fresh.id;
	m.refresh_hash = text_from(c->fresh.hash);
	http_ask(r, r->gw->store, MSG_USER_CREATE, &m, 0, guest_on_created);
}

/* ---- who am I ---------------------------------------------------------------------------------------- */

static void me_on_user(struct http_request *r, const struct answer *answer)
{
	const struct ans_user_get *ans = answer->body;

	if (answer->err.rc == RC_NOT_FOUND)
		problem_unauthorized(r, WORD_UNAUTHORIZED);
	else if (answer->err.rc != RC_OK)
		problem_rc(r, &answer->err);
	else
		http_answer(r, 200, NULL, ans->user);
}

void auth_me(struct http_request *r)
{
	http_ask(r, r->gw->store, MSG_USER_GET, &(struct msg_user_get){}, 0, me_on_user);
}
