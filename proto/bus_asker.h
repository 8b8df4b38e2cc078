/*
 * bus_asker: who asks a server: a connection each, and the answers that wait to
 * leave over it, in batches (bus_batch.h). nng's queue for a connection takes 64
 * messages and drops the rest, so no more than a window of them is sent before
 * the asker tells that it has taken them; the others wait here and grow
 * together. Loop thread only.
 */
#ifndef ALP_BUS_ASKER_H
#define ALP_BUS_ASKER_H

#include <uthash.h>

#include "bus_impl.h"

/* Connections whose end is remembered, for what waited in nng when they ended: fewer than this can wait there. */
#define ASKERS_LOST 64

struct asker;

struct askers {
	struct bus *bus;
	nng_socket nng; /* a raw REP socket */
	void (*on_room)(struct askers *askers); /* calls nobody */
	struct asker *by_pipe;
	uint32_t lost[ASKERS_LOST];
	unsigned lost_n;
};

/* Who asks over this connection; made at the first word. NULL: the connection has ended meanwhile. */
struct asker *asker_of(struct askers *askers, uint32_t pipe);

/* The highest number of our messages that it says it has. */
void asker_told(struct asker *asker, uint32_t taken);

/* It has shown that it is of the suite: it is told, once, that we know batches. */
void asker_greet(struct asker *asker);

/* So much waits for it that nothing more is to be begun for it. askers->on_room says when that has changed. */
bool asker_is_full(const struct asker *asker);

/*
 * Where the answer to its request of this number is to be appended, at once;
 * asker_answer_end then. single: it was no part of a batch, this is the end of
 * SP's header of it; 0: it was. awaited: bus_has_answered waits for it.
 */
UT_string *asker_answer(struct asker *asker, uint64_t number, uint32_t single);
void asker_answer_end(struct asker *asker, bool awaited);

void asker_lost(struct askers *askers, uint32_t pipe); /* its connection has ended; the asker is freed */
void askers_end(struct askers *askers);

#endif
