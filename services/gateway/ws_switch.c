#include "history_json.h"
#include "ws_frames.h"

/* The second socket of a session: commands of contract/websocket.md, section 3. */

#define ID_MAX 200
#define COMMAND_MAX 64

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

static void load_chat(struct ws_conn *ws, const cJSON *json, bool activate,
		      void (*then)(struct ws_ask *, struct ws_conn *, const struct answer *))
{
	struct ws_refs refs = { 0 };
	struct msg_chat_load m = { .session_id = ws->path_id, .activate = activate };
	struct ws_ask *ask;

	if (!ws_text_member(ws, json, "chat_id", ID_MAX, &refs, &refs.chat_id))
		return;
	if (refs.chat_id.len == 0) {
		ws_error(ws, "bad_frame", WORD_CHAT_ID_MISSING, NULL);
		return;
	}
	/* A name that is no row's would mean the planning chat: here a chat was asked for. */
	if (!text_is_uuid(refs.chat_id)) {
		ws_error(ws, "not_found", WORD_NOT_FOUND, &refs);
		return;
	}
	m.chat_id = refs.chat_id;
	ask = ws_ask_new(ws, &refs);
	if (ask == NULL)
		return;
	ask->then = then;
	ws_ask_send(ask, ws->gw->store, MSG_CHAT_LOAD, &m);
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
	json_bool(&json, "success", true);
	json_raw(&json, "chats", ans->sessions);
	json_close(&json, '}');
	ws_push_json(ws, &json);
}

static void list_chats(struct ws_conn *ws)
{
	struct ws_ask *ask = ws_ask_new(ws, &(struct ws_refs){ 0 });
	struct msg_user_chats m = { .session_id = ws->path_id }; /* of this session only */

	if (ask == NULL)
		return;
	ask->then = chats_on_answer;
	ws_ask_send(ask, ws->gw->store, MSG_USER_CHATS, &m);
}

void ws_switch_take(struct ws_conn *ws, const cJSON *json)
{
	struct text command, user_id;

	language_from_name(json_get_text(json, "language"), ws->caller.language);
	if (!ws_text_member(ws, json, "command", COMMAND_MAX, NULL, &command) ||
	    !ws_text_member(ws, json, "user_id", ID_MAX, NULL, &user_id))
		return;
	if (text_is(command, "switch_chat"))
		load_chat(ws, json, true, switch_on_answer);
	else if (text_is(command, "restore_history"))
		load_chat(ws, json, false, history_on_answer);
	else if (text_is(command, "get_user_chats"))
		list_chats(ws);
	else
		ws_error_about(ws, "bad_frame", WORD_UNKNOWN_COMMAND, command, NULL);
}
