/*
 * module_match: which modules of a track those of a new plan continue. Pure.
 *
 * First by the number the model was told and gives back; then by title (without
 * case, punctuation and a leading "Module 3:"); and when the model gave no
 * number at all, by position, but never onto a module that somebody has begun:
 * its progress would count for something else.
 */
#ifndef ALP_MODULE_MATCH_H
#define ALP_MODULE_MATCH_H

#include <stdint.h>

#include "text.h"

struct old_module {
	struct text title;
	bool begun; /* it has progress: it is never removed */
	int64_t number; /* its place in the track */
};

struct new_module {
	struct text title;
	int64_t continues; /* what the model says: 1.. counts the old ones in their order; anything else: none */
};

/* out[i]: index of the old module that new module i continues, or -1. No old one is continued twice. */
void modules_match(const struct old_module *olds, int olds_n, const struct new_module *news, int news_n, int *out);

/*
 * Where the modules stand that are begun and continued by none: before[k]
 * becomes how many new ones come before the k-th of them, which keeps its
 * number as far as it can (the store's modules_update does the same). numbers:
 * theirs, in ascending order.
 */
void modules_place(const int64_t *numbers, int n, int news_n, int *before);

#endif
