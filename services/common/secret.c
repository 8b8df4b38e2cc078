#include "secret.h"

#include <strings.h>

static const char *const known[] = { "your-",      "your_",       "changeme", "change-me", "change_me",
				     "secret-key", "placeholder", "example",  "default" };

static bool contains(struct text t, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= t.len; i++)
		if (strncasecmp(t.p + i, word, n) == 0)
			return true;
	return false;
}

static bool is_varied(struct text t)
{
	for (size_t i = 1; i < t.len; i++)
		if (t.p[i] != t.p[0])
			return true;
	return false;
}

bool secret_is_placeholder(struct text value)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (contains(value, known[i]))
			return true;
	return false;
}

bool secret_is_weak(struct text value)
{
	return value.len < SECRET_MIN || !is_varied(value) || secret_is_placeholder(value);
}

bool secret_check(const char *name, struct text value, bool debug, size_t min, struct err *err)
{
	if (!secret_is_weak(value) || (debug && value.len >= min))
		return true;
	return err_field(err, RC_INVALID, name, "%s must have at least %d bytes and be no placeholder%s", name,
			 SECRET_MIN, min < SECRET_MIN ? " (only with DEBUG=true)" : "");
}
