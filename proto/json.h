/*
 * json: strict reading (over cJSON) and a writer that appends to a string.
 *
 * The writer puts commas by itself: a value that does not follow '{', '[' or
 * ':' gets one. key NULL writes an array element. Texts must be UTF-8.
 * Any thread; nothing blocks.
 */
#ifndef ALP_JSON_H
#define ALP_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <utstring.h>

#include "err.h"
#include "text.h"

#define JSON_DEPTH_MAX 64

/*
 * Parses a foreign document by RFC 8259, stricter than cJSON: nothing after
 * the document, well-formed UTF-8, no raw control characters, no U+0000 and
 * no lone surrogate, no duplicate keys, numbers in the grammar and finite,
 * at most JSON_DEPTH_MAX levels. NULL with err (RC_INVALID; the message says
 * what and at which byte; the field is the outermost member when its value is
 * only refused, not malformed). The caller frees with cJSON_Delete.
 */
cJSON *json_parse(struct text in, struct err *err);

/* The same; *at_out becomes the byte at which the document breaks (its length when only the whole is wrong). */
cJSON *json_parse_at(struct text in, size_t *at_out, struct err *err);

/* Parses what our own peers wrote (already authenticated): one document, no more checks. */
cJSON *json_parse_trusted(struct text in);

/* Case-sensitive members; NULL / empty text when absent or of another type. */
const cJSON *json_get(const cJSON *object, const char *key);
struct text json_get_text(const cJSON *object, const char *key);
bool json_get_i64(const cJSON *object, const char *key, int64_t *out); /* exact integers below 2^53 */

/* Frees and clears; for CLEANUP(json_drop). */
void json_drop(cJSON **tree);

void json_open(UT_string *out, const char *key, char bracket); /* '{' or '[' */
void json_close(UT_string *out, char bracket); /* '}' or ']' */
void json_text(UT_string *out, const char *key, struct text value);
void json_str(UT_string *out, const char *key, const char *value); /* NULL writes null */
void json_i64(UT_string *out, const char *key, int64_t value);
void json_real(UT_string *out, const char *key, double value); /* read again it is the same; not finite: null */
void json_bool(UT_string *out, const char *key, bool value);
void json_null(UT_string *out, const char *key);
void json_raw(UT_string *out, const char *key, struct text value); /* JSON as it is */
void json_escape(UT_string *out, struct text value); /* the inside of a string */

static inline struct text json_written(const UT_string *s)
{
	return text_of(s->d, s->i);
}

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* A growing string that dies with the function: CLEANUP(string_done) UT_string s = { 0 }; utstring_init(&s); */
static inline void string_done(UT_string *s)
{
	utstring_done(s);
}

#endif
