#include "lag.h"

#include <stddef.h>

#include <talloc.h>
#include <uthash.h>

struct lag {
	UT_hash_handle hh;
	uint32_t link;
	int64_t least_us; /* ours when it came less the sender's when it was sent: of the quickest */
	int64_t seen_us; /* when that was looked at last */
};

struct lags {
	struct lag *known; /* by link, the oldest first */
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

int64_t lags_take(struct lags *lags, uint32_t link, int64_t sent_us, int64_t now_us)
{
	struct lag *lag = lag_of(lags, link);
	int64_t way_us = now_us - sent_us;

	if (lag == NULL) {
		if (HASH_COUNT(lags->known) >= LAG_LINKS_MAX)
			lag_drop(lags, lags->known);
		lag = talloc_zero(lags, struct lag);
		lag->link = link;
		lag->least_us = way_us;
		HASH_ADD(hh, lags->known, link, sizeof(link), lag);
	} else {
		lag->least_us += (now_us - lag->seen_us) * LAG_DRIFT_PPM / 1000000;
	}
	lag->seen_us = now_us;
	if (way_us < lag->least_us)
		lag->least_us = way_us;
	return way_us - lag->least_us;
}

void lags_forget(struct lags *lags, uint32_t link)
{
	struct lag *lag = lag_of(lags, link);

	if (lag != NULL)
		lag_drop(lags, lag);
}
