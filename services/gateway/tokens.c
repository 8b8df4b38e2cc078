#include "tokens.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include <jwt.h>

#include "clock.h"
#include "config.h"
#include "secret.h"

#define KEYS_MAX 8 /* SECRET_KEY and the older ones */
#define ISSUER "ai-learning-platform"
#define AUDIENCE "api"
#define TYPE_ACCESS "access"
#define SKEW_S 60 /* clocks of several gateways */
#define GUEST "guest_"

struct tokens {
	struct text keys[KEYS_MAX]; /* the first one signs, all of them are believed */
	size_t n;
	int64_t life_s;
};

/* The key belongs to tokens or lives as long. *weak becomes true when only DEBUG lets it pass. */
static bool key_add(struct tokens *tokens, const char *name, const char *key, bool debug, bool *weak, struct err *err)
{
	if (tokens->n == KEYS_MAX)
		return err_field(err, RC_INVALID, name, "%s: at most %d keys were expected", name, KEYS_MAX - 1);
	if (!secret_check(name, text_from(key), debug, 0, err))
		return false;
	*weak = *weak || secret_is_weak(text_from(key));
	tokens->keys[tokens->n++] = text_from(key);
	return true;
}

static bool keys_add_old(struct tokens *tokens, const char *p, bool debug, bool *weak, struct err *err)
{
	while (*p != '\0') {
		size_t len = strcspn(p, ",");
		const char *key = talloc_strndup(tokens, p, len);

		if (len > 0 && !key_add(tokens, "SECRET_KEY_OLD", key, debug, weak, err))
			return false;
		p += len + (p[len] == ',');
	}
	return true;
}

struct tokens *tokens_new(void *ctx, const struct config *config, const char **warning_out, struct err *err)
{
	struct tokens *tokens = talloc_zero(ctx, struct tokens);
	bool weak = false;

	*warning_out = NULL;
	tokens->life_s = config->access_token_expire_minutes * 60;
	if (strcmp(config->algorithm, "HS256") != 0)
		err_set(err, RC_INVALID, "ALGORITHM: HS256 is the only accepted value");
	else if (config->access_token_expire_minutes < 1 || config->access_token_expire_minutes > 525600)
		err_set(err, RC_INVALID, "ACCESS_TOKEN_EXPIRE_MINUTES: 1 to 525600 was expected");
	else if (config->secret_key[0] == '\0')
		err_set(err, RC_INVALID, "SECRET_KEY is required and not set");
	else if (key_add(tokens, "SECRET_KEY", config->secret_key, config->debug, &weak, err) &&
		 keys_add_old(tokens, config->secret_key_old, config->debug, &weak, err)) {
		if (weak)
			*warning_out = "SECRET_KEY is short or a placeholder: anyone can sign tokens";
		return tokens;
	}
	talloc_free(tokens);
	return NULL;
}

int64_t token_life_s(const struct tokens *tokens)
{
	return tokens->life_s;
}

char *caller_subject(void *ctx, const struct caller *caller)
{
	char *out;
	size_t n = 0;

	if (caller->kind != CALLER_GUEST)
		return talloc_strdup(ctx, caller->user_id.s);
	out = talloc_zero_size(ctx, sizeof(GUEST) + 32);
	memcpy(out, GUEST, sizeof(GUEST) - 1);
	n = sizeof(GUEST) - 1;
	for (const char *p = caller->user_id.s; *p != '\0'; p++)
		if (*p != '-')
			out[n++] = *p;
	return out;
}

bool caller_from_subject(struct text subject, struct caller *out)
{
	size_t head = sizeof(GUEST) - 1;
	char dashed[37];
	size_t n = 0;

	if (uuid_from_text(subject, &out->user_id)) {
		out->kind = CALLER_USER;
		return true;
	}
	if (subject.len != head + 32 || memcmp(subject.p, GUEST, head) != 0)
		return false;
	for (size_t i = head; i < subject.len; i++) {
		if (n == 8 || n == 13 || n == 18 || n == 23)
			dashed[n++] = '-';
		dashed[n++] = subject.p[i];
	}
	dashed[n] = '\0';
	if (!uuid_from_text(text_of(dashed, n), &out->user_id))
		return false;
	out->kind = CALLER_GUEST;
	return true;
}

static int64_t wall_s(void)
{
	return clock_wall_us() / 1000000;
}

char *token_issue(void *ctx, const struct tokens *tokens, const struct caller *caller, const struct sign_in *sign_in)
{
	char *subject = caller_subject(ctx, caller);
	long now = (long)wall_s();
	jwt_t *jwt = NULL;
	char *encoded, *out;

	if (jwt_new(&jwt) != 0 ||
	    jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)tokens->keys[0].p, (int)tokens->keys[0].len) != 0 ||
	    jwt_add_grant(jwt, "sub", subject) != 0 || jwt_add_grant(jwt, "iss", ISSUER) != 0 ||
	    jwt_add_grant(jwt, "aud", AUDIENCE) != 0 || jwt_add_grant(jwt, "type", TYPE_ACCESS) != 0 ||
	    jwt_add_grant(jwt, "sid", sign_in->id.s) != 0 ||
	    jwt_add_grant_int(jwt, "ver", (long)sign_in->version) != 0 || jwt_add_grant_int(jwt, "iat", now) != 0 ||
	    jwt_add_grant_int(jwt, "nbf", now) != 0 || jwt_add_grant_int(jwt, "exp", now + (long)tokens->life_s) != 0)
		abort();
	encoded = jwt_encode_str(jwt);
	if (encoded == NULL)
		abort();
	out = talloc_strdup(ctx, encoded);
	free(encoded);
	jwt_free(jwt);
	talloc_free(subject);
	return out;
}

/* Three parts of base64url without padding: nothing else is even decoded. */
static bool is_compact(struct text t)
{
	int dots = 0;

	if (t.len == 0 || t.len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.p[i];

		if (c == '.')
			dots++;
		else if (!isalnum(c) && c != '-' && c != '_')
			return false;
	}
	return dots == 2;
}

static bool claim_is(jwt_t *jwt, const char *name, const char *value)
{
	const char *claim = jwt_get_grant(jwt, name);

	return claim != NULL && strcmp(claim, value) == 0;
}

/* jwt_get_grant_int takes strings as 0. */
static bool claim_int(jwt_t *jwt, const char *name, int64_t *out)
{
	char *json = jwt_get_grants_json(jwt, name);
	char *end = json;
	bool good;

	errno = 0;
	if (json != NULL && (isdigit((unsigned char)*json) || *json == '-'))
		*out = strtoll(json, &end, 10);
	good = end != json && *end == '\0' && errno == 0;
	free(json);
	return good;
}

static bool times_are_good(jwt_t *jwt, struct token *out, struct err *err)
{
	int64_t now = wall_s(), exp, iat, nbf;

	if (!claim_int(jwt, "exp", &exp) || !claim_int(jwt, "iat", &iat) || !claim_int(jwt, "nbf", &nbf))
		return err_set(err, RC_UNAUTHORIZED, "exp, iat or nbf is missing");
	if (exp <= now)
		return err_set(err, RC_UNAUTHORIZED, "expired");
	if (iat > now + SKEW_S || nbf > now + SKEW_S)
		return err_set(err, RC_UNAUTHORIZED, "not valid yet");
	out->issued_s = iat;
	out->expires_s = exp;
	return true;
}

/* Extensions that must be understood (RFC 7515, 4.1.11): we understand none. */
static bool has_critical_header(jwt_t *jwt)
{
	char *crit = jwt_get_headers_json(jwt, "crit");
	bool has = crit != NULL;

	free(crit);
	return has;
}

static bool claims_are_good(jwt_t *jwt, struct token *out, struct err *err)
{
	const char *subject = jwt_get_grant(jwt, "sub"), *sign_in = jwt_get_grant(jwt, "sid");

	if (jwt_get_alg(jwt) != JWT_ALG_HS256 || has_critical_header(jwt))
		return err_set(err, RC_UNAUTHORIZED, "signed in another way");
	if (!claim_is(jwt, "iss", ISSUER) || !claim_is(jwt, "aud", AUDIENCE) || !claim_is(jwt, "type", TYPE_ACCESS))
		return err_set(err, RC_UNAUTHORIZED, "made for something else");
	if (subject == NULL || !caller_from_subject(text_from(subject), &out->caller))
		return err_set(err, RC_UNAUTHORIZED, "sub names nobody");
	if (sign_in == NULL || !uuid_from_text(text_from(sign_in), &out->sign_in.id) ||
	    !claim_int(jwt, "ver", &out->sign_in.version) || out->sign_in.version < 0)
		return err_set(err, RC_UNAUTHORIZED, "of no sign-in");
	return times_are_good(jwt, out, err);
}

/* NULL: no key of ours has signed it. Belongs to libjwt. */
static jwt_t *decoded(const struct tokens *tokens, const char *text)
{
	jwt_t *jwt = NULL;

	for (size_t i = 0; i < tokens->n; i++) {
		if (jwt_decode(&jwt, text, (const unsigned char *)tokens->keys[i].p, (int)tokens->keys[i].len) == 0)
			return jwt;
		jwt = NULL;
	}
	return NULL;
}

bool token_read(const struct tokens *tokens, struct text text, struct token *out, struct err *err)
{
	struct token token = { 0 };
	jwt_t *jwt;
	char *copy;
	bool good;

	if (!is_compact(text))
		return err_set(err, RC_UNAUTHORIZED, "not a compact token");
	copy = text_dup(NULL, text);
	jwt = decoded(tokens, copy);
	good = jwt != NULL || err_set(err, RC_UNAUTHORIZED, "bad signature or form");
	talloc_free(copy);
	good = good && claims_are_good(jwt, &token, err);
	jwt_free(jwt);
	if (good)
		*out = token;
	return good;
}
