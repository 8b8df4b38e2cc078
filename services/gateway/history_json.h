/* history_json: a chat as clients read it, for REST and both sockets. Nothing blocks. */
#ifndef ALP_HISTORY_JSON_H
#define ALP_HISTORY_JSON_H

#include "json.h"

/* The members chat_info, history and message_count of an open object; chat_info and entries come from store as they are. */
void history_json(UT_string *json, struct text chat_info, struct text entries, int64_t count);

#endif
