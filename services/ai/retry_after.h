/* retry_after: the Retry-After header (RFC 9110, 10.2.3). Any thread; nothing blocks. */
#ifndef ALP_RETRY_AFTER_H
#define ALP_RETRY_AFTER_H

#include <stdint.h>

#define RETRY_AFTER_MAX_MS (24LL * 3600 * 1000)

/*
 * Milliseconds to wait: the value is seconds or an HTTP date, now is seconds
 * since 1970. 0 when it is absent (NULL), malformed or in the past; what is
 * longer than a day is a day.
 */
int64_t retry_after_ms(const char *value, int64_t now_s);

#endif
