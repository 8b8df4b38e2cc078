#include "turn.h"

#include "chat.h"
#include "clock.h"
#include "events.h"
#include "fault.h"
#include "ids.h"

#include <utlist.h>

#define FLUSH_BYTES 4096
#define STOP_REPEAT_US 300000
#define STOP_LIMIT_US 2000000

#define X(step, run) void run(struct turn *turn);
TURN_STEPS(X)
#undef X

static const struct {
	const char *name;
	void (*run)(struct turn *turn);
} steps[] = {
#define X(step, run) [TURN_##step] = { #step, run },
	TURN_STEPS(X)
#undef X
};

void turn_go(struct turn *turn, enum turn_step step)
{
	log_debug(&turn->log, "turn.step", "from=%s to=%s attempt=%lld", steps[turn->step].name, steps[step].name,
		  (long long)turn->attempt);
	turn->step = step;
	turn->step_us = clock_us();
	steps[step].run(turn);
}

static const char *const kind_names[] = {
	[KIND_WELCOME] = "welcome", [KIND_MESSAGE] = "message", [KIND_FINALIZE] = "finalize",
	[KIND_SUMMARY] = "summary", [KIND_LESSON] = "lesson",   [KIND_PLAN] = "plan",
};

enum turn_kind turn_kind_from(struct text name)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
		if (text_is(name, kind_names[i]))
			return (enum turn_kind)i;
	return KIND_MESSAGE;
}

const char *turn_kind_name(enum turn_kind kind)
{
	return kind_names[kind];
}

static int turn_on_free(struct turn *turn)
{
	reply_log_done(&turn->reply);
	return 0;
}

/* In the process's context: one that is still being begun when the process ends goes with it. */
static struct turn *turn_alloc(struct chat *chat, const struct uuid_text *id)
{
	struct turn *turn = talloc_zero(chat->daemon->ctx, struct turn);

	turn->chat = chat;
	turn->id = *id;
	turn->started_us = turn->renewed_us = clock_us();
	reply_log_init(&turn->reply);
	talloc_set_destructor(turn, turn_on_free);
	return turn;
}

/* A turn's trace is that of whoever asked for it; one that was found begins its own. */
static void turn_trace(struct turn *turn, const char *given)
{
	char trace[TRACE_SIZE];
	char name[SPAN_TEXT_SIZE];

	if (given[0] == '\0')
		trace_new(trace);
	snprintf(name, sizeof(name), "turn %s", turn_kind_name(turn->kind));
	span_begin(&turn->span, given[0] != '\0' ? given : trace, SPAN_INTERNAL, name);
	if (given[0] == '\0')
		span_root(&turn->span);
	memcpy(turn->trace, turn->span.context, sizeof(turn->trace));
}

static void turn_span_end(struct turn *turn)
{
	const struct outcome *o = &turn->outcome;
	char state[SPAN_TEXT_SIZE];

	snprintf(state, sizeof(state), TEXT_FMT, TEXT_ARG(turn->stored ? o->state : text_from("none")));
	span_text(&turn->span, "alp.turn.id", turn->id.s);
	span_text(&turn->span, "alp.turn.state", state);
	span_number(&turn->span, "alp.turn.attempts", turn->attempt);
	span_number(&turn->span, "alp.turn.tokens", o->usage.prompt_tokens + o->usage.completion_tokens);
	if (text_is(o->state, "failed") || text_is(o->state, "interrupted"))
		span_fail(&turn->span);
	span_end(&turn->span);
}

struct turn *turn_new(struct chat *chat, enum turn_kind kind, const struct msg_turn_begin *wish,
		      const struct caller *caller, const char *trace)
{
	struct turn *turn = turn_alloc(chat, &wish->turn_id);

	turn->kind = kind;
	turn->wish = *wish;
	msg_turn_begin_keep(turn, &turn->wish);
	turn->caller = *caller;
	turn_trace(turn, trace);
	log_child(&turn->log, &chat->log, "trace=%.32s turn=%.8s", turn->trace + 3, turn->id.s);
	return turn;
}

void turn_adopt(struct chat *chat, const struct turn_context *context, struct text partial)
{
	struct turn *turn = turn_find(chat, &context->turn_id);

	if (turn != NULL)
		return; /* ours already: the claim only renewed its lease */
	turn = turn_alloc(chat, &context->turn_id);
	turn->context = *context;
	turn_context_keep(turn, &turn->context);
	turn->kind = turn_kind_from(context->kind);
	turn->attempt = context->attempt;
	turn->partial = text_copy(turn, partial);
	turn->caller.user_id = context->user_id;
	turn->caller.kind = caller_kind_from(context->user_kind);
	snprintf(turn->caller.language, sizeof(turn->caller.language), TEXT_FMT, TEXT_ARG(turn->context.language));
	turn_trace(turn, "");
	log_child(&turn->log, &chat->log, "trace=%.32s turn=%.8s", turn->trace + 3, turn->id.s);
	turn->known = turn->taken_over = true;
	HASH_ADD(hh, chat->turns, id.s, 36, turn);
	chat->turns_n++;
	FAULT_POINT(chat_after_claim);
	turn_go(turn, TURN_REATTACH);
}

struct turn *turn_find(struct chat *chat, const struct uuid_text *id)
{
	struct turn *turn = NULL;

	HASH_FIND(hh, chat->turns, id->s, 36, turn);
	return turn;
}

static void turn_free(void *arg)
{
	talloc_free(arg);
}

void turn_end(struct turn *turn)
{
	struct chat *chat = turn->chat;

	turn_span_end(turn);
	request_forget(turn->request);
	request_forget(turn->progress);
	workers_forget(chat, turn);
	if (turn->known) {
		HASH_DEL(chat->turns, turn);
		chat->turns_n--;
	}
	loop_defer(chat->loop, turn_free, turn);
}

void turn_abandon(struct turn *turn)
{
	struct err err = { .rc = RC_UNAVAILABLE, .message = "the turn goes on elsewhere" };

	turn_refuse_all(turn, &err);
	if (turn->result_call != NULL)
		call_refuse(turn->result_call, &err);
	turn->result_call = NULL;
	turn_go(turn, TURN_END);
}

void turn_fenced(struct turn *turn)
{
	++*metrics_counter(turn->chat->daemon->metrics, METRIC_TURNS_FENCED, "");
	log_warning(&turn->log, "turn.fenced", "attempt=%lld", (long long)turn->attempt);
	turn_abandon(turn);
}

void turn_set_owner(struct turn *turn, const struct uuid_text *user_id, struct text user_kind)
{
	if (user_id->s[0] == '\0' || strcmp(user_id->s, turn->context.user_id.s) == 0)
		return;
	log_info(&turn->log, "turn.claimed", "from=%.8s to=%.8s", turn->context.user_id.s, user_id->s);
	turn->caller.user_id = turn->context.user_id = *user_id;
	turn->caller.kind = caller_kind_from(user_kind);
	turn->context.user_kind = text_from(caller_kind_name(turn->caller.kind));
	/* The guest's key was sealed for him: another attempt is made with the server's settings. */
	turn->context.settings = (struct ai_settings){ 0 };
	turn->context.api_key = (struct text){ 0 };
}

void turn_remove(struct turn *turn)
{
	struct err err = { .rc = RC_NOT_FOUND, .message = "the chat does not exist any more" };

	log_info(&turn->log, "turn.removed", "attempt=%lld", (long long)turn->attempt);
	workers_tell(turn->chat, "cancel", turn);
	events_status(turn, "stopped", 0);
	turn_refuse_all(turn, &err);
	if (turn->result_call != NULL)
		call_fail(turn->result_call, RC_CONFLICT, NULL, "the turn does not exist any more");
	turn->result_call = NULL;
	turn_go(turn, TURN_END);
}

/* ---- lease and durable partial text ------------------------------------------------ */

static void on_progress(void *arg, const struct answer *answer)
{
	struct turn *turn = arg;
	const struct ans_turn_progress *a = answer->body;
	bool was_doubtful = turn->doubtful;

	turn->progress = NULL;
	if (turn->flushed > 0)
		FAULT_POINT(chat_after_flush);
	else
		FAULT_POINT(chat_after_renew);
	if (a != NULL) {
		turn->doubtful = false;
		turn_set_owner(turn, &a->user_id, a->user_kind);
		if (was_doubtful)
			workers_match(turn->chat);
		return;
	}
	if (answer->err.rc != RC_CONFLICT && answer->err.rc != RC_NOT_FOUND)
		return; /* stored, or the store is away: asked again by the next tick */
	if (turn->step == TURN_FINISH)
		return; /* the finish overtook it */
	if (answer->err.rc == RC_NOT_FOUND) {
		turn_remove(turn);
		return;
	}
	turn_fenced(turn);
}

static void turn_save_progress(struct turn *turn, bool partial)
{
	struct chat *chat = turn->chat;
	struct msg_turn_progress m = { .turn_id = turn->id,
				       .owner = text_from(chat->owner),
				       .attempt = turn->attempt,
				       .lease_ms = chat->config->lease_ms,
				       .has_partial = partial };
	struct ask ask = { .caller = turn->caller, .trace = turn->trace };

	if (partial) {
		FAULT_POINT(chat_before_flush);
		m.partial = reply_log_text(&turn->reply);
		turn->flushed = m.partial.len;
	} else {
		FAULT_POINT(chat_before_renew);
	}
	turn->renewed_us = clock_us();
	turn->progress = bus_request(chat->store, MSG_TURN_PROGRESS, &m, &ask, on_progress, turn);
}

void turn_renew(struct turn *turn)
{
	if (turn->step == TURN_BEGIN || turn->step == TURN_END || turn->step == TURN_FINISH || turn->fencing)
		return; /* its next request tells */
	turn->doubtful = true;
	request_forget(turn->progress);
	turn_save_progress(turn, false);
}

static void turn_keep_lease(struct turn *turn, int64_t now)
{
	const struct config *c = turn->chat->config;
	size_t unsaved = utstring_len(&turn->reply.text) - turn->flushed;
	bool flush = unsaved > 0 && !turn_is_json(turn) &&
		     (unsaved >= FLUSH_BYTES || now - turn->renewed_us >= c->flush_ms * 1000);

	if (turn->progress == NULL && !turn->fencing && (flush || now - turn->renewed_us >= c->lease_ms * 1000 / 3))
		turn_save_progress(turn, flush);
}

/* ---- stop ------------------------------------------------------------------------------ */

static void turn_tell_stop(struct turn *turn)
{
	turn->stop_us = clock_us();
	workers_tell(turn->chat, "cancel", turn);
}

void turn_stop(struct turn *turn)
{
	if (turn->stopping || turn->step == TURN_FINISH)
		return;
	turn->stopping = true;
	if (turn->step == TURN_REPLY) {
		turn->step_us = clock_us(); /* the limit for the worker's word starts now */
		turn_tell_stop(turn);
		return;
	}
	/* REATTACH: the worker that has the text may yet be found, and is then told. RETRY: which attempt the turn is at
	 * by now, the store will say. */
	if (turn->step != TURN_REATTACH && !turn->fencing)
		turn_cancel(turn);
}

/* ---- time --------------------------------------------------------------------------------- */

static void turn_tick_stop(struct turn *turn, int64_t now)
{
	if (now - turn->step_us >= STOP_LIMIT_US)
		turn_cancel(turn);
	else if (now - turn->stop_us >= STOP_REPEAT_US)
		turn_tell_stop(turn); /* a publication may be lost */
}

/* No worker has the text of the turn that was taken over. */
static void turn_not_found(struct turn *turn)
{
	if (turn->stopping)
		turn_cancel(turn);
	else
		turn_try_again(turn, "taken over", 0);
}

void turn_tick(struct turn *turn)
{
	const struct config *c = turn->chat->config;
	int64_t now = clock_us();

	if (turn->step == TURN_BEGIN || turn->step == TURN_END || turn->request != NULL)
		return; /* a request is on its way, with its own deadline */
	if (turn->step == TURN_FINISH) {
		if (now - turn->step_us >= turn->retry_after_ms * 1000)
			turn_finish(turn);
		return;
	}
	turn_keep_lease(turn, now);
	if (turn->doubtful)
		return;
	if (turn->step == TURN_REPLY && turn->stopping)
		turn_tick_stop(turn, now);
	else if (turn->step == TURN_ASK && now - turn->step_us >= c->turn_wait_ms * 1000)
		turn_fail(turn, "ai_unavailable", "no free worker in time");
	else if (turn->step == TURN_REATTACH && now - turn->step_us >= c->worker_silence_ms * 1000 / 2)
		turn_not_found(turn);
	else if (turn->step == TURN_REATTACH)
		turn_refetch(turn); /* a publication is lost on workers that are not back yet */
	else if (turn->step == TURN_RETRY)
		turn_retry(turn);
}
