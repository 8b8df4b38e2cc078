#include "events.h"

#include "chat.h"
#include "clock.h"
#include "wording.h"

static struct text session_name(const struct turn_context *c)
{
	return c->session_key.len > 0 ? c->session_key : uuid_as_text(&c->session_id);
}

static void publish(const struct turn *turn, struct msg_chat_event *m)
{
	if (turn->kind == KIND_PLAN)
		return; /* its chat is not shown: who asked gets the answer */
	m->user_id = turn->context.user_id;
	m->session_id = turn->context.session_id;
	m->session_key = turn->context.session_key;
	m->chat_id = turn->context.chat_id;
	m->turn_id = turn->id;
	m->epoch = turn->attempt;
	bus_publish(turn->chat->events, MSG_CHAT_EVENT, m, turn->trace);
}

static void frame_open(UT_string *out, const char *type, const struct turn_context *c)
{
	json_open(out, NULL, '{');
	json_str(out, "type", type);
	json_text(out, "session_id", session_name(c));
	json_str(out, "chat_id", c->chat_id.s);
	json_str(out, "turn_id", c->turn_id.s);
	json_text(out, "kind", c->kind);
}

static void publish_frame(const struct turn *turn, const char *type, UT_string *frame)
{
	struct msg_chat_event m = { .type = text_from(type), .frame = json_written(frame) };

	publish(turn, &m);
}

void events_accepted(struct turn *turn)
{
	const struct turn_context *c = &turn->context;
	CLEANUP(string_done) UT_string out = { 0 };
	struct msg_chat_event m = { .type = text_from("accepted"), .client_message_id = c->client_message_id };

	if (turn->kind != KIND_MESSAGE)
		return;
	utstring_init(&out);
	frame_open(&out, "accepted", c);
	json_str(&out, "client_message_id", c->client_message_id.s);
	json_str(&out, "message_id", c->user_message_id.s);
	json_i64(&out, "seq", c->seq);
	json_text(&out, "message", turn->wish.body); /* other tabs of the owner have not seen it */
	json_close(&out, '}');
	m.frame = json_written(&out);
	publish(turn, &m);
}

void events_refused(struct turn *turn, const struct err *err)
{
	CLEANUP(string_done) UT_string out = { 0 };
	struct msg_chat_event m = {
		.user_id = turn->caller.user_id,
		/* no row says which session it is: its sockets are found by the name they use too */
		.session_id = { "00000000-0000-0000-0000-000000000000" },
		.session_key = turn->wish.session_id,
		.type = text_from("error")
	};
	char now[CLOCK_ISO_SIZE];

	if (turn->kind != KIND_FINALIZE || err->rc != RC_INVALID || strcmp(err->field, "course_plan") != 0)
		return;
	utstring_init(&out);
	clock_iso(clock_wall_us(), now);
	json_open(&out, NULL, '{');
	json_str(&out, "type", "error");
	json_text(&out, "session_id", turn->wish.session_id);
	json_text(&out, "kind", turn->wish.kind);
	json_str(&out, "code", "not_found");
	json_str(&out, "message", wording_error(text_from("no_plan"), turn->caller.language));
	json_str(&out, "timestamp", now);
	json_close(&out, '}');
	m.frame = json_written(&out);
	bus_publish(turn->chat->events, MSG_CHAT_EVENT, &m, turn->trace);
}

void events_status(struct turn *turn, const char *state, int64_t retry_in_ms)
{
	CLEANUP(string_done) UT_string out = { 0 };

	utstring_init(&out);
	frame_open(&out, "ai_status", &turn->context);
	json_str(&out, "state", state);
	json_i64(&out, "attempt", turn->attempt);
	if (retry_in_ms > 0)
		json_i64(&out, "retry_in_ms", retry_in_ms);
	json_close(&out, '}');
	publish_frame(turn, "ai_status", &out);
}

void events_reset(struct turn *turn)
{
	CLEANUP(string_done) UT_string out = { 0 };

	utstring_init(&out);
	frame_open(&out, "ai_reset", &turn->context);
	json_i64(&out, "epoch", turn->attempt);
	json_close(&out, '}');
	publish_frame(turn, "ai_reset", &out);
}

void events_pieces(struct turn *turn, size_t from)
{
	if (turn_is_json(turn))
		return; /* JSON for us, nothing to read */
	for (size_t i = from; i < turn->reply.n; i++) {
		struct msg_chat_event m = { .type = text_from("ai_delta"),
					    .offset = (int64_t)i,
					    .piece = reply_log_piece(&turn->reply, i) };

		publish(turn, &m);
	}
}

/* ---- the last frame ----------------------------------------------------------------- */

static void put_usage(UT_string *out, const struct usage *u)
{
	json_open(out, "usage", '{');
	json_i64(out, "prompt_tokens", u->prompt_tokens);
	json_i64(out, "cached_tokens", u->cached_tokens);
	json_i64(out, "completion_tokens", u->completion_tokens);
	json_bool(out, "estimated", u->estimated);
	json_close(out, '}');
	if (u->cost_nano < 0 || u->currency.len == 0) {
		json_null(out, "cost");
		return;
	}
	json_open(out, "cost", '{');
	json_real(out, "amount", (double)u->cost_nano / 1e9);
	json_text(out, "currency", u->currency);
	json_close(out, '}');
}

static void put_open_timing(UT_string *out, const struct timing *t)
{
	json_open(out, "timing", '{');
	json_i64(out, "gateway_in", t->gateway_in);
	json_i64(out, "chat", t->chat);
	json_i64(out, "store", t->store);
	json_i64(out, "ai_queue", t->ai_queue);
	json_i64(out, "provider_first_token", t->provider_first_token);
	json_i64(out, "provider_total", t->provider_total);
}

static void put_reply_head(UT_string *out, const struct turn_context *c, int64_t epoch, const struct outcome *o)
{
	json_text(out, "message", o->reply);
	json_str(out, "message_id", o->message_id.s);
	json_i64(out, "seq", o->seq);
	if (c->client_message_id.s[0] != '\0')
		json_str(out, "client_message_id", c->client_message_id.s);
	json_i64(out, "epoch", epoch);
	json_text(out, "message_type", o->message_type);
	json_i64(out, "tokens_used", o->usage.prompt_tokens + o->usage.completion_tokens);
	json_text(out, "model_used", o->model);
	json_text(out, "finish_reason", text_is(o->state, "interrupted") ? text_from("interrupted") : o->finish_reason);
	json_text(out, "state", o->state);
	json_text(out, "timestamp", o->timestamp);
	put_usage(out, &o->usage);
}

static int64_t modules_count(struct text json)
{
	cJSON *tree = json.len > 0 ? json_parse_trusted(json) : NULL;
	int64_t n = cJSON_GetArraySize(tree);

	json_drop(&tree);
	return n;
}

const char *events_final_frame(const struct turn_context *c, int64_t epoch, const struct outcome *o,
			       const char *language, UT_string *out)
{
	char now[CLOCK_ISO_SIZE];

	if (text_is(o->state, "failed") || (text_is(o->state, "cancelled") && o->message_id.s[0] == '\0')) {
		bool stopped = text_is(o->state, "cancelled");

		clock_iso(clock_wall_us(), now);
		frame_open(out, stopped ? "ai_status" : "error", c);
		if (stopped) {
			json_str(out, "state", "stopped");
		} else {
			json_text(out, "code", o->error_code);
			json_str(out, "message", wording_error(o->error_code, language));
			if (c->client_message_id.s[0] != '\0')
				json_str(out, "client_message_id", c->client_message_id.s);
		}
		json_str(out, "timestamp", now);
		json_close(out, '}');
		return stopped ? "ai_status" : "error";
	}
	if (text_is(o->message_type, "finalization")) {
		frame_open(out, "finalization_complete", c);
		put_reply_head(out, c, epoch, o);
		json_i64(out, "modules_created", modules_count(o->modules));
		json_str(out, "track_id", c->track_id.s);
		if (o->changes.len > 0)
			json_raw(out, "changes", o->changes);
		json_close(out, '}');
		return "finalization_complete";
	}
	frame_open(out, "ai_response", c);
	put_reply_head(out, c, epoch, o);
	put_open_timing(out, &o->timing);
	return "ai_response";
}

void events_final(struct turn *turn)
{
	CLEANUP(string_done) UT_string out = { 0 };
	const struct outcome *o = &turn->outcome;
	struct msg_chat_event m = { 0 };

	utstring_init(&out);
	m.type = text_from(events_final_frame(&turn->context, turn->attempt, o, turn->caller.language, &out));
	m.frame = json_written(&out);
	m.offset = (int64_t)turn->reply.n;
	if (text_is(m.type, "ai_response"))
		m.total_us = o->timing.total > 0 ? o->timing.total : 1;
	publish(turn, &m);
}

/* ---- chats -------------------------------------------------------------------------------- */

void events_chat_updated(struct chat *chat, const struct chat_place *place, const cJSON *info, struct text change,
			 const char *trace)
{
	static const char *const shown[] = { "chat_id", "chat_name", "chat_type", "status" };
	CLEANUP(string_done) UT_string out = { 0 };
	struct msg_chat_event m = { .user_id = place->user_id,
				    .session_id = place->session_id,
				    .session_key = place->session_key,
				    .type = text_from("chat_updated") };
	char now[CLOCK_ISO_SIZE];

	utstring_init(&out);
	clock_iso(clock_wall_us(), now);
	json_open(&out, NULL, '{');
	json_text(&out, "type", m.type);
	json_text(&out, "session_id",
		  place->session_key.len > 0 ? place->session_key : uuid_as_text(&place->session_id));
	json_text(&out, "change", change);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		json_text(&out, shown[i], json_get_text(info, shown[i]));
	json_str(&out, "timestamp", now);
	json_close(&out, '}');
	m.frame = json_written(&out);
	bus_publish(chat->events, MSG_CHAT_EVENT, &m, trace);
}
