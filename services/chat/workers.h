/*
 * workers: who may get work. A free slot of a worker is a held request; a turn
 * that waits and a slot that is free meet here. Among free slots the worker
 * with the fewest attempts wins, so that work spreads. Loop thread only.
 */
#ifndef ALP_WORKERS_H
#define ALP_WORKERS_H

#include <uthash.h>

#include "bus.h"

struct chat;
struct turn;

struct worker {
	UT_hash_handle hh;
	char *name;
	int64_t heard_us; /* last sign of life */
	int64_t gone_us; /* its connection closed and nothing came since; 0 = connected */
	bool leaving; /* said so itself: finishes what it has and takes nothing more */
	size_t running; /* attempts it has of us */
};

struct pull {
	struct call *call;
	struct worker *worker;
	struct pull *prev, *next;
};

struct waiting {
	struct turn *turn;
	struct waiting *prev, *next;
};

struct workers {
	void *ctx;
	struct worker *by_name;
	struct pull *pulls; /* oldest first */
	size_t pulls_n, pulls_max;
	struct waiting *waiting; /* oldest first */
	size_t waiting_n;
};

void workers_init(struct workers *w, size_t calls_max);
void workers_done(struct workers *w);
size_t workers_count(const struct workers *w); /* heard of lately */

/* A free slot. Holds the call, or answers it at once. */
enum rc workers_pull(struct chat *chat, const struct msg_work_pull *m, struct call *call);

/* A sign of life, with the attempts the worker says it has. One that it was given and never names did not arrive. */
void workers_beat(struct chat *chat, const struct msg_work_beat *m);

/* dispatch.gone: the asker of a held call is gone. service is the chat. */
void workers_on_gone(void *service, struct call *call);

/* The turn waits for a slot; false when TURNS_WAITING_MAX others do. */
bool workers_enqueue(struct chat *chat, struct turn *turn);

/* Gives work to free slots, as far as there are both. */
void workers_match(struct chat *chat);

/* The turn neither waits nor belongs to a worker any more. */
void workers_forget(struct chat *chat, struct turn *turn);

/* This worker has the turn's attempt. */
void workers_assign(struct chat *chat, struct turn *turn, struct text name);

/* Tells all workers about the turn's attempt: "cancel" or "refetch". May be lost. */
void workers_tell(struct chat *chat, const char *action, const struct turn *turn);

/* We could not hear anybody for a while: nobody is silent because of that. */
void workers_hear_all(struct workers *w);

void workers_tick(struct chat *chat); /* silent workers, pulls held for long */
void workers_drain(struct chat *chat); /* lets go of all held pulls */

#endif
