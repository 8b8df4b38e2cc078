/* An attempt begins: where to ask, with which key, and whether that server is to be asked now. */
#include "attempt.h"

#include <stdio.h>

#include "clock.h"
#include "fault.h"

#define FIRST_PAUSE_MS 50

static void attempt_on_join(struct ev_loop *ev, ev_timer *w, int events)
{
	struct attempt *a = w->data;

	(void)ev, (void)events;
	delta_flush(&a->delta);
}

static struct attempt *attempt_new(struct chat_link *chat, const struct ans_work_pull *work)
{
	struct ai *ai = chat->ai;
	struct attempt *a = talloc_zero(ai->daemon->ctx, struct attempt);

	a->ai = ai;
	a->chat = chat;
	a->turn_id = work->turn_id;
	a->number = work->attempt;
	a->stream = work->stream;
	a->seals = text_is(work->kind, "seal");
	a->trial = a->seals || text_is(work->kind, "test");
	a->total_ms =
		work->time_ms > 0 && work->time_ms < ai->config->ai_total_ms ? work->time_ms : ai->config->ai_total_ms;
	a->formatted = work->response_format.len > 0;
	a->model = work->model.len > 0 ? text_dup(a, work->model) : talloc_strdup(a, ai->config->default_openai_model);
	a->pause_ms = FIRST_PAUSE_MS;
	a->start_us = clock_us();
	attempt_key(a->key, &a->turn_id, a->number);
	snprintf(a->trace, sizeof(a->trace), TEXT_FMT, TEXT_ARG(work->traceparent));
	span_begin(&a->span, a->trace, SPAN_CLIENT, a->trial ? "model test" : "model call");
	memcpy(a->trace, a->span.context, sizeof(a->trace));
	log_child(&a->log, &ai->log, "trace=%.32s turn=%.8s attempt=%lld", a->trace[0] != '\0' ? a->trace + 3 : "-",
		  a->turn_id.s, (long long)a->number);
	utstring_init(&a->body);
	reply_init(&a->reply, (size_t)ai->config->ai_reply_max, attempt_on_text, a);
	delta_init(&a->delta, (size_t)ai->config->ai_reply_max, ai->config->ai_join_ms, tell_piece, a);
	loop_timer(&a->deadline, attempt_on_deadline, a);
	loop_timer(&a->join, attempt_on_join, a);
	HASH_ADD_STR(ai->attempts, key, a);
	ai->running++;
	return a;
}

/* The trace goes on at the model's server. Only a well-formed one: it becomes a header. */
static const struct curl_slist *headers_of(struct attempt *a)
{
	static const char digits[] = "0123456789abcdef-";

	if (strlen(a->trace) != 55 || strspn(a->trace, digits) != 55)
		return a->endpoint->headers;
	a->trace_header = talloc_asprintf(a, "traceparent: %s", a->trace);
	a->headers = (struct curl_slist){ .data = a->trace_header, .next = a->endpoint->headers };
	return &a->headers;
}

/*
 * Where to ask, and with which key. The server's key goes to the server's
 * address only: without a key of his own, a user's address is none.
 */
static enum ending attempt_aim(struct attempt *a, const struct ans_work_pull *work)
{
	struct ai *ai = a->ai;
	enum ending ending;
	bool old = false;
	char *key;

	if (work->api_key.len == 0) {
		a->endpoint = &ai->endpoint;
		if (work->base_url.len > 0)
			return ENDING_ADDRESS_REFUSED;
		return ai->endpoint.configured ? ENDING_NONE : ENDING_NOT_CONFIGURED;
	}
	/* What an old database holds in clear is the key itself, until the store has sealed it. */
	key = seal_is_sealed(work->api_key)
		      ? seal_open(a, ai->secrets, ai->secrets_n, &work->user_id, work->api_key, &old)
		      : text_dup(a, work->api_key);
	if (key == NULL)
		return ENDING_KEY_UNREADABLE;
	if (old || a->seals)
		a->renewed_key =
			seal_text(a, &ai->secrets[0].key, a->seals ? &work->seal_for : &work->user_id, text_from(key));
	ending = endpoint_own(&a->own_endpoint, a, ai->config, text_dup(a, work->base_url), key);
	sodium_memzero(key, strlen(key));
	talloc_free(key);
	a->endpoint = &a->own_endpoint;
	return ending;
}

/* A trial is always let through: whoever mended his server wants to know it now. */
static enum ending attempt_enter_breaker(struct attempt *a)
{
	struct breakers *breakers = &a->ai->breakers;
	struct breaker *row;
	enum breaker_verdict verdict;

	if (a->trial)
		return ENDING_NONE;
	row = breaker_get(breakers, a->endpoint->id, a->start_us);
	verdict = breaker_enter(breakers, row, a->endpoint->own, a->start_us, &a->retry_after_ms);
	if (verdict == BREAKER_PASS)
		a->breaker = row;
	else
		return verdict == BREAKER_CROWDED ? ENDING_CROWDED : ENDING_PAUSED;
	return ENDING_NONE;
}

void attempt_start(struct chat_link *chat, const struct ans_work_pull *work, int64_t lag_us)
{
	struct ai *ai = chat->ai;
	struct attempt *a = attempt_find(ai, &work->turn_id, work->attempt);
	enum ending why;

	if (a != NULL) {
		log_warning(&a->log, "attempt.twice", "reason=\"chat handed it out again\"");
		return;
	}
	a = attempt_new(chat, work);
	tell_beats(ai);
	why = attempt_aim(a, work);
	if (standstill_is_behind(&ai->standstill, lag_us))
		why = ENDING_STOOD_STILL;
	else if (a->seals && a->renewed_key != NULL)
		why = ENDING_COMPLETE;
	else if (a->seals)
		why = ENDING_KEY_UNREADABLE;
	if (why == ENDING_NONE)
		why = attempt_enter_breaker(a);
	if (why != ENDING_NONE) {
		attempt_end(a, why, ENDING_NONE);
		return;
	}
	request_write(a, work);
	FAULT_POINT(ai_before_call);
	a->transfer = transfer_post(ai->curl,
				    &(struct transfer_request){ .url = a->endpoint->url,
								.headers = headers_of(a),
								.body = json_written(&a->body),
								.guarded = a->endpoint->guarded },
				    &attempt_transfer_events, a);
	attempt_arm(a);
}
