#include "ws_frames.h"

#include "history_json.h"

#include "clock.h"
#include "events.h"
#include "fault.h"
#include "ids.h"
#include "schema.h"

#define MESSAGE_MAX 32000
#define ID_MAX 200
#define TYPE_MAX 20

static struct text member_text(const cJSON *json, const char *key)
{
	return json_get_text(json, key);
}

static bool is_running(const struct outcome *outcome)
{
	return text_is(outcome->state, "running");
}

/* ---- a message ------------------------------------------------------------------------- */

void write_accepted(UT_string *json, const struct turn_view *turn, struct text session_id)
{
	json_open(json, NULL, '{');
	json_str(json, "type", "accepted");
	json_text(json, "session_id", session_id);
	if (turn->kind.len > 0)
		json_text(json, "kind", turn->kind);
	if (turn->client_message_id.s[0] != '\0')
		json_text(json, "client_message_id", uuid_as_text(&turn->client_message_id));
	json_text(json, "turn_id", uuid_as_text(&turn->turn_id));
	json_text(json, "chat_id", uuid_as_text(&turn->chat_id));
	if (turn->user_message_id.s[0] != '\0') {
		json_text(json, "message_id", uuid_as_text(&turn->user_message_id));
		json_i64(json, "seq", turn->seq);
	}
	json_close(json, '}');
}

static void post_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_post *ans = answer->body;
	struct ws_refs refs = ws_ask_refs(ask);

	utstring_init(&json);
	if (answer->err.rc != RC_OK) {
		if (ws != NULL)
			ws_error_rc(ws, answer->err.rc, &refs);
		return;
	}
	write_accepted(&json, &ans->turn, ask->path_id);
	if (ws != NULL)
		ws_push_json(ws, &json);
	FAULT_POINT(gateway_after_accepted);
	if (is_running(&ans->turn.outcome))
		events_follow(ask->gw->events, &ask->caller, &ans->turn, ask->path_id);
	else if (ws != NULL)
		events_repeat_end(ask->gw->events, ws, &ans->turn);
}

static const char *message_fault(struct text body, enum word *id_out)
{
	if (text_trim(body).len == 0)
		return *id_out = WORD_BLANK_MESSAGE, "blank_message";
	if (text_chars(body) > MESSAGE_MAX)
		return *id_out = WORD_MESSAGE_TOO_LONG, "too_long";
	return NULL;
}

static void take_message(struct ws_conn *ws, const cJSON *json, struct text type)
{
	struct ws_refs refs = { .chat_id = member_text(json, "chat_id"),
				.client_message_id = member_text(json, "client_message_id") };
	struct msg_chat_post m = { .session_id = ws->path_id };
	int64_t began_us = clock_us();
	enum word id = WORD_BAD_FRAME;
	const char *fault;
	struct ws_ask *ask;

	if (!ws_text_member(ws, json, "message", SIZE_MAX, &refs, &m.body) ||
	    !ws_text_member(ws, json, "chat_id", ID_MAX, &refs, &m.chat_id))
		return;
	if (text_chars(type) > TYPE_MAX) {
		ws_error_about(ws, "bad_frame", WORD_BAD_FRAME, text_from("type"), &refs);
		return;
	}
	if (!ws_text_member(ws, json, "client_message_id", 36, &refs, &refs.client_message_id))
		return;
	if (refs.client_message_id.len > 0 && !uuid_from_text(refs.client_message_id, &m.client_message_id)) {
		ws_error(ws, "bad_frame", WORD_BAD_MESSAGE_ID, &refs);
		return;
	}
	fault = message_fault(m.body, &id);
	if (fault != NULL) {
		ws_error(ws, fault, id, &refs);
		return;
	}
	ask = ws_ask_new(ws, &refs);
	if (ask == NULL)
		return;
	if (refs.client_message_id.len == 0)
		m.client_message_id = id_new();
	m.message_type = type.len > 0 ? type : text_from("text");
	m.gateway_in_us = clock_us() - began_us + 1;
	ws->posted[ws->posted_n++ % POSTED_MAX] = m.client_message_id;
	ask->is_post = true;
	ask->then = post_on_answer;
	ws_ask_send(ask, ws->gw->chat, MSG_CHAT_POST, &m);
}

/* ---- restore ------------------------------------------------------------------------------ */

/* Up to and without active_turn: whether a reply runs is settled later. */
static void write_restored(UT_string *json, const struct ws_conn *ws, const struct ans_chat_restore *ans)
{
	json_open(json, NULL, '{');
	json_str(json, "type", "chat_restored");
	json_text(json, "session_id", ws->path_id);
	json_bool(json, "success", true);
	json_bool(json, "has_existing_chat", ans->found);
	if (ans->found)
		json_text(json, "chat_id", uuid_as_text(&ans->chat_id));
	else
		json_null(json, "chat_id");
	history_json(json, ans->chat_info, ans->history, ans->message_count);
	json_i64(json, "older", ans->older);
}

static void restore_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	CLEANUP(string_done) UT_string json;
	const struct ans_chat_restore none = { 0 };
	const struct ans_chat_restore *ans = answer->body != NULL ? answer->body : &none;
	struct ws_refs refs = ws_ask_refs(ask);
	/* a session nobody has used yet is restored as an empty one; a chat that was named must be there */
	bool empty = answer->err.rc == RC_NOT_FOUND && ask->chat_id.len == 0;

	utstring_init(&json);
	if (ws == NULL)
		return;
	if (answer->err.rc != RC_OK && !empty) {
		ws_error_rc(ws, answer->err.rc, &refs);
		return;
	}
	write_restored(&json, ws, ans);
	events_restore(ws->gw->events, ws, &ans->running_turn, &ans->session_id, &ans->chat_id, json_written(&json));
}

static void take_restore(struct ws_conn *ws, const cJSON *json)
{
	struct ws_refs refs = { 0 };
	struct msg_chat_restore m = { .session_id = ws->path_id };
	struct ws_ask *ask;

	if (!ws_text_member(ws, json, "chat_id", ID_MAX, NULL, &m.chat_id))
		return;
	refs.chat_id = m.chat_id;
	if (json_get(json, "limit") != NULL && (!json_get_i64(json, "limit", &m.limit) || m.limit < 1)) {
		ws_error_about(ws, "bad_frame", WORD_BAD_FRAME, text_from("limit"), &refs);
		return;
	}
	ask = ws_ask_new(ws, &refs);
	if (ask == NULL)
		return;
	ask->is_post = true; /* what happens meanwhile comes behind the history, which may be older */
	ask->then = restore_on_answer;
	ws_ask_send(ask, ws->gw->chat, MSG_CHAT_RESTORE, &m);
}

/* ---- a running reply ------------------------------------------------------------------------- */

/* False: the frame names no turn, which was said. */
static bool turn_member(struct ws_conn *ws, const cJSON *json, struct ws_refs *refs, struct uuid_text *out)
{
	refs->chat_id = member_text(json, "chat_id");
	refs->turn_id = member_text(json, "turn_id");
	if (uuid_from_text(refs->turn_id, out))
		return true;
	ws_error(ws, refs->turn_id.len > 0 ? "not_found" : "bad_frame",
		 refs->turn_id.len > 0 ? WORD_NOT_FOUND : WORD_BAD_FRAME, refs);
	return false;
}

static void take_resume(struct ws_conn *ws, const cJSON *json)
{
	struct ws_refs refs = { 0 };
	struct uuid_text turn_id;
	int64_t epoch = 0, offset = 0;

	if (!turn_member(ws, json, &refs, &turn_id))
		return;
	if ((json_get(json, "epoch") != NULL && !json_get_i64(json, "epoch", &epoch)) ||
	    (json_get(json, "offset") != NULL && !json_get_i64(json, "offset", &offset)) || epoch < 0 || offset < 0)
		ws_error(ws, "bad_frame", WORD_BAD_FRAME, &refs);
	else
		events_resume(ws->gw->events, ws, &turn_id, epoch, offset);
}

static void stop_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	const struct ans_turn_stop *ans = answer->body;
	struct ws_refs refs = ws_ask_refs(ask);

	if (answer->err.rc != RC_OK) {
		if (ws != NULL)
			ws_error_rc(ws, answer->err.rc, &refs);
	} else if (ans->turn.elsewhere) {
		/* nobody has it just now: whoever had it is gone, and no other has taken it over yet */
		if (ws != NULL)
			ws_error_rc(ws, RC_BUSY, &refs);
	} else if (is_running(&ans->turn.outcome)) {
		events_follow(ask->gw->events, &ask->caller, &ans->turn, ask->path_id);
	} else if (ws != NULL && !events_has_ended(ask->gw->events, &ans->turn)) {
		events_repeat_end(ask->gw->events, ws, &ans->turn);
	}
}

static void take_stop(struct ws_conn *ws, const cJSON *json)
{
	struct ws_refs refs = { 0 };
	struct msg_turn_stop m = { 0 };
	struct ws_ask *ask;

	if (!turn_member(ws, json, &refs, &m.turn_id))
		return;
	ask = ws_ask_new(ws, &refs);
	if (ask == NULL)
		return;
	ask->then = stop_on_answer;
	ws_ask_send(ask, ws->gw->chat, MSG_TURN_STOP, &m);
}

static void regenerate_on_answer(struct ws_ask *ask, struct ws_conn *ws, const struct answer *answer)
{
	const struct ans_chat_regenerate *ans = answer->body;
	struct ws_refs refs = ws_ask_refs(ask);

	if (answer->err.rc != RC_OK) {
		if (ws != NULL)
			ws_error_rc(ws, answer->err.rc, &refs);
	} else if (is_running(&ans->turn.outcome)) {
		events_follow(ask->gw->events, &ask->caller, &ans->turn, ask->path_id);
	} else if (ws != NULL) {
		events_repeat_end(ask->gw->events, ws, &ans->turn);
	}
}

static void take_regenerate(struct ws_conn *ws, const cJSON *json)
{
	struct ws_refs refs = { .chat_id = member_text(json, "chat_id"), .turn_id = member_text(json, "turn_id") };
	/* Minted here: the bus may repeat the request, and the reply is made anew once. */
	struct msg_chat_regenerate m = { .session_id = ws->path_id, .client_message_id = id_new() };
	struct ws_ask *ask;

	if (!ws_text_member(ws, json, "message_id", ID_MAX, &refs, &m.message_id) ||
	    !ws_text_member(ws, json, "turn_id", ID_MAX, &refs, &refs.turn_id))
		return;
	if (m.message_id.len == 0 && refs.turn_id.len == 0) {
		ws_error_about(ws, "bad_frame", WORD_BAD_FRAME, text_from("message_id"), &refs);
		return;
	}
	/* A welcome that failed has no message; its turn is named then. */
	uuid_from_text(refs.turn_id, &m.turn_id);
	ask = ws_ask_new(ws, &refs);
	if (ask == NULL)
		return;
	ask->is_post = true;
	ask->then = regenerate_on_answer;
	ws_ask_send(ask, ws->gw->chat, MSG_CHAT_REGENERATE, &m);
}

/* ---- any frame ------------------------------------------------------------------------------------ */

static void take_ping(struct ws_conn *ws, const cJSON *json)
{
	CLEANUP(string_done) UT_string pong;
	const cJSON *t = json_get(json, "t");

	utstring_init(&pong);
	json_open(&pong, NULL, '{');
	json_str(&pong, "type", "pong");
	if (cJSON_IsNumber(t))
		json_real(&pong, "t", t->valuedouble);
	else if (cJSON_IsString(t))
		json_str(&pong, "t", t->valuestring);
	else
		json_null(&pong, "t");
	json_close(&pong, '}');
	ws_push_json(ws, &pong);
}

static void take_object(struct ws_conn *ws, const cJSON *json)
{
	static const struct {
		const char *type;
		void (*take)(struct ws_conn *ws, const cJSON *json);
	} commands[] = {
		{ "restore_chat", take_restore },  { "resume", take_resume }, { "stop", take_stop },
		{ "regenerate", take_regenerate }, { "ping", take_ping },
	};
	struct ws_refs refs = { .client_message_id = json_get_text(json, "client_message_id") };
	struct text type, user_id; /* who it is was decided at the upgrade */

	language_from_name(json_get_text(json, "language"), ws->caller.language);
	if (!ws_text_member(ws, json, "type", 64, &refs, &type) ||
	    !ws_text_member(ws, json, "user_id", ID_MAX, &refs, &user_id))
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!text_is(type, commands[i].type))
			continue;
		metrics_count(ws->gw->daemon->metrics, METRIC_WS_MESSAGES, commands[i].type);
		commands[i].take(ws, json);
		return;
	}
	metrics_count(ws->gw->daemon->metrics, METRIC_WS_MESSAGES, "message");
	take_message(ws, json, type);
}

static void take_traced(struct ws_conn *ws, const cJSON *json)
{
	ws->frame_trace = json_get_text(json, "traceparent");
	take_object(ws, json);
	ws->frame_trace = (struct text){ 0 }; /* it was the frame's */
}

void ws_take(struct ws_conn *ws, struct text message)
{
	struct err err = { 0 };
	CLEANUP(json_drop) cJSON *json = json_parse(message, &err);

	FAULT_POINT(gateway_frame);
	if (!cJSON_IsObject(json)) {
		metrics_count(ws->gw->daemon->metrics, METRIC_WS_MESSAGES, "bad");
		ws_error(ws, "bad_frame", WORD_BAD_FRAME, NULL);
	} else if (ws->is_switch) {
		metrics_count(ws->gw->daemon->metrics, METRIC_WS_MESSAGES, "switch");
		ws_switch_take(ws, json);
	} else {
		take_traced(ws, json);
	}
}
