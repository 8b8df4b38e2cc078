/* What workers say about a turn's attempt: pieces, whole texts, the end. */
#include "chat.h"
#include "clock.h"
#include "events.h"
#include "fault.h"
#include "modules.h"
#include "prompt.h"

#define REFETCH_REPEAT_US 200000

/* The attempt's number, from the worker that was given it. */
static bool is_of_attempt(const struct turn *turn, int64_t attempt, struct text worker)
{
	if (turn->attempt != attempt)
		return false;
	return turn->step == TURN_REATTACH ||
	       (turn->step == TURN_REPLY && turn->worker != NULL && text_is(worker, turn->worker));
}

/* A taken-over turn whose worker is still there goes on where it was. */
static void turn_found_worker(struct turn *turn, struct text worker)
{
	if (turn->step != TURN_REATTACH)
		return;
	workers_assign(turn->chat, turn, worker);
	turn->asked_us = clock_us();
	turn_go(turn, TURN_REPLY);
}

void turn_refetch(struct turn *turn)
{
	int64_t now = clock_us();

	if (now - turn->refetch_us < REFETCH_REPEAT_US)
		return;
	turn->refetch_us = now;
	workers_tell(turn->chat, "refetch", turn);
}

void turn_on_seen(struct turn *turn, struct text worker)
{
	if (turn->step != TURN_REATTACH)
		return;
	turn_found_worker(turn, worker);
	turn_refetch(turn);
}

void turn_on_delta(struct turn *turn, const struct msg_ai_delta *m)
{
	if (!is_of_attempt(turn, m->attempt, m->worker))
		return;
	turn_found_worker(turn, m->worker);
	if (m->offset > (int64_t)turn->reply.n)
		turn_refetch(turn);
	if (m->offset != (int64_t)turn->reply.n)
		return;
	reply_log_add(&turn->reply, m->piece);
	FAULT_POINT(chat_before_delta);
	events_pieces(turn, turn->reply.n - 1);
	FAULT_POINT(chat_after_delta);
}

static bool turn_merge(struct turn *turn, struct text text, struct text ends)
{
	size_t had = turn->reply.n;

	if (!reply_log_merge(&turn->reply, 0, text, ends)) {
		log_warning(&turn->log, "turn.bad_text", "bytes=%zu", text.len);
		return false;
	}
	events_pieces(turn, had);
	return true;
}

void turn_on_text(struct turn *turn, const struct msg_work_text *m)
{
	if (!is_of_attempt(turn, m->attempt, m->worker))
		return;
	turn_found_worker(turn, m->worker);
	turn_merge(turn, m->text, m->ends);
}

struct text turn_message_type(const struct turn *turn)
{
	switch (turn->kind) {
	case KIND_WELCOME:
		return text_from("welcome");
	case KIND_FINALIZE:
		return text_from("finalization");
	case KIND_SUMMARY:
		return text_from("summary");
	case KIND_LESSON:
		return text_from("lesson");
	case KIND_PLAN:
		return text_from("plan");
	case KIND_MESSAGE:
		break;
	}
	return text_from("text");
}

static void turn_take_numbers(struct turn *turn, const struct msg_work_done *m)
{
	struct outcome *o = &turn->outcome;

	*o = (struct outcome){ 0 };
	o->model = text_copy(turn, m->model);
	o->finish_reason = text_copy(turn, m->finish_reason);
	o->usage = m->usage;
	usage_keep(turn, &o->usage);
	o->message_type = turn_message_type(turn);
	turn->timing.provider_first_token = m->first_token_us;
	turn->timing.provider_total = m->total_us;
	turn->queue_us += m->queue_us;
	o->reply = reply_log_text(&turn->reply);
}

/* The model's JSON becomes modules and an announcement; one more attempt is told what was wrong. */
static void turn_finish_modules(struct turn *turn)
{
	struct err err = { 0 };
	struct modules modules;

	if (modules_parse(turn, reply_log_text(&turn->reply), &turn->context, &modules, &err)) {
		turn->outcome.modules = modules.json;
		turn->seen = modules.seen;
		turn->outcome.reply = modules.announcement;
		turn_go(turn, TURN_FINISH);
	} else if (!turn->repairing) {
		turn->repairing = true;
		prompt_keep_complaint(turn, turn->outcome.reply, err.message);
		turn_try_again(turn, err.message, 0);
	} else {
		turn_fail(turn, "ai_refused", "the model's answer is not a list of modules");
	}
}

void turn_rewrite(struct turn *turn, struct text modules)
{
	turn->context.modules = text_copy(turn, modules);
	turn_finish_modules(turn);
}

static void turn_completed(struct turn *turn, const char *state)
{
	turn->outcome.state = text_from(state);
	if (turn->kind == KIND_PLAN && !turn->stopping)
		course_plan_parse(turn, turn->outcome.reply,
				  &turn->outcome.course_plan); /* else: the text is the answer */
	if (turn_is_json(turn) && turn->stopping)
		turn->outcome.reply = (struct text){ 0 }; /* half a list of modules is no message */
	if (turn->kind == KIND_FINALIZE && !turn->stopping)
		turn_finish_modules(turn);
	else if (turn->outcome.reply.len == 0 && !turn->stopping)
		turn_fail(turn, "ai_refused", "the model answered with nothing");
	else
		turn_go(turn, TURN_FINISH);
}

/* The attempt ended without a whole reply. */
static void turn_broken(struct turn *turn, const struct msg_work_done *m)
{
	if (turn->stopping) {
		turn->outcome.finish_reason = text_from("stopped");
		turn_completed(turn, "cancelled");
	} else if (m->format_refused && turn->format < FORMAT_NONE) {
		turn->format++;
		turn_try_again(turn, "response format refused", 0);
	} else if (m->retryable && turn_may_call(turn)) {
		turn_try_again(turn, text_dup(turn, m->error_code), m->retry_after_ms);
	} else if (turn->outcome.reply.len > 0 && !turn_is_json(turn)) {
		turn->outcome.error_code = text_copy(turn, m->error_code);
		turn->outcome.error_message = text_copy(turn, m->error_message);
		turn_completed(turn, "interrupted");
	} else {
		turn_fail(turn, text_dup(turn, m->error_code), text_dup(turn, m->error_message));
	}
}

enum rc turn_on_done(struct turn *turn, const struct msg_work_done *m, struct call *call)
{
	if (turn->attempt != m->attempt)
		return RC_CONFLICT;
	if (!is_of_attempt(turn, m->attempt, m->worker))
		return turn->step == TURN_FINISH ? RC_BUSY
						 : RC_CONFLICT; /* busy: told twice, the first is being stored */
	turn_found_worker(turn, m->worker);
	if (!turn_merge(turn, m->text, m->ends))
		return RC_INVALID;
	FAULT_POINT(chat_done);
	workers_forget(turn->chat, turn);
	keys_renew(turn, m->api_key);
	turn_take_numbers(turn, m);
	turn->result_call = call;
	if (text_is(m->result, "completed"))
		turn_completed(turn, "completed");
	else if (text_is(m->result, "cancelled") && turn->stopping)
		turn_completed(turn, "cancelled");
	else if (text_is(m->result, "cancelled"))
		turn_try_again(turn, "cancelled by mistake", 0); /* nobody here asked for it */
	else
		turn_broken(turn, m);
	/* A finished turn confirms after its commit; an attempt that is followed by another is of no more use. */
	if (turn->step == TURN_RETRY || turn->step == TURN_ASK) {
		turn->result_call = NULL;
		return RC_CONFLICT;
	}
	return RC_PENDING;
}

void turn_worker_lost(struct turn *turn, enum turn_loss loss)
{
	static const char *const why[] = {
		[LOSS_GONE] = "worker gone",
		[LOSS_SILENT] = "worker silent",
		[LOSS_UNLISTED] = "the work did not arrive",
	};

	if (turn->step != TURN_REPLY || turn->doubtful)
		return;
	workers_forget(turn->chat, turn);
	workers_tell(turn->chat, "cancel", turn); /* should it only have been slow: nobody wants its answer now */
	if (!turn->stopping) {
		/* Who dies with the work in its hands, before a word was said, is not noticed. */
		turn->quiet = loss != LOSS_SILENT && turn->reply.n == 0 && !turn->taken_over;
		turn_try_again(turn, why[loss], 0);
		return;
	}
	turn_cancel(turn);
}
