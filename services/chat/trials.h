/*
 * trials: what a worker does outside of any dialogue: the test of a connection
 * to a model's server, and sealing a guest's key for the account that takes
 * over his work. A trial goes to a worker like an attempt and comes back as
 * one, but nothing is stored and nobody takes it over: it has its answer within
 * 15 s. Loop thread only.
 */
#ifndef ALP_TRIALS_H
#define ALP_TRIALS_H

#include "bus.h"

struct chat;

struct trial {
	struct chat *chat;
	struct call *call;
	struct msg_connection_test wish; /* texts are ours */
	struct uuid_text owner; /* of wish.api_key */
	struct uuid_text seal_for; /* who is to own it; "": a test */
	struct request *asking; /* for the caller's settings; not handed out until they are there */
	bool handed_out;
	int64_t since_us;
	struct trial *prev, *next;
};

struct trials {
	struct trial *list; /* oldest first */
	int n;
};

enum rc trials_start(struct chat *chat, const struct msg_connection_test *m, struct call *call);
enum rc trials_seal(struct chat *chat, const struct msg_key_move *m, struct call *call);

/* The oldest that waits, as work; texts are borrowed from it. False: none waits. */
bool trials_take(struct chat *chat, struct ans_work_pull *work);

/* A worker told an end. True: it was a trial's, whose caller has his answer. */
bool trials_on_done(struct chat *chat, const struct msg_work_done *m);

void trials_tick(struct chat *chat);
void trials_done(struct chat *chat); /* refuses all */

#endif
