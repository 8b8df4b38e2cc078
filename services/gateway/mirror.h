/*
 * mirror: what gateway knows of one running turn's text, and how far each
 * socket has been served. The pure part of events: no sockets, no bus, no
 * clock.
 *
 * Pieces of an epoch are numbered from 0 without gaps. A piece below the next
 * number was seen already; one above it means that some were lost.
 */
#ifndef ALP_MIRROR_H
#define ALP_MIRROR_H

#include <stdint.h>

#include "reply_log.h"
#include "text.h"

struct mirror {
	int64_t epoch;
	struct reply_log log;
};

enum mirror_step {
	MIRROR_APPENDED,
	MIRROR_OLD, /* seen already, or of an epoch that is over */
	MIRROR_GAP /* something is missing: it must be asked for */
};

void mirror_init(struct mirror *m, int64_t epoch);
void mirror_done(struct mirror *m);

/* A piece as it was published. */
enum mirror_step mirror_delta(struct mirror *m, int64_t epoch, int64_t offset, struct text piece);

/* A new attempt begins; false when it is not new. */
bool mirror_reset(struct mirror *m, int64_t epoch);

enum mirror_merge {
	MERGE_GOOD, /* pieces from *from_out on are new */
	MERGE_RESET, /* the same, and all before belongs to an epoch that is over */
	MERGE_BROKEN /* it does not join: ask again from the start */
};

/* Pieces as turn_get answers them. */
enum mirror_merge mirror_fill(struct mirror *m, int64_t epoch, int64_t offset, struct text pieces, struct text ends,
			      size_t *from_out);

/* A position as clients name it, "epoch.offset": false when it is none. */
bool mirror_position(struct text id, int64_t *epoch_out, int64_t *offset_out);

/* ---- how far one socket is ------------------------------------------------------------- */

#define CURSORS_MAX 8 /* turns one socket follows at once; the one quiet longest gives way */

struct cursor {
	struct uuid_text turn_id;
	int64_t epoch;
	size_t next;
};

struct cursors {
	struct cursor items[CURSORS_MAX]; /* the latest served first */
	int n;
};

/*
 * The piece the socket gets next, or -1 when it does not have what goes before
 * what is there. from_start: the pieces told of now are the first of their
 * epoch, so that whoever has none of it may begin.
 */
int64_t cursor_next(const struct cursors *c, const struct uuid_text *turn_id, int64_t epoch, bool from_start);

/* The socket has everything below next. */
void cursor_set(struct cursors *c, const struct uuid_text *turn_id, int64_t epoch, size_t next);
/* The socket gets no more of the turn, whatever its epoch, until it is set again. */
void cursor_close(struct cursor *cursor);
bool cursor_is_closed(const struct cursors *c, const struct uuid_text *turn_id);
void cursor_drop(struct cursors *c, const struct uuid_text *turn_id);

/* ---- which turns have ended -------------------------------------------------------------- */

#define ENDED_MAX 512

/* The latest ends, so that one told twice (published and asked for) goes out once. */
struct ended {
	struct {
		struct uuid_text turn_id;
		int64_t epoch;
		char type[32];
	} items[ENDED_MAX];
	int at;
};

/* False when the same end was there already. */
bool ended_add(struct ended *e, const struct uuid_text *turn_id, int64_t epoch, struct text type);

/* The turn has ended with this epoch or a later one; epoch 0: with any. */
bool ended_has(const struct ended *e, const struct uuid_text *turn_id, int64_t epoch);

#endif
