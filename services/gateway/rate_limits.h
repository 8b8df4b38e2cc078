/*
 * rate_limits: token buckets for what guessing and flooding would repeat. A bucket
 * holds one minute's allowance and fills evenly; the table is bounded and
 * forgets whoever was quiet longest. Loop thread only.
 */
#ifndef ALP_RATE_LIMITS_H
#define ALP_RATE_LIMITS_H

#include "text.h"

struct limits;

struct limits *limits_new(void *ctx);

/*
 * Takes one from the bucket of (kind, name); per_minute is its size. 0 when
 * there was one, else the seconds until there will be.
 */
int64_t limits_take(struct limits *limits, const char *kind, struct text name, int64_t per_minute);

/*
 * Password attempts are counted per address and per account; an account is
 * not locked for an address from which it was entered before, so that a
 * stranger's guesses do not keep its owner out.
 */
int64_t limits_login(struct limits *limits, const char *address, struct text account, int64_t per_minute);
void limits_login_good(struct limits *limits, const char *address, struct text account);

#endif
