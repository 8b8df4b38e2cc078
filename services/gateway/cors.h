/* cors: which pages may read our answers (contract/rest.md 1.5). The first four are pure. */
#ifndef ALP_CORS_H
#define ALP_CORS_H

#include "config.h"
#include "text.h"

struct http_request;

/* The list in force: CORS_ORIGINS, else CORS_ORIGINS_JSON, else ALLOWED_ORIGINS. */
const struct config_list *cors_list(const struct config *config);

/* On the list, exactly. "*" on the list is never taken for all. */
bool cors_allows(const struct config *config, struct text origin);

/* origin's host and port are those the request was sent to. */
bool cors_is_same(struct text origin, struct text host);

/* Answers a preflight; false when the request is none. */
bool cors_preflight(struct http_request *r);

/* Puts what a page needs to read the answer into its headers. */
void cors_headers(struct http_request *r);

#endif
