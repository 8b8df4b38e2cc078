/* rest_turn: what the endpoints that ask the model share: waiting for a turn, and telling how it ended. Loop thread only. */
#ifndef ALP_REST_TURN_H
#define ALP_REST_TURN_H

#include "http.h"

/* Asks chat for a turn and waits until it has ended; refuses the request with 503 when too many wait already. */
void turn_ask(struct http_request *r, enum msg_id msg, const void *m, http_answered_fn *then);

/*
 * The same, or, for a client that wants events, the answer when the turn is
 * accepted: then tells it by turn_stream. The message's wait is set by the
 * caller (not for events). session_id: as the client named it; it lives as
 * long as r. Takes r->state.
 */
void turn_ask_or_stream(struct http_request *r, enum msg_id msg, const void *m, struct text session_id,
			http_answered_fn *then);
void turn_stream(struct http_request *r, const struct turn_view *turn);

/* By which asking again is known: the id of the body, else made of Idempotency-Key (any text), else empty. */
struct uuid_text turn_key(struct http_request *r, const struct uuid_text *given);

/* Since the head of the request was there. */
int64_t turn_in_us(const struct http_request *r);

/* There is a reply: a whole one, or what was written until somebody stopped it. */
bool turn_has_reply(const struct outcome *outcome);

/* What people are told about a turn without one, in the caller's language. Static. */
const char *turn_why(struct http_request *r, const struct outcome *outcome);

/* It failed for want of a model: a 503 of the endpoints that need one, of others a soft failure. */
bool turn_lacks_model(const struct outcome *outcome);

/* "Most /api/ai endpoints answer 200 with success:false". needs_model: this one is a 503 without a model. */
bool turn_is_soft(enum rc rc, bool needs_model);

/* Members of an open object; what is not there is null. */
void put_opt_text(UT_string *json, const char *key, struct text value);
void put_text_or(UT_string *json, const char *key, struct text value, const char *fallback);
void put_opt_tokens(UT_string *json, const struct outcome *outcome);

#endif
