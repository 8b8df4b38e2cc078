#include "handlers.h"

#include "fault.h"
#include "ids.h"
#include "lookup.h"
#include "takeover.h"

#define BODY_CHARS_MAX 32000

/* What every beginning of a turn has in common; ids for rows that may have to be made are minted here. */
static struct msg_turn_begin wish_for(struct chat *chat, const char *kind)
{
	return (struct msg_turn_begin){ .turn_id = id_new(),
					.kind = text_from(kind),
					.new_session_id = id_new(),
					.new_chat_id = id_new(),
					.user_message_id = id_new(),
					.owner = text_from(chat->owner),
					.lease_ms = chat->config->lease_ms,
					.history_tokens = chat->config->history_token_budget };
}

static enum rc start(struct chat *chat, enum turn_kind kind, const struct msg_turn_begin *wish, bool wait,
		     int64_t gateway_in_us, struct call *call)
{
	struct turn *turn;

	if (chat->daemon->draining)
		return RC_BUSY;
	if ((int64_t)chat->workers.waiting_n >= chat->config->turns_waiting_max) {
		call_fail(call, RC_BUSY, NULL, "too many turns are waiting for the model");
		return RC_OK;
	}
	turn = turn_new(chat, kind, wish, call_caller(call), call_trace(call));
	turn->timing.gateway_in = gateway_in_us;
	turn_wait(turn, call, wait);
	turn_go(turn, TURN_BEGIN);
	return RC_PENDING;
}

static enum rc refuse_field(struct call *call, const char *field, const char *why)
{
	call_fail(call, RC_INVALID, field, "%s: %s", field, why);
	return RC_OK;
}

static bool is_blank(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (strchr(" \t\r\n", t.p[i]) == NULL)
			return false;
	return true;
}

/* ---- from gateways -------------------------------------------------------------------- */

enum rc on_chat_post(struct chat *chat, const struct msg_chat_post *m, struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "message");

	if (is_blank(m->body))
		return refuse_field(call, "message", "must not be blank");
	if (text_chars(m->body) > BODY_CHARS_MAX)
		return refuse_field(call, "message", "must not be longer than 32000 characters");
	if (m->session_id.len == 0 && m->chat_id.len == 0 && m->module_id.len == 0)
		return refuse_field(call, "session_id", "is missing");
	FAULT_POINT(chat_post);
	wish.session_id = m->session_id;
	wish.chat_id = m->chat_id;
	wish.track_id = m->track_id;
	wish.module_id = m->module_id;
	wish.client_message_id = m->client_message_id;
	wish.body = m->body;
	wish.expectations = m->course;
	wish.message_type = m->message_type.len > 0 ? m->message_type : text_from("text");
	wish.language = text_from(call_caller(call)->language);
	return start(chat, KIND_MESSAGE, &wish, m->wait, m->gateway_in_us, call);
}

enum rc on_chat_welcome(struct chat *chat, const struct msg_chat_welcome *m, struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "welcome");

	wish.session_id = m->session_id;
	wish.skill_area = m->skill_area;
	wish.difficulty_level = m->difficulty_level;
	wish.hours = m->hours;
	wish.expectations = m->expectations;
	wish.language = m->language.len > 0 ? m->language : text_from(call_caller(call)->language);
	return start(chat, KIND_WELCOME, &wish, m->wait, m->gateway_in_us, call);
}

enum rc on_chat_summary(struct chat *chat, const struct msg_chat_summary *m, struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "summary");

	wish.session_id = m->session_id;
	wish.track_id = m->track_id;
	wish.module_id = m->module_id;
	wish.language = text_from(call_caller(call)->language);
	return start(chat, KIND_SUMMARY, &wish, m->wait, m->gateway_in_us, call);
}

enum rc on_chat_lesson(struct chat *chat, const struct msg_chat_lesson *m, struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "lesson");

	if (is_blank(m->lesson_title))
		return refuse_field(call, "lesson_title", "must not be blank");
	wish.track_id = m->track_id;
	wish.module_id = m->module_id;
	wish.lesson_id = id_new();
	wish.lesson_number = m->lesson_number;
	wish.lesson_title = m->lesson_title;
	wish.content_type = m->content_type;
	wish.lesson_context = m->lesson_context;
	wish.language = text_from(call_caller(call)->language);
	return start(chat, KIND_LESSON, &wish, m->wait, m->gateway_in_us, call);
}

enum rc on_chat_finalize(struct chat *chat, const struct msg_chat_finalize *m, struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "finalize");

	wish.session_id = m->session_id;
	wish.track_id = m->track_id;
	wish.body = m->course_plan;
	wish.client_message_id = m->client_message_id;
	wish.language = text_from(call_caller(call)->language);
	return start(chat, KIND_FINALIZE, &wish, m->wait, m->gateway_in_us, call);
}

enum rc on_chat_plan(struct chat *chat, const struct msg_chat_plan *m, struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "plan");

	if (text_chars(m->wishes) > BODY_CHARS_MAX)
		return refuse_field(call, "user_expectations", "must not be longer than 32000 characters");
	wish.track_id = uuid_as_text(&m->track_id);
	wish.body = m->wishes;
	wish.client_message_id = m->client_message_id;
	wish.language = text_from(call_caller(call)->language);
	return start(chat, KIND_PLAN, &wish, m->wait, m->gateway_in_us, call);
}

static enum rc start_again(struct chat *chat, const struct msg_chat_regenerate *m, const struct uuid_text *message_id,
			   struct call *call)
{
	struct msg_turn_begin wish = wish_for(chat, "message");

	wish.retry_message_id = *message_id;
	wish.session_id = m->session_id;
	wish.client_message_id = m->client_message_id.s[0] != '\0' ? m->client_message_id : id_new();
	wish.language = text_from(call_caller(call)->language);
	return start(chat, KIND_MESSAGE, &wish, false, m->gateway_in_us, call);
}

/* A regenerate that names a turn: what it asked for tells what to ask for again. m lives as long as the call. */
struct again {
	struct chat *chat;
	const struct msg_chat_regenerate *m;
	struct call *call;
};

/* The module is the one of the chat. */
static enum rc start_module_again(struct again *again, const struct turn_context *context)
{
	enum turn_kind kind = turn_kind_from(context->kind);
	struct msg_turn_begin wish = wish_for(again->chat, kind == KIND_LESSON ? "lesson" : "summary");

	wish.chat_id = uuid_as_text(&context->chat_id);
	wish.language = context->language;
	wish.lesson_id = id_new();
	wish.lesson_number = context->lesson_number;
	wish.lesson_title = context->lesson_title;
	wish.content_type = context->content_type;
	wish.lesson_context = context->lesson_context;
	return start(again->chat, kind, &wish, false, again->m->gateway_in_us, again->call);
}

/* A welcome has no message to name: it is begun again under its session, which a failed one allows. */
static enum rc start_welcome_again(struct again *again, const struct turn_context *context)
{
	struct msg_turn_begin wish = wish_for(again->chat, "welcome");

	wish.session_id = uuid_as_text(&context->session_id);
	wish.language = context->language;
	return start(again->chat, KIND_WELCOME, &wish, false, again->m->gateway_in_us, again->call);
}

static void on_again_loaded(void *arg, const struct answer *answer)
{
	struct again *again = arg;
	const struct ans_turn_load *a = answer->body;
	enum rc rc = RC_NOT_FOUND;

	if (a == NULL) {
		call_refuse(again->call, &answer->err);
		talloc_free(again);
		return;
	}
	if (text_is(a->context.kind, "welcome"))
		rc = start_welcome_again(again, &a->context);
	else if (a->context.module_id.s[0] != '\0' &&
		 (text_is(a->context.kind, "summary") || text_is(a->context.kind, "lesson")))
		rc = start_module_again(again, &a->context);
	else if (a->context.user_message_id.s[0] != '\0')
		rc = start_again(again->chat, again->m, &a->context.user_message_id, again->call);
	if (rc != RC_OK && rc != RC_PENDING)
		call_fail(again->call, rc, "turn_id", "turn_id: cannot be asked again (%s)", rc_name(rc));
	talloc_free(again);
}

enum rc on_chat_regenerate(struct chat *chat, const struct msg_chat_regenerate *m, struct call *call)
{
	struct uuid_text message_id;
	struct again *again;
	struct ask ask = daemon_ask(call);

	if (uuid_from_text(m->message_id, &message_id))
		return start_again(chat, m, &message_id, call);
	if (m->message_id.len > 0 || m->turn_id.s[0] == '\0')
		return RC_NOT_FOUND;
	again = talloc_zero(chat->daemon->ctx, struct again); /* answered, or gone with the daemon */
	*again = (struct again){ chat, m, call };
	bus_request(chat->store, MSG_TURN_LOAD, &(struct msg_turn_load){ .turn_id = m->turn_id }, &ask, on_again_loaded,
		    again);
	return RC_PENDING;
}

static void on_restored(void *arg, const struct answer *answer)
{
	struct call *call = arg;
	const struct ans_chat_load *a = answer->body;

	if (a == NULL) {
		call_refuse(call, &answer->err);
		return;
	}
	call_answer(call, &(struct ans_chat_restore){ .found = a->found,
						      .session_id = a->session_id,
						      .chat_id = a->chat_id,
						      .chat_info = a->chat_info,
						      .history = a->history,
						      .message_count = a->message_count,
						      .running_turn = a->running_turn,
						      .older = a->older });
}

enum rc on_chat_restore(struct chat *chat, const struct msg_chat_restore *m, struct call *call)
{
	struct msg_chat_load load = {
		.session_id = m->session_id, .chat_id = m->chat_id, .limit = m->limit, .restore = true
	};
	struct ask ask = daemon_ask(call);

	bus_request(chat->store, MSG_CHAT_LOAD, &load, &ask, on_restored, call);
	return RC_PENDING;
}

/* The turn, when it runs here and is the caller's. */
static struct turn *find_own(struct chat *chat, const struct uuid_text *id, const struct call *call)
{
	struct turn *turn = turn_find(chat, id);

	return turn != NULL && strcmp(turn->context.user_id.s, call_caller(call)->user_id.s) == 0 ? turn : NULL;
}

enum rc on_turn_get(struct chat *chat, const struct msg_turn_get *m, struct call *call)
{
	struct turn *turn = find_own(chat, &m->turn_id, call);

	if (turn == NULL)
		lookup_turn(chat, call, &m->turn_id, m->wait);
	else if (m->wait)
		turn_wait(turn, call, true);
	else
		view_answer_get(call, turn, m->epoch, m->offset);
	return RC_PENDING;
}

enum rc on_turn_stop(struct chat *chat, const struct msg_turn_stop *m, struct call *call)
{
	struct turn *turn = find_own(chat, &m->turn_id, call);

	if (turn == NULL && !chat->takeover.own_done)
		return RC_BUSY; /* it may be one that an earlier process has left to us */
	if (turn == NULL) {
		lookup_turn(chat, call, &m->turn_id, false); /* ended already: that is its answer */
		return RC_PENDING;
	}
	turn_wait(turn, call, true);
	turn_stop(turn);
	return RC_PENDING;
}

enum rc on_seal_key(struct chat *chat, const struct msg_seal_key *m, struct call *call)
{
	(void)m;
	if (chat->keys.seal_key[0] == '\0')
		return RC_UNAVAILABLE;
	call_answer(call, &(struct ans_seal_key){ .seal_key = text_from(chat->keys.seal_key) });
	return RC_OK;
}

enum rc on_connection_test(struct chat *chat, const struct msg_connection_test *m, struct call *call)
{
	return trials_start(chat, m, call);
}

enum rc on_key_move(struct chat *chat, const struct msg_key_move *m, struct call *call)
{
	return call_caller(call)->kind == CALLER_GUEST ? trials_seal(chat, m, call) : RC_FORBIDDEN;
}

enum rc on_suite_state(struct chat *chat, const struct msg_suite_state *m, struct call *call)
{
	struct ans_suite_state ans = { .workers = (int64_t)workers_count(&chat->workers),
				       .turns_running = (int64_t)chat->turns_n,
				       .turns_waiting = (int64_t)chat->workers.waiting_n };

	(void)m;
	call_answer(call, &ans);
	return RC_OK;
}

/* ---- from workers ----------------------------------------------------------------------- */

enum rc on_work_pull(struct chat *chat, const struct msg_work_pull *m, struct call *call)
{
	return workers_pull(chat, m, call);
}

enum rc on_work_beat(struct chat *chat, const struct msg_work_beat *m, struct call *call)
{
	workers_beat(chat, m);
	call_answer(call, &(struct ans_work_beat){});
	return RC_OK;
}

enum rc on_work_text(struct chat *chat, const struct msg_work_text *m, struct call *call)
{
	struct turn *turn = turn_find(chat, &m->turn_id);

	if (turn != NULL)
		turn_on_text(turn, m);
	call_answer(call, &(struct ans_work_text){});
	return RC_OK;
}

enum rc on_work_done(struct chat *chat, const struct msg_work_done *m, struct call *call)
{
	struct turn *turn = turn_find(chat, &m->turn_id);

	if (turn != NULL)
		return turn_on_done(turn, m, call);
	if (trials_on_done(chat, m)) {
		call_answer(call, &(struct ans_work_done){});
		return RC_OK;
	}
	/* Right after a start the turn may still wait in the store for us: the worker tells it again. */
	return chat->takeover.own_done ? RC_NOT_FOUND : RC_BUSY;
}

void on_ai_delta(struct chat *chat, const struct msg_ai_delta *m, const struct envelope *env)
{
	struct turn *turn = turn_find(chat, &m->turn_id);

	(void)env;
	if (turn != NULL)
		turn_on_delta(turn, m);
}
