#include "attempt.h"

#include <stdio.h>

#include "clock.h"
#include "fault.h"
#include "retry_after.h"
#include "spend.h"

/*
 * A server that has sent its end mark closes the transfer within a moment; one
 * that has told only a finish reason may still be about to count the tokens.
 */
#define MARKED_LINGER_MS 250
#define FINISHED_LINGER_MS 5000
#define FIRST_PAUSE_MS 50

static const char *const step_names[] = {
#define X(step) #step,
	ATTEMPT_STEPS(X)
#undef X
};

static void deadline_arm(struct attempt *a);

static void attempt_enter(struct attempt *a, enum attempt_step to) /* the only writer of a->step */
{
	log_debug(&a->log, "attempt.step", "from=%s to=%s", step_names[a->step], step_names[to]);
	a->step = to;
	if (to != ATTEMPT_TELL)
		deadline_arm(a);
}

static void key_of(char out[ATTEMPT_KEY_SIZE], const struct uuid_text *turn_id, int64_t number)
{
	snprintf(out, ATTEMPT_KEY_SIZE, "%s:%lld", turn_id->s, (long long)number);
}

struct attempt *attempt_find(struct ai *ai, const struct uuid_text *turn_id, int64_t number)
{
	char key[ATTEMPT_KEY_SIZE];
	struct attempt *a;

	key_of(key, turn_id, number);
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

static enum breaker_outcome breaker_outcome_of(enum ending ending)
{
	switch (ending) {
	case ENDING_CANCELLED:
	case ENDING_LEAVING:
	case ENDING_STOOD_STILL:
	case ENDING_ADDRESS_REFUSED:
	case ENDING_EMPTY:
		return BREAKER_NEUTRAL;
	case ENDING_NO_CONNECTION:
	case ENDING_CERTIFICATE:
	case ENDING_SLOW_CONNECT:
	case ENDING_SLOW_START:
	case ENDING_STALLED:
	case ENDING_OVERDUE:
	case ENDING_BROKEN_OFF:
	case ENDING_GARBLED:
	case ENDING_TOO_LARGE:
	case ENDING_SERVER_ERROR:
	case ENDING_RATE_LIMITED:
	case ENDING_REDIRECTED:
		return BREAKER_BAD;
	case ENDING_NONE:
	case ENDING_COMPLETE:
	case ENDING_FULL:
	case ENDING_NOT_CONFIGURED:
	case ENDING_KEY_UNREADABLE:
	case ENDING_PAUSED:
	case ENDING_CROWDED:
	case ENDING_FILTERED:
	case ENDING_NO_ROOM:
	case ENDING_NO_CREDIT:
	case ENDING_KEY_REFUSED:
	case ENDING_NO_MODEL:
	case ENDING_TOO_LONG:
	case ENDING_REFUSED:
		break; /* it answered, if only with a refusal; or it was not asked */
	}
	return BREAKER_GOOD;
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
	enum breaker_outcome outcome = breaker_outcome_of(a->ending);

	a->breaker = NULL;
	if (asked != NULL)
		breaker_leave(&ai->breakers, asked, outcome, a->end_us);
	if (a->trial && a->endpoint != NULL && outcome == BREAKER_GOOD && a->reply.status > 0)
		breaker_forgive(breaker_get(&ai->breakers, a->endpoint->id, a->end_us));
	a->retryable = !a->trial && is_worth_repeating(a, asked);
}

/* forced: why we end it (NONE: the transfer has ended by itself, for the reason transport tells). */
static void attempt_end(struct attempt *a, enum ending forced, enum ending transport)
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
static void deadline_arm(struct attempt *a)
{
	enum ending why;
	int64_t left_us = attempt_due_us(a, &why) - clock_us();

	loop_arm(a->ai->loop, &a->deadline, left_us > 0 ? left_us / 1000 + 1 : 0);
}

static void attempt_on_deadline(struct ev_loop *ev, ev_timer *w, int events)
{
	struct attempt *a = w->data;
	enum ending why;

	(void)ev, (void)events;
	if (attempt_due_us(a, &why) > clock_us())
		deadline_arm(a);
	else
		attempt_end(a, why, ENDING_NONE);
}

static void attempt_on_join(struct ev_loop *ev, ev_timer *w, int events)
{
	struct attempt *a = w->data;

	(void)ev, (void)events;
	delta_flush(&a->delta);
}

/* ---- the answer -------------------------------------------------------------------------- */

static bool attempt_on_text(void *arg, struct text text)
{
	struct attempt *a = arg;
	bool more = delta_add(&a->delta, text);
	int64_t due = delta_due_us(&a->delta);

	if (a->first_text_us == 0)
		a->first_text_us = clock_us();
	if (due == 0)
		loop_disarm(a->ai->loop, &a->join);
	else if (!ev_is_active(&a->join))
		loop_arm(a->ai->loop, &a->join, due > clock_us() ? (due - clock_us()) / 1000 + 1 : 0);
	return more;
}

/* An attempt is one call: whether the model is asked again is chat's decision, not libcurl's. */
static bool attempt_on_send(void *arg)
{
	struct attempt *a = arg;

	if (a->step != ATTEMPT_CONNECT)
		return false;
	a->sent_us = clock_us();
	attempt_enter(a, ATTEMPT_WAIT);
	FAULT_POINT(ai_after_call);
	return true;
}

static bool attempt_on_body(void *arg, struct text bytes)
{
	struct attempt *a = arg;
	bool go_on;

	a->last_us = clock_us();
	if (a->step < ATTEMPT_READ) {
		FAULT_POINT(ai_first_byte);
		reply_head(&a->reply, transfer_status(a->transfer), transfer_type(a->transfer), a->stream);
		attempt_enter(a, ATTEMPT_READ);
	}
	go_on = reply_feed(&a->reply, bytes);
	if (reply_is_finished(&a->reply)) /* perhaps again: the end mark comes behind the finish reason */
		attempt_enter(a, ATTEMPT_CLOSE);
	return go_on;
}

static enum ending ending_of_curl(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return ENDING_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return ENDING_NO_CONNECTION;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
		return ENDING_CERTIFICATE;
	case CURLE_OPERATION_TIMEDOUT:
		return ENDING_SLOW_CONNECT;
	case CURLE_WRITE_ERROR: /* it was we who wanted no more; the reply knows why, or the headers were too long */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ENDING_GARBLED;
	default:
		return ENDING_BROKEN_OFF;
	}
}

static void attempt_on_end(void *arg, CURLcode code)
{
	struct attempt *a = arg;
	struct transfer *t = a->transfer;
	long status = transfer_status(t);

	if (status >= 200)
		reply_head(&a->reply, status, transfer_type(t), a->stream);
	if (status == 429 || status == 503)
		a->retry_after_ms = retry_after_ms(transfer_header(t, "retry-after"), clock_wall_us() / 1000000);
	if (code != CURLE_OK)
		log_debug(&a->log, "attempt.transfer", "status=%ld curl=%d", status, (int)code);
	a->transfer = NULL;
	FAULT_POINT(ai_last_byte);
	attempt_end(a, ENDING_NONE,
		    code != CURLE_OK && transfer_was_refused(t) ? ENDING_ADDRESS_REFUSED : ending_of_curl(code));
}

static const struct transfer_events transfer_events = {
	.send = attempt_on_send,
	.body = attempt_on_body,
	.end = attempt_on_end,
};

/* ---- the start ------------------------------------------------------------------------------ */

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
	key_of(a->key, &a->turn_id, a->number);
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

void attempt_start(struct chat_link *chat, const struct ans_work_pull *work)
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
	if (standstill_is_over_just_now(&ai->standstill))
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
				    &transfer_events, a);
	deadline_arm(a);
}
