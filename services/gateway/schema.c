#include "schema.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "http.h"
#include "problem.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: beyond it a JSON number has lost digits */

void faults_init(struct faults *faults, const char *language)
{
	faults->language = language;
	utstring_init(&faults->entries);
	utstring_init(&faults->message);
}

void faults_done(struct faults *faults)
{
	utstring_done(&faults->entries);
	utstring_done(&faults->message);
}

bool faults_any(const struct faults *faults)
{
	return faults->entries.i > 0;
}

void faults_add(struct faults *faults, const char *field, const char *type, const char *msg, enum word id)
{
	problem_entry(&faults->entries, field, type, msg);
	utstring_printf(&faults->message, "%s%s: %s", utstring_len(&faults->message) > 0 ? "; " : "", field,
			word(faults->language, id));
}

/* The bytes of the blank that t begins with; 0: it begins with none. */
static size_t blank_len(struct text t)
{
	/* What Unicode calls White_Space outside of ASCII, without U+2000 to U+200A. */
	static const char *const wide[] = { "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\xA8",
					    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80" };

	if (t.len > 0 && isspace((unsigned char)*t.p))
		return 1;
	if (t.len >= 3 && memcmp(t.p, "\xE2\x80", 2) == 0 && (unsigned char)t.p[2] >= 0x80 &&
	    (unsigned char)t.p[2] <= 0x8A)
		return 3;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (t.len >= strlen(wide[i]) && memcmp(t.p, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

/* ... that t ends with: a blank has at most three. */
static size_t blank_end_len(struct text t)
{
	for (size_t n = 1; n <= 3 && n <= t.len; n++)
		if (blank_len(text_of(t.p + t.len - n, n)) == n)
			return n;
	return 0;
}

struct text text_trim(struct text t)
{
	for (size_t n; (n = blank_len(t)) > 0;)
		t = text_of(t.p + n, t.len - n);
	for (size_t n; (n = blank_end_len(t)) > 0;)
		t.len -= n;
	return t;
}

static void read_text(const struct field *f, struct text value, struct text *out, struct faults *faults)
{
	struct text counted = f->type == FIELD_LINE ? text_trim(value) : value;
	size_t chars = text_chars(counted);
	char msg[64];

	if ((int64_t)chars < f->min) {
		snprintf(msg, sizeof(msg), "String should have at least %lld character%s", (long long)f->min,
			 f->min == 1 ? "" : "s");
		faults_add(faults, f->name, "string_too_short", msg, WORD_FIELD_SHORT);
	} else if ((int64_t)chars > f->max) {
		snprintf(msg, sizeof(msg), "String should have at most %lld characters", (long long)f->max);
		faults_add(faults, f->name, "string_too_long", msg, WORD_FIELD_LONG);
	} else {
		*out = counted;
	}
}

/* The text of a string, which has one even if it is empty, without the blanks around it. */
static struct text trimmed(const cJSON *string)
{
	return text_trim(text_of(string->valuestring, strlen(string->valuestring)));
}

/* 12, 12.0 and "12" are 12. */
static bool whole_number(const cJSON *item, int64_t *out)
{
	double number = item->valuedouble;
	char *end = NULL;
	struct text digits;

	if (cJSON_IsString(item)) {
		digits = trimmed(item);
		errno = 0;
		*out = digits.len > 0 && digits.len < 20 ? strtoll(digits.p, &end, 10) : 0;
		return end == digits.p + digits.len && end != digits.p && errno == 0;
	}
	if (!cJSON_IsNumber(item) || floor(number) != number || fabs(number) > EXACT_MAX)
		return false;
	*out = (int64_t)number;
	return true;
}

static void read_int(const struct field *f, const cJSON *item, int64_t *out, struct faults *faults)
{
	int64_t n = 0;
	char msg[80];

	if (!cJSON_IsString(item) && !cJSON_IsNumber(item)) {
		faults_add(faults, f->name, "int_type", "Input should be a valid integer", WORD_FIELD_TYPE);
	} else if (!whole_number(item, &n)) {
		faults_add(faults, f->name, "int_parsing", "Input should be a valid integer", WORD_FIELD_TYPE);
	} else if (n < f->min) {
		snprintf(msg, sizeof(msg), "Input should be greater than or equal to %lld", (long long)f->min);
		faults_add(faults, f->name, "greater_than_equal", msg, WORD_FIELD_RANGE);
	} else if (n > f->max) {
		snprintf(msg, sizeof(msg), "Input should be less than or equal to %lld", (long long)f->max);
		faults_add(faults, f->name, "less_than_equal", msg, WORD_FIELD_RANGE);
	} else {
		*out = n;
	}
}

/* 0.5 and "0.5"; json.h lets nothing infinite through, strtod might. */
static bool real_number(const cJSON *item, double *out)
{
	struct text digits;
	char *end = NULL;

	if (cJSON_IsNumber(item)) {
		*out = item->valuedouble;
		return isfinite(*out);
	}
	digits = trimmed(item);
	if (digits.len == 0 || digits.len >= 32 || strspn(digits.p, "0123456789+-.eE") < digits.len)
		return false;
	*out = strtod(digits.p, &end);
	return end == digits.p + digits.len && isfinite(*out);
}

static void read_real(const struct field *f, const cJSON *item, double *out, struct faults *faults)
{
	double n = 0;
	char msg[80];

	if (!cJSON_IsString(item) && !cJSON_IsNumber(item)) {
		faults_add(faults, f->name, "float_type", "Input should be a valid number", WORD_FIELD_TYPE);
	} else if (!real_number(item, &n)) {
		faults_add(faults, f->name, "float_parsing", "Input should be a valid number", WORD_FIELD_TYPE);
	} else if (n < (double)f->min) {
		snprintf(msg, sizeof(msg), "Input should be greater than or equal to %lld", (long long)f->min);
		faults_add(faults, f->name, "greater_than_equal", msg, WORD_FIELD_RANGE);
	} else if (n > (double)f->max) {
		snprintf(msg, sizeof(msg), "Input should be less than or equal to %lld", (long long)f->max);
		faults_add(faults, f->name, "less_than_equal", msg, WORD_FIELD_RANGE);
	} else {
		*out = n;
	}
}

static void read_string(void *ctx, const struct field *f, struct text value, void *out, struct faults *faults)
{
	char *email;

	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_LINE:
		read_text(f, value, out, faults);
		return;
	case FIELD_EMAIL:
		email = email_normal(ctx, value);
		if (email != NULL)
			*(struct text *)out = text_from(email);
		else
			faults_add(faults, f->name, "value_error", "value is not a valid email address",
				   WORD_FIELD_EMAIL);
		return;
	case FIELD_UUID:
		if (!uuid_from_text(value, out))
			faults_add(faults, f->name, "uuid_parsing", "Input should be a valid UUID", WORD_FIELD_UUID);
		return;
	case FIELD_INT:
	case FIELD_FLAG:
	case FIELD_REAL:
		return;
	}
}

bool schema_read(void *ctx, const cJSON *object, const struct field *fields, size_t n, void *out, struct faults *faults)
{
	for (size_t i = 0; i < n; i++) {
		const struct field *f = &fields[i];
		const cJSON *item = json_get(object, f->name);
		void *member = (char *)out + f->offset;

		if (item == NULL || (cJSON_IsNull(item) && !f->required)) {
			if (f->required)
				faults_add(faults, f->name, "missing", "Field required", WORD_FIELD_MISSING);
		} else if (f->type == FIELD_INT) {
			read_int(f, item, member, faults);
		} else if (f->type == FIELD_FLAG) {
			if (cJSON_IsBool(item))
				*(bool *)member = cJSON_IsTrue(item);
			else
				faults_add(faults, f->name, "bool_type", "Input should be a valid boolean",
					   WORD_FIELD_TYPE);
		} else if (f->type == FIELD_REAL) {
			read_real(f, item, member, faults);
		} else if (!cJSON_IsString(item)) {
			faults_add(faults, f->name, "string_type", "Input should be a valid string", WORD_FIELD_TYPE);
		} else {
			read_string(ctx, f, text_from(item->valuestring), member, faults);
		}
	}
	return !faults_any(faults);
}

bool schema_body(struct http_request *r, const struct field *fields, size_t n, void *out)
{
	struct faults faults;
	bool good;

	faults_init(&faults, r->caller.language);
	good = schema_read(r, r->json, fields, n, out, &faults);
	if (!good)
		problem_invalid(r, json_written(&faults.entries), utstring_body(&faults.message));
	faults_done(&faults);
	return good;
}
