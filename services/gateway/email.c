#include "schema.h"

#include <ctype.h>
#include <strings.h>

#define ADDRESS_MAX 254 /* RFC 5321, 4.5.3.1.3, without the angle brackets */
#define LOCAL_MAX 64
#define LABEL_MAX 63

/* Names that never belong to anyone (RFC 2606, RFC 6761). */
static const char *const reserved[] = { "test", "local", "localhost", "invalid", "onion", "arpa" };

static bool local_is_good(struct text local)
{
	if (local.len == 0 || local.len > LOCAL_MAX || local.p[0] == '.' || local.p[local.len - 1] == '.')
		return false;
	for (size_t i = 0; i < local.len; i++) {
		unsigned char c = (unsigned char)local.p[i];

		if (c < 0x80 && !isalnum(c) && strchr(".!#$%&'*+/=?^_`{|}~-", c) == NULL)
			return false;
		if (c == '.' && local.p[i + 1] == '.')
			return false;
	}
	return true;
}

static bool label_is_good(struct text label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.p[0] == '-' || label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		unsigned char c = (unsigned char)label.p[i];

		if (c < 0x80 && !isalnum(c) && c != '-')
			return false;
	}
	return true;
}

static bool is_reserved(struct text last)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (last.len == strlen(reserved[i]) && strncasecmp(last.p, reserved[i], last.len) == 0)
			return true;
	return false;
}

/* At least two labels, the last one not all digits and not reserved. */
static bool domain_is_good(struct text domain)
{
	struct text last = { 0 };
	size_t labels = 0;
	bool letters = false;

	for (size_t at = 0; at <= domain.len; at += last.len + 1, labels++) {
		const char *dot = memchr(domain.p + at, '.', domain.len - at);

		last = text_of(domain.p + at, dot != NULL ? (size_t)(dot - domain.p) - at : domain.len - at);
		if (!label_is_good(last))
			return false;
	}
	for (size_t i = 0; i < last.len; i++)
		letters = letters || !isdigit((unsigned char)last.p[i]);
	return labels >= 2 && letters && !is_reserved(last);
}

char *email_normal(void *ctx, struct text value)
{
	struct text t = text_trim(value);
	const char *at = memchr(t.p, '@', t.len);
	char *out;

	if (t.len > ADDRESS_MAX || at == NULL)
		return NULL;
	if (!local_is_good(text_of(t.p, (size_t)(at - t.p))) ||
	    !domain_is_good(text_of(at + 1, t.len - (size_t)(at + 1 - t.p))))
		return NULL;
	out = text_dup(ctx, t);
	for (char *p = out + (at - t.p); *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}
