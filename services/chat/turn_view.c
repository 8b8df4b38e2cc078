/* Who waits for a turn, and what callers are told of it. */
#include "chat.h"
#include "clock.h"
#include "events.h"

#include <utlist.h>

/* The answers of all calls that tell of a turn have the same shape. */
_Static_assert(sizeof(struct ans_chat_post) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_chat_welcome) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_chat_finalize) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_chat_summary) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_chat_lesson) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_chat_plan) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_chat_regenerate) == sizeof(struct turn_view), "turn_view alone");
_Static_assert(sizeof(struct ans_turn_stop) == sizeof(struct turn_view), "turn_view alone");

static struct turn_view view_of(const struct turn_context *c, int64_t epoch, const struct outcome *outcome)
{
	return (struct turn_view){ .turn_id = c->turn_id,
				   .session_id = c->session_id,
				   .session_key = c->session_key,
				   .chat_id = c->chat_id,
				   .kind = c->kind,
				   .epoch = epoch,
				   .client_message_id = c->client_message_id,
				   .user_message_id = c->user_message_id,
				   .seq = c->seq,
				   .lesson_id = c->lesson_id,
				   .outcome = *outcome };
}

static bool is_ended(const struct outcome *o)
{
	return !text_is(o->state, "running");
}

/* turn_get's answer carries the last frame of an ended turn. */
static void answer_get(struct call *call, const struct turn_context *c, struct ans_turn_get *get)
{
	CLEANUP(string_done) UT_string frame = { 0 };

	utstring_init(&frame);
	if (is_ended(&get->turn.outcome)) {
		const struct outcome *o = &get->turn.outcome;

		get->final_type =
			text_from(events_final_frame(c, get->turn.epoch, o, call_caller(call)->language, &frame));
		get->final = json_written(&frame);
		if (text_is(get->final_type, "ai_response"))
			get->total_us = o->timing.total > 0 ? o->timing.total : 1;
	}
	call_answer(call, get);
}

void view_answer_stored(struct call *call, const struct turn_context *context, const struct outcome *outcome)
{
	struct ans_turn_get get = { .turn = view_of(context, context->attempt, outcome) };

	get.turn.elsewhere = !is_ended(outcome);
	if (call_msg(call) == MSG_TURN_GET)
		answer_get(call, context, &get);
	else
		call_answer(call, &get.turn);
}

static const struct outcome running = { .state = { "running", 7 } };

/* After FINISH's commit the outcome is as stored; before that the turn runs. */
static const struct outcome *outcome_now(const struct turn *turn)
{
	return turn->stored ? &turn->outcome : &running;
}

static void answer_get_running(struct call *call, const struct turn *turn, int64_t epoch, int64_t offset)
{
	struct ans_turn_get get = { .turn = view_of(&turn->context, turn->attempt, outcome_now(turn)) };
	size_t from = epoch == turn->attempt && offset > 0 ? (size_t)offset : 0;

	if (!turn_is_json(turn)) {
		get.offset = (int64_t)(from < turn->reply.n ? from : turn->reply.n);
		get.pieces = reply_log_from(&turn->reply, from);
		get.ends = text_from(reply_log_ends(call_ctx(call), &turn->reply, (size_t)get.offset));
	}
	answer_get(call, &turn->context, &get);
}

void view_answer_running(struct call *call, const struct turn *turn)
{
	struct turn_view view = view_of(&turn->context, turn->attempt, outcome_now(turn));

	call_answer(call, &view);
}

/* ---- waiters ------------------------------------------------------------------------------ */

void turn_wait(struct turn *turn, struct call *call, bool for_end)
{
	struct waiter *waiter = talloc_zero(turn, struct waiter);

	waiter->call = call;
	waiter->for_end = for_end;
	LL_APPEND(turn->waiters, waiter);
}

static void waiter_answer(struct turn *turn, struct waiter *waiter)
{
	LL_DELETE(turn->waiters, waiter);
	if (call_msg(waiter->call) == MSG_TURN_GET)
		answer_get_running(waiter->call, turn, 0, 0);
	else
		view_answer_running(waiter->call, turn);
	talloc_free(waiter);
}

void turn_answer_accepted(struct turn *turn)
{
	struct waiter *waiter, *tmp;

	LL_FOREACH_SAFE (turn->waiters, waiter, tmp)
		if (!waiter->for_end)
			waiter_answer(turn, waiter);
}

void turn_answer_all(struct turn *turn)
{
	struct waiter *waiter, *tmp;

	LL_FOREACH_SAFE (turn->waiters, waiter, tmp)
		waiter_answer(turn, waiter);
}

void turn_refuse_all(struct turn *turn, const struct err *err)
{
	struct waiter *waiter, *tmp;

	LL_FOREACH_SAFE (turn->waiters, waiter, tmp) {
		LL_DELETE(turn->waiters, waiter);
		call_refuse(waiter->call, err);
		talloc_free(waiter);
	}
}

void view_answer_get(struct call *call, const struct turn *turn, int64_t epoch, int64_t offset)
{
	answer_get_running(call, turn, epoch, offset);
}
