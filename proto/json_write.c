#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PLAIN_STEP 16

/*
 * Room for len bytes and the NUL, and where they go. At least doubles what grows: utstring's own way adds what is
 * missing, and then a list of a megabyte is copied as often as it has members.
 */
static char *json_room(UT_string *out, size_t len)
{
	if (out->n - out->i <= len)
		utstring_reserve(out, len + 1 > out->n ? len + 1 : out->n);
	return out->d + out->i;
}

/* What was written into that room ends here. */
static void json_end(UT_string *out, char *end)
{
	*end = '\0';
	out->i = (size_t)(end - out->d);
}

static void json_put(UT_string *out, const char *p, size_t len)
{
	char *at = json_room(out, len);

	if (len > 0)
		memcpy(at, p, len);
	json_end(out, at + len);
}

static void json_byte(UT_string *out, char c)
{
	char *at = json_room(out, 1);

	*at = c;
	json_end(out, at + 1);
}

static void json_begin(UT_string *out, const char *key)
{
	char last = out->i > 0 ? out->d[out->i - 1] : '{';
	size_t len = key != NULL ? strlen(key) : 0;
	char *at = json_room(out, len + sizeof(",\"\":"));

	if (last != '{' && last != '[' && last != ':' && last != ',')
		*at++ = ',';
	if (key != NULL) {
		*at++ = '"';
		at = (char *)mempcpy(at, key, len);
		*at++ = '"';
		*at++ = ':';
	}
	json_end(out, at);
}

void json_open(UT_string *out, const char *key, char bracket)
{
	json_begin(out, key);
	json_byte(out, bracket);
}

void json_close(UT_string *out, char bracket)
{
	json_byte(out, bracket);
}

static size_t escape_one(unsigned char c, char buf[8])
{
	static const char plain[] = { '"', '\\', '\b', '\f', '\n', '\r', '\t' };
	static const char letter[] = { '"', '\\', 'b', 'f', 'n', 'r', 't' };

	for (size_t i = 0; i < sizeof(plain); i++)
		if (c == (unsigned char)plain[i]) {
			buf[0] = '\\';
			buf[1] = letter[i];
			return 2;
		}
	return (size_t)snprintf(buf, 8, "\\u%04x", c);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* Sixteen at once: without a branch between them the compiler makes vector instructions of it. */
static bool are_plain(const unsigned char *p)
{
	unsigned escaped = 0;

	for (int i = 0; i < PLAIN_STEP; i++)
		escaped |= !is_plain(p[i]);
	return escaped == 0;
}

/* How many bytes from p on stay as they are. */
static size_t plain_len(const unsigned char *p, size_t len)
{
	size_t n = 0;

	while (len - n >= PLAIN_STEP && are_plain(p + n))
		n += PLAIN_STEP;
	while (n < len && is_plain(p[n]))
		n++;
	return n;
}

void json_escape(UT_string *out, struct text value)
{
	const unsigned char *p = (const unsigned char *)value.p;
	char buf[8];

	json_room(out, value.len);
	for (size_t i = 0; i < value.len;) {
		size_t n = plain_len(p + i, value.len - i);

		json_put(out, value.p + i, n);
		i += n;
		if (i < value.len)
			json_put(out, buf, escape_one(p[i++], buf));
	}
}

void json_text(UT_string *out, const char *key, struct text value)
{
	json_begin(out, key);
	json_room(out, value.len + 2);
	json_byte(out, '"');
	json_escape(out, value);
	json_byte(out, '"');
}

void json_str(UT_string *out, const char *key, const char *value)
{
	if (value == NULL)
		json_null(out, key);
	else
		json_text(out, key, text_from(value));
}

static void json_token(UT_string *out, const char *key, const char *token)
{
	json_begin(out, key);
	json_put(out, token, strlen(token));
}

void json_i64(UT_string *out, const char *key, int64_t value)
{
	char buf[TEXT_I64_SIZE];
	size_t len = text_i64(buf, value);

	json_begin(out, key);
	json_put(out, buf, len);
}

void json_real(UT_string *out, const char *key, double value)
{
	char buf[40];

	/* 0.7 stays 0.7; what 15 digits do not give back has 17, which always do. */
	snprintf(buf, sizeof(buf), "%.15g", value);
	if (strtod(buf, NULL) != value)
		snprintf(buf, sizeof(buf), "%.17g", value);
	json_token(out, key, isfinite(value) ? buf : "null");
}

void json_bool(UT_string *out, const char *key, bool value)
{
	json_token(out, key, value ? "true" : "false");
}

void json_null(UT_string *out, const char *key)
{
	json_token(out, key, "null");
}

void json_raw(UT_string *out, const char *key, struct text value)
{
	json_begin(out, key);
	json_put(out, value.p, value.len);
}
