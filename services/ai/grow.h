/* grow: appending to a string many times. utstring grows by just what is missing, which copies all of it each time. */
#ifndef ALP_GROW_H
#define ALP_GROW_H

#include <utstring.h>

#include "text.h"

/* Any thread; nothing blocks. */
static inline void string_add(UT_string *s, struct text t)
{
	if (t.len == 0)
		return;
	if (s->n - s->i < t.len + 1)
		utstring_reserve(s, t.len + 1 > s->n ? t.len + 1 : s->n);
	utstring_bincpy(s, t.p, t.len);
}

#endif
