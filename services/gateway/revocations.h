/*
 * revocations: the sign-ins that ended while access tokens of theirs may still
 * live. Store is asked every two seconds for what is new since its last
 * answer, at the start for everything; an entry stays as long as a token
 * lives. Sockets of an ended sign-in are closed with 4401. Loop thread only.
 */
#ifndef ALP_REVOCATIONS_H
#define ALP_REVOCATIONS_H

#include "gateway.h"
#include "tokens.h"

struct revocations;

/* Begins to ask. gw->store is dialled. */
struct revocations *revocations_new(struct gateway *gw);
void revocations_free(struct revocations *revocations);

/* False until the first answers have come: no token can be judged before. */
bool revocations_are_known(const struct revocations *revocations);

/* False: the token's sign-in has ended. */
bool revocations_allow(const struct revocations *revocations, const struct token *token);

/* What this gateway did itself counts here at once: a sign-in, or all of a user's below a version. */
void revocations_end_sign_in(struct revocations *revocations, const struct uuid_text *sign_in_id);
void revocations_end_user(struct revocations *revocations, const struct uuid_text *user_id, int64_t version);

size_t revocations_count(const struct revocations *revocations);

#endif
