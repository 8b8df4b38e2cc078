#include "auth.h"

#include <strings.h>

#include "problem.h"
#include "revocations.h"
#include "schema.h"

enum bearer bearer_split(struct text authorization, struct text *token_out)
{
	static const char scheme[] = "Bearer ";
	size_t len = sizeof(scheme) - 1;

	if (authorization.len == 0)
		return BEARER_NONE;
	if (authorization.len < len || strncasecmp(authorization.p, scheme, len) != 0)
		return BEARER_OTHER;
	*token_out = text_trim(text_of(authorization.p + len, authorization.len - len));
	return BEARER_TOKEN;
}

struct text cookie_value(struct text header, const char *name)
{
	size_t name_len = strlen(name);

	while (header.len > 0) {
		const char *semicolon = memchr(header.p, ';', header.len);
		size_t len = semicolon != NULL ? (size_t)(semicolon - header.p) : header.len;
		struct text pair = text_trim(text_of(header.p, len));

		if (pair.len > name_len && memcmp(pair.p, name, name_len) == 0 && pair.p[name_len] == '=')
			return text_of(pair.p + name_len + 1, pair.len - name_len - 1);
		len += semicolon != NULL;
		header = text_of(header.p + len, header.len - len);
	}
	return (struct text){ 0 };
}

static bool refuse(struct http_request *r, const struct err *err)
{
	log_debug(&r->log, "auth.refused", "reason=\"%s\"", err->message);
	problem_unauthorized(r, WORD_UNAUTHORIZED);
	return false;
}

bool auth_check(struct http_request *r, enum route_auth level)
{
	struct text text = { 0 };
	struct token token;
	struct err err = { 0 };

	if (level == AUTH_NONE)
		return true;
	switch (bearer_split(r->authorization, &text)) {
	case BEARER_NONE:
		if (level == AUTH_OPTIONAL)
			return true;
		problem_detail(r, 403, "Not authenticated");
		return false;
	case BEARER_OTHER:
		if (level == AUTH_OPTIONAL) /* meant for a proxy in front, or for nobody */
			return true;
		problem_detail(r, 403, "Invalid authentication credentials");
		return false;
	case BEARER_TOKEN:
		break;
	}
	if (!token_read(r->gw->tokens, text, &token, &err))
		return refuse(r, &err);
	if (!auth_token_stands(r, &token))
		return false;
	auth_become(r, &token);
	return true;
}

bool auth_token_stands(struct http_request *r, const struct token *token)
{
	if (token->caller.kind == CALLER_NOBODY)
		return true;
	if (!revocations_are_known(r->gw->revocations)) {
		problem_later(r, 503, WORD_UNAVAILABLE, 1);
		return false;
	}
	if (revocations_allow(r->gw->revocations, token))
		return true;
	problem_unauthorized(r, WORD_UNAUTHORIZED);
	return false;
}

void auth_become(struct http_request *r, const struct token *token)
{
	r->caller.kind = token->caller.kind;
	r->caller.user_id = token->caller.user_id;
	r->sign_in = token->sign_in;
	r->issued_s = token->issued_s;
	r->expires_s = token->expires_s;
}
