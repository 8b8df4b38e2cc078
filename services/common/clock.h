/*
 * clock: time. Durations run on the monotonic clock, which tests can turn;
 * the wall clock is only for what people read. Any thread, nothing blocks.
 */
#ifndef ALP_CLOCK_H
#define ALP_CLOCK_H

#include <stdint.h>

#define CLOCK_ISO_SIZE 28

int64_t clock_us(void); /* monotonic, microseconds */
int64_t clock_wall_us(void); /* since 1970-01-01 UTC, microseconds */

/* "2026-11-22T19:35:15.231099Z" (RFC 3339) */
void clock_iso(int64_t wall_us, char out[CLOCK_ISO_SIZE]);

/* Tests: the monotonic clock stands at us from now on; negative hands it back to the system. */
void clock_turn(int64_t us);

#endif
