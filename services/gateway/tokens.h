/*
 * tokens: access tokens (JWT). HS256 only, whatever a token's head says; the
 * lifetime and every claim are checked here, because libjwt 1.10 checks
 * neither and takes HS384 and HS512 with the same key. Nothing blocks.
 */
#ifndef ALP_TOKENS_H
#define ALP_TOKENS_H

#include "frame.h"

struct config;
struct tokens;

#define TOKEN_MAX 2048 /* bytes; ours have about 350 */

/*
 * Checks SECRET_KEY, SECRET_KEY_OLD, ALGORITHM and ACCESS_TOKEN_EXPIRE_MINUTES.
 * NULL with err when one cannot be used. *warning_out names a weak key that DEBUG
 * lets pass, or is NULL. Tokens are signed with SECRET_KEY; those that an old one
 * signed are read as well.
 */
struct tokens *tokens_new(void *ctx, const struct config *config, const char **warning_out, struct err *err);

/* Of which sign-in a token is. Both end before the token does: revocations.h. */
struct sign_in {
	struct uuid_text id;
	int64_t version; /* the user's token_version when it was issued */
};

struct token {
	struct caller caller; /* kind and user_id */
	struct sign_in sign_in; /* id "": none, nobody is signed in */
	int64_t issued_s, expires_s; /* wall clock */
};

/* A token for a user or guest; belongs to ctx. */
char *token_issue(void *ctx, const struct tokens *tokens, const struct caller *caller, const struct sign_in *sign_in);
int64_t token_life_s(const struct tokens *tokens);

/* False with err (RC_UNAUTHORIZED) for anything but a token of ours that is valid now. */
bool token_read(const struct tokens *tokens, struct text text, struct token *out, struct err *err);

/* How clients see an id: a user's UUID, or guest_<32 hex>. */
char *caller_subject(void *ctx, const struct caller *caller);
bool caller_from_subject(struct text subject, struct caller *out);

#endif
