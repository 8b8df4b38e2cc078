/*
 * bus_batch: many frames in one message of nng, because a message costs some
 * ten wake-ups of threads and a frame in it nearly nothing. What requests and
 * answers of a link travel in:
 *
 *   "ALPB" | number (u32) | entry ...      entry: id (u64) | length (u32) | frame
 *
 * all big endian. id tells which request of the asker an entry belongs to. The
 * number of a message of answers counts those sent over this connection; that
 * of a message of requests is the highest one that came. A message without the
 * magic is one frame, as bus sent it before there were batches.
 *
 * Nothing here is believed: each frame has its own MAC.
 */
#ifndef ALP_BUS_BATCH_H
#define ALP_BUS_BATCH_H

#include <nng/nng.h>
#include <utstring.h>

#include "text.h"

#define BATCH_FULL 65536 /* bytes; a batch that has them takes no further entry */
#define BATCH_HEAD 8
#define BATCH_ENTRY_HEAD 12

/* Appends the head; batch_number changes the number in it. */
void batch_begin(UT_string *batch, uint32_t number);
void batch_number(UT_string *batch, uint32_t number);

/* Appends the head of an entry, whose frame is appended by the caller; batch_entry_end then fills in its length. */
size_t batch_entry_begin(UT_string *batch, uint64_t id);
void batch_entry_end(UT_string *batch, size_t start);

/* False: body is not a batch but a single frame. *rest borrows from it. */
bool batch_open(struct text body, uint32_t *number, struct text *rest);

/* Takes the next entry off *rest; false at its end, or when the rest does not add up. */
bool batch_next(struct text *rest, uint64_t *id, struct text *frame);

#endif
