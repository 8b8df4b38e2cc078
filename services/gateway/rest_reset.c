/* A forgotten password: an administrator makes a link, whoever has it sets a new one. */
#include "rest_auth.h"

#include "passwords.h"
#include "problem.h"
#include "rate_limits.h"
#include "revocations.h"
#include "schema.h"

#define TOKEN_MAX_CHARS 200 /* of what is looked at; a token has 43 */

/* ---- the link ------------------------------------------------------------------------------ */

struct link {
	struct uuid_text user_id;
	char token[OPAQUE_SIZE]; /* for the administrator alone: told once, stored nowhere */
	char hash[OPAQUE_HASH_SIZE];
};

static void link_on_made(struct http_request *r, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_password_reset_make *ans = answer->body;
	const struct link *link = r->state;

	utstring_init(&json);
	if (answer->err.rc == RC_CONFLICT) {
		problem_word(r, 409, WORD_INACTIVE);
		return;
	}
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	log_info(&r->log, "auth.reset_link", "user=%.8s by=%.8s", link->user_id.s, r->caller.user_id.s);
	json_open(&json, NULL, '{');
	json_str(&json, "token", link->token);
	json_text(&json, "expires_at", ans->expires_at);
	json_close(&json, '}');
	http_answer(r, 201, NULL, json_written(&json));
}

void admin_password_reset(struct http_request *r)
{
	struct link *link = talloc_zero(r, struct link);
	struct msg_password_reset_make m;

	r->state = link;
	uuid_from_text(r->match.params[0].value, &link->user_id); /* what is no id is nobody's */
	opaque_make(link->token, link->hash);
	m = (struct msg_password_reset_make){ link->user_id, text_from(link->hash) };
	http_ask(r, r->gw->store, MSG_PASSWORD_RESET_MAKE, &m, 0, link_on_made);
}

/* ---- the new password ------------------------------------------------------------------------ */

struct reset {
	struct text token, new_password;
	char hash[OPAQUE_HASH_SIZE]; /* of the token; empty: it is none of ours */
	char *new_hash;
};

/* Unknown, used, run out, of an account that is gone or disabled: all the same, and after the same work. */
static void refuse(struct http_request *r)
{
	log_warning(&r->log, "auth.reset_refused", "address=%s", r->conn->address->name);
	problem_about(r, 400, WORD_BAD_RESET, "token");
}

static void reset_on_answer(struct http_request *r, const struct answer *answer)
{
	const struct ans_password_reset *ans = answer->body;

	if (answer->err.rc == RC_NOT_FOUND) {
		refuse(r);
		return;
	}
	if (answer->err.rc != RC_OK) {
		problem_rc(r, &answer->err);
		return;
	}
	log_info(&r->log, "auth.password_reset", "user=%.8s address=%s", ans->user_id.s, r->conn->address->name);
	revocations_end_user(r->gw->revocations, &ans->user_id, ans->token_version);
	auth_answer_done(r, WORD_PASSWORD_RESET);
}

static void reset_on_hash(void *arg, const struct passwords_result *result)
{
	struct http_request *r = arg;
	struct reset *c = r->state;
	struct msg_password_reset m;

	r->hashing = NULL;
	if (c->hash[0] == '\0') {
		refuse(r);
		return;
	}
	c->new_hash = talloc_strdup(c, result->hash);
	m = (struct msg_password_reset){ text_from(c->hash), text_from(c->new_hash) };
	http_ask(r, r->gw->store, MSG_PASSWORD_RESET, &m, 0, reset_on_answer);
}

void auth_reset_password(struct http_request *r)
{
	static const struct field fields[] = {
		FIELD_OF(struct reset, token, FIELD_TEXT, true, 1, TOKEN_MAX_CHARS),
		FIELD_OF(struct reset, new_password, FIELD_TEXT, true, 0, PASSWORD_MAX),
	};
	struct reset *c = talloc_zero(r, struct reset);

	r->state = c;
	if (!schema_body(r, fields, FIELDS_N(fields), c) || !auth_password_is_good(r, "new_password", c->new_password))
		return;
	if (auth_slow_down(r, limits_take(r->gw->limits, "reset", text_from(r->conn->address->name),
					  r->gw->config->login_rate_per_minute)))
		return;
	opaque_hash(c->token, c->hash);
	r->hashing = passwords_check(r->gw->passwords, c->new_password, NULL, reset_on_hash, r);
	if (r->hashing == NULL)
		problem_later(r, 503, WORD_BUSY, 5);
}
