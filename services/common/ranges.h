/*
 * ranges: numbers in the settings that a daemon could not work with: it would
 * serve nobody, or end by itself later. Any thread; pure.
 */
#ifndef ALP_RANGES_H
#define ALP_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct range {
	const char *name; /* of the setting */
	int64_t value, min, max;
};

/* False with err, which names the first setting that is outside, and what was expected. */
bool ranges_check(const struct range *rows, size_t n, struct err *err);

#endif
