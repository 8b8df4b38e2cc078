#include "sql_split.h"

#include <ctype.h>

static bool at(const char *p, const char *end, const char *word, size_t len)
{
	return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

/* Behind the next word (of len bytes) at or after p; end when there is none. */
static const char *behind(const char *p, const char *end, const char *word, size_t len)
{
	for (; p < end; p++)
		if (at(p, end, word, len))
			return p + len;
	return end;
}

/* They nest. */
static const char *behind_comment(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		if (at(p, end, "/*", 2)) {
			depth++;
			p += 2;
		} else if (at(p, end, "*/", 2)) {
			p += 2;
			if (--depth == 0)
				break;
		} else {
			p++;
		}
	}
	return p;
}

/* p is at a dollar: behind the text it opens, or behind the dollar when it opens none ($1). */
static const char *behind_dollars(const char *p, const char *end)
{
	const char *tag = p + 1;

	while (tag < end && (isalpha((unsigned char)*tag) || *tag == '_'))
		tag++;
	if (tag == end || *tag != '$')
		return p + 1;
	tag++;
	return behind(tag, end, p, (size_t)(tag - p));
}

/* Behind one thing that cannot be cut: a quoted text, a comment, or a byte. */
static const char *behind_token(const char *p, const char *end)
{
	if (*p == '\'' ||
	    *p == '"') /* a doubled quote is the end of one text and the begin of the next: the same here */
		return behind(p + 1, end, p, 1);
	if (*p == '$')
		return behind_dollars(p, end);
	if (at(p, end, "--", 2))
		return behind(p, end, "\n", 1);
	if (at(p, end, "/*", 2))
		return behind_comment(p, end);
	return p + 1;
}

struct text sql_next(struct text *script)
{
	const char *p = script->p, *end = p != NULL ? p + script->len : NULL, *begin, *stop;

	while (p < end && (isspace((unsigned char)*p) || *p == ';' || at(p, end, "--", 2) || at(p, end, "/*", 2)))
		p = behind_token(p, end);
	begin = p;
	while (p < end && *p != ';')
		p = behind_token(p, end);
	stop = p;
	*script = text_of(p, (size_t)(end - p));
	while (stop > begin && isspace((unsigned char)stop[-1]))
		stop--;
	return text_of(begin, (size_t)(stop - begin));
}
