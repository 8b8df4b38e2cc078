/*
 * accept: the headers in which a client says what it takes and what it sends
 * (RFC 9110, 8.3.1 and 12.4 to 12.5). Names in any case of letters; weights in
 * thousandths, 0: not wanted. Pure.
 */
#ifndef ALP_ACCEPT_H
#define ALP_ACCEPT_H

#include <stdbool.h>

#include "text.h"

/* The weight of a coding in Accept-Encoding. "*" stands for what is not listed. */
int accept_coding(struct text header, const char *coding);

/* The weight of a media type in Accept: of the range that fits it best. */
int accept_type(struct text header, const char *type);

/* The type is wanted rather than the usual one: by its weight, or by its name when they weigh the same. */
bool accept_prefers(struct text header, const char *type, const char *usual);

/* A Content-Type is application/json, or another kind of it (application/problem+json). */
bool content_is_json(struct text header);

#endif
