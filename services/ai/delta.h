/*
 * delta: a reply's text becomes numbered pieces. The first text leaves at once;
 * what comes within join_ms after a piece is joined into the next one. A piece
 * is whole characters, never empty, at most DELTA_PIECE_MAX bytes; it goes into
 * the reply log and to whoever listens. Time is clock.h's; the owner calls
 * delta_flush when delta_due_us has come. Loop thread; nothing blocks.
 */
#ifndef ALP_DELTA_H
#define ALP_DELTA_H

#include "reply_log.h"

#define DELTA_PIECE_MAX 16384

/* number counts from 0; piece borrows from the log. */
typedef void delta_fn(void *arg, size_t number, struct text piece);

struct delta {
	struct reply_log log; /* pieces that have left */
	UT_string held; /* text that has not */
	size_t max; /* bytes of the whole text */
	int64_t join_us;
	int64_t last_us; /* when the last piece left */
	delta_fn *emit;
	void *arg;
};

void delta_init(struct delta *delta, size_t max, int64_t join_ms, delta_fn *emit, void *arg);
void delta_done(struct delta *delta);

/* Takes text, well-formed UTF-8. False: it is cut, the text has reached its limit. */
bool delta_add(struct delta *delta, struct text text);

/* When what is held has to leave, on clock_us; 0: nothing is held. */
int64_t delta_due_us(const struct delta *delta);

/* What is held leaves now. */
void delta_flush(struct delta *delta);

/* What is held becomes the last pieces of the log without being emitted: the end of the attempt carries the whole log. */
void delta_end(struct delta *delta);

/* Bytes of the whole text. */
size_t delta_len(const struct delta *delta);

#endif
