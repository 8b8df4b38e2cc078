/*
 * reply_log: the text of one attempt and where each of its pieces ends, so
 * that whoever missed some can be told exactly those. Piece n is what clients
 * see as offset n of the epoch. Loop thread; nothing blocks.
 */
#ifndef ALP_REPLY_LOG_H
#define ALP_REPLY_LOG_H

#include <stdint.h>

#include <utstring.h>

#include "text.h"

struct reply_log {
	UT_string text;
	uint32_t *ends; /* byte position behind piece i */
	size_t n, room;
};

void reply_log_init(struct reply_log *log);
void reply_log_done(struct reply_log *log);
void reply_log_clear(struct reply_log *log);

void reply_log_add(struct reply_log *log, struct text piece);
struct text reply_log_piece(const struct reply_log *log, size_t i);
struct text reply_log_text(const struct reply_log *log); /* the whole */
struct text reply_log_from(const struct reply_log *log, size_t i); /* pieces i.. as one text */

/* The ends of pieces from.., relative to the start of piece `from`, as "3,17,40". Belongs to ctx. */
char *reply_log_ends(const void *ctx, const struct reply_log *log, size_t from);

/*
 * Takes over pieces numbered first.. given as one text and its ends; those the
 * log has already are skipped. False when they do not join (a gap) or the
 * ends do not fit the text; the log is then unchanged.
 */
bool reply_log_merge(struct reply_log *log, size_t first, struct text text, struct text ends);

#endif
