#include "history_json.h"
#include "ws_frames.h"

/* The second socket of a session: commands of contract/websocket.md, section 3. */

#define ID_MAX 200

static void write_history(UT_string *json, const struct ws_conn *ws, const struct ans_chat_load *ans, const char *type)
{
	json_open(json, NULL, '{');
	json_str(json, "type", type);
	json_text(json, "session_id", ws->path_id);
	json_bool(json, "success", true);
	json_text(json, "chat_id", uuid_as_text(&ans->chat_id));
	history_json(json, ans->chat_info, ans->history, ans->message_count);
	json_close(json, '}');
}

static void answer_chat(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer, const char *type)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_load *ans = answer->body;
	struct ws_refs refs = ws_ask_refs(ask);

	utstring_init(&json);
	if (ws == NULL)
		return;
	if (answer->err.rc != RC_OK || !ans->found) {
		ws_error_rc(ws, answer->err.rc != RC_OK ? answer->err.rc : RC_NOT_FOUND, &refs);
		return;
	}
	write_history(&json, ws, ans, type);
	ws_push_json(ws, &json);
}

static void switch_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	answer_chat(ask, ws, answer, "chat_switched");
}

static void history_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	answer_chat(ask, ws, answer, "history_restored");
}

static void load_chat(struct ws_conn *ws, const cJSON *json,
		      void (*then)(struct ws_ask *, struct ws_conn *, const struct answer *))
{
	struct ws_refs refs = { .chat_id = json_get_text(json, "chat_id") };
	struct msg_chat_load m = { .session_id = ws->path_id, .chat_id = refs.chat_id };
	struct ws_ask *ask;

	if (refs.chat_id.len == 0 || refs.chat_id.len > ID_MAX) {
		ws_error(ws, "bad_frame", WORD_CHAT_ID_MISSING, NULL);
		return;
	}
	ask = ws_ask_new(ws, &refs);
	if (ask == NULL)
		return;
	ask->then = then;
	ws_ask_send(ask, ws->gw->store, MSG_CHAT_LOAD, &m);
}

/* Of all the caller's sessions, those this socket is for. */
static void write_own_session(UT_string *json, const struct ws_conn *ws, struct text sessions)
{
	CLEANUP(json_drop) cJSON *all = json_parse_trusted(sessions);
	const cJSON *session;

	cJSON_ArrayForEach(session, all)
	{
		char *printed;

		if (!text_equal(json_get_text(session, "session_id"), ws->path_id))
			continue;
		printed = cJSON_PrintUnformatted(session);
		json_raw(json, NULL, text_from(printed));
		cJSON_free(printed);
	}
}

static void chats_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_user_chats *ans = answer->body;
	struct ws_refs refs = ws_ask_refs(ask);

	utstring_init(&json);
	if (ws == NULL)
		return;
	if (answer->err.rc != RC_OK) {
		ws_error_rc(ws, answer->err.rc, &refs);
		return;
	}
	json_open(&json, NULL, '{');
	json_str(&json, "type", "user_chats");
	json_text(&json, "session_id", ws->path_id);
	json_open(&json, "chats", '[');
	write_own_session(&json, ws, ans->sessions);
	json_close(&json, ']');
	json_close(&json, '}');
	ws_push_json(ws, &json);
}

static void list_chats(struct ws_conn *ws)
{
	struct ws_ask *ask = ws_ask_new(ws, &(struct ws_refs){ 0 });

	if (ask == NULL)
		return;
	ask->then = chats_on_answer;
	ws_ask_send(ask, ws->gw->store, MSG_USER_CHATS, &(struct msg_user_chats){});
}

void ws_switch_take(struct ws_conn *ws, const cJSON *json)
{
	struct text command = json_get_text(json, "command");

	if (text_is(command, "switch_chat"))
		load_chat(ws, json, switch_on_answer);
	else if (text_is(command, "restore_history"))
		load_chat(ws, json, history_on_answer);
	else if (text_is(command, "get_user_chats"))
		list_chats(ws);
	else
		ws_error(ws, "bad_frame", WORD_UNKNOWN_COMMAND, NULL);
}
