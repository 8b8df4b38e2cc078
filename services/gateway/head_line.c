/* The first line of a head: method, address, version. */
#include "head_filter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2 */
bool head_is_token(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		char c = t.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
			return false;
	}
	return t.len > 0;
}

bool head_is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7F;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to the next blank; the rest is what is behind it. */
static struct text cut(struct text *rest)
{
	const char *end = rest->len > 0 ? memchr(rest->p, ' ', rest->len) : NULL;
	struct text word = text_of(rest->p, end != NULL ? (size_t)(end - rest->p) : rest->len);

	*rest = end != NULL ? text_of(end + 1, rest->len - word.len - 1) : (struct text){ 0 };
	return word;
}

/* Of "...?a=1&b=%00" the argument's name, where it is broken. */
static void name_query(struct head_filter *f, struct text target, size_t at)
{
	size_t from = at;

	while (from > 0 && target.p[from - 1] != '?' && target.p[from - 1] != '&')
		from--;
	for (size_t n = 0; from + n < at && target.p[from + n] != '=' && n + 1 < sizeof(f->fault.query); n++)
		f->fault.query[n] = target.p[from + n];
}

/* What lws would cut, or hang up on. */
static bool target_is_good(struct head_filter *f, struct text target)
{
	bool query = false;

	for (size_t i = 0; i < target.len; i++) {
		int high, low;

		query |= target.p[i] == '?';
		if (head_is_control((unsigned char)target.p[i]) || target.p[i] == '#') {
			head_fault(f, 400, "The address holds a character that cannot be in one");
			return false;
		}
		if (target.p[i] != '%')
			continue;
		high = i + 2 < target.len ? hex(target.p[i + 1]) : -1;
		low = i + 2 < target.len ? hex(target.p[i + 2]) : -1;
		if (high < 0 || low < 0) {
			head_fault(f, 400, "The address holds a broken escape");
			return false;
		}
		if (head_is_control((unsigned char)(high * 16 + low))) {
			head_fault(f, query ? 422 : 400, "The address holds a control character");
			if (query)
				name_query(f, target, i);
			return false;
		}
	}
	return true;
}

/* Of "http://host/path" the path: the server is ours, whatever it is called there (RFC 9112, 3.2.2). */
static struct text origin_form(struct text target)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(schemes[i]);

		if (target.len < n || strncasecmp(target.p, schemes[i], n) != 0)
			continue;
		while (n < target.len && target.p[n] != '/')
			n++;
		return n < target.len ? text_of(target.p + n, target.len - n) : text_from("/");
	}
	return target;
}

static bool version_is_good(struct head_filter *f, struct text version)
{
	f->is_1_1 = text_is(version, "HTTP/1.1");
	if (f->is_1_1 || text_is(version, "HTTP/1.0"))
		return true;
	if (version.len == 8 && memcmp(version.p, "HTTP/", 5) == 0)
		head_fault(f, 505, "HTTP Version Not Supported");
	else
		head_fault(f, 400, "Malformed request line");
	return false;
}

static bool is_known_method(struct text method)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (text_is(method, methods[i]))
			return true;
	return false;
}

size_t head_request_line(struct head_filter *f, struct text line, char *out)
{
	struct text rest = line, method = cut(&rest), target = origin_form(cut(&rest));
	bool good = head_is_token(method) && target.len > 0;

	if (!good)
		head_fault(f, 400, "Malformed request line");
	good = good && version_is_good(f, rest) && target_is_good(f, target);
	if (good && text_is(method, "OPTIONS") && text_is(target, "*"))
		target = text_from("/");
	if (good && target.p[0] != '/') {
		head_fault(f, 400, "Malformed request line");
		good = false;
	}
	if (good && !is_known_method(method)) {
		head_fault(f, 405, "Method Not Allowed");
		method = text_from("GET");
	}
	f->is_get = good && text_is(method, "GET");
	f->is_1_1 |= !good;
	if (!good)
		return (size_t)snprintf(out, line.len + HEAD_GROWTH, "GET / HTTP/1.1\r\n");
	return (size_t)snprintf(out, line.len + HEAD_GROWTH, TEXT_FMT " " TEXT_FMT " " TEXT_FMT "\r\n",
				TEXT_ARG(method), TEXT_ARG(target), TEXT_ARG(rest));
}
