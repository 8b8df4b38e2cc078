#include "opaque.h"

#include <sodium.h>

bool opaque_hash(struct text token, char hash[OPAQUE_HASH_SIZE])
{
	unsigned char raw[32];

	if (token.len != OPAQUE_SIZE - 1)
		return false;
	crypto_generichash(raw, sizeof(raw), (const unsigned char *)token.p, token.len, NULL, 0);
	sodium_bin2hex(hash, OPAQUE_HASH_SIZE, raw, sizeof(raw));
	return true;
}

void opaque_make(char token[OPAQUE_SIZE], char hash[OPAQUE_HASH_SIZE])
{
	unsigned char raw[32];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(token, OPAQUE_SIZE, raw, sizeof(raw), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof(raw));
	opaque_hash(text_from(token), hash);
}
