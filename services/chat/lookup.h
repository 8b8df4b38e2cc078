/*
 * lookup: questions about turns that do not run in this process: the store
 * knows how they ended, or another instance runs them. Loop thread only.
 */
#ifndef ALP_LOOKUP_H
#define ALP_LOOKUP_H

#include "chat.h"

/*
 * Answers the call (turn_get, turn_stop, ...) with the turn as stored. With
 * for_end it asks again until the turn has ended or the asker's time is over.
 */
void lookup_turn(struct chat *chat, struct call *call, const struct uuid_text *turn_id, bool for_end);

#endif
