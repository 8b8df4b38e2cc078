#include "mac.h"

#include <sodium.h>

_Static_assert(MAC_BYTES == crypto_auth_BYTES && MAC_SECRET_BYTES == crypto_auth_KEYBYTES &&
		       MAC_KEY_BYTES == sizeof(crypto_auth_hmacsha512256_state),
	       "the sizes are those of crypto_auth");

void mac_prepare(unsigned char key_out[MAC_KEY_BYTES], const unsigned char secret[MAC_SECRET_BYTES])
{
	crypto_auth_hmacsha512256_state state;

	crypto_auth_hmacsha512256_init(&state, secret, MAC_SECRET_BYTES);
	memcpy(key_out, &state, sizeof(state));
}

void mac_write(unsigned char mac_out[MAC_BYTES], const unsigned char key[MAC_KEY_BYTES], struct text bytes)
{
	crypto_auth_hmacsha512256_state state;

	memcpy(&state, key, sizeof(state));
	crypto_auth_hmacsha512256_update(&state, (const unsigned char *)bytes.p, bytes.len);
	crypto_auth_hmacsha512256_final(&state, mac_out);
}

bool mac_verify(const unsigned char mac[MAC_BYTES], const unsigned char key[MAC_KEY_BYTES], struct text bytes)
{
	unsigned char wanted[MAC_BYTES];

	mac_write(wanted, key, bytes);
	return sodium_memcmp(mac, wanted, sizeof(wanted)) == 0;
}
