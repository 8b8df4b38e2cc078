#include "ending.h"

static const struct ending_info infos[] = {
#define X(name, code, retryable, outcome, message) { #name, code, message, retryable, BREAKER_##outcome },
	ENDINGS(X)
#undef X
};

/* Codes and types of error objects that say more than the status does. */
static const struct {
	const char *name;
	enum ending ending;
} names[] = {
	{ "insufficient_quota", ENDING_NO_CREDIT },      { "billing_hard_limit_reached", ENDING_NO_CREDIT },
	{ "billing_not_active", ENDING_NO_CREDIT },      { "context_length_exceeded", ENDING_TOO_LONG },
	{ "string_above_max_length", ENDING_TOO_LONG },  { "model_not_found", ENDING_NO_MODEL },
	{ "invalid_api_key", ENDING_KEY_REFUSED },       { "authentication_error", ENDING_KEY_REFUSED },
	{ "permission_error", ENDING_KEY_REFUSED },      { "content_filter", ENDING_FILTERED },
	{ "content_policy_violation", ENDING_FILTERED }, { "rate_limit_exceeded", ENDING_RATE_LIMITED },
	{ "rate_limit_error", ENDING_RATE_LIMITED },     { "server_error", ENDING_SERVER_ERROR },
	{ "invalid_request_error", ENDING_REFUSED }, /* the most general: last */
};

const struct ending_info *ending_info(enum ending ending)
{
	return &infos[ending];
}

static enum ending by_name(struct text code, struct text type)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(code, names[i].name) || text_is(type, names[i].name))
			return names[i].ending;
	return ENDING_NONE;
}

static enum ending by_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return ENDING_KEY_REFUSED;
	case 402:
		return ENDING_NO_CREDIT;
	case 404:
		return ENDING_NO_MODEL;
	case 413:
		return ENDING_TOO_LONG;
	case 429:
		return ENDING_RATE_LIMITED;
	case 408: /* the server's own timeouts: it may work the next time */
	case 425:
		return ENDING_SERVER_ERROR;
	}
	if (status >= 300 && status < 400)
		return ENDING_REDIRECTED;
	return status >= 400 && status < 500 ? ENDING_REFUSED : ENDING_SERVER_ERROR;
}

enum ending ending_of_status(long status, struct text code, struct text type)
{
	enum ending named = by_name(code, type);

	/* A name makes a refusal clearer, but never turns it into something worth trying again, nor the reverse. */
	if (named == ENDING_NO_CREDIT || named == ENDING_TOO_LONG || named == ENDING_NO_MODEL ||
	    named == ENDING_FILTERED)
		return status >= 400 && status < 500 ? named : by_status(status);
	return by_status(status);
}

enum ending ending_of_error(struct text code, struct text type)
{
	enum ending named = by_name(code, type);

	return named != ENDING_NONE ? named : ENDING_SERVER_ERROR;
}

enum ending ending_of_empty(const char *finish_reason)
{
	if (strcmp(finish_reason, "content_filter") == 0)
		return ENDING_FILTERED;
	return strcmp(finish_reason, "length") == 0 ? ENDING_NO_ROOM : ENDING_EMPTY;
}
