/* changed: sockets are told of chats that come, change and go. Loop thread only. */
#ifndef ALP_CHANGED_H
#define ALP_CHANGED_H

#include "turn.h"

/*
 * Called with what the store has answered to the beginning of a turn, begun or
 * not. When that made the tutor chat of a module, or took it out of the
 * archive, the sockets of its session get chat_updated: nothing else tells them
 * of it. A hint, sent once: the store is asked for its name, and nobody waits.
 */
void changed_begun(const struct turn *turn, const struct ans_turn_begin *begun);

#endif
