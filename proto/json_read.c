#include "json.h"

#include <ctype.h>
#include <math.h>

#include <uthash.h>

/*
 * A validator for RFC 8259 that runs before cJSON, because cJSON accepts much
 * that we must refuse (trailing bytes, raw controls, leading zeros, \u0000
 * cutting strings short, duplicate keys where the first one wins).
 */
struct scan {
	const char *p, *end, *start;
	const char *why;
	int depth;
	struct text member; /* of the outermost object: the key whose value is being read */
	bool well_formed; /* why is about a value that the grammar allows */
};

static bool scan_value(struct scan *s);

static bool scan_fail(struct scan *s, const char *why)
{
	if (s->why == NULL)
		s->why = why;
	return false;
}

/* What RFC 8259 allows and we do not. */
static bool scan_refuse(struct scan *s, const char *why)
{
	s->well_formed = true;
	return scan_fail(s, why);
}

static void scan_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool scan_hex4(struct scan *s, unsigned *out)
{
	*out = 0;
	if (s->end - s->p < 4)
		return scan_fail(s, "cut \\u escape");
	for (int i = 0; i < 4; i++, s->p++) {
		unsigned char c = (unsigned char)*s->p;

		if (!isxdigit(c))
			return scan_fail(s, "bad \\u escape");
		*out = *out * 16 + (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return true;
}

static bool scan_unicode(struct scan *s)
{
	unsigned first, second;

	if (!scan_hex4(s, &first))
		return false;
	if (first == 0)
		return scan_refuse(s, "U+0000 is not allowed");
	if (first >= 0xDC00 && first <= 0xDFFF)
		return scan_refuse(s, "lone surrogate");
	if (first < 0xD800 || first > 0xDBFF)
		return true;
	if (s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u')
		return scan_refuse(s, "lone surrogate");
	s->p += 2;
	if (!scan_hex4(s, &second))
		return false;
	return (second >= 0xDC00 && second <= 0xDFFF) || scan_refuse(s, "lone surrogate");
}

static bool scan_string(struct scan *s)
{
	if (s->p >= s->end || *s->p != '"')
		return scan_fail(s, "a string was expected");
	for (s->p++; s->p < s->end;) {
		unsigned char c = (unsigned char)*s->p++;

		if (c == '"')
			return true;
		if (c < 0x20)
			return scan_fail(s, "control character in a string");
		if (c != '\\')
			continue;
		if (s->p >= s->end)
			break;
		c = (unsigned char)*s->p++;
		if (c == 'u') {
			if (!scan_unicode(s))
				return false;
		} else if (strchr("\"\\/bfnrt", c) == NULL || c == '\0') {
			return scan_fail(s, "bad escape");
		}
	}
	return scan_fail(s, "string without an end");
}

static bool scan_digits(struct scan *s)
{
	if (s->p >= s->end || !isdigit((unsigned char)*s->p))
		return scan_fail(s, "bad number");
	while (s->p < s->end && isdigit((unsigned char)*s->p))
		s->p++;
	return true;
}

static bool scan_number(struct scan *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!scan_digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!scan_digits(s))
			return false;
	}
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return scan_fail(s, "unknown word");
	s->p += len;
	return true;
}

/* One member or element; object tells whether a key goes before it. */
static bool scan_item(struct scan *s, bool object)
{
	const char *key;

	scan_space(s);
	key = s->p;
	if (object) {
		if (s->depth == 1)
			s->member = (struct text){ 0 };
		if (!scan_string(s))
			return false;
		if (s->depth == 1)
			s->member = text_of(key + 1, (size_t)(s->p - key) - 2);
		scan_space(s);
		if (s->p >= s->end || *s->p++ != ':')
			return scan_fail(s, "':' was expected");
	}
	if (!scan_value(s))
		return false;
	scan_space(s);
	return true;
}

static bool scan_list(struct scan *s, char close)
{
	if (++s->depth > JSON_DEPTH_MAX)
		return scan_refuse(s, "nested too deeply");
	s->p++;
	scan_space(s);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		s->depth--;
		return true;
	}
	for (;;) {
		if (!scan_item(s, close == '}'))
			return false;
		if (s->p >= s->end)
			return scan_fail(s, "the document ends too early");
		if (*s->p == close)
			break;
		if (*s->p++ != ',')
			return scan_fail(s, "',' was expected");
	}
	s->p++;
	s->depth--;
	return true;
}

static bool scan_value(struct scan *s)
{
	scan_space(s);
	if (s->p >= s->end)
		return scan_fail(s, "the document ends too early");
	switch (*s->p) {
	case '{':
		return scan_list(s, '}');
	case '[':
		return scan_list(s, ']');
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (*s->p == '-' || isdigit((unsigned char)*s->p))
			return scan_number(s);
		return scan_fail(s, "a value was expected");
	}
}

struct seen_key {
	UT_hash_handle hh;
};

static void seen_free(struct seen_key **seen)
{
	struct seen_key *entry, *tmp;

	HASH_ITER (hh, *seen, entry, tmp) {
		HASH_DEL(*seen, entry);
		talloc_free(entry);
	}
}

/* Duplicate keys and infinite numbers are easier to see in the tree. *member_out is the outermost member it is in. */
static const char *tree_fault(const cJSON *node, const cJSON **member_out)
{
	struct seen_key *seen = NULL;
	const char *fault = NULL;

	if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
		return "number out of range";
	for (const cJSON *child = node->child; child != NULL && fault == NULL; child = child->next) {
		struct seen_key *known = NULL;

		if (cJSON_IsObject(node)) {
			size_t len = strlen(child->string);

			HASH_FIND(hh, seen, child->string, len, known);
			if (known != NULL) {
				fault = "duplicate key";
				*member_out = child;
				break;
			}
			known = talloc_zero(NULL, struct seen_key);
			HASH_ADD_KEYPTR(hh, seen, child->string, len, known);
		}
		fault = tree_fault(child, member_out);
		if (fault != NULL)
			*member_out = child;
	}
	seen_free(&seen);
	return fault;
}

/* err is about this member, when its name is one that may be repeated to whoever sent it. */
static void name_member(struct err *err, struct text name)
{
	if (err == NULL || name.len == 0 || name.len >= sizeof(err->field))
		return;
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_' && name.p[i] != '-')
			return;
	memcpy(err->field, name.p, name.len);
	err->field[name.len] = '\0';
}

cJSON *json_parse(struct text in, struct err *err)
{
	size_t at;

	return json_parse_at(in, &at, err);
}

cJSON *json_parse_at(struct text in, size_t *at_out, struct err *err)
{
	struct scan s = { .p = in.p, .start = in.p, .end = in.p + in.len };
	const cJSON *member = NULL;
	const char *fault;
	cJSON *tree;

	*at_out = in.len;
	if (in.len == 0) {
		err_set(err, RC_INVALID, "JSON was expected, nothing came");
		return NULL;
	}
	if (!text_is_utf8(in)) {
		err_set(err, RC_INVALID, "not valid UTF-8");
		return NULL;
	}
	if (scan_value(&s)) {
		scan_space(&s);
		if (s.p != s.end)
			scan_fail(&s, "bytes after the end of the document");
	}
	if (s.why != NULL) {
		*at_out = (size_t)(s.p - s.start);
		err_set(err, RC_INVALID, "broken JSON at byte %td: %s", s.p - s.start, s.why);
		if (s.well_formed)
			name_member(err, s.member);
		return NULL;
	}
	tree = json_parse_trusted(in);
	fault = tree == NULL ? "it could not be read" : tree_fault(tree, &member);
	if (fault != NULL) {
		err_set(err, RC_INVALID, "broken JSON: %s", fault);
		if (member != NULL && member->string != NULL)
			name_member(err, text_from(member->string));
		cJSON_Delete(tree);
		return NULL;
	}
	return tree;
}

cJSON *json_parse_trusted(struct text in)
{
	const char *end = NULL;
	cJSON *tree = cJSON_ParseWithLengthOpts(in.p, in.len, &end, false);

	return tree;
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

struct text json_get_text(const cJSON *object, const char *key)
{
	const cJSON *item = json_get(object, key);

	return cJSON_IsString(item) ? text_from(item->valuestring) : (struct text){ 0 };
}

bool json_get_i64(const cJSON *object, const char *key, int64_t *out)
{
	const cJSON *item = json_get(object, key);
	double limit = 9007199254740992.0;

	if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) || fabs(item->valuedouble) > limit)
		return false;
	*out = (int64_t)item->valuedouble;
	return true;
}

void json_drop(cJSON **tree)
{
	cJSON_Delete(*tree);
	*tree = NULL;
}
