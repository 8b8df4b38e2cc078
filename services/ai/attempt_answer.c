/* What comes back from the model's server, and how that ends. */
#include "attempt.h"

#include "clock.h"
#include "fault.h"
#include "retry_after.h"

bool attempt_on_text(void *arg, struct text text)
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

const struct transfer_events attempt_transfer_events = {
	.send = attempt_on_send,
	.body = attempt_on_body,
	.end = attempt_on_end,
};
