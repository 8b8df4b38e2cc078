#include "ws_frames.h"

#include "clock.h"
#include "fault.h"
#include "upstream.h"

#define ASKS_MAX 32 /* of one socket at once */

static const struct {
	const char *code;
	enum word id;
	int64_t retry_after_ms;
} codes[RC_COUNT] = {
	[RC_OK] = { "internal", WORD_INTERNAL, 0 },
	[RC_INVALID] = { "bad_frame", WORD_BAD_FRAME, 0 },
	[RC_NOT_FOUND] = { "not_found", WORD_NOT_FOUND, 0 },
	[RC_CONFLICT] = { "busy", WORD_CONFLICT, 1000 },
	[RC_CMID_CONFLICT] = { "cmid_conflict", WORD_CMID_CONFLICT, 0 },
	[RC_TURN_RUNNING] = { "turn_in_progress", WORD_TURN_RUNNING, 0 },
	[RC_BUSY] = { "busy", WORD_BUSY, 1000 },
	[RC_UNAUTHORIZED] = { "unauthorized", WORD_UNAUTHORIZED, 0 },
	[RC_FORBIDDEN] = { "not_found", WORD_NOT_FOUND, 0 },
	[RC_UNSUPPORTED] = { "internal", WORD_INTERNAL, 0 },
	/* It may have happened: asking again with the same id tells. */
	[RC_UNKNOWN] = { "busy", WORD_UNAVAILABLE, 2000 },
	[RC_UNAVAILABLE] = { "busy", WORD_UNAVAILABLE, 2000 },
	[RC_STORAGE] = { "storage_unavailable", WORD_STORAGE, 2000 },
	[RC_NOT_CONFIGURED] = { "ai_not_configured", WORD_NOT_CONFIGURED, 0 },
	[RC_AI_FAILED] = { "ai_unavailable", WORD_AI_FAILED, 0 },
	[RC_AI_REFUSED] = { "ai_refused", WORD_AI_REFUSED, 0 },
	[RC_LIMITED] = { "rate_limited", WORD_GUEST_LIMIT, 0 },
	[RC_INTERNAL] = { "internal", WORD_INTERNAL, 0 },
};

static void opt_text(UT_string *json, const char *key, struct text value)
{
	if (value.len > 0)
		json_text(json, key, value);
}

void ws_error(struct ws_conn *ws, const char *code, enum word id, const struct ws_refs *refs)
{
	ws_error_about(ws, code, id, (struct text){ 0 }, refs);
}

/* What a client wrote comes back short, and only as JSON. */
static void put_message(UT_string *json, const char *words, struct text about)
{
	CLEANUP(string_done) UT_string message;

	utstring_init(&message);
	utstring_printf(&message, about.len > 0 ? "%s: " TEXT_FMT : "%s", words, TEXT_ARG(about));
	json_text(json, "message", json_written(&message));
}

void ws_error_about(struct ws_conn *ws, const char *code, enum word id, struct text about, const struct ws_refs *refs)
{
	CLEANUP(string_done) UT_string json;
	char now[CLOCK_ISO_SIZE];

	utstring_init(&json);
	clock_iso(clock_wall_us(), now);
	json_open(&json, NULL, '{');
	json_str(&json, "type", "error");
	put_message(&json, word(ws->caller.language, id), about);
	json_str(&json, "code", code);
	if (ws->is_switch)
		json_bool(&json, "success", false);
	json_text(&json, "session_id", ws->path_id);
	if (refs != NULL) {
		opt_text(&json, "chat_id", refs->chat_id);
		opt_text(&json, "client_message_id", refs->client_message_id);
		opt_text(&json, "turn_id", refs->turn_id);
		if (refs->retry_after_ms > 0)
			json_i64(&json, "retry_after_ms", refs->retry_after_ms);
	}
	json_str(&json, "timestamp", now);
	json_close(&json, '}');
	ws_push_json(ws, &json);
}

bool ws_text_member(struct ws_conn *ws, const cJSON *json, const char *key, size_t max, const struct ws_refs *refs,
		    struct text *out)
{
	const cJSON *item = json_get(json, key);

	*out = json_get_text(json, key);
	if (item == NULL || cJSON_IsNull(item) || (cJSON_IsString(item) && text_chars(*out) <= max))
		return true;
	*out = (struct text){ 0 };
	ws_error_about(ws, "bad_frame", WORD_BAD_FRAME, text_from(key), refs);
	return false;
}

void ws_error_rc(struct ws_conn *ws, enum rc rc, const struct ws_refs *refs)
{
	struct ws_refs with_delay = refs != NULL ? *refs : (struct ws_refs){ 0 };

	with_delay.retry_after_ms = codes[rc].retry_after_ms;
	ws_error(ws, codes[rc].code, codes[rc].id, &with_delay);
}

/* The trace goes on when the client began one in this frame. */
static void ws_span_begin(struct ws_ask *ask, struct text given)
{
	char trace[TRACE_SIZE];
	bool goes_on = trace_accept(trace, given);

	span_begin(&ask->span, trace, SPAN_SERVER, "WS");
	if (!goes_on)
		span_root(&ask->span);
}

static void ws_span_end(struct ws_ask *ask, const struct answer *answer)
{
	span_text(&ask->span, "alp.rc", rc_name(answer->err.rc));
	if (answer->body == NULL)
		span_fail(&ask->span);
	span_end(&ask->span);
}

struct ws_ask *ws_ask_new(struct ws_conn *ws, const struct ws_refs *refs)
{
	struct ws_ask *ask;

	if (ws->asks_open >= ASKS_MAX) {
		ws_error_rc(ws, RC_BUSY, refs);
		return NULL;
	}
	ask = talloc_zero(ws->gw->daemon->ctx, struct ws_ask); /* answered, or gone with the daemon */
	ask->gw = ws->gw;
	ask->ws_id = ws->id;
	ask->caller = ws->caller;
	ask->path_id = text_copy(ask, ws->path_id);
	ws_span_begin(ask, ws->frame_trace);
	ask->chat_id = text_copy(ask, refs->chat_id);
	ask->client_message_id = text_copy(ask, refs->client_message_id);
	ask->turn_id = text_copy(ask, refs->turn_id);
	return ask;
}

struct ws_refs ws_ask_refs(const struct ws_ask *ask)
{
	return (struct ws_refs){ .chat_id = ask->chat_id,
				 .client_message_id = ask->client_message_id,
				 .turn_id = ask->turn_id };
}

static void ws_ask_on_answer(void *arg, const struct answer *answer)
{
	struct ws_ask *ask = arg;
	struct ws_conn *ws = sockets_find(ask->gw->sockets, ask->ws_id);
	char labels[64];

	FAULT_POINT(gateway_after_answer);
	if (ws != NULL)
		ws->asks_open--;
	snprintf(labels, sizeof(labels), "message=\"%s\"", msg_info(ask->msg)->name);
	ws_span_end(ask, answer);
	histogram_add(metrics_histogram(ask->gw->daemon->metrics, METRIC_WS_SECONDS, labels),
		      (double)(clock_us() - ask->since_us) / 1e6);
	if (answer->err.rc != RC_OK)
		log_info(ws != NULL ? &ws->log : &ask->gw->log, "ws.refused", "rc=%s field=%s reason=\"%s\"",
			 rc_name(answer->err.rc), answer->err.field, answer->err.message);
	ask->then(ask, ws, answer);
	if (ws != NULL && ask->is_post)
		ws_release(ws);
	talloc_free(ask);
}

void ws_ask_send(struct ws_ask *ask, struct peer *peer, enum msg_id msg, const void *body)
{
	struct ws_conn *ws = sockets_find(ask->gw->sockets, ask->ws_id);
	struct ask how = { .caller = ask->caller, .trace = ask->span.context, .elsewhere = upstream_elsewhere(msg) };
	char name[SPAN_TEXT_SIZE];

	snprintf(name, sizeof(name), "WS %s", msg_info(msg)->name);
	span_rename(&ask->span, name);
	ask->msg = msg;
	ask->since_us = clock_us();
	ws->asks_open++;
	if (ask->is_post)
		ws_hold(ws);
	FAULT_POINT(gateway_before_request);
	bus_request(peer, msg, body, &how, ws_ask_on_answer, ask);
	FAULT_POINT(gateway_after_request);
}
