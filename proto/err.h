/*
 * err: why something failed. A code for machines, the field it is about when
 * there is one, a sentence for people. Filled once, where the failure is seen.
 */
#ifndef ALP_ERR_H
#define ALP_ERR_H

#include <stdbool.h>

#include "rc.h"

struct err {
	enum rc rc;
	char field[64]; /* "" when it is about no field */
	char message[256];
};

/* Both always return false, so that a failing function ends in `return err_set(...)`. err may be NULL. */
bool err_set(struct err *err, enum rc rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool err_field(struct err *err, enum rc rc, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
