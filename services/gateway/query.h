/*
 * query: arguments of a request's query, checked. Each of these answers the
 * request with 422, naming the argument, and returns false when it is not
 * acceptable. Loop thread only.
 */
#ifndef ALP_QUERY_H
#define ALP_QUERY_H

#include "http.h"

/* A text of 1 to max characters; must be there. */
bool query_text(struct http_request *r, const char *name, size_t max, struct text *out);

/* An id; "": not given. */
bool query_uuid(struct http_request *r, const char *name, struct uuid_text *out);

/* limit (1 to QUERY_LIMIT_MAX; 0: not given) and after (an id; "": not given) of a list. */
#define QUERY_LIMIT_MAX 1000
bool query_page(struct http_request *r, int64_t *limit_out, struct uuid_text *after_out);

/* limit and before (a message's seq; 0: not given) of a history. */
bool query_window(struct http_request *r, int64_t *limit_out, int64_t *before_out);

#endif
