/*
 * upstream: are chat and store usable? A link that is up says little about the
 * database behind it, so both are asked something small as soon as store can be
 * asked, and whenever somebody wants to know and the last answers are old. Loop
 * thread only.
 */
#ifndef ALP_UPSTREAM_H
#define ALP_UPSTREAM_H

#include "gateway.h"

struct upstream;

struct upstream *upstream_new(struct gateway *gw);
void upstream_free(struct upstream *upstream); /* before the loop ends */

/* As far as known now; asks again in the background when that is old. */
size_t upstream_dependencies(struct upstream *upstream, struct dependency out[DEPENDENCIES_MAX]);

/* Ask now; done runs once, later. The returned request can be forgotten. The answer of the second has ans_suite_state. */
struct request *upstream_ask_database(struct upstream *upstream, answer_fn *done, void *arg);
struct request *upstream_ask_suite(struct upstream *upstream, answer_fn *done, void *arg);

/* Which answers to this message say that another chat should be asked; NULL: none does. */
elsewhere_fn *upstream_elsewhere(enum msg_id msg);

/* What an answer to that says about the database. */
bool upstream_is_database_up(const struct answer *answer);

#endif
