/*
 * mac: libsodium's crypto_auth (HMAC-SHA512-256) with a key that is prepared once: the first block of both hashes is
 * the padded key, two of the five blocks that a message of a hundred bytes costs. Any thread; nothing blocks.
 */
#ifndef ALP_MAC_H
#define ALP_MAC_H

#include <stdbool.h>

#include "text.h"

#define MAC_BYTES 32
#define MAC_SECRET_BYTES 32
#define MAC_KEY_BYTES 416

/* key_out belongs to this process: its bytes are not the same everywhere. */
void mac_prepare(unsigned char key_out[MAC_KEY_BYTES], const unsigned char secret[MAC_SECRET_BYTES]);

void mac_write(unsigned char mac_out[MAC_BYTES], const unsigned char key[MAC_KEY_BYTES], struct text bytes);

/* In constant time. */
bool mac_verify(const unsigned char mac[MAC_BYTES], const unsigned char key[MAC_KEY_BYTES], struct text bytes);

#endif
