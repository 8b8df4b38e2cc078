#include "attempt.h"

#include <stdio.h>

#include "clock.h"
#include "spend.h"

/*
 * A server that has sent its end mark closes the transfer within a moment; one
 * that has told only a finish reason may still be about to count the tokens.
 */
#define MARKED_LINGER_MS 250
#define FINISHED_LINGER_MS 5000

static const char *const step_names[] = {
#define X(step) #step,
	ATTEMPT_STEPS(X)
#undef X
};

void attempt_enter(struct attempt *a, enum attempt_step to) /* the only writer of a->step */
{
	log_debug(&a->log, "attempt.step", "from=%s to=%s", step_names[a->step], step_names[to]);
	a->step = to;
	if (to != ATTEMPT_TELL)
		attempt_arm(a);
}

void attempt_key(char out[ATTEMPT_KEY_SIZE], const struct uuid_text *turn_id, int64_t number)
{
	snprintf(out, ATTEMPT_KEY_SIZE, "%s:%lld", turn_id->s, (long long)number);
}

struct attempt *attempt_find(struct ai *ai, const struct uuid_text *turn_id, int64_t number)
{
	char key[ATTEMPT_KEY_SIZE];
	struct attempt *a;

	attempt_key(key, turn_id, number);
	HASH_FIND_STR(ai->attempts, key, a);
	return a;
}

bool attempt_is_running(const struct attempt *a)
{
	return a->step != ATTEMPT_TELL;
}

/* ---- the end -------------------------------------------------------------------------- */

const char *attempt_result(const struct attempt *a)
{
	if (a->ending == ENDING_COMPLETE || a->ending == ENDING_FULL)
		return "completed";
	if (a->ending == ENDING_CANCELLED)
		return "cancelled";
	return reply_log_text(&a->delta.log).len > 0 ? "interrupted" : "failed";
}

/* What was asked and the parsers are not needed any more; only text and counts are. */
static void release(struct attempt *a)
{
	if (a->transfer != NULL)
		transfer_abort(a->transfer);
	a->transfer = NULL;
	endpoint_done(&a->own_endpoint);
	reply_done(&a->reply);
	utstring_done(&a->body);
	loop_disarm(a->ai->loop, &a->deadline);
	loop_disarm(a->ai->loop, &a->join);
}

static void attempt_count(struct attempt *a)
{
	struct text model = text_from(a->reply.model[0] != '\0' ? a->reply.model : a->model);
	bool answered = a->reply.status >= 200 && a->reply.status < 300;

	spend_count(&a->usage, &a->reply.usage, answered,
		    text_of(utstring_body(&a->body) + a->prompt_from, a->prompt_len), reply_log_text(&a->delta.log),
		    a->ai->prices, model);
}

/* What was shown is not taken back for another try, unless this process is what failed. */
static bool is_worth_repeating(struct attempt *a, struct breaker *asked)
{
	if (!ending_info(a->ending)->retryable)
		return false;
	if (a->ending == ENDING_LEAVING)
		return true;
	if (reply_log_text(&a->delta.log).len > 0)
		return false;
	return asked == NULL || breaker_may_retry(&a->ai->breakers, asked, a->end_us);
}

static void attempt_judge(struct attempt *a)
{
	struct ai *ai = a->ai;
	struct breaker *asked = a->breaker;
	enum breaker_outcome outcome = ending_info(a->ending)->outcome;

	a->breaker = NULL;
	if (asked != NULL)
		breaker_leave(&ai->breakers, asked, outcome, a->end_us);
	if (a->trial && a->endpoint != NULL && outcome == BREAKER_GOOD && a->reply.status > 0)
		breaker_forgive(breaker_get(&ai->breakers, a->endpoint->id, a->end_us));
	a->retryable = !a->trial && is_worth_repeating(a, asked);
}

void attempt_end(struct attempt *a, enum ending forced, enum ending transport)
{
	struct ai *ai = a->ai;

	reply_close(&a->reply, forced == ENDING_NONE && transport == ENDING_NONE);
	delta_end(&a->delta);
	a->ending = forced == ENDING_CANCELLED || (forced != ENDING_NONE && a->transfer == NULL) /* it was not asked */
			    ? forced
			    : reply_ending(&a->reply, forced != ENDING_NONE ? forced : transport);
	a->end_us = clock_us();
	attempt_count(a);
	attempt_judge(a);
	release(a);
	attempt_enter(a, ATTEMPT_TELL);
	ai->running--;
	ai->unconfirmed++;
	count_end(a);
	tell_done(a);
	pull_fill(ai);
}

void attempt_stop(struct attempt *a, enum ending why)
{
	if (attempt_is_running(a))
		attempt_end(a, why, ENDING_NONE);
}

void attempt_free(struct attempt *a)
{
	struct ai *ai = a->ai;

	if (attempt_is_running(a)) {
		if (a->breaker != NULL)
			breaker_leave(&ai->breakers, a->breaker, BREAKER_NEUTRAL, clock_us());
		release(a);
		span_fail(&a->span);
		span_end(&a->span);
		ai->running--;
	} else {
		ai->unconfirmed--;
	}
	loop_disarm(ai->loop, &a->again);
	request_forget(a->done_request);
	request_forget(a->text_request);
	delta_done(&a->delta);
	HASH_DEL(ai->attempts, a);
	talloc_free(a);
	pull_fill(ai);
}

/* ---- time ------------------------------------------------------------------------------ */

/* When this step has lasted too long, and what that means. */
static int64_t step_due_us(const struct attempt *a, enum ending *why)
{
	const struct config *c = a->ai->config;

	*why = ENDING_NONE;
	switch (a->step) {
	case ATTEMPT_CONNECT:
		*why = ENDING_SLOW_CONNECT;
		return a->start_us + c->ai_connect_ms * 1000;
	case ATTEMPT_WAIT:
		*why = ENDING_SLOW_START;
		return a->sent_us + c->ai_first_byte_ms * 1000;
	case ATTEMPT_READ:
		*why = ENDING_STALLED;
		return a->last_us + c->ai_stall_ms * 1000;
	case ATTEMPT_CLOSE:
		*why = ENDING_COMPLETE;
		return a->last_us + (a->reply.marked ? MARKED_LINGER_MS : FINISHED_LINGER_MS) * 1000;
	case ATTEMPT_TELL:
		break;
	}
	return INT64_MAX;
}

static int64_t attempt_due_us(const struct attempt *a, enum ending *why)
{
	int64_t total = a->start_us + a->total_ms * 1000;
	int64_t step = step_due_us(a, why);

	if (step <= total)
		return step;
	*why = ENDING_OVERDUE;
	return total;
}

/* A byte that comes does not touch the timer: when it fires, it looks what is due. */
void attempt_arm(struct attempt *a)
{
	enum ending why;
	int64_t left_us = attempt_due_us(a, &why) - clock_us();

	loop_arm(a->ai->loop, &a->deadline, left_us > 0 ? left_us / 1000 + 1 : 0);
}

void attempt_on_deadline(struct ev_loop *ev, ev_timer *w, int events)
{
	struct attempt *a = w->data;
	enum ending why;

	(void)ev, (void)events;
	if (attempt_due_us(a, &why) > clock_us())
		attempt_arm(a);
	else
		attempt_end(a, why, ENDING_NONE);
}
