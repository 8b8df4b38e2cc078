#include "lag.h"

#include <stddef.h>

#include <talloc.h>
#include <uthash.h>

struct lag {
	UT_hash_handle hh;
	uint32_t link;
	/* Ours when it came less the sender's when it was sent, of the quickest: in this part of the window, and the one before. */
	int64_t least_us, before_us;
	int64_t part_us; /* how long this part has lasted */
	int64_t seen_us; /* when the last one came */
};

struct lags {
	struct lag *known; /* by link */
};

static int lags_on_free(struct lags *lags)
{
	HASH_CLEAR(hh, lags->known);
	return 0;
}

struct lags *lags_new(void *ctx)
{
	struct lags *lags = talloc_zero(ctx, struct lags);

	talloc_set_destructor(lags, lags_on_free);
	return lags;
}

static void lag_drop(struct lags *lags, struct lag *lag)
{
	HASH_DEL(lags->known, lag);
	talloc_free(lag);
}

static struct lag *lag_of(struct lags *lags, uint32_t link)
{
	struct lag *lag;

	HASH_FIND(hh, lags->known, &link, sizeof(link), lag);
	return lag;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct lag *lag_add(struct lags *lags, uint32_t link, int64_t way_us)
{
	struct lag *lag, *tmp, *oldest = lags->known;

	if (HASH_COUNT(lags->known) >= LAG_LINKS_MAX) {
		HASH_ITER (hh, lags->known, lag, tmp)
			if (lag->seen_us < oldest->seen_us)
				oldest = lag;
		lag_drop(lags, oldest);
	}
	lag = talloc_zero(lags, struct lag);
	lag->link = link;
	lag->least_us = lag->before_us = way_us;
	HASH_ADD(hh, lags->known, link, sizeof(link), lag);
	return lag;
}

int64_t lags_take(struct lags *lags, uint32_t link, int64_t sent_us, int64_t now_us)
{
	struct lag *lag = lag_of(lags, link);
	int64_t way_us = now_us - sent_us;

	if (lag == NULL)
		lag = lag_add(lags, link, way_us);
	else
		lag->part_us += smaller(now_us - lag->seen_us, LAG_PAUSE_US);
	lag->seen_us = now_us;
	if (lag->part_us >= LAG_WINDOW_US) {
		lag->part_us = 0;
		lag->before_us = lag->least_us;
		lag->least_us = way_us;
	}
	lag->least_us = smaller(lag->least_us, way_us);
	return way_us - smaller(lag->least_us, lag->before_us);
}

void lags_forget(struct lags *lags, uint32_t link)
{
	struct lag *lag = lag_of(lags, link);

	if (lag != NULL)
		lag_drop(lags, lag);
}
