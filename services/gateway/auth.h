/* auth: who the caller of a request is (contract/rest.md 1.3). Loop thread only. */
#ifndef ALP_AUTH_H
#define ALP_AUTH_H

#include "http.h"
#include "tokens.h"

/* Fills r->caller from the Authorization header. False: the request was answered with 401 or 403. */
bool auth_check(struct http_request *r, enum route_auth level);

/* False: its sign-in has ended, or that cannot be told yet; the request was answered with 401 or 503. */
bool auth_token_stands(struct http_request *r, const struct token *token);

/* The request is the token's caller's from here on. */
void auth_become(struct http_request *r, const struct token *token);

enum bearer { BEARER_NONE, BEARER_OTHER, BEARER_TOKEN };

/* Splits "Bearer <token>". Pure. */
enum bearer bearer_split(struct text authorization, struct text *token_out);

/* The value of a cookie in a Cookie header; empty when it is not there. Pure. */
struct text cookie_value(struct text header, const char *name);

#endif
