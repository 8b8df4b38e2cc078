#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const rc_names[RC_COUNT] = {
#define X(code, name) [RC_##code] = (name),
	RC_CODES(X)
#undef X
};

const char *rc_name(enum rc rc)
{
	return rc >= 0 && rc < RC_COUNT ? rc_names[rc] : rc_names[RC_INTERNAL];
}

enum rc rc_from_name(const char *name)
{
	for (int i = 0; i < RC_COUNT; i++)
		if (strcmp(rc_names[i], name) == 0)
			return (enum rc)i;
	return RC_INTERNAL;
}

static bool __attribute__((format(printf, 4, 0)))
err_fill(struct err *err, enum rc rc, const char *field, const char *fmt, va_list args)
{
	if (err != NULL) {
		err->rc = rc;
		snprintf(err->field, sizeof(err->field), "%s", field);
		vsnprintf(err->message, sizeof(err->message), fmt, args);
	}
	return false;
}

bool err_set(struct err *err, enum rc rc, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_fill(err, rc, "", fmt, args);
	va_end(args);
	return false;
}

bool err_field(struct err *err, enum rc rc, const char *field, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_fill(err, rc, field, fmt, args);
	va_end(args);
	return false;
}
