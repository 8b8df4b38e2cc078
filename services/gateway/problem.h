/*
 * problem: the error bodies of contract/rest.md 1.2, or RFC 9457 problem
 * details when the client accepts those. Each function answers the request.
 */
#ifndef ALP_PROBLEM_H
#define ALP_PROBLEM_H

#include "http.h"
#include "words.h"

/* {"detail": <text>}, exactly this text. */
void problem_detail(struct http_request *r, unsigned status, const char *detail);

/* ... in the caller's language. */
void problem_word(struct http_request *r, unsigned status, enum word id);

/* ... about one field of the body, which is named beside it. */
void problem_about(struct http_request *r, unsigned status, enum word id, const char *field);

/* ... with Retry-After. */
void problem_later(struct http_request *r, unsigned status, enum word id, int64_t seconds);

/* 401 with WWW-Authenticate. */
void problem_unauthorized(struct http_request *r, enum word id);

/* No problem: 200 {"success":true,"message":<words>}. */
void http_answer_done(struct http_request *r, enum word id);

/* What a peer's refusal becomes. */
void problem_rc(struct http_request *r, const struct err *err);

/* The status and the words of a peer's code. */
unsigned problem_status(enum rc rc);
enum word problem_word_of(enum rc rc);

/* 422 about the body as a whole; at (may be NULL) is the byte where it breaks. */
void problem_body(struct http_request *r, const char *type, const char *msg, enum word id, const size_t *at);

/* 422 about one field. */
void problem_field(struct http_request *r, const char *field, const char *type, const char *msg, enum word id);

/* 422 with entries already written: the inside of the detail array, and the sentence for people. */
void problem_invalid(struct http_request *r, struct text entries, const char *message);

/* 422 about one argument of the query. */
void problem_query(struct http_request *r, const char *name, const char *type, const char *msg, enum word id);

/* ... about a header. */
void problem_header(struct http_request *r, const char *name, const char *type, const char *msg, enum word id);

/* ... about an id in the path, by the name that docs/openapi.yaml has for it. */
void problem_path(struct http_request *r, const char *name, const char *type, const char *msg, enum word id);

/* One entry: {"type","loc":["body",field],"msg"}; field NULL: the body itself. */
void problem_entry(UT_string *entries, const char *field, const char *type, const char *msg);

#endif
