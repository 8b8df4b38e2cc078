/*
 * standstill: notices that this process did not run for a while: it was stopped,
 * its machine was paused, or it starved. Work that it finds in its sockets then
 * was handed out before, and chat, which heard nothing, has given it to another:
 * the model must not be asked for it again. What is handed out afterwards is
 * taken, also when it answers a request from before. Loop thread only.
 */
#ifndef ALP_STANDSTILL_H
#define ALP_STANDSTILL_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "loop.h"

struct standstill {
	ev_timer tick; /* so that an idle loop turns as well */
	ev_check turn;
	int64_t turned_us; /* when the loop turned last */
	int64_t woke_us; /* when it was found to have stood still; 0: never */
};

void standstill_init(struct standstill *s, struct loop *loop);
void standstill_stop(struct standstill *s, struct loop *loop);

/* What came just now, and was so long on its way (struct answer), was sent before this process stood still, or while it did. */
bool standstill_is_behind(const struct standstill *s, int64_t lag_us);

#endif
