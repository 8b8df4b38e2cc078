/* ids: random UUIDs (RFC 9562 version 4). Any thread; nothing blocks. */
#ifndef ALP_IDS_H
#define ALP_IDS_H

#include "text.h"

struct uuid_text id_new(void);

/*
 * Random bytes for ids, which are no secrets: from a supply of each thread
 * that the kernel fills, a call for 1024 bytes. Tokens, nonces and keys come
 * from randombytes_buf().
 */
void id_bytes(void *out, size_t n);

/* The same id for the same name within a namespace (RFC 9562 version 5): for things that are keyed by another id. */
struct uuid_text id_named(const struct uuid_text *space, struct text name);

#endif
