/*
 * lag: how much longer a request or an answer was on its way than the quickest
 * one that came over the same connection lately.
 *
 * A process that was stopped finds what waited in its sockets when it wakes.
 * Whether its askers still wait cannot be told from clocks of two machines, but
 * from differences: what the sender's clock said when it sent, against ours when
 * it came, is a constant plus the time on the way, and the least of them is
 * nearest to the constant (the minimum filter of clock synchronisation, RFC 5905
 * section 10). Clocks drift apart and jump when a machine is moved: only the
 * last 20 to 40 s count. A pause in what comes is not counted as such time, so
 * that a sleeper does not take what waited for it as the measure.
 *
 * Clocks are CLOCK_MONOTONIC_RAW. Loop thread only; nothing fails.
 */
#ifndef ALP_LAG_H
#define ALP_LAG_H

#include <stdint.h>

#define LAG_LINKS_MAX 1024 /* the connection heard of least lately is forgotten for one more */
#define LAG_WINDOW_US 20000000
#define LAG_PAUSE_US 1000000 /* as much as a pause counts at most */

struct lags;

/* Owned by ctx; knows no connection. */
struct lags *lags_new(void *ctx);

/*
 * The lag in microseconds of a message that came over link at now_us, sent at
 * sent_us by its sender's clock. The first one of a link has none.
 */
int64_t lags_take(struct lags *lags, uint32_t link, int64_t sent_us, int64_t now_us);

void lags_forget(struct lags *lags, uint32_t link); /* the connection has ended */

#endif
