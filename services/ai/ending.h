/*
 * ending: why an attempt is over, and what that means to whoever asked. The
 * table is the whole policy: code (streaming.md), whether another attempt may
 * help while nothing was shown yet, what it says of the server (GOOD: it
 * answered, if only with a refusal, or was not asked), and a sentence for operators, which is kept
 * with the turn: people are told the code in their language. Upstream's own words are never
 * passed on: they may quote the key or the prompt.
 */
#ifndef ALP_ENDING_H
#define ALP_ENDING_H

#include <stdbool.h>

#include "breaker.h"
#include "text.h"

#define ENDINGS(X) \
	X(NONE, "", false, GOOD, "") /* nothing known yet, or a regular end of the transport */ \
	X(COMPLETE, "", false, GOOD, "") \
	X(FULL, "", false, GOOD, "") /* AI_REPLY_MAX: complete, with finish reason length */ \
	X(CANCELLED, "", false, NEUTRAL, "") \
	X(LEAVING, "ai_unavailable", true, NEUTRAL, "The worker is shutting down.") \
	X(STOOD_STILL, "ai_unavailable", true, NEUTRAL, \
	  "The worker stood still.") /* before it asked: another has the work by now */ \
	X(NOT_CONFIGURED, "ai_not_configured", false, GOOD, "No model is configured: there is no API key.") \
	X(KEY_UNREADABLE, "ai_refused", false, GOOD, \
	  "The stored API key cannot be used any more: please enter it again.") \
	X(ADDRESS_REFUSED, "ai_refused", false, NEUTRAL, "The address of the model's server is not allowed.") \
	X(PAUSED, "ai_unavailable", true, GOOD, \
	  "The model's server failed again and again and is left alone for a moment.") \
	X(CROWDED, "rate_limited", true, GOOD, "Too many requests with this API key run at once.") \
	X(NO_CONNECTION, "ai_unavailable", true, BAD, "The model's server could not be reached.") \
	X(CERTIFICATE, "ai_unavailable", false, BAD, "The model's server could not prove its identity.") \
	X(SLOW_CONNECT, "ai_unavailable", true, BAD, "The model's server did not accept a connection in time.") \
	X(SLOW_START, "ai_unavailable", true, BAD, "The model's server did not begin to answer in time.") \
	X(STALLED, "ai_unavailable", true, BAD, "The model's server fell silent.") \
	X(OVERDUE, "ai_unavailable", true, BAD, "The answer was not finished in time.") \
	X(BROKEN_OFF, "ai_unavailable", true, BAD, "The answer of the model's server broke off.") \
	X(GARBLED, "ai_unavailable", true, BAD, "The model's server sent something that is no answer.") \
	X(TOO_LARGE, "ai_unavailable", false, BAD, "The model's server sent more than is accepted.") \
	X(EMPTY, "ai_unavailable", true, NEUTRAL, "The model gave an empty answer.") \
	X(FILTERED, "ai_refused", false, GOOD, "The model's provider withheld the answer.") \
	X(NO_ROOM, "ai_unavailable", false, GOOD, "The answer's length limit was used up before any text came.") \
	X(SERVER_ERROR, "ai_unavailable", true, BAD, "The model's server failed.") \
	X(RATE_LIMITED, "rate_limited", true, BAD, "The model's provider asks to wait before the next request.") \
	X(NO_CREDIT, "ai_refused", false, GOOD, "The account at the model's provider has no credit left.") \
	X(KEY_REFUSED, "ai_refused", false, GOOD, "The model's server did not accept the API key.") \
	X(NO_MODEL, "ai_refused", false, GOOD, "The model's server does not know the model asked for.") \
	X(TOO_LONG, "ai_refused", false, GOOD, "The conversation is too long for the model.") \
	X(REFUSED, "ai_refused", false, GOOD, "The model's server refused the request.") \
	X(REDIRECTED, "ai_unavailable", false, BAD, \
	  "The model's server answered with a redirect, which is not followed.")

enum ending {
#define X(name, code, retryable, outcome, message) ENDING_##name,
	ENDINGS(X)
#undef X
};

struct ending_info {
	const char *name; /* for logs */
	const char *code, *message;
	bool retryable;
	enum breaker_outcome outcome;
};

const struct ending_info *ending_info(enum ending ending);

/* What an HTTP answer other than 2xx means; code and type are those of its error object, or empty. */
enum ending ending_of_status(long status, struct text code, struct text type);

/* What an error object inside a stream means. */
enum ending ending_of_error(struct text code, struct text type);

/* Why a complete answer without any text is none. */
enum ending ending_of_empty(const char *finish_reason);

#endif
