/*
 * breaker: one row per server and key. It leaves a server alone that fails
 * again and again, lets a key of a user's own have so many slots and no more,
 * and keeps retries a small share of all attempts, so that one server's or
 * tenant's trouble stays its own. Rows are bounded; who was quiet longest is
 * forgotten. Times are clock_us. Loop thread only; nothing blocks.
 */
#ifndef ALP_BREAKER_H
#define ALP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#define BREAKER_ID 32 /* bytes */
#define BREAKERS_MAX 1024 /* rows that are kept although nothing runs */
#define RETRY_RESERVE 10 /* retries that are good without having been earned; one comes back in RETRY_BACK_US */
#define RETRY_BACK_US 10000000

struct breaker_limits {
	int64_t failures; /* in a row; 0: never opens */
	int64_t open_us; /* how long before a probe */
	int64_t running; /* at once, where it is asked for */
	int64_t retry_percent; /* of all attempts */
};

struct breaker {
	UT_hash_handle hh; /* in the order of the last use */
	unsigned char id[BREAKER_ID];
	int64_t running, failures;
	int64_t open_until_us;
	bool probing; /* one attempt tries whether it is over */
	double retries; /* that may be made now */
	int64_t retries_us; /* when that was counted */
};

struct breakers {
	void *ctx;
	struct breaker_limits limits;
	struct breaker *rows;
	uint64_t opened, retries_denied; /* since start */
};

enum breaker_verdict { BREAKER_PASS, BREAKER_PAUSED, BREAKER_CROWDED };
enum breaker_outcome { BREAKER_GOOD, BREAKER_BAD, BREAKER_NEUTRAL };

void breakers_init(struct breakers *b, const void *ctx, const struct breaker_limits *limits);
void breakers_done(struct breakers *b);

struct breaker *breaker_get(struct breakers *b, const unsigned char id[BREAKER_ID], int64_t now_us);

/*
 * An attempt wants to begin. PASS: it runs until breaker_leave, and row stays;
 * else *wait_ms_out tells when to come again. bounded: limits.running counts.
 */
enum breaker_verdict breaker_enter(struct breakers *b, struct breaker *row, bool bounded, int64_t now_us,
				   int64_t *wait_ms_out);
void breaker_leave(struct breakers *b, struct breaker *row, enum breaker_outcome outcome, int64_t now_us);

/* May a failed attempt be repeated? Takes one retry when it says yes. */
bool breaker_may_retry(struct breakers *b, struct breaker *row, int64_t now_us);

/* Somebody has seen that the server works. */
void breaker_forgive(struct breaker *row);

int64_t breakers_open(const struct breakers *b); /* how many are left alone now, or being probed */

#endif
