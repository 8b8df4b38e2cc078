#include "breaker.h"

#include <string.h>

#include <talloc.h>

#define CROWDED_MS 1000
#define PROBED_MS 1000

void breakers_init(struct breakers *b, const void *ctx, const struct breaker_limits *limits)
{
	*b = (struct breakers){ .ctx = talloc_new(ctx), .limits = *limits };
}

void breakers_done(struct breakers *b)
{
	HASH_CLEAR(hh, b->rows);
	talloc_free(b->ctx);
}

static void forget_one(struct breakers *b)
{
	struct breaker *row, *next;

	HASH_ITER (hh, b->rows, row, next) {
		if (row->running > 0)
			continue;
		HASH_DEL(b->rows, row);
		talloc_free(row);
		return;
	}
}

struct breaker *breaker_get(struct breakers *b, const unsigned char id[BREAKER_ID], int64_t now_us)
{
	struct breaker *row;

	HASH_FIND(hh, b->rows, id, BREAKER_ID, row);
	if (row != NULL) {
		HASH_DEL(b->rows, row);
	} else {
		if (HASH_COUNT(b->rows) >= BREAKERS_MAX)
			forget_one(b);
		row = talloc_zero(b->ctx, struct breaker);
		memcpy(row->id, id, BREAKER_ID);
		row->retries = RETRY_RESERVE;
		row->retries_us = now_us;
	}
	HASH_ADD(hh, b->rows, id, BREAKER_ID, row);
	return row;
}

static bool is_open(const struct breakers *b, const struct breaker *row)
{
	return b->limits.failures > 0 && row->failures >= b->limits.failures;
}

static void earn(struct breaker *row, double retries)
{
	row->retries = row->retries + retries < RETRY_RESERVE ? row->retries + retries : RETRY_RESERVE;
}

enum breaker_verdict breaker_enter(struct breakers *b, struct breaker *row, bool bounded, int64_t now_us,
				   int64_t *wait_ms_out)
{
	if (bounded && row->running >= b->limits.running) {
		*wait_ms_out = CROWDED_MS;
		return BREAKER_CROWDED;
	}
	if (is_open(b, row)) {
		int64_t left_us = row->open_until_us - now_us;

		if (left_us > 0 || row->probing) {
			*wait_ms_out = left_us > 0 ? left_us / 1000 + 1 : PROBED_MS;
			return BREAKER_PAUSED;
		}
		row->probing = true;
	}
	row->running++;
	earn(row, (double)b->limits.retry_percent / 100);
	return BREAKER_PASS;
}

void breaker_leave(struct breakers *b, struct breaker *row, enum breaker_outcome outcome, int64_t now_us)
{
	bool was_open = is_open(b, row);

	row->running--;
	row->probing = false;
	if (outcome == BREAKER_GOOD)
		row->failures = 0;
	if (outcome != BREAKER_BAD)
		return;
	row->failures++;
	if (is_open(b, row))
		row->open_until_us = now_us + b->limits.open_us;
	b->opened += is_open(b, row) && !was_open;
}

bool breaker_may_retry(struct breakers *b, struct breaker *row, int64_t now_us)
{
	earn(row, (double)(now_us - row->retries_us) / RETRY_BACK_US);
	row->retries_us = now_us;
	if (row->retries < 1) {
		b->retries_denied++;
		return false;
	}
	row->retries -= 1;
	return true;
}

void breaker_forgive(struct breaker *row)
{
	row->failures = 0;
}

int64_t breakers_open(const struct breakers *b)
{
	int64_t n = 0;

	for (const struct breaker *row = b->rows; row != NULL; row = row->hh.next)
		n += is_open(b, row);
	return n;
}
