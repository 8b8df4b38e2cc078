/*
 * utf8: text that may be broken becomes well-formed UTF-8, as the WHATWG
 * decoder does it: each maximal part that is no character becomes one U+FFFD,
 * and so does U+0000, which our store refuses. A character may be cut between
 * two calls. Halves of a surrogate pair, three bytes each, are joined when
 * they follow each other (llm_json.h writes lone \uD8xx escapes that way).
 * Any thread; nothing blocks.
 */
#ifndef ALP_UTF8_H
#define ALP_UTF8_H

#include <utstring.h>

#include "text.h"

struct utf8 {
	unsigned char held[4]; /* the character begun */
	unsigned n, need; /* bytes of it we have, and it takes; need 0: none is begun */
	unsigned char low, high; /* range of its next byte */
	unsigned half; /* a high surrogate waiting for its low one, or 0 */
	UT_string out;
};

void utf8_init(struct utf8 *u);
void utf8_done(struct utf8 *u);

/* What is complete of everything fed so far and not returned yet. Borrows from in or from u, until the next call. */
struct text utf8_repair(struct utf8 *u, struct text in);

/* Nothing more comes: a character that is cut becomes U+FFFD. */
struct text utf8_end(struct utf8 *u);

/* The longest start of well-formed text with at most max bytes that ends between characters. */
struct text utf8_start(struct text t, size_t max);

#endif
