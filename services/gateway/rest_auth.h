/* rest_auth: what all ways of signing in share. Each answers the request. */
#ifndef ALP_REST_AUTH_H
#define ALP_REST_AUTH_H

#include "rest.h"

/* Token, cookie and user: user is a JSON object. */
void auth_answer_signed_in(struct http_request *r, const struct caller *who, struct text user);

/* 429 when there is something to wait for; true when it was said. */
bool auth_slow_down(struct http_request *r, int64_t wait_s);

#endif
