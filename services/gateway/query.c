#include "query.h"

#include <errno.h>
#include <stdlib.h>

#include "problem.h"

#define SEQ_MAX INT64_C(9007199254740991) /* what JSON numbers hold exactly */

/* U+0000 and broken UTF-8 cannot be stored. */
static bool is_clean(struct text value)
{
	return value.len == 0 || text_is_utf8(value);
}

bool query_text(struct http_request *r, const char *name, size_t max, struct text *out)
{
	struct text value = http_query(r, name);

	if (!is_clean(value)) {
		problem_query(r, name, "string_unicode", "Input should be a valid string", WORD_FIELD_TYPE);
	} else if (value.p == NULL) {
		problem_query(r, name, "missing", "Field required", WORD_FIELD_MISSING);
	} else if (value.len == 0) {
		problem_query(r, name, "string_too_short", "String should have at least 1 character", WORD_FIELD_SHORT);
	} else if (text_chars(value) > max) {
		problem_query(r, name, "string_too_long",
			      talloc_asprintf(r, "String should have at most %zu characters", max), WORD_FIELD_LONG);
	} else {
		*out = value;
		return true;
	}
	return false;
}

/* A whole number from 1 to max; 0 when it is not given. */
static bool query_number(struct http_request *r, const char *name, int64_t max, int64_t *out)
{
	struct text value = http_query(r, name);
	char *end = NULL;
	int64_t n;

	*out = 0;
	if (value.p == NULL)
		return true;
	errno = 0;
	n = value.len > 0 && value.len < 20 && value.p[0] >= '0' && value.p[0] <= '9' ? strtoll(value.p, &end, 10) : 0;
	if (end != value.p + value.len || errno != 0) {
		problem_query(r, name, "int_parsing", "Input should be a valid integer", WORD_FIELD_TYPE);
		return false;
	}
	if (n < 1 || n > max) {
		problem_query(r, name, n < 1 ? "greater_than_equal" : "less_than_equal",
			      talloc_asprintf(r, "Input should be 1 to %lld", (long long)max), WORD_FIELD_RANGE);
		return false;
	}
	*out = n;
	return true;
}

bool query_uuid(struct http_request *r, const char *name, struct uuid_text *out)
{
	struct text value = http_query(r, name);

	*out = (struct uuid_text){ "" };
	if (value.p == NULL || uuid_from_text(value, out))
		return true;
	problem_query(r, name, "uuid_parsing", "Input should be a valid UUID", WORD_FIELD_UUID);
	return false;
}

bool query_page(struct http_request *r, int64_t *limit_out, struct uuid_text *after_out)
{
	*after_out = (struct uuid_text){ "" };
	return query_number(r, "limit", QUERY_LIMIT_MAX, limit_out) && query_uuid(r, "after", after_out);
}

bool query_window(struct http_request *r, int64_t *limit_out, int64_t *before_out)
{
	return query_number(r, "limit", QUERY_LIMIT_MAX, limit_out) && query_number(r, "before", SEQ_MAX, before_out);
}
