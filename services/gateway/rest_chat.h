/* rest_chat: what the handlers of chats share. Loop thread only. */
#ifndef ALP_REST_CHAT_H
#define ALP_REST_CHAT_H

#include "http.h"
#include "words.h"

/* A session's id from outside: a UUID or a client's own name, as it is stored. */
struct text rest_session_name(struct http_request *r, struct text id);

/* An id that must be a row's. False was answered: 400 with this fault, for a guest (whose page makes up ids) 404. */
bool rest_chat_id(struct http_request *r, struct text id, enum word fault, struct uuid_text *out);

#endif
