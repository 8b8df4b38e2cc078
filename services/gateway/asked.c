#include "asked.h"

#include <sodium.h>

#define HASH_BYTES 32

/* Each field behind its length, so that no two lists of fields are the same bytes. */
struct text asked_hash(struct http_request *r, const struct text *fields, size_t n)
{
	crypto_generichash_state state;
	unsigned char hash[HASH_BYTES];
	char *hex;

	if (r->idempotency_key.len == 0)
		return (struct text){ 0 };
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < n; i++) {
		uint64_t len = fields[i].len;

		crypto_generichash_update(&state, (const unsigned char *)&len, sizeof(len));
		if (len > 0)
			crypto_generichash_update(&state, (const unsigned char *)fields[i].p, fields[i].len);
	}
	crypto_generichash_final(&state, hash, sizeof(hash));
	hex = talloc_size(r, 2 * sizeof(hash) + 1);
	sodium_bin2hex(hex, 2 * sizeof(hash) + 1, hash, sizeof(hash));
	return text_from(hex);
}
