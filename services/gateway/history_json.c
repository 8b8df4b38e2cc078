#include "history_json.h"

void history_json(UT_string *json, struct text chat_info, struct text entries, int64_t count)
{
	if (chat_info.len > 0)
		json_raw(json, "chat_info", chat_info);
	else
		json_null(json, "chat_info");
	json_open(json, "history", '[');
	json_raw(json, NULL, entries);
	json_close(json, ']');
	json_i64(json, "message_count", count);
}
