/* rest_auth: what all ways of signing in share. Each answers the request. */
#ifndef ALP_REST_AUTH_H
#define ALP_REST_AUTH_H

#include "opaque.h"
#include "rest.h"
#include "words.h"

#define PASSWORD_MAX 1024
#define REFRESH_COOKIE "refresh_token"

/* A sign-in to be: made by gateway, so that asking store twice makes one. */
struct fresh_sign_in {
	struct uuid_text id;
	char token[OPAQUE_SIZE]; /* the refresh token, for the client alone */
	char hash[OPAQUE_HASH_SIZE]; /* for store */
};

void fresh_sign_in_make(struct fresh_sign_in *out);

/* Tokens, cookies and user: user is a JSON object. */
void auth_answer_signed_in(struct http_request *r, const struct caller *who, struct text user,
			   const struct signed_in *signed_in, const char *refresh_token);

/* ... and what was taken over from a guest, who is gone now; guest NULL or nobody: nothing. */
void auth_answer_claimed(struct http_request *r, const struct caller *who, struct text user,
			 const struct signed_in *signed_in, const char *refresh_token, const struct token *guest);

/* The cookies of a sign-in that has ended. */
void auth_clear_cookies(struct http_request *r);

/* {"success":true,"message":..} */
void auth_answer_done(struct http_request *r, enum word id);

/* Rules for new passwords; false was answered with 422 naming the field. */
bool auth_password_is_good(struct http_request *r, const char *field, struct text password);

/* 429 when there is something to wait for; true when it was said. */
bool auth_slow_down(struct http_request *r, int64_t wait_s);

#endif
