#include "rate_limits.h"

#include <ctype.h>

#include <sodium.h>
#include <uthash.h>

#include "clock.h"

#define BUCKETS_MAX 65536
#define MINUTE_US 60000000.0

/* The key is a digest: names may be long and are not ours to keep. */
struct bucket {
	unsigned char key[16];
	double left;
	int64_t at_us;
	UT_hash_handle hh; /* in the order of the last use */
};

struct limits {
	struct bucket *buckets;
	struct bucket *known; /* (address, account) pairs that were let in */
	unsigned char salt[crypto_generichash_KEYBYTES];
};

/* The hashes' own memory is no talloc memory. */
static int limits_done(struct limits *limits)
{
	HASH_CLEAR(hh, limits->buckets);
	HASH_CLEAR(hh, limits->known);
	return 0;
}

struct limits *limits_new(void *ctx)
{
	struct limits *limits = talloc_zero(ctx, struct limits);

	talloc_set_destructor(limits, limits_done);
	randombytes_buf(limits->salt, sizeof(limits->salt));
	return limits;
}

static void digest(const struct limits *limits, const char *kind, const char *address, struct text name,
		   unsigned char out[16])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, limits->salt, sizeof(limits->salt), 16);
	crypto_generichash_update(&state, (const unsigned char *)kind, strlen(kind) + 1);
	crypto_generichash_update(&state, (const unsigned char *)address, strlen(address) + 1);
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)tolower((unsigned char)name.p[i]);

		crypto_generichash_update(&state, &c, 1);
	}
	crypto_generichash_final(&state, out, 16);
}

/* Found or made, and moved to the end of the order. */
static struct bucket *bucket_get(struct limits *limits, struct bucket **table, const unsigned char key[16], double full,
				 bool *made_out)
{
	struct bucket *bucket, *oldest;

	HASH_FIND(hh, *table, key, 16, bucket);
	*made_out = bucket == NULL;
	if (bucket != NULL) {
		HASH_DEL(*table, bucket);
	} else {
		if (HASH_COUNT(*table) >= BUCKETS_MAX) {
			oldest = *table;
			HASH_DEL(*table, oldest);
			talloc_free(oldest);
		}
		bucket = talloc_zero(limits, struct bucket);
		memcpy(bucket->key, key, 16);
		bucket->left = full;
		bucket->at_us = clock_us();
	}
	HASH_ADD(hh, *table, key, 16, bucket);
	return bucket;
}

static int64_t take(struct limits *limits, const unsigned char key[16], int64_t per_minute)
{
	double full = (double)per_minute;
	bool made;
	struct bucket *bucket = bucket_get(limits, &limits->buckets, key, full, &made);
	int64_t now = clock_us();

	bucket->left += (double)(now - bucket->at_us) * full / MINUTE_US;
	if (bucket->left > full)
		bucket->left = full;
	bucket->at_us = now;
	if (bucket->left >= 1) {
		bucket->left -= 1;
		return 0;
	}
	return per_minute > 0 ? (int64_t)((1 - bucket->left) * 60 / full) + 1 : 60;
}

int64_t limits_take(struct limits *limits, const char *kind, struct text name, int64_t per_minute)
{
	unsigned char key[16];

	digest(limits, kind, "", name, key);
	return take(limits, key, per_minute);
}

int64_t limits_login(struct limits *limits, const char *address, struct text account, int64_t per_minute)
{
	unsigned char key[16];
	struct bucket *pair;
	int64_t wait = limits_take(limits, "login address", text_from(address), per_minute);

	if (wait > 0)
		return wait;
	digest(limits, "login pair", address, account, key);
	HASH_FIND(hh, limits->known, key, 16, pair);
	return pair != NULL ? 0 : limits_take(limits, "login account", account, per_minute);
}

void limits_login_good(struct limits *limits, const char *address, struct text account)
{
	unsigned char key[16];
	bool made;

	digest(limits, "login pair", address, account, key);
	bucket_get(limits, &limits->known, key, 0, &made);
}
