/*
 * seal: users' API keys at rest and on the bus. Whoever has the public key can
 * seal; only ai, which has DATA_KEY, can open. A sealed text is
 *
 *   alp1.<id of the key>.<base64url of: sender's public key, nonce, ciphertext>
 *
 * encrypted with XChaCha20-Poly1305 under a key agreed by X25519 (crypto_kx)
 * between DATA_KEY and a key pair made for this one text. Everything before
 * the last dot and the owner's id are associated data: a sealed text moved to
 * another owner does not open. Any thread; nothing blocks.
 */
#ifndef ALP_SEAL_H
#define ALP_SEAL_H

#include <sodium.h>

#include "text.h"

#define SEAL_ID_SIZE 17
#define SEAL_KEY_SIZE 80 /* of a public key as text */
#define SEAL_TEXT_MAX 4096 /* bytes that are sealed at most */

struct seal_key {
	char id[SEAL_ID_SIZE]; /* follows from the key */
	unsigned char bytes[crypto_kx_PUBLICKEYBYTES];
};

struct seal_secret {
	struct seal_key key;
	unsigned char bytes[crypto_kx_SECRETKEYBYTES];
};

/* master: DATA_KEY, any text that cannot be guessed. */
void seal_secret_init(struct seal_secret *out, const char *master);

/* As text for the bus, and back; false when it is none, or its id does not belong to it. */
void seal_key_write(const struct seal_key *key, char out[SEAL_KEY_SIZE]);
bool seal_key_read(struct seal_key *out, struct text in);

bool seal_is_sealed(struct text t);

/* Belongs to ctx. NULL when plain is empty or too long. */
char *seal_text(const void *ctx, const struct seal_key *key, const struct uuid_text *owner, struct text plain);

/* Belongs to ctx. NULL: another key, another owner, or not what was sealed. *old_out: not sealed with the first secret. */
char *seal_open(const void *ctx, const struct seal_secret *secrets, size_t n, const struct uuid_text *owner,
		struct text sealed, bool *old_out);

/* What may be shown of a key: its last four characters, of one that is long enough not to be given away; else "". */
#define SEAL_HINT_SIZE 5
void seal_hint(struct text plain, char out[SEAL_HINT_SIZE]);

#endif
