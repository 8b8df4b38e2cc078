#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * At least doubles what grows: uthash's own way adds what is missing, and then
 * a list of a megabyte is copied as often as it has members.
 */
static void json_room(UT_string *out, size_t len)
{
	if (out->n - out->i < len)
		utstring_reserve(out, len > out->n ? len : out->n);
}

static void json_put(UT_string *out, const char *p, size_t len)
{
	json_room(out, len + 1);
	utstring_bincpy(out, p, len);
}

static void json_begin(UT_string *out, const char *key)
{
	char last = out->i > 0 ? out->d[out->i - 1] : '{';

	if (last != '{' && last != '[' && last != ':' && last != ',')
		json_put(out, ",", 1);
	if (key == NULL)
		return;
	json_put(out, "\"", 1);
	json_put(out, key, strlen(key));
	json_put(out, "\":", 2);
}

void json_open(UT_string *out, const char *key, char bracket)
{
	json_begin(out, key);
	json_put(out, &bracket, 1);
}

void json_close(UT_string *out, char bracket)
{
	json_put(out, &bracket, 1);
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

void json_escape(UT_string *out, struct text value)
{
	size_t from = 0;

	json_room(out, value.len + 16);
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		char buf[8];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		if (i > from)
			json_put(out, value.p + from, i - from);
		json_put(out, buf, escape_one(c, buf));
		from = i + 1;
	}
	if (value.len > from)
		json_put(out, value.p + from, value.len - from);
}

void json_text(UT_string *out, const char *key, struct text value)
{
	json_begin(out, key);
	json_put(out, "\"", 1);
	json_escape(out, value);
	json_put(out, "\"", 1);
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
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRId64, value);
	json_token(out, key, buf);
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
