#include "seal.h"

#include <stdio.h>

#define PREFIX "alp1."
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD (crypto_kx_PUBLICKEYBYTES + NONCE)
#define ID (SEAL_ID_SIZE - 1)
#define AD_SIZE (sizeof(PREFIX) + ID + 40)
#define HINT (SEAL_HINT_SIZE - 1)
#define HINTED_MIN 12 /* bytes: four of fewer would tell too much */

/* ---- keys ------------------------------------------------------------------------- */

static void name_key(struct seal_key *key)
{
	unsigned char digest[crypto_generichash_BYTES];

	crypto_generichash(digest, sizeof(digest), key->bytes, sizeof(key->bytes), NULL, 0);
	sodium_bin2hex(key->id, sizeof(key->id), digest, ID / 2);
}

void seal_secret_init(struct seal_secret *out, const char *master)
{
	static const unsigned char purpose[crypto_generichash_KEYBYTES] = "alp: keys of users, 1";
	unsigned char seed[crypto_kx_SEEDBYTES];

	crypto_generichash(seed, sizeof(seed), (const unsigned char *)master, strlen(master), purpose, sizeof(purpose));
	crypto_kx_seed_keypair(out->key.bytes, out->bytes, seed);
	sodium_memzero(seed, sizeof(seed));
	name_key(&out->key);
}

void seal_key_write(const struct seal_key *key, char out[SEAL_KEY_SIZE])
{
	memcpy(out, key->id, ID);
	out[ID] = '.';
	sodium_bin2base64(out + ID + 1, SEAL_KEY_SIZE - ID - 1, key->bytes, sizeof(key->bytes), VARIANT);
}

bool seal_key_read(struct seal_key *out, struct text in)
{
	size_t len;

	if (in.len <= ID || in.p[ID] != '.' ||
	    sodium_base642bin(out->bytes, sizeof(out->bytes), in.p + ID + 1, in.len - ID - 1, NULL, &len, NULL,
			      VARIANT) != 0 ||
	    len != sizeof(out->bytes))
		return false;
	name_key(out);
	return memcmp(out->id, in.p, ID) == 0;
}

/* ---- texts -------------------------------------------------------------------------- */

bool seal_is_sealed(struct text t)
{
	return t.len > strlen(PREFIX) && memcmp(t.p, PREFIX, strlen(PREFIX)) == 0;
}

static size_t associated(char out[AD_SIZE], const char *id, const struct uuid_text *owner)
{
	int len = snprintf(out, AD_SIZE, PREFIX "%s.%s", id, owner->s);

	return (size_t)len;
}

char *seal_text(const void *ctx, const struct seal_key *key, const struct uuid_text *owner, struct text plain)
{
	unsigned char sealed[HEAD + SEAL_TEXT_MAX + TAG], secret[crypto_kx_SECRETKEYBYTES];
	unsigned char *nonce = sealed + crypto_kx_PUBLICKEYBYTES;
	unsigned char rx[crypto_kx_SESSIONKEYBYTES], tx[crypto_kx_SESSIONKEYBYTES];
	char base64[sodium_base64_ENCODED_LEN(sizeof(sealed), VARIANT)], ad[AD_SIZE];
	unsigned long long len;
	bool good;

	if (plain.len == 0 || plain.len > SEAL_TEXT_MAX)
		return NULL;
	crypto_kx_keypair(sealed, secret);
	good = crypto_kx_client_session_keys(rx, tx, sealed, secret, key->bytes) == 0;
	randombytes_buf(nonce, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + HEAD, &len, (const unsigned char *)plain.p, plain.len,
						   (const unsigned char *)ad, associated(ad, key->id, owner), NULL,
						   nonce, tx);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(tx, sizeof(tx));
	sodium_memzero(rx, sizeof(rx));
	sodium_bin2base64(base64, sizeof(base64), sealed, HEAD + len, VARIANT);
	return good ? talloc_asprintf(ctx, PREFIX "%s.%s", key->id, base64) : NULL;
}

/* The secret that a sealed text names; NULL when we do not have it. */
static const struct seal_secret *secret_of(const struct seal_secret *secrets, size_t n, struct text sealed)
{
	const char *id = sealed.p + strlen(PREFIX);

	if (sealed.len <= strlen(PREFIX) + ID || id[ID] != '.')
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (memcmp(secrets[i].key.id, id, ID) == 0)
			return &secrets[i];
	return NULL;
}

char *seal_open(const void *ctx, const struct seal_secret *secrets, size_t n, const struct uuid_text *owner,
		struct text sealed, bool *old_out)
{
	const struct seal_secret *s = seal_is_sealed(sealed) ? secret_of(secrets, n, sealed) : NULL;
	unsigned char raw[HEAD + SEAL_TEXT_MAX + TAG], plain[SEAL_TEXT_MAX];
	unsigned char rx[crypto_kx_SESSIONKEYBYTES], tx[crypto_kx_SESSIONKEYBYTES];
	size_t head = strlen(PREFIX) + ID + 1, len;
	unsigned long long plain_len = 0;
	char ad[AD_SIZE], *out = NULL;

	if (s == NULL ||
	    sodium_base642bin(raw, sizeof(raw), sealed.p + head, sealed.len - head, NULL, &len, NULL, VARIANT) != 0 ||
	    len <= HEAD + TAG || crypto_kx_server_session_keys(rx, tx, s->key.bytes, s->bytes, raw) != 0)
		return NULL;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &plain_len, NULL, raw + HEAD, len - HEAD,
						       (const unsigned char *)ad, associated(ad, s->key.id, owner),
						       raw + crypto_kx_PUBLICKEYBYTES, rx) == 0) {
		out = text_dup(ctx, text_of(plain, (size_t)plain_len));
		*old_out = s != secrets;
	}
	sodium_memzero(plain, sizeof(plain));
	sodium_memzero(rx, sizeof(rx));
	sodium_memzero(tx, sizeof(tx));
	return out;
}

void seal_hint(struct text plain, char out[SEAL_HINT_SIZE])
{
	size_t shown = plain.len >= HINTED_MIN ? HINT : 0;

	for (size_t i = 0; i < shown; i++) {
		char c = plain.p[plain.len - shown + i];

		if (c <= ' ' || c > '~') /* no key has such; half of a character would be none */
			shown = 0;
		out[i] = c;
	}
	out[shown] = '\0';
}
