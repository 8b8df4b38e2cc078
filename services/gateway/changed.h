/* changed: chat is told of what the store has changed, for sockets and running replies. Loop thread only. */
#ifndef ALP_CHANGED_H
#define ALP_CHANGED_H

#include "http.h"

/*
 * Every socket of the chats' sessions, at every gateway, gets chat_updated,
 * and replies that lost their place end. told: as the store answers it; empty:
 * no chat. track_id may be NULL. A hint, sent once: nobody waits for it.
 */
void changed_tell(struct http_request *r, const char *change, struct text told, const struct uuid_text *track_id);

#endif
