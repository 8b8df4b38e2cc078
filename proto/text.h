/*
 * text: bytes that belong to someone else. Not NUL-terminated. A borrowed
 * text lives as long as what it was borrowed from; text_dup makes it ours.
 */
#ifndef ALP_TEXT_H
#define ALP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <talloc.h>

struct text {
	const char *p; /* NULL when empty or absent */
	size_t len; /* bytes */
};

#define TEXT_I64_SIZE 21 /* the longest, "-9223372036854775808", and NUL */

/* A UUID in its canonical lower-case text form, NUL-terminated; "" = absent. */
struct uuid_text {
	char s[37];
};

#define TEXT_FMT "%.*s"
#define TEXT_ARG(t) (int)(t).len, (t).p != NULL ? (t).p : ""

static inline struct text text_from(const char *s)
{
	return (struct text){ s, s != NULL ? strlen(s) : 0 };
}

static inline struct text text_of(const void *p, size_t len)
{
	return (struct text){ p, len };
}

static inline bool text_is(struct text t, const char *s)
{
	size_t len = strlen(s);

	return t.len == len && (len == 0 || memcmp(t.p, s, len) == 0);
}

static inline bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* The same letters, whatever their case (ASCII). */
static inline bool text_is_nocase(struct text t, const char *s)
{
	size_t len = strlen(s);

	return t.len == len && (len == 0 || strncasecmp(t.p, s, len) == 0);
}

/* Without the blanks and tabs at its ends (OWS of RFC 9110, 5.6.3). */
struct text text_strip(struct text t);

/* A NUL-terminated copy that belongs to ctx. Never NULL. */
static inline char *text_dup(const void *ctx, struct text t)
{
	return t.len > 0 ? talloc_strndup(ctx, t.p, t.len) : talloc_strdup(ctx, "");
}

/* A copy that belongs to ctx, as a text. */
static inline struct text text_copy(const void *ctx, struct text t)
{
	return text_of(text_dup(ctx, t), t.len);
}

/* True when t is a UUID in canonical form (any case of hex digits). */
bool text_is_uuid(struct text t);

/* Well-formed UTF-8 (RFC 3629) without U+0000. */
bool text_is_utf8(struct text t);

/* Number of code points of well-formed UTF-8. */
size_t text_chars(struct text t);

/* The number in decimal digits, NUL-terminated; returns how many bytes that are. */
size_t text_i64(char out[TEXT_I64_SIZE], int64_t value);

/* Lower-cases a UUID text into out; false (out untouched) when it is none. */
bool uuid_from_text(struct text t, struct uuid_text *out);

static inline struct text uuid_as_text(const struct uuid_text *u)
{
	return text_of(u->s, strlen(u->s));
}

#endif
