#include "rest_auth.h"

#include "ids.h"
#include "rate_limits.h"
#include "problem.h"
#include "tickets.h"
#include "tokens.h"

#define COOKIE "access_token"
#define GUEST_FIRST_NAME "Гость"
#define GUEST_LAST_NAME "Пользователь"

struct guest {
	struct uuid_text user_id;
};

/* ---- what signing in answers --------------------------------------------------------- */

/* The socket's cookie. A page of a foreign origin must not sign a browser in without its user's knowing. */
static void set_cookie(struct http_request *r, const char *token, int64_t seconds)
{
	if (r->origin.len > 0 && !r->origin_allowed && !r->origin_same)
		return;
	http_header(r, "set-cookie", COOKIE "=%s; HttpOnly; SameSite=Lax; Path=/; Max-Age=%lld%s", token,
		    (long long)seconds, r->gw->config->cookie_secure ? "; Secure" : "");
}

void auth_answer_signed_in(struct http_request *r, const struct caller *who, struct text user)
{
	CLEANUP(string_done) UT_string json;
	char *token = token_issue(r, r->gw->tokens, who);

	set_cookie(r, token, token_life_s(r->gw->tokens));
	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_str(&json, "access_token", token);
	json_str(&json, "token_type", "bearer");
	json_raw(&json, "user", user);
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

static void write_guest(UT_string *json, void *ctx, const struct caller *who)
{
	char *subject = caller_subject(ctx, who);

	json_open(json, NULL, '{');
	json_str(json, "id", subject);
	json_str(json, "email", talloc_asprintf(subject, "%s@guest.com", subject));
	json_str(json, "first_name", GUEST_FIRST_NAME);
	json_str(json, "last_name", GUEST_LAST_NAME);
	json_str(json, "role", "student");
	json_bool(json, "is_guest", true);
	json_close(json, '}');
}

static void guest_on_created(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string user;
	const struct guest *c = r->state;
	struct caller who = { .user_id = c->user_id, .kind = CALLER_GUEST };

	utstring_init(&user);
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	write_guest(&user, r, &who);
	auth_answer_signed_in(r, &who, json_written(&user));
}

void auth_guest_login(struct http_request *r)
{
	struct guest *c = talloc_zero(r, struct guest);
	struct caller who = { .kind = CALLER_GUEST };
	struct msg_user_create m = { .is_guest = true,
				     .first_name = text_from(GUEST_FIRST_NAME),
				     .last_name = text_from(GUEST_LAST_NAME) };

	r->state = c;
	if (auth_slow_down(r, limits_take(r->gw->limits, "guest", text_from(r->conn->address->name),
					  r->gw->config->guest_rate_per_minute)))
		return;
	c->user_id = who.user_id = m.user_id = id_new();
	m.email = text_from(talloc_asprintf(c, "%s@guest.com", caller_subject(c, &who)));
	http_ask(r, r->gw->store, MSG_USER_CREATE, &m, 0, guest_on_created);
}

/* ---- who am I, tickets, logout --------------------------------------------------------------------- */

static void me_on_user(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string user;
	const struct ans_user_get *ans = answer->body;

	utstring_init(&user);
	if (answer->err.rc == RC_NOT_FOUND) {
		problem_unauthorized(r, WORD_UNAUTHORIZED);
	} else if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
	} else if (r->caller.kind == CALLER_GUEST) {
		write_guest(&user, r, &r->caller);
		http_answer_json(r, &user);
	} else {
		http_answer(r, 200, NULL, ans->user);
	}
}

void auth_me(struct http_request *r)
{
	http_ask(r, r->gw->store, MSG_USER_GET, &(struct msg_user_get){}, 0, me_on_user);
}

void auth_ws_ticket(struct http_request *r)
{
	CLEANUP(string_done) UT_string json;
	struct token token = { r->caller, r->expires_s };
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

void auth_logout(struct http_request *r)
{
	CLEANUP(string_done) UT_string json;

	utstring_init(&json);
	set_cookie(r, "", 0);
	json_open(&json, NULL, '{');
	json_bool(&json, "success", true);
	json_str(&json, "message", word(r->caller.language, WORD_LOGGED_OUT));
	json_close(&json, '}');
	http_answer_json(r, &json);
}
