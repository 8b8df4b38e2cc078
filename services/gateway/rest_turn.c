#include "rest_turn.h"

#include "clock.h"
#include "event_stream.h"
#include "ids.h"
#include "problem.h"

/* A turn may wait for a slot, be tried three times and stream for minutes; lws holds a request's head for 370 s at most. */
#define WAIT_MS 330000

void turn_ask(struct http_request *r, enum msg_id msg, const void *m, http_answered_fn *then)
{
	/* Sockets need the same link to chat: those who wait may not take all of it. */
	if (r->gw->waits_open >= r->gw->config->bus_inflight_max / 2) {
		problem_later(r, 503, WORD_BUSY, 5);
		return;
	}
	r->waiting = true;
	r->gw->waits_open++;
	http_ask(r, r->gw->chat, msg, m, WAIT_MS, then);
}

void turn_ask_or_stream(struct http_request *r, enum msg_id msg, const void *m, struct text session_id,
			http_answered_fn *then)
{
	struct text *named = talloc(r, struct text);

	*named = session_id; /* borrows from the body, which lives as long */
	r->state = named;
	if (r->wants_events)
		http_ask(r, r->gw->chat, msg, m, 0, then);
	else
		turn_ask(r, msg, m, then);
}

void turn_stream(struct http_request *r, const struct turn_view *turn)
{
	struct text named = *(const struct text *)r->state;

	event_stream_answer(r, turn, named.len > 0 ? named : text_copy(r, uuid_as_text(&turn->session_id)));
}

struct uuid_text turn_key(struct http_request *r, const struct uuid_text *given)
{
	struct uuid_text id;

	if (given->s[0] != '\0' || r->idempotency_key.len == 0)
		return *given;
	return uuid_from_text(r->idempotency_key, &id) ? id : id_named(&r->caller.user_id, r->idempotency_key);
}

int64_t turn_in_us(const struct http_request *r)
{
	return clock_us() - r->since_us;
}

bool turn_has_reply(const struct outcome *outcome)
{
	return text_is(outcome->state, "completed") || (text_is(outcome->state, "cancelled") && outcome->reply.len > 0);
}

const char *turn_why(struct http_request *r, const struct outcome *outcome)
{
	const char *language = r->caller.language;

	if (text_is(outcome->state, "cancelled"))
		return word(language, WORD_STOPPED);
	/* error_message is for operators, in English only. */
	if (outcome->error_code.len == 0)
		return word(language, WORD_NO_REPLY);
	if (text_is(outcome->error_code, rc_name(RC_LIMITED))) /* the model's limit: a refusal of ours is no turn */
		return word(language, WORD_AI_LIMITED);
	return word(language, problem_word_of(rc_from_name(text_dup(r, outcome->error_code))));
}

bool turn_lacks_model(const struct outcome *outcome)
{
	return text_is(outcome->error_code, rc_name(RC_NOT_CONFIGURED));
}

bool turn_is_soft(enum rc rc, bool needs_model)
{
	return rc == RC_AI_FAILED || rc == RC_AI_REFUSED || (rc == RC_NOT_CONFIGURED && !needs_model);
}

void put_opt_text(UT_string *json, const char *key, struct text value)
{
	if (value.len > 0)
		json_text(json, key, value);
	else
		json_null(json, key);
}

void put_text_or(UT_string *json, const char *key, struct text value, const char *fallback)
{
	json_text(json, key, value.len > 0 ? value : text_from(fallback));
}

void put_opt_tokens(UT_string *json, const struct outcome *outcome)
{
	if (turn_has_reply(outcome))
		json_i64(json, "tokens_used", outcome->usage.prompt_tokens + outcome->usage.completion_tokens);
	else
		json_null(json, "tokens_used");
}
