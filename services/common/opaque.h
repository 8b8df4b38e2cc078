/*
 * opaque: random tokens that mean nothing by themselves (refresh tokens, links
 * to set a new password). Only their hash is stored: with 256 random bits
 * nothing slower is needed. Any thread; nothing blocks.
 */
#ifndef ALP_OPAQUE_H
#define ALP_OPAQUE_H

#include <stdbool.h>

#include "text.h"

#define OPAQUE_SIZE 44 /* 43 characters of base64url: 256 random bits */
#define OPAQUE_HASH_SIZE 65 /* 64 hexadecimal digits, of BLAKE2b-256 */

/* A new one: the token for whoever may have it, its hash for store. */
void opaque_make(char token[OPAQUE_SIZE], char hash[OPAQUE_HASH_SIZE]);

/* The hash of a token from outside; false when it has not the form of one. */
bool opaque_hash(struct text token, char hash[OPAQUE_HASH_SIZE]);

#endif
