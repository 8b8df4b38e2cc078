/* What chat is told: pieces as they come, ends until they are confirmed, beats, and texts it asks for. */
#include "attempt.h"

#include <ctype.h>

#include "clock.h"
#include "fault.h"

#define BEAT_MS 1000
#define BEAT_ANSWER_MS 2000 /* an older one is no news for chat any more */
#define BEATS_OPEN 3 /* to one chat */
#define PAUSE_MAX_MS 1000
#define TELL_MAX_US (10LL * 60 * 1000000)

void tell_piece(void *arg, size_t number, struct text piece)
{
	struct attempt *a = arg;
	struct msg_ai_delta m = { .worker = text_from(a->ai->worker),
				  .turn_id = a->turn_id,
				  .attempt = a->number,
				  .offset = (int64_t)number,
				  .piece = piece };

	FAULT_POINT(ai_before_delta);
	bus_publish(a->chat->delta, MSG_AI_DELTA, &m, a->trace);
	FAULT_POINT(ai_after_delta);
}

/* ---- the end ------------------------------------------------------------------------ */

static void again_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev, (void)events;
	tell_done(w->data);
}

/* It was stored; or no chat has the turn any more, or it goes on with another attempt. */
static bool is_confirmed(struct attempt *a, enum rc rc)
{
	if (rc == RC_NOT_FOUND || rc == RC_CONFLICT)
		a->strangers |= a->chat->bit;
	return rc == RC_OK || a->strangers == (1U << a->ai->chats_n) - 1;
}

/* Who did not take the end may not be whose turn it is by now. */
static void done_turn_to_next(struct attempt *a)
{
	struct ai *ai = a->ai;
	int at = (int)(a->chat - ai->chats);

	for (int i = 1; i < ai->chats_n; i++) {
		struct chat_link *next = &ai->chats[(at + i) % ai->chats_n];

		if (!peer_is_up(next->work))
			continue;
		a->chat = next;
		return;
	}
}

static void done_on_answer(void *arg, const struct answer *answer)
{
	struct attempt *a = arg;
	enum rc rc = answer->err.rc;

	a->done_request = NULL;
	if (is_confirmed(a, rc)) {
		FAULT_POINT(ai_confirmed);
		attempt_free(a);
		return;
	}
	if (rc == RC_INVALID || clock_us() - a->end_us > TELL_MAX_US) {
		log_error(&a->log, "attempt.lost", "rc=%s reason=\"%s\"", rc_name(rc), answer->err.message);
		attempt_free(a);
		return;
	}
	done_turn_to_next(a);
	loop_timer(&a->again, again_on_timer, a);
	loop_arm(a->ai->loop, &a->again, a->pause_ms);
	a->pause_ms = a->pause_ms * 2 < PAUSE_MAX_MS ? a->pause_ms * 2 : PAUSE_MAX_MS;
}

static const char *finish_reason_of(const struct attempt *a)
{
	if (a->ending == ENDING_CANCELLED)
		return "stopped";
	return a->ending == ENDING_FULL ? "length" : a->reply.finish_reason;
}

/* The ending's name in lower case; empty when all is well. */
static struct text error_class(struct attempt *a, const char *name)
{
	char *lower = talloc_strdup(a, ending_info(a->ending)->code[0] != '\0' ? name : "");

	for (char *p = lower; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return text_from(lower);
}

static void done_write(struct attempt *a, struct msg_work_done *m)
{
	const struct ending_info *info = ending_info(a->ending);
	struct text said = reply_log_text(&a->delta.log);

	*m = (struct msg_work_done){
		.worker = text_from(a->ai->worker),
		.turn_id = a->turn_id,
		.attempt = a->number,
		.result = text_from(attempt_result(a)),
		.error_code = text_from(info->code),
		.error_message = text_from(info->message),
		.error_class = error_class(a, info->name),
		.retryable = a->retryable,
		.api_key = text_from(a->renewed_key),
		.format_refused = a->formatted && a->ending == ENDING_REFUSED &&
				  (a->reply.status == 400 || a->reply.status == 422),
		.retry_after_ms = a->retry_after_ms,
		.finish_reason = text_from(finish_reason_of(a)),
		.model = text_from(a->reply.model[0] != '\0' ? a->reply.model : a->model),
		.usage = a->usage,
		.queue_us = a->sent_us > 0 ? a->sent_us - a->start_us : 0,
		.first_token_us = a->first_text_us > 0 ? a->first_text_us - a->start_us : 0,
		.total_us = a->end_us - a->start_us,
		.text = said,
	};
}

void tell_done(struct attempt *a)
{
	struct msg_work_done m;
	char *ends = reply_log_ends(a, &a->delta.log, 0);

	done_write(a, &m);
	m.ends = text_from(ends);
	FAULT_POINT(ai_before_done);
	a->done_request =
		bus_request(a->chat->work, MSG_WORK_DONE, &m, &(struct ask){ .trace = a->trace }, done_on_answer, a);
	FAULT_POINT(ai_after_done);
	talloc_free(ends);
}

/* ---- text, asked for ----------------------------------------------------------------- */

static void text_on_answer(void *arg, const struct answer *answer)
{
	struct attempt *a = arg;

	a->text_request = NULL;
	if (answer->err.rc != RC_OK) /* chat asks again when it still misses something */
		log_debug(&a->log, "attempt.text", "rc=%s", rc_name(answer->err.rc));
}

void tell_text(struct attempt *a)
{
	struct msg_work_text m = { .worker = text_from(a->ai->worker),
				   .turn_id = a->turn_id,
				   .attempt = a->number,
				   .text = reply_log_text(&a->delta.log) };
	char *ends;

	if (a->text_request != NULL)
		return;
	ends = reply_log_ends(a, &a->delta.log, 0);
	m.ends = text_from(ends);
	a->text_request =
		bus_request(a->chat->work, MSG_WORK_TEXT, &m, &(struct ask){ .trace = a->trace }, text_on_answer, a);
	talloc_free(ends);
}

void attempt_goes_to(struct attempt *a, struct chat_link *chat)
{
	a->strangers = 0;
	if (a->chat == chat)
		return;
	/* Whoever was asked before is not waited for. */
	request_forget(a->text_request);
	a->text_request = NULL;
	a->chat = chat;
	if (a->step != ATTEMPT_TELL)
		return;
	request_forget(a->done_request);
	loop_disarm(a->ai->loop, &a->again);
	tell_done(a);
}

/* ---- beats ----------------------------------------------------------------------------- */

static void beat_on_answer(void *arg, const struct answer *answer)
{
	struct chat_link *chat = arg;

	chat->beats_open--;
	if (answer->err.rc != RC_OK)
		log_debug(&chat->ai->log, "ai.beat", "rc=%s", rc_name(answer->err.rc));
}

/* Every chat hears of every attempt: who takes a turn over finds its worker by that. */
static void beat_send(struct ai *ai, bool leaving)
{
	CLEANUP(string_done) UT_string list;
	struct msg_work_beat m = { .worker = text_from(ai->worker), .leaving = ai->leaving };

	utstring_init(&list);
	for (const struct attempt *a = ai->attempts; a != NULL; a = a->hh.next)
		utstring_printf(&list, "%s%s", a != ai->attempts ? "," : "", a->key);
	m.attempts = json_written(&list);
	ai->beat_us = clock_us();
	for (int i = 0; i < ai->chats_n; i++) {
		struct chat_link *chat = &ai->chats[i];

		if (chat->beats_open >= BEATS_OPEN && !leaving)
			continue;
		chat->beats_open++;
		bus_request(chat->work, MSG_WORK_BEAT, &m,
			    &(struct ask){ .timeout_ms = BEAT_ANSWER_MS, .background = true }, beat_on_answer, chat);
	}
}

static void beat_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct ai *ai = w->data;

	(void)ev, (void)events;
	beat_send(ai, false); /* also when the last attempt is over: chat learns what else has not arrived */
	if (ai->attempts == NULL)
		return;
	loop_arm(ai->loop, &ai->beat, BEAT_MS);
}

void tell_init(struct ai *ai)
{
	loop_timer(&ai->beat, beat_on_timer, ai);
}

void tell_beats(struct ai *ai)
{
	if (!ev_is_active(&ai->beat))
		loop_arm(ai->loop, &ai->beat, BEAT_MS);
}

void tell_probe(struct ai *ai)
{
	if (clock_us() - ai->beat_us >= BEAT_MS * 1000)
		beat_send(ai, false);
}

void tell_leaving(struct ai *ai)
{
	beat_send(ai, true);
}
