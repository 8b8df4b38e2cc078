/* asked: what was asked for under an Idempotency-Key, as a digest. Loop thread only. */
#ifndef ALP_ASKED_H
#define ALP_ASKED_H

#include "http.h"

/*
 * The digest of a request's n fields in canonical form, 64 hexadecimal digits:
 * the same fields in the same order have the same, others another. Empty when
 * the request has no Idempotency-Key: nobody will ask for it again. Belongs to
 * the request.
 */
struct text asked_hash(struct http_request *r, const struct text *fields, size_t n);

#endif
