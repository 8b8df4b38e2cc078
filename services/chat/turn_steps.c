/* The steps of a turn, in the order of TURN_STEPS, and the completions of what they ask for. */
#include "chat.h"
#include "changed.h"
#include "clock.h"
#include "events.h"
#include "fault.h"
#include "lookup.h"
#include "modules.h"
#include "prompt.h"

#include <utlist.h>

#define STORE_RETRY_MS 200
#define REWRITES_MAX 5 /* then it is stored as it was written last: nothing may go on for ever */

#define X(step, run) void run(struct turn *turn);
TURN_STEPS(X)
#undef X

static struct ask turn_ask_store(const struct turn *turn)
{
	return (struct ask){ .caller = turn->caller, .trace = turn->trace };
}

/* ---- BEGIN ------------------------------------------------------------------------------- */

/* The same was asked before: this call gets the state of that turn, and waits for its end when it wants that. */
static void turn_repeated(struct turn *turn, const struct ans_turn_begin *a)
{
	struct turn *first = turn_find(turn->chat, &a->context.turn_id);
	struct waiter *waiter, *tmp;

	LL_FOREACH_SAFE (turn->waiters, waiter, tmp) {
		if (first != NULL)
			turn_wait(first, waiter->call, waiter->for_end);
		else if (waiter->for_end && text_is(a->outcome.state, "running"))
			lookup_turn(turn->chat, waiter->call, &a->context.turn_id, true);
		else
			view_answer_stored(waiter->call, &a->context, &a->outcome);
	}
	turn->waiters = NULL;
	if (first != NULL)
		turn_answer_accepted(first);
	turn_go(turn, TURN_END);
}

/* Both ways of beginning are answered with the same. */
_Static_assert(sizeof(struct ans_turn_begin) == sizeof(struct ans_turn_begin_plan), "one answer");

static void turn_begun(struct turn *turn, const struct ans_turn_begin *a)
{
	struct chat *chat = turn->chat;

	FAULT_POINT(chat_after_begin);
	if (turn_find(chat, &a->context.turn_id) != NULL) { /* a welcome asked for while it runs here */
		turn_repeated(turn, a);
		return;
	}
	turn->context = a->context;
	turn_context_keep(turn, &turn->context);
	turn->id = a->context.turn_id; /* a welcome that waited in the store has the id it was made with */
	log_child(&turn->log, &chat->log, "trace=%.32s turn=%.8s", turn->trace + 3, turn->id.s);
	if (turn->context.language.len == 0)
		turn->context.language = turn->wish.language; /* no track pins it */
	turn->kind = turn_kind_from(a->context.kind); /* a regenerated welcome is one again */
	turn->attempt = a->context.attempt;
	turn->store_us += clock_us() - turn->step_us;
	turn->known = true;
	HASH_ADD(hh, chat->turns, id.s, 36, turn);
	chat->turns_n++;
	turn_answer_accepted(turn);
	events_accepted(turn);
	FAULT_POINT(chat_after_accepted);
	turn_go(turn, TURN_ASK);
}

static void on_begin(void *arg, const struct answer *answer)
{
	struct turn *turn = arg;
	const struct ans_turn_begin *a = answer->body;

	turn->request = NULL;
	if (a == NULL) {
		turn_refuse_all(turn, &answer->err);
		events_refused(turn, &answer->err);
		metrics_count(turn->chat->daemon->metrics, METRIC_TURNS_REFUSED, rc_name(answer->err.rc));
		log_info(&turn->log, "turn.refused", "kind=" TEXT_FMT " rc=%s", TEXT_ARG(turn->wish.kind),
			 rc_name(answer->err.rc));
		turn_go(turn, TURN_END);
		return;
	}
	changed_begun(turn, a);
	if (a->begun)
		turn_begun(turn, a);
	else
		turn_repeated(turn, a);
}

void turn_begin(struct turn *turn)
{
	struct ask ask = turn_ask_store(turn);
	const struct msg_turn_begin *wish = &turn->wish;
	struct msg_turn_begin_plan plan = { .turn_id = wish->turn_id,
					    .client_message_id = wish->client_message_id,
					    .wishes = wish->body,
					    .new_session_id = wish->new_session_id,
					    .new_chat_id = wish->new_chat_id,
					    .owner = wish->owner,
					    .lease_ms = wish->lease_ms };

	if (turn->kind == KIND_PLAN && uuid_from_text(wish->track_id, &plan.track_id))
		turn->request = bus_request(turn->chat->store, MSG_TURN_BEGIN_PLAN, &plan, &ask, on_begin, turn);
	else
		turn->request = bus_request(turn->chat->store, MSG_TURN_BEGIN, wish, &ask, on_begin, turn);
	FAULT_POINT(chat_after_begin_request);
}

/* ---- REATTACH ------------------------------------------------------------------------------- */

/* Ask every worker for the text; who has it answers, and turn_reply.c takes the turn to REPLY or FINISH. */
void turn_reattach(struct turn *turn)
{
	++*metrics_counter(turn->chat->daemon->metrics, METRIC_TURN_TAKEOVERS, "");
	log_info(&turn->log, "turn.takeover", "kind=" TEXT_FMT " attempt=%lld", TEXT_ARG(turn->context.kind),
		 (long long)turn->attempt);
	turn_refetch(turn);
}

/* ---- how often the model is asked ---------------------------------------------------------------- */

/* Every attempt may have cost a call, whoever made it: a takeover does not begin to count anew. */
bool turn_may_call(const struct turn *turn)
{
	return turn->attempt < turn->chat->config->attempts_max;
}

/* What is known of the attempt's reply: after a takeover that may be what was durable, and no more. */
static struct text turn_said(const struct turn *turn)
{
	struct text said = reply_log_text(&turn->reply);

	if (turn_is_json(turn))
		return (struct text){ 0 }; /* half a list of modules is no message */
	return said.len < turn->partial.len ? turn->partial : said;
}

/* What was shown of the reply is kept. */
static void turn_give_up(struct turn *turn, const char *code, const char *message)
{
	struct text said = turn_said(turn);

	if (said.len == 0) {
		turn_fail(turn, code, message);
		return;
	}
	turn->outcome = (struct outcome){ .state = text_from("interrupted"),
					  .message_type = turn_message_type(turn),
					  .reply = said,
					  .error_code = text_from(code),
					  .error_message = text_from(message) };
	turn_go(turn, TURN_FINISH);
}

/* ---- RETRY --------------------------------------------------------------------------------------- */

void turn_try_again(struct turn *turn, const char *reason, int64_t after_ms)
{
	workers_forget(turn->chat, turn);
	if (!turn_may_call(turn)) {
		turn_give_up(turn, "ai_unavailable", "the model could not be reached");
		return;
	}
	talloc_free(turn->retry_reason);
	turn->retry_reason = talloc_strdup(turn, reason);
	turn->retry_after_ms = after_ms;
	++*metrics_counter(turn->chat->daemon->metrics, METRIC_TURN_RETRIES, "");
	log_info(&turn->log, "turn.retry", "attempt=%lld after_ms=%lld reason=\"%s\"", (long long)turn->attempt,
		 (long long)after_ms, reason);
	if (!turn->quiet)
		events_status(turn, "retrying", after_ms);
	turn_go(turn, TURN_RETRY);
}

/* Pieces of the attempt before become those of this one. */
static void turn_show_again(struct turn *turn)
{
	struct text said = turn_said(turn);

	if (said.len == 0)
		return;
	if (reply_log_text(&turn->reply).len < said.len) {
		reply_log_clear(&turn->reply);
		reply_log_add(&turn->reply, said);
	}
	events_reset(turn);
	events_pieces(turn, 0);
}

static void on_attempt(void *arg, const struct answer *answer)
{
	struct turn *turn = arg;

	turn->request = NULL;
	if (answer->err.rc == RC_NOT_FOUND) {
		turn_remove(turn);
		return;
	}
	if (answer->err.rc == RC_CONFLICT) {
		turn_fenced(turn);
		return;
	}
	if (answer->err.rc != RC_OK) {
		turn->step_us = clock_us();
		turn->retry_after_ms = STORE_RETRY_MS;
		return; /* the tick asks again */
	}
	FAULT_POINT(chat_after_attempt);
	turn->fencing = false;
	turn->attempt++;
	turn->flushed = 0;
	turn->taken_over = false;
	if (turn->stopping) { /* meanwhile: what was shown is shown again, as the end's attempt is this one */
		turn_show_again(turn);
		turn_cancel(turn);
		return;
	}
	turn->partial = (struct text){ 0 };
	reply_log_clear(&turn->reply);
	if (!turn->quiet)
		events_reset(turn);
	turn->quiet = false;
	turn_go(turn, TURN_ASK);
}

/* Entered once, and called by the tick until the wait is over. */
void turn_retry(struct turn *turn)
{
	struct chat *chat = turn->chat;
	struct ask ask = turn_ask_store(turn);
	struct msg_turn_attempt m = { .turn_id = turn->id,
				      .owner = text_from(chat->owner),
				      .attempt = turn->attempt + 1,
				      .lease_ms = chat->config->lease_ms,
				      .reason = text_from(turn->retry_reason) };

	if (turn->doubtful || clock_us() - turn->step_us < turn->retry_after_ms * 1000)
		return;
	/* Its answer, read after this attempt's, would say that another has the turn: it names the attempt before. */
	request_forget(turn->progress);
	turn->progress = NULL;
	turn->fencing = true;
	FAULT_POINT(chat_before_attempt);
	turn->request = bus_request(chat->store, MSG_TURN_ATTEMPT, &m, &ask, on_attempt, turn);
}

/* ---- ASK, REPLY ------------------------------------------------------------------------------------ */

void turn_ask(struct turn *turn)
{
	prompt_build(turn);
	turn->asked_us = clock_us();
	if (!workers_enqueue(turn->chat, turn))
		turn_fail(turn, "busy", "too many turns are waiting");
	else if (turn->step == TURN_ASK)
		events_status(turn, "waiting", 0); /* no slot is free: that is worth a word */
}

void turn_reply(struct turn *turn)
{
	turn->queue_us += clock_us() - turn->asked_us;
	turn->unlisted_us = 0;
}

/* ---- FINISH --------------------------------------------------------------------------------------------- */

void turn_fail(struct turn *turn, const char *code, const char *message)
{
	turn->outcome.state = text_from("failed");
	turn->outcome.reply = (struct text){ 0 };
	turn->outcome.error_code = text_copy(turn, text_from(code));
	turn->outcome.error_message = text_copy(turn, text_from(message));
	turn_go(turn, TURN_FINISH);
}

void turn_cancel(struct turn *turn)
{
	turn->outcome.state = text_from("cancelled");
	turn->outcome.finish_reason = text_from("stopped");
	turn->outcome.message_type = turn_message_type(turn);
	turn->outcome.reply = turn_said(turn);
	turn_go(turn, TURN_FINISH);
}

/* What operators see of a turn that ended. */
static void turn_count(const struct turn *turn)
{
	const struct timing *t = &turn->outcome.timing;
	struct metrics *m = turn->chat->daemon->metrics;
	const struct {
		const char *hop;
		int64_t us;
	} hops[] = { { "chat", t->chat },
		     { "store", t->store },
		     { "ai_queue", t->ai_queue },
		     { "first_token", t->provider_first_token },
		     { "provider", t->provider_total } };
	char labels[96];

	snprintf(labels, sizeof(labels), "kind=\"%s\",state=\"%.20s\"", turn_kind_name(turn->kind),
		 text_dup(turn, turn->outcome.state));
	++*metrics_counter(m, METRIC_TURNS, labels);
	snprintf(labels, sizeof(labels), "kind=\"%s\"", turn_kind_name(turn->kind));
	histogram_add(metrics_histogram(m, METRIC_TURN_SECONDS, labels), (double)t->total / 1e6);
	for (size_t i = 0; i < sizeof(hops) / sizeof(hops[0]); i++) {
		snprintf(labels, sizeof(labels), "hop=\"%s\"", hops[i].hop);
		histogram_add(metrics_histogram(m, METRIC_TURN_HOP_SECONDS, labels), (double)hops[i].us / 1e6);
	}
}

static void turn_finished(struct turn *turn, const struct ans_turn_finish *a)
{
	FAULT_POINT(chat_after_finish);
	turn->outcome = a->outcome;
	outcome_keep(turn, &turn->outcome);
	turn_set_owner(turn, &a->user_id, a->user_kind);
	turn->stored = true;
	turn_count(turn);
	log_info(&turn->log, "turn.done", "kind=" TEXT_FMT " state=" TEXT_FMT " attempts=%lld tokens=%lld ms=%lld",
		 TEXT_ARG(turn->context.kind), TEXT_ARG(turn->outcome.state), (long long)turn->attempt,
		 (long long)(turn->outcome.usage.prompt_tokens + turn->outcome.usage.completion_tokens),
		 (long long)(clock_us() - turn->started_us) / 1000);
	events_final(turn);
	FAULT_POINT(chat_after_final);
	turn_answer_all(turn);
	if (turn->result_call != NULL)
		call_answer(turn->result_call, &(struct ans_work_done){});
	turn->result_call = NULL;
	FAULT_POINT(chat_after_confirm);
	turn_go(turn, TURN_END);
}

static void on_modules(void *arg, const struct answer *answer)
{
	struct turn *turn = arg;
	const struct ans_turn_load *a = answer->body;

	turn->request = NULL;
	if (a != NULL) {
		turn_rewrite(turn, a->context.modules);
		return;
	}
	turn->step_us = clock_us(); /* the tick offers it again, and hears what is wrong */
	turn->retry_after_ms = STORE_RETRY_MS;
}

/* Somebody has begun a module while the model wrote: what is announced must be what is stored. */
static void turn_ask_modules(struct turn *turn)
{
	struct ask ask = turn_ask_store(turn);
	struct msg_turn_load m = { .turn_id = turn->id };

	log_info(&turn->log, "turn.rewrite", "reason=\"the modules have changed meanwhile\"");
	turn->rewrites++;
	turn->request = bus_request(turn->chat->store, MSG_TURN_LOAD, &m, &ask, on_modules, turn);
}

static void on_finish(void *arg, const struct answer *answer)
{
	struct turn *turn = arg;

	turn->request = NULL;
	if (answer->err.rc == RC_CONFLICT && strcmp(answer->err.field, "modules") == 0) {
		turn_ask_modules(turn);
		return;
	}
	switch (answer->err.rc) {
	case RC_OK:
		turn_finished(turn, answer->body);
		return;
	case RC_NOT_FOUND:
		turn_remove(turn);
		return;
	case RC_CONFLICT:
		turn_fenced(turn);
		return;
	case RC_INVALID:
		log_error(&turn->log, "turn.refused", "rc=%s field=%s reason=\"%s\"", rc_name(answer->err.rc),
			  answer->err.field, answer->err.message);
		if (text_is(turn->outcome.state, "failed"))
			turn_abandon(turn); /* even the failure cannot be stored: the lease will run out */
		else
			turn_fail(turn, "internal", "the reply could not be stored");
		return;
	default: /* the store is away: what is finished is kept, and the tick offers it again */
		log_warning(&turn->log, "turn.store_away", "rc=%s", rc_name(answer->err.rc));
		turn->step_us = clock_us();
		turn->retry_after_ms = STORE_RETRY_MS;
	}
}

static void turn_take_timing(struct turn *turn)
{
	struct timing *t = &turn->timing;
	int64_t total = clock_us() - turn->started_us;

	t->store = turn->store_us;
	t->ai_queue = turn->queue_us;
	t->chat = total - t->store - t->ai_queue - t->provider_total;
	if (t->chat < 0)
		t->chat = 0;
	t->total = total + t->gateway_in;
	turn->outcome.timing = *t;
}

/* Entered once, and called by the tick while the store is away. */
void turn_finish(struct turn *turn)
{
	struct chat *chat = turn->chat;
	struct ask ask = turn_ask_store(turn);
	struct msg_turn_finish m = { .turn_id = turn->id, .owner = text_from(chat->owner), .attempt = turn->attempt };

	workers_forget(chat, turn);
	turn_take_timing(turn);
	m.outcome = turn->outcome;
	if (turn->rewrites < REWRITES_MAX)
		m.seen = turn->seen;
	FAULT_POINT(chat_before_finish);
	turn->request = bus_request(chat->store, MSG_TURN_FINISH, &m, &ask, on_finish, turn);
}
